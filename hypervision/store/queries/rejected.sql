-- name: rejected_list
-- Quarantined messages, newest first.
SELECT rejected_id, received_time, topic, payload, payload_bytes, reason, detail, count, partial, replayed_at
FROM hv.rejected_message
WHERE %(reason)s::text IS NULL OR reason = %(reason)s
ORDER BY rejected_id DESC LIMIT %(limit)s

-- name: rejected_to_replay
-- Whole messages that wait for a replay, oldest first.
SELECT rejected_id, received_time, topic, payload, payload_bytes, reason, detail, count, partial, replayed_at
FROM hv.rejected_message
WHERE replayed_at IS NULL AND rejected_id > %(after)s AND payload_bytes = octet_length(payload)
  AND (%(thing)s::text IS NULL OR thing = %(thing)s)
  AND (%(reason)s::text IS NULL OR reason = %(reason)s)
  AND (%(ids)s::bigint[] IS NULL OR rejected_id = ANY(%(ids)s))
ORDER BY rejected_id LIMIT %(limit)s

-- name: rejected_mark_replayed
-- These were sent through again.
UPDATE hv.rejected_message SET replayed_at = %(now)s WHERE rejected_id = ANY(%(ids)s)
