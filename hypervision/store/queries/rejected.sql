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
WHERE replayed_at IS NULL AND rejected_id <= %(newest)s AND payload_bytes = octet_length(payload) AND thing <> ''
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

-- name: rejected_mark_replayed
-- These were sent through again, with every row of the same message; not the rows that the second try made.
UPDATE hv.rejected_message r SET replayed_at = %(now)s
FROM hv.rejected_message m
WHERE m.rejected_id = ANY(%(ids)s) AND r.rejected_id <= %(newest)s AND r.replayed_at IS NULL
  AND r.received_time = m.received_time AND r.topic = m.topic AND r.payload = m.payload
