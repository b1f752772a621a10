-- The first schema. Money in minor units, times in microseconds since 1970 UTC, the rest in JSON.

CREATE TABLE orders (
    order_id   TEXT PRIMARY KEY,
    price      INTEGER NOT NULL,
    currency   TEXT NOT NULL,
    tax_free   INTEGER NOT NULL,
    name       TEXT NOT NULL,
    expires_at INTEGER,
    metadata   TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    shown      TEXT NOT NULL,
    payment    TEXT NOT NULL,
    version    INTEGER NOT NULL,
    due_at     INTEGER
) WITHOUT ROWID;
CREATE INDEX orders_by_age ON orders (created_at, order_id);
CREATE INDEX orders_by_state ON orders (shown, created_at, order_id);
-- What is unfinished is looked at before what is only compared.
CREATE INDEX orders_due ON orders (
    (CASE WHEN shown IN ('open', 'awaiting_deposit', 'pending') THEN 0 ELSE 1 END), due_at
) WHERE due_at IS NOT NULL;

-- Append-only: the trigger below refuses every change.
CREATE TABLE events (
    order_id TEXT NOT NULL,
    version  INTEGER NOT NULL,
    at       INTEGER NOT NULL,
    what     TEXT NOT NULL,
    who      TEXT NOT NULL,
    data     TEXT NOT NULL,
    PRIMARY KEY (order_id, version)
) WITHOUT ROWID;
CREATE TRIGGER events_stay BEFORE UPDATE ON events BEGIN SELECT RAISE(ABORT, 'history is append-only'); END;
CREATE TRIGGER events_remain BEFORE DELETE ON events BEGIN SELECT RAISE(ABORT, 'history is append-only'); END;

-- A receipt belongs to one order, for ever.
CREATE TABLE receipts (
    receipt_id TEXT PRIMARY KEY,
    order_id   TEXT NOT NULL
) WITHOUT ROWID;

CREATE TABLE deliveries (
    id         TEXT PRIMARY KEY,
    order_id   TEXT NOT NULL,
    seq        INTEGER NOT NULL,
    lane       TEXT NOT NULL,
    type       TEXT NOT NULL,
    data       TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    due_at     INTEGER NOT NULL,
    attempts   INTEGER NOT NULL,
    state      TEXT NOT NULL,
    last_error TEXT NOT NULL,
    settled_at INTEGER
) WITHOUT ROWID;
CREATE INDEX deliveries_due ON deliveries (due_at) WHERE state = 'due';
CREATE INDEX deliveries_money_back ON deliveries (due_at) WHERE state = 'due' AND lane = 'money_back';
CREATE INDEX deliveries_waiting ON deliveries (order_id, lane, seq) WHERE state = 'due';
CREATE INDEX deliveries_by_order ON deliveries (order_id, seq);

CREATE TABLE inbox (
    key         TEXT PRIMARY KEY,
    receipt_id  TEXT NOT NULL,
    generation  INTEGER NOT NULL,
    kind        TEXT NOT NULL,
    cancelled   TEXT NOT NULL,
    order_id    TEXT NOT NULL,
    source      TEXT NOT NULL,
    received_at INTEGER NOT NULL,
    times       INTEGER NOT NULL,
    due_at      INTEGER,
    attempts    INTEGER NOT NULL,
    outcome     TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX inbox_due ON inbox (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX inbox_by_age ON inbox (received_at);
