-- name: correction_streams
-- The datastreams that a name may mean; several where a Thing has one property in several domains.
SELECT d.datastream_id, d.thing_id, d.domain, t.code, d.property
FROM hv.datastream d JOIN hv.thing t ON t.thing_id = d.thing_id
WHERE t.code = %(thing)s AND d.property = %(property)s AND (%(domain)s::text IS NULL OR d.domain = %(domain)s)
ORDER BY d.domain

-- name: correction_by_id
-- One correction and its datastream.
SELECT d.datastream_id, d.thing_id, d.domain, t.code, d.property, c.kind, c.since, c.until
FROM hv.correction c
JOIN hv.datastream d ON d.datastream_id = c.datastream_id
JOIN hv.thing t ON t.thing_id = d.thing_id
WHERE c.correction_id = %(correction_id)s

-- name: correction_interrupted
-- A correction of the datastream that was begun and not finished.
SELECT correction_id, kind, since, until, operation, progress, rows, journal_id, reason, author
FROM hv.correction
WHERE datastream_id = %(datastream_id)s AND finished_at IS NULL
ORDER BY correction_id LIMIT 1

-- name: correction_same
-- The same correction, finished and still in force: what is added twice is wrong by as much again.
SELECT c.correction_id, c.at
FROM hv.correction c
WHERE c.datastream_id = %(datastream_id)s AND c.kind = %(kind)s AND c.since = %(since)s AND c.until = %(until)s
  AND c.operation = %(operation)s AND c.finished_at IS NOT NULL
  AND EXISTS (SELECT FROM hv.corrected_observation x
              WHERE x.datastream_id = c.datastream_id AND x.correction_id = c.correction_id
                    AND x.phenomenon_time >= c.since AND x.phenomenon_time < c.until AND x.restored_by IS NULL)
ORDER BY c.correction_id DESC LIMIT 1

-- name: correction_covered
-- A later correction in force of readings that a correction changed: it must be given back first.
SELECT later.correction_id, later.phenomenon_time
FROM hv.corrected_observation mine
JOIN hv.corrected_observation later
  ON later.datastream_id = mine.datastream_id AND later.phenomenon_time = mine.phenomenon_time
 AND later.correction_id > mine.correction_id AND later.restored_by IS NULL
WHERE mine.datastream_id = %(datastream_id)s AND mine.correction_id = %(correction_id)s
  AND mine.restored_by IS NULL
  AND mine.phenomenon_time >= %(since)s AND mine.phenomenon_time < %(until)s
ORDER BY later.correction_id DESC LIMIT 1

-- name: create_change
-- The readings of one step as they will be.
CREATE TEMP TABLE IF NOT EXISTS change (phenomenon_time timestamptz PRIMARY KEY, result float8, quality smallint)
ON COMMIT DELETE ROWS

-- name: create_given
-- Results that somebody gave, by their time; kept as long as the connection.
CREATE TEMP TABLE IF NOT EXISTS given (phenomenon_time timestamptz PRIMARY KEY, result float8)

-- name: empty_given
-- Those of an earlier correction.
TRUNCATE given

-- name: put_given
-- Results that somebody gave.
INSERT INTO given SELECT * FROM unnest(%(times)s::timestamptz[], %(results)s::float8[])

-- name: given_nowhere
-- The first time given at which nothing is stored.
SELECT g.phenomenon_time
FROM given g
WHERE NOT EXISTS (SELECT FROM hv.observation o
                  WHERE o.datastream_id = %(datastream_id)s AND o.phenomenon_time = g.phenomenon_time)
ORDER BY g.phenomenon_time LIMIT 1

-- name: change_invalidate
-- Every reading that is not bad already.
INSERT INTO change
SELECT phenomenon_time, result, 0 FROM hv.observation
WHERE datastream_id = %(datastream_id)s AND phenomenon_time >= %(since)s AND phenomenon_time < %(until)s
  AND phenomenon_time > %(progress)s AND quality <> 0
ORDER BY phenomenon_time LIMIT %(limit)s

-- name: change_line
-- result * factor + add; bad readings stay bad, and one that is out of range before and after is no measurement either.
INSERT INTO change
SELECT phenomenon_time, result * %(factor)s::float8 + %(add)s::float8, 1 FROM hv.observation
WHERE datastream_id = %(datastream_id)s AND phenomenon_time >= %(since)s AND phenomenon_time < %(until)s
  AND phenomenon_time > %(progress)s AND quality <> 0
  AND (quality <> 3 OR result * %(factor)s::float8 + %(add)s::float8 BETWEEN %(low)s AND %(high)s)
ORDER BY phenomenon_time LIMIT %(limit)s

-- name: change_line_outside
-- The first sound reading that a line would lead out of the range of its property.
SELECT phenomenon_time, result * %(factor)s::float8 + %(add)s::float8 FROM hv.observation
WHERE datastream_id = %(datastream_id)s AND phenomenon_time >= %(since)s AND phenomenon_time < %(until)s
  AND phenomenon_time > %(progress)s AND quality NOT IN (0, 3)
  AND NOT result * %(factor)s::float8 + %(add)s::float8 BETWEEN %(low)s AND %(high)s
ORDER BY phenomenon_time LIMIT 1

-- name: change_value
-- One result for all.
INSERT INTO change
SELECT phenomenon_time, %(value)s::float8, 1 FROM hv.observation
WHERE datastream_id = %(datastream_id)s AND phenomenon_time >= %(since)s AND phenomenon_time < %(until)s
  AND phenomenon_time > %(progress)s AND (result, quality) IS DISTINCT FROM (%(value)s::float8, 1::smallint)
ORDER BY phenomenon_time LIMIT %(limit)s

-- name: change_given
-- A result for each reading named.
INSERT INTO change
SELECT o.phenomenon_time, g.result, 1
FROM hv.observation o JOIN given g ON g.phenomenon_time = o.phenomenon_time
WHERE o.datastream_id = %(datastream_id)s AND o.phenomenon_time >= %(since)s AND o.phenomenon_time < %(until)s
  AND o.phenomenon_time > %(progress)s AND (o.result, o.quality) IS DISTINCT FROM (g.result, 1::smallint)
ORDER BY o.phenomenon_time LIMIT %(limit)s

-- name: change_restore
-- What stood before one correction, or (of a range) before the first one in force.
INSERT INTO change
SELECT DISTINCT ON (phenomenon_time) phenomenon_time, result, quality FROM hv.corrected_observation
WHERE datastream_id = %(datastream_id)s AND phenomenon_time >= %(since)s AND phenomenon_time < %(until)s
  AND phenomenon_time > %(progress)s AND restored_by IS NULL
  AND (%(correction)s::bigint IS NULL OR correction_id = %(correction)s)
ORDER BY phenomenon_time, correction_id LIMIT %(limit)s

-- name: change_extent
-- What a step will change: how many readings, the first and the last.
SELECT count(*), min(phenomenon_time), max(phenomenon_time) FROM change

-- name: put_correction
-- The correction itself, with its first step.
INSERT INTO hv.correction (datastream_id, kind, since, until, operation, reason, author, at)
VALUES (%(datastream_id)s, %(kind)s, %(since)s, %(until)s, %(operation)s, %(reason)s, %(author)s, %(now)s)
RETURNING correction_id

-- name: journal_correction
-- The audit line of a correction.
INSERT INTO hv.journal (at, kind, thing_id, datastream_id, actor, detail)
VALUES (%(now)s, 'correction', %(thing_id)s, %(datastream_id)s, %(author)s, %(detail)s)
RETURNING journal_id

-- name: advance_correction
-- How far a correction has come, in the transaction of the step; its audit line says the same.
WITH moved AS (
    UPDATE hv.correction
    SET rows = rows + %(rows)s, progress = coalesce(%(progress)s, progress),
        finished_at = %(finished_at)s, journal_id = %(journal_id)s
    WHERE datastream_id = %(datastream_id)s AND correction_id = %(correction_id)s
    RETURNING rows, finished_at
)
UPDATE hv.journal j
SET detail = j.detail || jsonb_build_object('rows', m.rows, 'finished', m.finished_at IS NOT NULL)
FROM moved m
WHERE j.journal_id = %(journal_id)s

-- name: abandon_correction
-- One that was interrupted and is given back instead.
UPDATE hv.correction SET finished_at = %(now)s
WHERE datastream_id = %(datastream_id)s AND correction_id = %(correction_id)s AND finished_at IS NULL

-- name: keep_observations
-- The readings of a step as they are; of a restore only for the record, it is not given back itself.
INSERT INTO hv.corrected_observation (datastream_id, phenomenon_time, correction_id, result, quality, restored_by)
SELECT o.datastream_id, o.phenomenon_time, %(correction_id)s, o.result, o.quality, %(restored_by)s
FROM hv.observation o JOIN change c ON c.phenomenon_time = o.phenomenon_time
WHERE o.datastream_id = %(datastream_id)s AND o.phenomenon_time BETWEEN %(first)s AND %(last)s
ORDER BY o.phenomenon_time

-- name: change_observations
-- The readings of a step become what they are to be. No other program updates rows, and `correct` runs once at a time.
UPDATE hv.observation o SET result = c.result, quality = c.quality
FROM change c
WHERE o.datastream_id = %(datastream_id)s AND o.phenomenon_time BETWEEN %(first)s AND %(last)s
  AND o.phenomenon_time = c.phenomenon_time

-- name: note_restored
-- What was given back is in force no more.
UPDATE hv.corrected_observation x SET restored_by = %(correction_id)s
FROM change c
WHERE x.datastream_id = %(datastream_id)s AND x.phenomenon_time BETWEEN %(first)s AND %(last)s
  AND x.phenomenon_time = c.phenomenon_time AND x.restored_by IS NULL
  AND (%(correction)s::bigint IS NULL OR x.correction_id = %(correction)s)

-- name: correct_latest
-- The newest reading as it is now. What a correction made of it is history and never rings. The row is touched in any
-- case, so that every process forgets what it compared the newest readings with.
UPDATE hv.latest l
SET result = o.result, quality = o.quality, writer_id = %(writer_id)s, commit_no = %(commit_no)s,
    live = l.live AND l.phenomenon_time > %(last)s
FROM hv.observation o
WHERE l.datastream_id = %(datastream_id)s
  AND o.datastream_id = l.datastream_id AND o.phenomenon_time = l.phenomenon_time

-- name: mark_changed_hours
-- The hours of a step, for the roll-ups.
INSERT INTO hv.rollup_mark (datastream_id, hour)
SELECT DISTINCT %(datastream_id)s, date_trunc('hour', phenomenon_time, 'UTC') FROM change

-- name: mark_alarms
-- Occurrences raised by a reading that is now bad, or no longer beyond the limit; and those whose reading is back.
WITH raised AS (
    SELECT a.alarm_id, r.kind, a.limit_value, c.result, c.quality
    FROM hv.alarm a
    JOIN hv.rule r ON r.rule_id = a.rule_id
    CROSS JOIN LATERAL (
        SELECT max(o.phenomenon_time) AS at FROM hv.observation o
        WHERE o.datastream_id = %(datastream_id)s AND o.phenomenon_time <= a.raised_at - r.on_delay
              AND o.phenomenon_time >= a.raised_at - r.on_delay - interval '1 day') AS reading
    JOIN change c ON c.phenomenon_time = reading.at
    WHERE a.thing_id = %(thing_id)s AND a.datastream_id = %(datastream_id)s AND a.raised_at >= %(first)s
)
UPDATE hv.alarm a
SET correction_id = CASE
    WHEN x.quality = 0 THEN %(correction_id)s
    WHEN x.kind = 'high' AND x.result > x.limit_value THEN NULL
    WHEN x.kind = 'low' AND x.result < x.limit_value THEN NULL
    WHEN x.kind = 'state_equals' AND x.result = x.limit_value THEN NULL
    WHEN x.kind = 'rate_of_change' AND x.quality <> 1 THEN NULL
    ELSE %(correction_id)s END
FROM raised x
WHERE a.alarm_id = x.alarm_id

-- name: alarms_without_ground
-- Which of these occurrences a correction has taken the ground from.
SELECT alarm_id FROM hv.alarm WHERE alarm_id = ANY(%(alarms)s) AND correction_id IS NOT NULL

-- name: newest_usable
-- The newest reading that a person or a range check does not doubt.
SELECT phenomenon_time FROM hv.observation
WHERE datastream_id = %(datastream_id)s AND quality = ANY(%(qualities)s) AND phenomenon_time >= %(since)s
ORDER BY phenomenon_time DESC LIMIT 1

-- name: api_corrections
-- Corrections for the API and the command line, newest first.
SELECT c.*
FROM public.corrections c
JOIN hv.thing t ON t.code = c.thing
WHERE (%(domain)s::text IS NULL OR c.domain = %(domain)s)
  AND (%(thing)s::text IS NULL OR c.thing = %(thing)s)
  AND (%(property)s::text IS NULL OR c.property = %(property)s)
  AND (%(before)s::bigint IS NULL OR c.id < %(before)s)
  AND -- part: in_scope
ORDER BY c.id DESC
LIMIT %(limit)s
