-- name: limited_count
-- More messages beyond the pace of a Thing in the same minute; a row that was purged meanwhile is not there.
UPDATE hv.rejected_message r SET count = r.count + x.number
FROM unnest(%(ids)s::bigint[], %(numbers)s::bigint[]) AS x (id, number)
WHERE r.rejected_id = x.id
RETURNING r.rejected_id

-- name: limited_put
-- The first message of a Thing and minute beyond its pace, and how many there are.
INSERT INTO hv.rejected_message (received_time, topic, thing, payload, payload_bytes, reason, detail, partial, count)
VALUES (%(received)s, %(topic)s, %(thing)s, %(payload)s, %(bytes)s, 'rate_limited', %(detail)s, false, %(number)s)
RETURNING rejected_id

-- name: limited_things
-- Things limited since an instant, with the number of the newest minute; a row of a clock that was ahead is none of now.
SELECT DISTINCT ON (t.thing_id) t.thing_id, t.domain, r.count
FROM hv.rejected_message r
JOIN hv.thing t ON t.code = r.thing
WHERE r.received_time BETWEEN %(since)s AND %(until)s AND r.reason = 'rate_limited'
ORDER BY t.thing_id, r.received_time DESC
