-- name: rejected_list
-- Quarantined messages, newest first.
SELECT rejected_id, received_time, topic, payload, payload_bytes, reason, detail, count, partial, replayed_at
FROM hv.rejected_message
WHERE %(reason)s::text IS NULL OR reason = %(reason)s
ORDER BY rejected_id DESC LIMIT %(limit)s

-- name: rejected_newest
-- The newest row of the quarantine.
SELECT coalesce(max(rejected_id), 0) FROM hv.rejected_message

-- name: rejected_waiting
-- Messages kept whole that a second try may mend, in order of receipt; a message with several rows once.
SELECT min(rejected_id)
FROM hv.rejected_message
WHERE replayed_at IS NULL AND reason <> 'rate_limited' AND rejected_id <= %(newest)s AND payload_bytes = octet_length(payload) AND thing <> ''
  AND (topic LIKE '%%/up' OR (topic LIKE '%%/status' AND payload IN ('online'::bytea, 'offline'::bytea)))
  AND (%(thing)s::text IS NULL OR thing = %(thing)s)
  AND (%(reason)s::text IS NULL OR reason = %(reason)s)
  AND (%(ids)s::bigint[] IS NULL OR rejected_id = ANY(%(ids)s))
GROUP BY received_time, topic, sha256(payload)
ORDER BY received_time, min(rejected_id)

-- name: rejected_read
-- Messages by their numbers, in order of receipt.
SELECT rejected_id, received_time, topic, payload, payload_bytes, reason, detail, count, partial, replayed_at
FROM hv.rejected_message
WHERE rejected_id = ANY(%(ids)s)
ORDER BY received_time, rejected_id

-- name: rejected_settle
-- What a second try made of these messages. Refused again: the row it had tells the newer reason and goes on waiting,
-- and the row that the second try made is gone. Else every row of the message was replayed.
WITH message AS (
    SELECT rejected_id AS message, received_time, topic, payload FROM hv.rejected_message
    WHERE rejected_id = ANY(%(ids)s)
), row_of AS (
    SELECT m.message, r.rejected_id, r.reason, r.rejected_id > %(newest)s AS again
    FROM hv.rejected_message r
    JOIN message m ON m.received_time = r.received_time AND m.topic = r.topic AND m.payload = r.payload
    WHERE r.replayed_at IS NULL
), placed AS (
    -- Rows of the same reason belong together, then whatever is left of both.
    SELECT message, rejected_id, again, row_number() OVER (
        PARTITION BY message, again
        ORDER BY EXISTS (
            SELECT FROM row_of o WHERE o.message = r.message AND o.reason = r.reason AND o.again <> r.again
        ) DESC, reason, rejected_id) AS place
    FROM row_of r
), pair AS (
    SELECT o.rejected_id AS kept, n.rejected_id AS newer
    FROM placed o
    LEFT JOIN placed n ON n.message = o.message AND n.place = o.place AND n.again
    WHERE NOT o.again
), gone AS (
    DELETE FROM hv.rejected_message r USING pair WHERE r.rejected_id = pair.newer
)
UPDATE hv.rejected_message r SET
    reason = coalesce(n.reason, r.reason),
    detail = coalesce(n.detail || %(note)s, r.detail),
    -- The other values of a stored message stay stored.
    count = CASE WHEN n.partial OR NOT r.partial THEN coalesce(n.count, r.count) ELSE r.count END,
    partial = r.partial OR coalesce(n.partial, false),
    replayed_at = CASE WHEN n.rejected_id IS NULL THEN %(now)s::timestamptz END
FROM pair
LEFT JOIN hv.rejected_message n ON n.rejected_id = pair.newer
WHERE r.rejected_id = pair.kept
