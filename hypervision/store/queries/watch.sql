-- name: latest_all
-- Newest value of every datastream, for a second look at the alarms.
SELECT datastream_id, phenomenon_time, result, quality, received_time, live FROM hv.latest ORDER BY datastream_id

-- name: collectors_alive
-- Whether every collector beats, is connected and holds little (null when there is none), and no import,
-- replay or generated history is at work. A collector out of service is not missed; a part of the traffic that
-- nobody takes is.
SELECT bool_and(s.beat_at > %(since)s AND s.link = 'connected' AND s.in_flight <= %(held)s)
           FILTER (WHERE w.name LIKE 'collect%%' AND w.retired_at IS NULL)
       AND NOT bool_or(w.name IN ('import', 'replay', 'simulate') AND s.beat_at > %(since)s::timestamptz - interval '10 s')
       AND NOT EXISTS (
           SELECT 1 FROM hv.writer_snapshot b JOIN hv.writer c ON c.writer_id = b.writer_id
           WHERE c.name ~ '^collector-[0-9]+/[0-9]+$' AND c.retired_at IS NULL
           GROUP BY split_part(c.name, '/', 2) HAVING count(*) < split_part(c.name, '/', 2)::int)
FROM hv.writer_snapshot s JOIN hv.writer w ON w.writer_id = s.writer_id

-- name: purge_identities
-- Identities of messages without a time are needed for a day.
DELETE FROM hv.message_identity WHERE received_time < %(before)s

-- name: purge_login_failures
-- Failed log-ins older than the window of the back-off.
DELETE FROM hv.login_failure WHERE at < %(before)s

-- name: purge_sessions
-- Sessions that are over.
DELETE FROM hv.session WHERE expires_at < %(now)s
