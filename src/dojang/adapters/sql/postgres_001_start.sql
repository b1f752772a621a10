-- The first schema. Money in minor units, times in microseconds since 1970 UTC, the rest in JSON.
--
-- Rules for every later migration: only ever add (tables, columns that may be missing, indexes, functions under a
-- new number), so that servers of the release before go on working while their neighbours are already upgraded.
-- The next line names the oldest release that can work on this schema by the last migration it brings itself;
-- an older one refuses to start.
-- serves from: 1

-- "C" collation: ids are compared byte by byte, as in every other store, whatever the database's language.
CREATE TABLE dojang_orders (
    order_id   text COLLATE "C" PRIMARY KEY,
    price      bigint NOT NULL,
    currency   text NOT NULL,
    tax_free   bigint NOT NULL,
    name       text NOT NULL,
    expires_at bigint,
    metadata   json NOT NULL,
    created_at bigint NOT NULL,
    shown      text COLLATE "C" NOT NULL,
    payment    json NOT NULL,
    version    bigint NOT NULL,
    due_at     bigint
);
CREATE INDEX dojang_orders_by_age ON dojang_orders (created_at, order_id);
CREATE INDEX dojang_orders_by_state ON dojang_orders (shown, created_at, order_id);
-- What is unfinished is looked at before what is only compared.
CREATE INDEX dojang_orders_due ON dojang_orders (
    (CASE WHEN shown IN ('open', 'awaiting_deposit', 'pending') THEN 0 ELSE 1 END), due_at, order_id
) WHERE due_at IS NOT NULL;

-- Append-only. `token` is the commit that wrote it: a repeat whose first answer got lost knows itself again.
CREATE TABLE dojang_events (
    order_id text COLLATE "C" NOT NULL,
    version  bigint NOT NULL,
    at       bigint NOT NULL,
    what     text NOT NULL,
    who      text NOT NULL,
    data     json NOT NULL,
    token    text COLLATE "C" NOT NULL,
    PRIMARY KEY (order_id, version)
);

-- A receipt belongs to one order, for ever.
CREATE TABLE dojang_receipts (
    receipt_id text COLLATE "C" PRIMARY KEY,
    order_id   text COLLATE "C" NOT NULL
);

CREATE FUNCTION dojang_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'DJ002';
END
$$;
CREATE TRIGGER dojang_events_stay BEFORE UPDATE OR DELETE OR TRUNCATE ON dojang_events
    FOR EACH STATEMENT EXECUTE FUNCTION dojang_stays();
CREATE TRIGGER dojang_receipts_stay BEFORE UPDATE OR DELETE OR TRUNCATE ON dojang_receipts
    FOR EACH STATEMENT EXECUTE FUNCTION dojang_stays();

CREATE TABLE dojang_deliveries (
    id         text COLLATE "C" PRIMARY KEY,
    order_id   text COLLATE "C" NOT NULL,
    seq        bigint NOT NULL,
    lane       text COLLATE "C" NOT NULL,
    type       text NOT NULL,
    data       json NOT NULL,
    created_at bigint NOT NULL,
    due_at     bigint NOT NULL,
    attempts   bigint NOT NULL,
    state      text COLLATE "C" NOT NULL,
    last_error text NOT NULL,
    settled_at bigint
);
CREATE INDEX dojang_deliveries_due ON dojang_deliveries (due_at, id) WHERE state = 'due';
CREATE INDEX dojang_deliveries_money_back ON dojang_deliveries (due_at, id)
    WHERE state = 'due' AND lane = 'money_back';
CREATE INDEX dojang_deliveries_waiting ON dojang_deliveries (order_id, lane, seq) WHERE state = 'due';
CREATE INDEX dojang_deliveries_by_order ON dojang_deliveries (order_id, seq);

CREATE TABLE dojang_inbox (
    key         text COLLATE "C" PRIMARY KEY,
    receipt_id  text COLLATE "C" NOT NULL,
    generation  bigint NOT NULL,
    kind        text NOT NULL,
    cancelled   text NOT NULL,
    order_id    text NOT NULL,
    source      text NOT NULL,
    received_at bigint NOT NULL,
    times       bigint NOT NULL,
    due_at      bigint,
    attempts    bigint NOT NULL,
    outcome     text NOT NULL
);
CREATE INDEX dojang_inbox_due ON dojang_inbox (due_at, key) WHERE due_at IS NOT NULL;
CREATE INDEX dojang_inbox_by_age ON dojang_inbox (received_at, key);

-- The new state, its events, what is owed and the claims: together or not at all, in one round trip.
-- 'done', or 'moved_on' with nothing written; a receipt that belongs to another order raises DJ001, which undoes
-- what came before it.
CREATE FUNCTION dojang_commit_1(
    p_order_id text,
    p_loaded   bigint,
    p_token    text,
    p_payment  json,
    p_shown    text,
    p_version  bigint,
    p_due_at   bigint,
    p_claims   text[],
    p_events   json,
    p_owes     json
) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    -- Two commits of one order wait for each other here; the second then finds the version gone.
    UPDATE dojang_orders SET payment = p_payment, shown = p_shown, version = p_version, due_at = p_due_at
    WHERE order_id = p_order_id AND version = p_loaded;
    IF NOT FOUND THEN
        PERFORM 1 FROM dojang_events
        WHERE order_id = p_order_id AND version = p_loaded + 1 AND token = p_token;
        RETURN CASE WHEN FOUND THEN 'done' ELSE 'moved_on' END;
    END IF;
    -- In one order of claiming everywhere, so that two commits never wait for each other in a circle.
    INSERT INTO dojang_receipts (receipt_id, order_id)
    SELECT claim, p_order_id FROM unnest(p_claims) AS claim ORDER BY claim COLLATE "C"
    ON CONFLICT (receipt_id) DO NOTHING;
    PERFORM 1 FROM dojang_receipts WHERE receipt_id = ANY (p_claims) AND order_id <> p_order_id;
    IF FOUND THEN
        RAISE EXCEPTION 'a receipt of this order belongs to another order' USING ERRCODE = 'DJ001';
    END IF;
    INSERT INTO dojang_events (order_id, version, at, what, who, data, token)
    SELECT p_order_id, e.version, e.at, e.what, e.who, e.data::json, p_token
    FROM json_to_recordset(p_events) AS e(version bigint, at bigint, what text, who text, data text);
    INSERT INTO dojang_deliveries (id, order_id, seq, lane, type, data, created_at, due_at,
                                   attempts, state, last_error, settled_at)
    SELECT d.id, d.order_id, d.seq, d.lane, d.type, d.data::json, d.created_at, d.due_at,
           d.attempts, d.state, d.last_error, d.settled_at
    FROM json_to_recordset(p_owes) AS d(id text, order_id text, seq bigint, lane text, type text, data text,
                                        created_at bigint, due_at bigint, attempts bigint, state text,
                                        last_error text, settled_at bigint)
    ON CONFLICT (id) DO NOTHING;
    RETURN 'done';
END
$$;
