-- name: copy_rollup_marks
-- The hours that a batch touched and its writer has not noted in this epoch.
COPY hv.rollup_mark (datastream_id, hour) FROM STDIN (FORMAT binary)

-- name: lock_kept_shared
-- What is no longer kept does not change while roll-ups are computed; see lock_kept.
SELECT pg_advisory_xact_lock_shared(7206471006)

-- name: end_rollup_epoch
-- Waits for the batches under way, which hold the epoch; the next ones note their hours anew.
UPDATE hv.rollup_epoch SET epoch = epoch + 1

-- name: collect_rollup_marks
-- A statement of its own after the one above, so that it sees every mark of the epoch that ended. Of very many only some,
-- the others the next time: those of an import while nobody computes are no work for one statement. Tells the newest
-- hours of them, in the order they lie in; where more are equally new than fit, another choice each time.
WITH taken AS (
    DELETE FROM hv.rollup_mark WHERE ctid = ANY (ARRAY(SELECT ctid FROM hv.rollup_mark LIMIT %(most)s))
    RETURNING datastream_id, hour
), marked AS (
    SELECT DISTINCT datastream_id, hour FROM taken
), put AS (
    INSERT INTO hv.rollup_due (datastream_id, hour) SELECT datastream_id, hour FROM marked
    ON CONFLICT (datastream_id, hour) DO NOTHING
)
SELECT datastream_id, hour
FROM (SELECT datastream_id, hour FROM marked ORDER BY hour DESC, random() LIMIT %(newest)s) AS newest
ORDER BY datastream_id, hour

-- name: create_rollup_span
-- What one pass works on: stretches of hours (level 0), single days (level 1), hours that stay as they are (level 2).
CREATE TEMP TABLE IF NOT EXISTS rollup_span (
    datastream_id int, kind text, hold interval, level smallint, first timestamptz, last timestamptz)
ON COMMIT DELETE ROWS

-- name: create_rolled
-- What came out of a pass.
CREATE TEMP TABLE IF NOT EXISTS rolled (
    datastream_id int, level smallint, bucket timestamptz, n bigint, minimum float8, maximum float8, mean float8,
    total float8, covered_seconds float8)
ON COMMIT DELETE ROWS

-- name: rollup_zone
-- Whose local days the roll-ups hold, and whose they were last told to hold: another where that was interrupted.
SELECT value, coalesce((SELECT value FROM hv.installation WHERE key = 'rollup zone begun'), value)
FROM hv.installation WHERE key = 'rollup zone'

-- name: all_days_due
-- An hour of every local day in the roll-ups of some datastreams, and those across midnight, for their days to be made
-- anew: the time zone has changed.
INSERT INTO hv.rollup_due (datastream_id, hour)
SELECT datastream_id, min(bucket) FROM hv.rollup
WHERE level = 0 AND datastream_id >= %(low)s AND datastream_id < %(high)s
GROUP BY datastream_id, date_trunc('day', bucket AT TIME ZONE %(zone)s),
         date_trunc('day', (bucket + interval '1 hour' - interval '1 us') AT TIME ZONE %(zone)s)
ON CONFLICT (datastream_id, hour) DO NOTHING

-- name: forget_rollup_days
-- Days of another time zone, of some datastreams; those whose hours are gone cannot be made anew.
DELETE FROM hv.rollup
WHERE level = 1 AND datastream_id >= %(low)s AND datastream_id < %(high)s AND bucket >= (SELECT hv.kept_from('hours'))

-- name: take_rollup_spans
-- The hours asked for and others that are due, with those that a reading in them changes: a value holds into the next
-- hours, and a counter grows evenly from the reading before to the reading after, however far. Hours whose readings are
-- no longer kept stay as they are (level 2), with the day after them, which readings that are gone reach into. Tells how
-- many were due.
WITH due AS (
    DELETE FROM hv.rollup_due WHERE (datastream_id, hour) IN (
        SELECT * FROM unnest(%(ids)s::int[], %(hours)s::timestamptz[])
        UNION (SELECT datastream_id, hour FROM hv.rollup_due ORDER BY datastream_id, hour LIMIT %(limit)s))
    RETURNING datastream_id, hour
), stream AS (
    SELECT u.datastream_id, u.hour, d.kind, hv.hold(d.kind, d.expected_period) AS hold
    FROM due u JOIN hv.datastream d ON d.datastream_id = u.datastream_id
), reach AS (
    SELECT s.datastream_id, s.kind, s.hold,
           CASE WHEN s.kind = 'counter' THEN coalesce(before.hour, s.hour) ELSE s.hour END AS first,
           CASE WHEN s.kind = 'counter' THEN coalesce(after.hour, held.hour) ELSE least(after.hour, held.hour) END
               + interval '1 hour' AS last
    FROM stream s
    CROSS JOIN LATERAL (SELECT date_trunc('hour', s.hour + interval '1 hour' + s.hold, 'UTC') AS hour) AS held
    LEFT JOIN LATERAL (
        SELECT date_trunc('hour', phenomenon_time, 'UTC') AS hour FROM hv.observation
        WHERE s.kind = 'counter' AND datastream_id = s.datastream_id AND phenomenon_time < s.hour
              AND quality NOT IN (0, 3)
        ORDER BY phenomenon_time DESC LIMIT 1) AS before ON true
    LEFT JOIN LATERAL (
        SELECT date_trunc('hour', phenomenon_time, 'UTC') AS hour FROM hv.observation
        WHERE datastream_id = s.datastream_id AND phenomenon_time >= s.hour + interval '1 hour'
              AND quality NOT IN (0, 3)
        ORDER BY phenomenon_time LIMIT 1) AS after ON true
), taken AS (
    INSERT INTO rollup_span
    SELECT j.datastream_id, j.kind, j.hold, part.level, part.first, part.last
    FROM (SELECT datastream_id, kind, hold, unnest(range_agg(tstzrange(first, last))) AS stretch
          FROM reach GROUP BY datastream_id, kind, hold) AS j
    CROSS JOIN (SELECT hv.kept_from('observations') + interval '1 day' AS since) AS kept
    CROSS JOIN LATERAL (VALUES (0, greatest(lower(j.stretch), kept.since), upper(j.stretch)),
                               (2, lower(j.stretch), least(upper(j.stretch), kept.since))) AS part (level, first, last)
    WHERE part.first < part.last
)
SELECT count(*) FROM due

-- name: take_rollup_days
-- The local days that the stretches touch, of 23 to 25 hours where clocks change; not those whose hours are gone. A day
-- begins with its first instant: where clocks are set back to midnight (the Azores), that is the first of two midnights.
INSERT INTO rollup_span
SELECT DISTINCT s.datastream_id, s.kind, s.hold, 1, local.first, local.last
FROM rollup_span s
CROSS JOIN LATERAL generate_series(
    date_trunc('day', s.first AT TIME ZONE %(zone)s) - interval '1 day',
    date_trunc('day', s.last AT TIME ZONE %(zone)s) + interval '1 day', interval '1 day') AS day
CROSS JOIN LATERAL (
    SELECT day AT TIME ZONE %(zone)s AS first, (day + interval '1 day') AT TIME ZONE %(zone)s AS last) AS midnight
CROSS JOIN LATERAL (
    SELECT CASE WHEN (midnight.first - interval '1 hour') AT TIME ZONE %(zone)s >= day
                THEN midnight.first - interval '1 hour' ELSE midnight.first END AS first,
           CASE WHEN (midnight.last - interval '1 hour') AT TIME ZONE %(zone)s >= day + interval '1 day'
                THEN midnight.last - interval '1 hour' ELSE midnight.last END AS last) AS local
WHERE local.first < s.last AND local.last > s.first AND local.first >= (SELECT hv.kept_from('hours'))

-- name: roll_hours
-- The hours of the stretches, computed from the readings.
INSERT INTO rolled
SELECT s.datastream_id, 0, r.*
FROM rollup_span s
CROSS JOIN LATERAL hv.roll_up(
    s.datastream_id, s.kind, s.hold, ARRAY(SELECT generate_series(s.first, s.last, interval '1 hour'))) AS r
WHERE s.level = 0

-- name: roll_days
-- From the hours where the zone's day begins and ends on one, else from the readings (from the hours that begin in it
-- where the readings are gone). After put_rollups of the hours.
WITH day AS (
    SELECT *, (extract(epoch FROM first)::int8 % 3600 = 0 AND extract(epoch FROM last)::int8 % 3600 = 0)
           OR first < (SELECT hv.kept_from('observations')) + interval '1 day' AS of_hours
    FROM rollup_span WHERE level = 1
)
INSERT INTO rolled
SELECT d.datastream_id, 1, d.first, sum(h.n), min(h.minimum), max(h.maximum),
       sum(h.mean * h.covered_seconds) / nullif(sum(h.covered_seconds), 0), sum(h.total), sum(h.covered_seconds)
FROM day d
JOIN hv.rollup h ON h.datastream_id = d.datastream_id AND h.level = 0 AND h.bucket >= d.first AND h.bucket < d.last
WHERE d.of_hours
GROUP BY d.datastream_id, d.first
UNION ALL
SELECT d.datastream_id, 1, r.*
FROM day d
CROSS JOIN LATERAL hv.roll_up(d.datastream_id, d.kind, d.hold, ARRAY[d.first, d.last]) AS r
WHERE NOT d.of_hours

-- name: put_rollups
-- What was computed, in key order; a row that says the same stays as it is.
INSERT INTO hv.rollup AS h
SELECT * FROM rolled WHERE level = %(level)s ORDER BY datastream_id, level, bucket
ON CONFLICT (datastream_id, level, bucket) DO UPDATE SET
    n = excluded.n, minimum = excluded.minimum, maximum = excluded.maximum, mean = excluded.mean,
    total = excluded.total, covered_seconds = excluded.covered_seconds
WHERE (h.n, h.minimum, h.maximum, h.mean, h.total, h.covered_seconds) IS DISTINCT FROM
      (excluded.n, excluded.minimum, excluded.maximum, excluded.mean, excluded.total, excluded.covered_seconds)

-- name: measure_rolled
-- The server does not know how much a pass has put in, and would compare every bucket with every other.
ANALYZE rolled, rollup_span

-- name: drop_empty_rollups
-- Buckets of the stretches in which nothing is left. Before the days are computed, for they come from the hours.
DELETE FROM hv.rollup h USING rollup_span s
WHERE h.datastream_id = s.datastream_id AND h.level = s.level AND s.level = %(level)s
      AND h.bucket >= s.first AND h.bucket < s.last
      AND NOT EXISTS (
          SELECT FROM rolled r
          WHERE r.datastream_id = h.datastream_id AND r.level = h.level AND r.bucket = h.bucket)

-- name: leave_out_due
-- The hours that take_rollup_spans would take.
DELETE FROM hv.rollup_due WHERE (datastream_id, hour) IN (
    SELECT * FROM unnest(%(ids)s::int[], %(hours)s::timestamptz[])
    UNION (SELECT datastream_id, hour FROM hv.rollup_due ORDER BY datastream_id, hour LIMIT %(limit)s))
RETURNING datastream_id, hour

-- name: rollup_backlog
-- How many hours wait to be computed, marks that nobody has taken over yet among them, as far as it is worth counting.
SELECT count(*) FROM (
    SELECT FROM (SELECT FROM hv.rollup_due UNION ALL SELECT FROM hv.rollup_mark) AS either LIMIT %(most)s) AS waiting
