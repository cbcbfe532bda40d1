-- name: bench_settled
-- Messages a writer has committed, over all its life.
SELECT coalesce(sum(stored + duplicate + rejected), 0)::bigint, coalesce(sum(stored), 0)::bigint
FROM hv.writer WHERE name = %(writer)s

-- name: bench_first_receipt
-- When the first reading since an instant was received.
SELECT min(at)
FROM (SELECT hv.receipt(phenomenon_time, delay_ms, received_time) AS at FROM hv.observation) AS x
WHERE at >= %(since)s

-- name: bench_results
-- The readings of one datastream from an instant on, oldest first.
SELECT o.phenomenon_time, o.result
FROM hv.observation o
JOIN hv.datastream d ON d.datastream_id = o.datastream_id
JOIN hv.thing t ON t.thing_id = d.thing_id
WHERE t.code = %(thing)s AND d.property = %(property)s AND o.phenomenon_time > %(after)s
ORDER BY o.phenomenon_time

-- name: bench_arrived
-- The readings of some datastreams from an instant on, oldest first.
SELECT phenomenon_time, result FROM hv.observation
WHERE datastream_id = ANY(%(ids)s) AND phenomenon_time > %(after)s
ORDER BY phenomenon_time

-- name: bench_server
-- The version of the server.
SELECT current_setting('server_version')

-- name: bench_bare_table
-- The table of the bare path: what the platform's own table is reduced to id, time and value.
CREATE TABLE IF NOT EXISTS hv.bench_bare (id int, ts timestamptz, v float8, UNIQUE (id, ts))

-- name: bench_bare_stage
-- Where a batch of the bare path waits to be made unique.
CREATE TEMP TABLE bench_bare_stage (id int, ts timestamptz, v float8) ON COMMIT DELETE ROWS

-- name: bench_bare_copy
-- A batch of the bare path.
COPY bench_bare_stage FROM STDIN (FORMAT binary)

-- name: bench_bare_insert
-- What of it is new.
INSERT INTO hv.bench_bare SELECT id, ts, v FROM bench_bare_stage ON CONFLICT DO NOTHING

-- name: bench_bare_drop
-- Nothing of the bare path stays.
DROP TABLE IF EXISTS hv.bench_bare

-- name: bench_ledger
-- Readings of Things whose code begins with a prefix: Thing, time, result, and whether the time was assumed.
SELECT t.code, o.phenomenon_time, o.result, o.quality
FROM hv.observation o
JOIN hv.datastream d ON d.datastream_id = o.datastream_id
JOIN hv.thing t ON t.thing_id = d.thing_id
WHERE t.code LIKE %(prefix)s || '%%' AND d.property = %(property)s

-- name: bench_alarms
-- Alarms of Things whose code begins with a prefix, with how often each was raised.
SELECT t.code, a.alarm_id, a.state,
       (SELECT count(*) FROM hv.alarm_transition x WHERE x.alarm_id = a.alarm_id AND x.to_state = 'UNACK')
FROM hv.alarm a JOIN hv.thing t ON t.thing_id = a.thing_id
WHERE t.code LIKE %(prefix)s || '%%'

-- name: bench_snapshot
-- The last counters a writer has published.
SELECT s.received, s.stored, s.duplicate, s.rejected, s.in_flight, s.link
FROM hv.writer_snapshot s JOIN hv.writer w USING (writer_id) WHERE w.name = %(writer)s

-- name: bench_rows
-- Every reading of one property of the Things with a prefix, in binary: datastream, time, result.
COPY (
    SELECT o.datastream_id, o.phenomenon_time, o.result
    FROM hv.observation o
    JOIN hv.datastream d ON d.datastream_id = o.datastream_id
    JOIN hv.thing t ON t.thing_id = d.thing_id
    WHERE t.code LIKE %(prefix)s || '%%' AND d.property = %(property)s
) TO STDOUT (FORMAT binary)

-- name: bench_streams
-- Datastreams of one property by the code of their Thing.
SELECT d.datastream_id, t.code FROM hv.datastream d JOIN hv.thing t ON t.thing_id = d.thing_id
WHERE t.code LIKE %(prefix)s || '%%' AND d.property = %(property)s

-- name: bench_refused
-- Topics of the rejected messages of Things with a prefix, each as often as it was rejected.
SELECT topic FROM hv.rejected_message WHERE NOT partial AND topic LIKE '%%/' || %(prefix)s || '%%'

-- name: bench_reasons
-- Rejected messages and refused parts by reason, the greatest number first.
SELECT reason, partial, sum(count)::bigint FROM hv.rejected_message GROUP BY 1, 2 ORDER BY 3 DESC

-- name: bench_gaps
-- Gaps by cause, and how many messages they say are missing.
SELECT cause, count(*), coalesce(sum(missing), 0)::bigint FROM gaps GROUP BY 1 ORDER BY 1

-- name: bench_patience
-- A long answer may take its time.
SET LOCAL statement_timeout = '600s'

-- name: bench_readings
-- The readings of one datastream in a stretch of time.
SELECT phenomenon_time, result, quality FROM hv.observation
WHERE datastream_id = %(datastream_id)s AND phenomenon_time >= %(since)s AND phenomenon_time < %(until)s
ORDER BY phenomenon_time

-- name: bench_least
-- The least a reading can be, in the order of arrival.
CREATE TABLE hv.bench_least AS SELECT datastream_id AS id, phenomenon_time AS ts, result AS v FROM hv.observation

-- name: bench_least_key
-- Its unique index.
CREATE UNIQUE INDEX ON hv.bench_least (id, ts)

-- name: bench_least_bytes
-- Bytes of a reading in it.
SELECT pg_total_relation_size('hv.bench_least')::float8 / greatest(count(*), 1) FROM hv.bench_least

-- name: bench_analyze
-- What the server does by itself in time.
ANALYZE hv.observation
