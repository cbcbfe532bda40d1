-- name: fill_organisation
-- The organisation of some of the made-up Things, with an account that nobody can log in to.
WITH made AS (
    INSERT INTO hv.organisation (code, name) VALUES ('works', 'works') RETURNING organisation_id
)
INSERT INTO hv.account (name, password_hash, role, organisation_id, created_at, disabled_at)
SELECT 'works', '', 'viewer', organisation_id, %(now)s, %(now)s FROM made
RETURNING organisation_id

-- name: fill_things
-- Made-up Things, in the given order; every tenth is of the organisation.
INSERT INTO hv.thing (code, name, domain, longitude, latitude, organisation_id, registered_at)
SELECT code, code, domain, 6.1 + (place %% 100) * 0.001, 48.6 + (place / 100) * 0.001,
       CASE WHEN place %% 10 = 0 THEN %(organisation)s::int END, %(now)s
FROM unnest(%(codes)s::text[], %(domains)s::text[]) WITH ORDINALITY AS x (code, domain, place)
ORDER BY place

-- name: fill_streams
-- Their datastreams, in the given order.
INSERT INTO hv.datastream (thing_id, domain, property, unit, kind, expected_period, registered_at)
SELECT t.thing_id, t.domain, x.property, x.unit, x.kind, %(period)s, %(now)s
FROM unnest(%(codes)s::text[], %(properties)s::text[], %(units)s::text[], %(kinds)s::text[])
     WITH ORDINALITY AS x (code, property, unit, kind, place)
JOIN hv.thing t ON t.code = x.code
ORDER BY x.place
RETURNING datastream_id

-- name: fill_spans
-- All hours of some datastreams, as take_rollup_spans would put their stretches together.
INSERT INTO rollup_span
SELECT d.datastream_id, d.kind, h.hold, 0, date_trunc('hour', %(first)s::timestamptz, 'UTC'),
       date_trunc('hour', %(last)s::timestamptz + interval '1 hour' + h.hold, 'UTC') + interval '1 hour'
FROM hv.datastream d
CROSS JOIN LATERAL (SELECT hv.hold(d.kind, d.expected_period) AS hold) AS h
WHERE d.datastream_id = ANY(%(streams)s::int[])

-- name: fill_writer
-- The collector that is said to have stored it all.
WITH made AS (
    INSERT INTO hv.writer (name, commit_no, stored) VALUES ('collector-1/1', 10000, 1000000) RETURNING writer_id
)
INSERT INTO hv.writer_snapshot (writer_id, beat_at, received, stored, duplicate, rejected, in_flight, link)
SELECT writer_id, %(now)s, 1000000, 1000000, 0, 0, 0, 'connected' FROM made
RETURNING writer_id

-- name: fill_latest
-- The newest reading of every datastream; the last commit made every fortieth of them.
INSERT INTO hv.latest (datastream_id, phenomenon_time, result, quality, late, received_time, writer_id, commit_no)
SELECT d.datastream_id, x.phenomenon_time, x.result, x.quality, coalesce(x.late, false),
       hv.receipt(x.phenomenon_time, x.delay_ms, x.received_time), %(writer)s,
       10000 - d.datastream_id %% 40
FROM hv.datastream d
CROSS JOIN LATERAL (
    SELECT * FROM hv.observation WHERE datastream_id = d.datastream_id ORDER BY phenomenon_time DESC LIMIT 1) AS x

-- name: fill_alarms
-- Alarms over a year on the datastreams that have a limit, a share of them on one day; the newest ones are open.
WITH pair AS (
    SELECT row_number() OVER (ORDER BY d.datastream_id, r.rule_id) - 1 AS place, r.*, d.thing_id, d.datastream_id
    FROM hv.datastream d
    JOIN hv.rule r ON r.domain = d.domain AND r.property = d.property
), made AS (
    SELECT k, CASE WHEN k %% 50 = 0
                   THEN %(flood)s::timestamptz + interval '1 day' * ((k / 50 * 7919 %% 86400) / 86400.0)
                   ELSE %(since)s::timestamptz + (%(until)s::timestamptz - %(since)s) * (k / %(alarms)s::float8)
              END AS at
    FROM generate_series(0, %(alarms)s::int - 1) AS k
), size AS (
    -- No more than one open alarm each.
    SELECT count(*) AS pairs, %(alarms)s - least(%(open)s, count(*)) AS closed FROM pair
)
INSERT INTO hv.alarm (rule_id, rule_version, source_kind, source_id, thing_id, datastream_id, priority, state,
                      raised_at, detected_at, acknowledged_at, acknowledged_by, returned_at, value, limit_value, message)
SELECT p.rule_id, p.version, 'datastream', p.datastream_id, p.thing_id, p.datastream_id, p.priority,
       CASE WHEN m.k >= s.closed THEN 'UNACK' ELSE 'NORM' END,
       m.at, m.at + interval '2 s',
       CASE WHEN m.k < s.closed THEN m.at + interval '5 min' END,
       CASE WHEN m.k < s.closed THEN 'operator' END,
       CASE WHEN m.k < s.closed THEN m.at + interval '20 min' END,
       p.limit_value * 1.1, p.limit_value, p.property || ' beyond its limit'
FROM made m
CROSS JOIN size s
JOIN pair p ON p.place = m.k %% s.pairs
ORDER BY m.at

-- name: fill_transitions
-- Their beginnings and ends.
INSERT INTO hv.alarm_transition (alarm_id, at, from_state, to_state, cause, rule_version, recorded_at)
SELECT a.alarm_id, x.at, x.from_state, x.to_state, x.cause, a.rule_version, x.at
FROM hv.alarm a
CROSS JOIN LATERAL (VALUES (a.raised_at, 'NORM', 'UNACK', 'raised'), (a.acknowledged_at, 'UNACK', 'ACKED', 'acknowledged'),
                           (a.returned_at, 'ACKED', 'NORM', 'returned')) AS x (at, from_state, to_state, cause)
WHERE x.at IS NOT NULL
ORDER BY a.alarm_id, x.at

-- name: fill_refusals
-- Rejected messages over a month.
INSERT INTO hv.rejected_message (received_time, topic, thing, payload, payload_bytes, reason, detail, partial)
SELECT %(now)s - interval '1 min' * (%(number)s - k), 'urban/v1/water/stranger/up', 'stranger', '{}', 2,
       'unknown_thing', 'stranger is not registered', false
FROM generate_series(1, %(number)s::int) AS k

-- name: fill_commit
-- A batch of the collector: every fortieth datastream has a new reading.
WITH done AS (UPDATE hv.writer SET commit_no = commit_no + 1 RETURNING writer_id, commit_no)
UPDATE hv.latest l SET commit_no = d.commit_no, result = result + 0.01, phenomenon_time = phenomenon_time + interval '1 s'
FROM done d
WHERE l.writer_id = d.writer_id AND l.datastream_id % 40 = d.commit_no % 40

-- name: fill_tidy
-- What autovacuum does in its own time.
VACUUM (ANALYZE)

-- name: fill_size
-- How large it became.
SELECT pg_size_pretty(pg_database_size(current_database()))

-- name: fill_machine
-- The server that answers, and what decides how fast.
SELECT version(), current_setting('shared_buffers'), current_setting('work_mem')
