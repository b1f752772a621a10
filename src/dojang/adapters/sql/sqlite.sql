-- name: register
INSERT INTO orders (order_id, price, currency, tax_free, name, expires_at, metadata,
                    created_at, shown, payment, version, due_at)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (order_id) DO NOTHING

-- name: load
SELECT order_id, price, currency, tax_free, name, expires_at, metadata,
       payment, version, created_at, due_at,
       (SELECT receipts.order_id FROM receipts WHERE receipt_id = ?)
FROM orders WHERE order_id = ?

-- name: advance
UPDATE orders SET payment = ?, shown = ?, version = ?, due_at = ? WHERE order_id = ? AND version = ?

-- name: append
INSERT INTO events (order_id, version, at, what, who, data) VALUES (?, ?, ?, ?, ?, ?)

-- name: claim
INSERT INTO receipts (receipt_id, order_id) VALUES (?, ?) ON CONFLICT (receipt_id) DO NOTHING

-- name: owner
SELECT order_id FROM receipts WHERE receipt_id = ?

-- name: owe
INSERT INTO deliveries (id, order_id, seq, lane, type, data, created_at, due_at,
                        attempts, state, last_error, settled_at)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (id) DO NOTHING

-- name: history
SELECT version, at, what, who, data FROM events WHERE order_id = ? ORDER BY version

-- name: orders
SELECT order_id, price, currency, tax_free, name, expires_at, metadata,
       payment, version, created_at, due_at, NULL
FROM orders
WHERE (:state IS NULL OR shown = :state)
  AND created_at >= :created_from AND created_at < :created_to
  AND (created_at, order_id) < (:after_at, :after_id)
ORDER BY created_at DESC, order_id DESC
LIMIT :limit

-- name: deliveries
SELECT id, order_id, seq, lane, type, data, created_at, due_at, attempts, state, last_error, settled_at
FROM deliveries WHERE order_id = ? ORDER BY seq, lane

-- name: delivery
SELECT id, order_id, seq, lane, type, data, created_at, due_at, attempts, state, last_error, settled_at
FROM deliveries WHERE id = ?

-- name: claim_deliveries
UPDATE deliveries SET due_at = :until, attempts = attempts + 1
WHERE id IN (
    SELECT id FROM deliveries AS d
    WHERE state = 'due' AND due_at <= :now
      AND NOT EXISTS (
          SELECT 1 FROM deliveries AS e
          WHERE d.lane = 'notice'
            AND e.order_id = d.order_id AND e.lane = d.lane AND e.state = 'due' AND e.seq < d.seq
      )
    ORDER BY due_at, id LIMIT :limit
)
RETURNING id, order_id, seq, lane, type, data, created_at, due_at, attempts, state, last_error, settled_at

-- name: claim_money_back
UPDATE deliveries SET due_at = :until, attempts = attempts + 1
WHERE id IN (
    SELECT id FROM deliveries
    WHERE state = 'due' AND lane = 'money_back' AND due_at <= :now
    ORDER BY due_at, id LIMIT :limit
)
RETURNING id, order_id, seq, lane, type, data, created_at, due_at, attempts, state, last_error, settled_at

-- name: settle_delivery
UPDATE deliveries SET state = ?, due_at = ?, last_error = ?, settled_at = ?
WHERE id = ? AND attempts = ? AND state = 'due'

-- name: retry_delivery
UPDATE deliveries SET state = 'due', due_at = ?, last_error = '' WHERE id = ? AND state <> 'settled'

-- name: receive
INSERT INTO inbox (key, receipt_id, generation, kind, cancelled, order_id, source,
                   received_at, times, due_at, attempts, outcome)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, 1, ?, 0, '')
ON CONFLICT (key) DO UPDATE SET
    times = times + 1,
    due_at = CASE outcome WHEN 'settled' THEN due_at ELSE coalesce(due_at, excluded.due_at) END,
    attempts = CASE outcome WHEN 'settled' THEN attempts ELSE 0 END,
    outcome = CASE outcome WHEN 'settled' THEN outcome ELSE '' END
RETURNING receipt_id, generation, kind, cancelled, order_id, source,
          received_at, times, due_at, attempts, outcome

-- name: claim_notices
UPDATE inbox SET due_at = :until, attempts = attempts + 1
WHERE key IN (SELECT key FROM inbox WHERE due_at <= :now ORDER BY due_at, key LIMIT :limit)
RETURNING receipt_id, generation, kind, cancelled, order_id, source,
          received_at, times, due_at, attempts, outcome

-- name: settle_notice
UPDATE inbox SET outcome = ?, due_at = ? WHERE key = ? AND times = ? AND attempts = ?

-- name: notices
SELECT receipt_id, generation, kind, cancelled, order_id, source,
       received_at, times, due_at, attempts, outcome
FROM inbox ORDER BY received_at DESC LIMIT ?

-- name: reschedule
UPDATE orders SET due_at = ? WHERE order_id = ? AND version = ?

-- name: claim_checks
UPDATE orders SET due_at = :until
WHERE order_id IN (
    SELECT order_id FROM orders
    WHERE CASE WHEN shown IN ('open', 'awaiting_deposit', 'pending') THEN 0 ELSE 1 END = :turn AND due_at <= :now
    ORDER BY due_at, order_id LIMIT :limit
)
RETURNING order_id
