-- name: latest_all
-- Newest value of every datastream, for a second look at the alarms.
SELECT datastream_id, phenomenon_time, result, quality, received_time, live FROM hv.latest ORDER BY datastream_id

-- name: collectors_alive
-- Whether every collector beats, is connected and holds little (null when there is none), and no import
-- or generated history is at work. A collector out of service is not missed; a part of the traffic that
-- nobody takes is.
SELECT bool_and(s.beat_at > %(since)s AND s.link = 'connected' AND s.in_flight <= %(held)s)
           FILTER (WHERE w.name LIKE 'collect%%' AND w.retired_at IS NULL)
       AND NOT bool_or(w.name IN ('import', 'simulate') AND s.beat_at > %(since)s::timestamptz - interval '10 s')
       AND NOT EXISTS (
           SELECT 1 FROM hv.writer_snapshot b JOIN hv.writer c ON c.writer_id = b.writer_id
           WHERE c.name ~ '^collector-[0-9]+/[0-9]+$' AND c.retired_at IS NULL
           GROUP BY split_part(c.name, '/', 2) HAVING count(*) < split_part(c.name, '/', 2)::int)
FROM hv.writer_snapshot s JOIN hv.writer w ON w.writer_id = s.writer_id

-- name: replay_in_hand
-- What a replay at work may still send: rows up to the newest, of one organisation or Thing.
SELECT s.detail -> %(key)s
FROM hv.writer_snapshot s JOIN hv.writer w ON w.writer_id = s.writer_id
WHERE w.name = 'replay' AND s.beat_at > %(since)s AND s.detail -> %(key)s IS NOT NULL

-- name: replayed_sources
-- Which of some conditions are of Things with messages that a replay may still send.
SELECT x.kind, x.id
FROM unnest(%(kinds)s::text[], %(ids)s::int[]) AS x (kind, id)
LEFT JOIN hv.datastream d ON x.kind = 'datastream' AND d.datastream_id = x.id
JOIN hv.thing t ON t.thing_id = CASE x.kind WHEN 'thing' THEN x.id ELSE d.thing_id END
WHERE (%(organisation)s::int IS NULL OR t.organisation_id = %(organisation)s)
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
