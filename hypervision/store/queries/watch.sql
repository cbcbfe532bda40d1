-- name: latest_all
-- Newest value of every datastream, for a second look at the alarms.
SELECT datastream_id, phenomenon_time, result, quality, received_time, live FROM hv.latest ORDER BY datastream_id

-- name: latest_times
-- When the newest values of some datastreams were true.
SELECT datastream_id, phenomenon_time FROM hv.latest WHERE datastream_id = ANY(%(ids)s::int[])

-- name: flow
-- Collectors and whoever fills history in, each with the age of its beat, whether it was retired, and what it holds.
SELECT w.name, extract(epoch FROM clock_timestamp() - s.beat_at)::float8, w.retired_at IS NOT NULL, s.link, s.in_flight
FROM hv.writer_snapshot s JOIN hv.writer w ON w.writer_id = s.writer_id
WHERE w.name LIKE 'collector-%%' OR w.name IN ('import', 'simulate')
ORDER BY w.name

-- name: replay_in_hand
-- What a replay at work may still send: rows up to the newest, of one scope or Thing.
SELECT s.detail -> %(key)s
FROM hv.writer_snapshot s JOIN hv.writer w ON w.writer_id = s.writer_id
WHERE w.name = 'replay' AND s.beat_at > clock_timestamp() - %(patience)s * interval '1 s' AND s.detail -> %(key)s IS NOT NULL

-- name: replayed_sources
-- Which of some conditions are of Things with messages that a replay may still send.
SELECT x.kind, x.id
FROM unnest(%(kinds)s::text[], %(ids)s::int[]) AS x (kind, id)
LEFT JOIN hv.datastream d ON x.kind = 'datastream' AND d.datastream_id = x.id
JOIN hv.thing t ON t.thing_id = CASE x.kind WHEN 'thing' THEN x.id ELSE d.thing_id END
WHERE -- part: in_scope
  AND (%(thing)s::text IS NULL OR t.code = %(thing)s)
  AND EXISTS (SELECT FROM hv.rejected_message r
              WHERE r.thing = t.code AND r.replayed_at IS NULL AND r.rejected_id <= %(newest)s)

-- name: purge_identities
-- Identities of messages without a time are needed for a day.
DELETE FROM hv.message_identity WHERE received_time < %(before)s

-- name: purge_login_failures
-- Failed log-ins older than the window of the back-off.
DELETE FROM hv.login_failure WHERE at < %(before)s

-- name: purge_sessions
-- Sessions that are over.
DELETE FROM hv.session WHERE expires_at < %(now)s
