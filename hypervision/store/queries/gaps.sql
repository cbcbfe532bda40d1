-- name: find_holes
-- The silences among the readings of a pass, with the reading before and the reading after each of its stretches:
-- a late reading splits or closes one, readings that were invalidated (bad, 0) open one. What stays is not touched, nor
-- what began among readings that are no longer kept.
WITH stretch AS (
    SELECT s.datastream_id, s.first, s.last, s.hold, d.expected_period AS period,
           coalesce(before.t, s.first) AS since, coalesce(after.t, s.last) AS until,
           before.t IS NULL AS from_ever, after.t IS NULL AS for_ever
    FROM rollup_span s
    JOIN hv.datastream d ON d.datastream_id = s.datastream_id
    LEFT JOIN LATERAL (
        SELECT phenomenon_time AS t FROM hv.observation
        WHERE datastream_id = s.datastream_id AND phenomenon_time < s.first AND quality > 0
        ORDER BY phenomenon_time DESC LIMIT 1) AS before ON true
    LEFT JOIN LATERAL (
        SELECT phenomenon_time AS t FROM hv.observation
        WHERE datastream_id = s.datastream_id AND phenomenon_time >= s.last AND quality > 0
        ORDER BY phenomenon_time LIMIT 1) AS after ON true
    WHERE s.level = 0 AND s.kind <> 'event' AND d.expected_period > interval '0'
), reading AS (
    SELECT s.datastream_id, s.hold, s.period, x.phenomenon_time AS t,
           lead(x.phenomenon_time) OVER (PARTITION BY s.datastream_id, s.first ORDER BY x.phenomenon_time) AS next_t
    FROM stretch s
    JOIN hv.observation x ON x.datastream_id = s.datastream_id
         AND x.phenomenon_time >= s.since AND x.phenomenon_time <= s.until AND x.quality > 0
), found AS (
    SELECT DISTINCT datastream_id, t AS began, next_t AS ended, hv.missing(next_t - t, period) AS missing
    FROM reading WHERE next_t - t > hold
), gone AS (
    DELETE FROM hv.hole h USING stretch s
    WHERE h.datastream_id = s.datastream_id
          AND (s.from_ever OR h.ended > s.since) AND (s.for_ever OR h.began < s.until)
          AND h.began >= (SELECT hv.kept_from('observations'))
          AND NOT EXISTS (SELECT FROM found f WHERE f.datastream_id = h.datastream_id AND f.began = h.began)
)
INSERT INTO hv.hole AS h (datastream_id, began, ended, missing)
SELECT datastream_id, began, ended, missing FROM found ORDER BY datastream_id, began
ON CONFLICT (datastream_id, began) DO UPDATE SET ended = excluded.ended, missing = excluded.missing
WHERE (h.ended, h.missing) IS DISTINCT FROM (excluded.ended, excluded.missing)

-- name: load_sequences
-- The runs of the counters of some Things; of a Thing without one a row with nulls, of a stranger none.
SELECT w.domain, w.code, t.thing_id, s.sequence_id, s.boot, s.first_seq, s.last_seq, s.first_time, s.last_time, s.version
FROM unnest(%(domains)s::text[], %(things)s::text[]) AS w (domain, code)
JOIN hv.thing t ON t.code = w.code
LEFT JOIN hv.sequence s ON s.thing_id = t.thing_id AND s.domain = w.domain
ORDER BY s.last_time

-- name: load_sequence_gaps
-- The gaps of some runs that touch a stretch of their numbers.
SELECT g.sequence_id, g.first_seq, g.last_seq, g.began, g.ended
FROM unnest(%(ids)s::bigint[], %(lows)s::bigint[], %(highs)s::bigint[]) AS w (sequence_id, low, high)
JOIN hv.sequence_gap g ON g.sequence_id = w.sequence_id AND g.last_seq >= w.low AND g.first_seq <= w.high

-- name: create_stage_sequence
-- How far the counters have come with a batch.
CREATE TEMP TABLE IF NOT EXISTS stage_sequence (
    first_seq bigint, last_seq bigint, first_time timestamptz, last_time timestamptz, sequence_id bigint,
    version bigint) ON COMMIT DELETE ROWS

-- name: copy_stage_sequence
-- The runs of a batch go to their stage.
COPY stage_sequence FROM STDIN (FORMAT binary)

-- name: advance_sequences
-- In key order; a run that another writer has moved meanwhile is left alone, and missed by the caller.
UPDATE hv.sequence s
SET first_seq = x.first_seq, last_seq = x.last_seq, first_time = x.first_time, last_time = x.last_time,
    version = x.version
FROM (SELECT * FROM stage_sequence ORDER BY sequence_id) AS x
WHERE s.sequence_id = x.sequence_id AND s.version = x.version - 1

-- name: add_sequences
-- New runs, in key order; less of them when another writer has just begun one.
INSERT INTO hv.sequence (thing_id, domain, boot, first_seq, last_seq, first_time, last_time, version)
SELECT x.*, 1
FROM unnest(%(things)s::int[], %(domains)s::text[], %(boots)s::text[], %(firsts)s::bigint[], %(lasts)s::bigint[],
            %(first_times)s::timestamptz[], %(last_times)s::timestamptz[])
     AS x (thing_id, domain, boot, first_seq, last_seq, first_time, last_time)
ORDER BY thing_id, domain, boot
ON CONFLICT DO NOTHING
RETURNING sequence_id, thing_id, domain, boot, first_seq, first_time

-- name: drop_sequences
-- Runs that are long over; their gaps stay.
DELETE FROM hv.sequence WHERE sequence_id = ANY(%(ids)s)

-- name: drop_sequence_gaps
-- Gaps that were filled, split or moved.
DELETE FROM hv.sequence_gap g
USING unnest(%(ids)s::bigint[], %(firsts)s::bigint[]) AS x (sequence_id, first_seq)
WHERE g.sequence_id = x.sequence_id AND g.first_seq = x.first_seq

-- name: put_sequence_gaps
-- Numbers that did not come.
INSERT INTO hv.sequence_gap (sequence_id, thing_id, domain, boot, first_seq, last_seq, began, ended)
SELECT s.sequence_id, s.thing_id, s.domain, s.boot, x.first_seq, x.last_seq, x.began, x.ended
FROM unnest(%(ids)s::bigint[], %(firsts)s::bigint[], %(lasts)s::bigint[], %(began)s::timestamptz[],
            %(ended)s::timestamptz[]) AS x (sequence_id, first_seq, last_seq, began, ended)
JOIN hv.sequence s ON s.sequence_id = x.sequence_id

-- name: put_outage
-- An outage of the platform that is over; told twice it stays one.
INSERT INTO hv.outage (writer, cause, began, ended) VALUES (%(writer)s, %(cause)s, %(began)s, %(ended)s)
ON CONFLICT (writer, cause, began) DO NOTHING

-- name: outages_since
-- Outages that ended after a moment.
SELECT cause, began, ended FROM hv.outage WHERE ended > %(since)s ORDER BY ended

-- name: last_beat
-- When a writer of this name last gave a sign of life, and what time it is; nothing when it was out of service.
SELECT b.beat_at, clock_timestamp()
FROM hv.writer_snapshot b JOIN hv.writer w ON w.writer_id = b.writer_id
WHERE w.name = %(name)s AND w.retired_at IS NULL

-- name: api_gaps
-- Gaps for the API, oldest first, that touch the asked time; those of the platform are for everybody.
SELECT g.thing, g.property, g.began AS start, g.ended AS "end", g.cause, g.missing
FROM hv.gap g
LEFT JOIN hv.thing t ON t.thing_id = g.thing_id
WHERE (g.ended IS NULL OR g.ended > %(since)s) AND g.began < %(until)s
  AND (%(thing)s::text IS NULL OR g.thing IS NULL OR g.thing = %(thing)s)
  AND (g.thing_id IS NULL OR -- part: in_scope
      )
ORDER BY g.began, g.thing, g.property
LIMIT %(limit)s

-- name: screen_gaps
-- What is missing in the charts of one Thing; the newest where there is too much of it.
SELECT * FROM (
    SELECT g.datastream_id, g.domain, g.began, g.ended, g.cause, g.missing
    FROM hv.gap g
    WHERE (g.thing_id = %(thing_id)s OR g.thing_id IS NULL)
      AND (g.ended IS NULL OR g.ended > %(since)s) AND g.began < %(until)s
    ORDER BY g.began DESC
    LIMIT %(limit)s) AS newest
ORDER BY began

-- name: screen_newest_gaps
-- The newest gaps that are over; a silence under way is an alarm and stands among those.
SELECT g.thing, g.domain, g.property, g.began, g.ended, g.cause, g.missing
FROM hv.gap g
LEFT JOIN hv.thing t ON t.thing_id = g.thing_id
WHERE g.ended > %(since)s
  AND (g.thing_id IS NULL OR -- part: in_scope
      )
ORDER BY g.ended DESC
LIMIT %(limit)s
