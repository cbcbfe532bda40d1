-- name: domains_of_thing
-- The domain a Thing is registered in, and each of its datastreams.
SELECT t.domain, d.domain, d.property
FROM hv.thing t LEFT JOIN hv.datastream d ON d.thing_id = t.thing_id
WHERE t.code = %(thing)s

-- name: stored_at
-- Which properties of a Thing have an observation at one instant.
SELECT d.property
FROM hv.observation o
JOIN hv.datastream d ON d.datastream_id = o.datastream_id
JOIN hv.thing t ON t.thing_id = d.thing_id
WHERE t.code = %(thing)s AND d.domain = %(domain)s AND o.phenomenon_time = %(at)s

-- name: rejected_since
-- What was refused of one message.
SELECT reason, detail, partial
FROM hv.rejected_message
WHERE topic = %(topic)s AND payload = %(payload)s AND received_time >= %(since)s
ORDER BY rejected_id
