-- name: introduce
SELECT current_setting('server_version_num')::int, current_setting('server_encoding'),
       current_setting('synchronous_commit'), current_schema(), to_regclass('dojang_migrations') IS NOT NULL

-- name: now
SELECT clock_timestamp()

-- name: migrations
CREATE TABLE IF NOT EXISTS dojang_migrations (
    number      integer PRIMARY KEY,
    name        text NOT NULL,
    serves_from integer NOT NULL,
    ran_at      timestamptz NOT NULL DEFAULT now()
)

-- name: version
SELECT coalesce(max(number), 0), coalesce(max(serves_from), 0) FROM dojang_migrations

-- name: migrated
INSERT INTO dojang_migrations (number, name, serves_from) VALUES (%s, %s, %s)

-- name: register
WITH put AS (
    INSERT INTO dojang_orders (order_id, price, currency, tax_free, name, expires_at, metadata,
                               created_at, shown, payment, version, due_at)
    VALUES (%(order_id)s, %(price)s, %(currency)s, %(tax_free)s, %(name)s, %(expires_at)s, %(metadata)s,
            %(created_at)s, %(shown)s, %(payment)s, %(version)s, %(due_at)s)
    ON CONFLICT (order_id) DO NOTHING
    RETURNING order_id
), told AS (
    INSERT INTO dojang_events (order_id, version, at, what, who, data, token)
    SELECT put.order_id, %(version)s, %(created_at)s, %(what)s, %(who)s, %(data)s::json, %(token)s FROM put
)
SELECT EXISTS (SELECT FROM put) OR EXISTS (
           SELECT FROM dojang_events AS e
           WHERE e.order_id = %(order_id)s AND e.version = %(version)s AND e.token = %(token)s
       ),
       o.order_id, o.price, o.currency, o.tax_free, o.name, o.expires_at, o.metadata::text,
       o.payment::text, o.version, o.created_at, o.due_at, NULL
FROM (VALUES (1)) AS one LEFT JOIN dojang_orders AS o ON o.order_id = %(order_id)s

-- name: load
SELECT o.order_id, o.price, o.currency, o.tax_free, o.name, o.expires_at, o.metadata::text,
       o.payment::text, o.version, o.created_at, o.due_at,
       (SELECT r.order_id FROM dojang_receipts AS r WHERE r.receipt_id = %s)
FROM dojang_orders AS o WHERE o.order_id = %s

-- name: commit
SELECT dojang_commit_1(%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)

-- name: history
SELECT version, at, what, who, data::text FROM dojang_events WHERE order_id = %s ORDER BY version

-- name: orders
SELECT order_id, price, currency, tax_free, name, expires_at, metadata::text,
       payment::text, version, created_at, due_at, NULL
FROM dojang_orders
WHERE created_at >= %(created_from)s AND created_at < %(created_to)s
  AND (created_at, order_id) < (%(after_at)s, %(after_id)s)
ORDER BY created_at DESC, order_id DESC
LIMIT %(limit)s

-- name: orders_in_state
SELECT order_id, price, currency, tax_free, name, expires_at, metadata::text,
       payment::text, version, created_at, due_at, NULL
FROM dojang_orders
WHERE shown = %(state)s AND created_at >= %(created_from)s AND created_at < %(created_to)s
  AND (created_at, order_id) < (%(after_at)s, %(after_id)s)
ORDER BY created_at DESC, order_id DESC
LIMIT %(limit)s

-- name: deliveries
SELECT id, order_id, seq, lane, type, data::text, created_at, due_at, attempts, state, last_error, settled_at
FROM dojang_deliveries WHERE order_id = %s ORDER BY seq, lane

-- name: claim_deliveries
WITH picked AS MATERIALIZED (
    SELECT d.id, d.due_at AS was_due_at FROM dojang_deliveries AS d
    WHERE d.state = 'due' AND d.due_at <= %(now)s
      AND NOT EXISTS (
          SELECT FROM dojang_deliveries AS e
          WHERE d.lane = 'notice'
            AND e.order_id = d.order_id AND e.lane = d.lane AND e.state = 'due' AND e.seq < d.seq
      )
    ORDER BY d.due_at, d.id LIMIT %(limit)s
    FOR NO KEY UPDATE SKIP LOCKED
), taken AS (
    UPDATE dojang_deliveries AS d SET due_at = %(until)s, attempts = d.attempts + 1
    FROM picked WHERE d.id = picked.id
    RETURNING d.*, picked.was_due_at
)
SELECT id, order_id, seq, lane, type, data::text, created_at, due_at, attempts, state, last_error, settled_at
FROM taken ORDER BY was_due_at, id

-- name: claim_money_back
WITH picked AS MATERIALIZED (
    SELECT d.id, d.due_at AS was_due_at FROM dojang_deliveries AS d
    WHERE d.state = 'due' AND d.lane = 'money_back' AND d.due_at <= %(now)s
    ORDER BY d.due_at, d.id LIMIT %(limit)s
    FOR NO KEY UPDATE SKIP LOCKED
), taken AS (
    UPDATE dojang_deliveries AS d SET due_at = %(until)s, attempts = d.attempts + 1
    FROM picked WHERE d.id = picked.id
    RETURNING d.*, picked.was_due_at
)
SELECT id, order_id, seq, lane, type, data::text, created_at, due_at, attempts, state, last_error, settled_at
FROM taken ORDER BY was_due_at, id

-- name: settle_delivery
UPDATE dojang_deliveries SET state = %s, due_at = %s, last_error = %s, settled_at = %s
WHERE id = %s AND attempts = %s AND state = 'due'
RETURNING id

-- name: retry_delivery
WITH tried AS (
    UPDATE dojang_deliveries SET state = 'due', due_at = %(now)s, last_error = ''
    WHERE id = %(id)s AND state <> 'settled'
    RETURNING *
)
SELECT id, order_id, seq, lane, type, data::text, created_at, due_at, attempts, state, last_error, settled_at
FROM tried
UNION ALL
SELECT id, order_id, seq, lane, type, data::text, created_at, due_at, attempts, state, last_error, settled_at
FROM dojang_deliveries WHERE id = %(id)s AND NOT EXISTS (SELECT FROM tried)

-- name: receive
INSERT INTO dojang_inbox AS i (key, receipt_id, generation, kind, cancelled, order_id, source,
                               received_at, times, due_at, attempts, outcome)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, 1, %s, 0, '')
ON CONFLICT (key) DO UPDATE SET
    times = i.times + 1,
    due_at = CASE i.outcome WHEN 'settled' THEN i.due_at ELSE coalesce(i.due_at, excluded.due_at) END,
    attempts = CASE i.outcome WHEN 'settled' THEN i.attempts ELSE 0 END,
    outcome = CASE i.outcome WHEN 'settled' THEN i.outcome ELSE '' END
RETURNING receipt_id, generation, kind, cancelled, order_id, source,
          received_at, times, due_at, attempts, outcome

-- name: claim_notices
WITH picked AS MATERIALIZED (
    SELECT key, due_at AS was_due_at FROM dojang_inbox WHERE due_at <= %(now)s
    ORDER BY due_at, key LIMIT %(limit)s
    FOR NO KEY UPDATE SKIP LOCKED
), taken AS (
    UPDATE dojang_inbox AS i SET due_at = %(until)s, attempts = i.attempts + 1
    FROM picked WHERE i.key = picked.key
    RETURNING i.*, picked.was_due_at
)
SELECT receipt_id, generation, kind, cancelled, order_id, source,
       received_at, times, due_at, attempts, outcome
FROM taken ORDER BY was_due_at, key

-- name: settle_notice
UPDATE dojang_inbox SET outcome = %s, due_at = %s WHERE key = %s AND times = %s AND attempts = %s RETURNING key

-- name: notices
SELECT receipt_id, generation, kind, cancelled, order_id, source,
       received_at, times, due_at, attempts, outcome
FROM dojang_inbox ORDER BY received_at DESC, key DESC LIMIT %s

-- name: reschedule
UPDATE dojang_orders SET due_at = %s WHERE order_id = %s AND version = %s RETURNING order_id

-- name: claim_checks
WITH preferred AS MATERIALIZED (
    SELECT order_id, due_at AS was_due_at FROM dojang_orders
    WHERE CASE WHEN shown IN ('open', 'awaiting_deposit', 'pending') THEN 0 ELSE 1 END = %(first)s::int
      AND due_at <= %(now)s
    ORDER BY due_at, order_id LIMIT %(limit)s
    FOR NO KEY UPDATE SKIP LOCKED
), others AS MATERIALIZED (
    SELECT order_id, due_at AS was_due_at FROM dojang_orders
    WHERE CASE WHEN shown IN ('open', 'awaiting_deposit', 'pending') THEN 0 ELSE 1 END = 1 - %(first)s::int
      AND due_at <= %(now)s AND NOT EXISTS (SELECT FROM preferred)
    ORDER BY due_at, order_id LIMIT %(limit)s
    FOR NO KEY UPDATE SKIP LOCKED
), picked AS MATERIALIZED (
    SELECT * FROM preferred UNION ALL SELECT * FROM others
), taken AS (
    UPDATE dojang_orders AS o SET due_at = %(until)s
    FROM picked WHERE o.order_id = picked.order_id
    RETURNING o.order_id, picked.was_due_at
)
SELECT order_id FROM taken ORDER BY was_due_at, order_id
