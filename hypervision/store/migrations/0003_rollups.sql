-- Roll-ups by UTC hour and local day that always equal a recomputation from the readings.

-- Each writer notes the hours it touches, once in an epoch; `watch` ends the epoch when it collects them.
CREATE TABLE hv.rollup_epoch (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    epoch bigint NOT NULL
);
INSERT INTO hv.rollup_epoch (epoch) VALUES (1);

-- Append-only, without a key, so that writers never wait for each other.
CREATE TABLE hv.rollup_mark (
    datastream_id int NOT NULL,
    hour timestamptz NOT NULL
);

-- What was collected and is not computed yet.
CREATE TABLE hv.rollup_due (
    datastream_id int NOT NULL,
    hour timestamptz NOT NULL,
    PRIMARY KEY (datastream_id, hour)
);

-- level: 0 UTC hour, 1 local day.
CREATE TABLE hv.rollup (
    datastream_id int NOT NULL,
    level smallint NOT NULL,
    bucket timestamptz NOT NULL,
    n bigint NOT NULL,
    minimum float8,
    maximum float8,
    mean float8,
    total float8,
    covered_seconds float8 NOT NULL,
    PRIMARY KEY (datastream_id, level, bucket)
);

-- By how much a counter grew between two readings. A fall is a rollover when the register was within a hundredth of
-- a power of ten, 2^16 or 2^32 and starts again within a hundredth of it; a reset when it starts again below a
-- twentieth of where it was (what it shows is what it counted since); else another meter, of which nothing is known.
CREATE FUNCTION hv.increase(was float8, now_is float8) RETURNS float8 LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE
        WHEN now_is >= was THEN now_is - was
        WHEN was >= 65535 * 0.99 AND was < 65536 AND now_is <= 655 THEN 65536 - was + now_is
        WHEN was >= 4294967295 * 0.99 AND was < 4294967296 AND now_is <= 42949672 THEN 4294967296 - was + now_is
        WHEN was >= 99 AND was >= 0.99 * power(10::float8, ceil(log(greatest(was, 1)))) AND was < power(10::float8, ceil(log(greatest(was, 1))))
             AND now_is >= 0 AND now_is <= 0.01 * power(10::float8, ceil(log(greatest(was, 1))))
            THEN power(10::float8, ceil(log(greatest(was, 1)))) - was + now_is
        WHEN now_is >= 0 AND now_is <= was / 20 THEN now_is
        ELSE 0
    END;

-- How long a reading stands for when none follows: two of its expected periods, after which it is overdue; a day
-- where readings come on change only.
CREATE FUNCTION hv.hold(kind text, expected_period interval) RETURNS interval LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN kind = 'event' THEN interval '0' ELSE coalesce(2 * expected_period, interval '24 hours') END;

-- The roll-up of one datastream in the buckets between rising edges, from the readings alone; bad (0) and out of range
-- (3) ones do not count. A reading stands until the next one, at most for `hold`; a counter grows evenly between two
-- readings, however far apart. mean is weighted by time; total is the growth of a counter, the seconds at 1 of a
-- state, the sum of events. Buckets with nothing in them are left out.
CREATE FUNCTION hv.roll_up(stream int, kind text, hold interval, edges timestamptz[])
RETURNS TABLE (bucket timestamptz, n bigint, minimum float8, maximum float8, mean float8, total float8,
               covered_seconds float8)
LANGUAGE sql STABLE PARALLEL SAFE AS $$
WITH reading AS (
    (SELECT phenomenon_time AS t, result AS v FROM hv.observation
     WHERE datastream_id = stream AND phenomenon_time < edges[1] AND quality NOT IN (0, 3)
           AND (kind = 'counter' OR phenomenon_time > edges[1] - hold)
     ORDER BY phenomenon_time DESC LIMIT 1)
    UNION ALL
    (SELECT phenomenon_time, result FROM hv.observation
     WHERE datastream_id = stream AND phenomenon_time >= edges[1] AND phenomenon_time < edges[cardinality(edges)]
           AND quality NOT IN (0, 3))
    UNION ALL
    (SELECT phenomenon_time, result FROM hv.observation
     WHERE datastream_id = stream AND phenomenon_time >= edges[cardinality(edges)] AND quality NOT IN (0, 3)
           AND (kind = 'counter' OR phenomenon_time < edges[cardinality(edges)] + hold)
     ORDER BY phenomenon_time LIMIT 1)
), segment AS (
    SELECT t, v, lead(t) OVER w AS next_t, lead(v) OVER w AS next_v FROM reading WINDOW w AS (ORDER BY t)
), part AS (
    SELECT b, v, t >= edges[b] AND t < edges[b + 1] AS here,
           greatest(0, extract(epoch FROM least(next_t, t + hold, edges[b + 1]) - greatest(t, edges[b])))::float8 AS held,
           CASE WHEN kind = 'counter' THEN hv.increase(v, next_v)
               * (greatest(0, extract(epoch FROM least(next_t, edges[b + 1]) - greatest(t, edges[b])))
                  / extract(epoch FROM next_t - t))::float8
           END AS grown
    FROM segment, generate_series(
        greatest(1, width_bucket(t, edges)),
        least(cardinality(edges) - 1,
              width_bucket(CASE WHEN kind = 'counter' THEN greatest(next_t, t + hold) ELSE least(next_t, t + hold) END, edges))
    ) AS b
)
SELECT edges[b], count(*) FILTER (WHERE here), min(v) FILTER (WHERE here), max(v) FILTER (WHERE here),
       sum(v * held) / nullif(sum(held), 0),
       CASE kind WHEN 'counter' THEN coalesce(sum(grown), 0) WHEN 'state' THEN coalesce(sum(held) FILTER (WHERE v = 1), 0)
                 WHEN 'event' THEN coalesce(sum(v) FILTER (WHERE here), 0) END,
       sum(held)
FROM part GROUP BY b
HAVING bool_or(here) OR sum(held) > 0 OR sum(grown) <> 0
$$;

-- The newest reading stands for a while yet: hours to come are not shown before their time.
CREATE VIEW public.observations_hourly AS
    SELECT d.domain, t.code AS thing, d.property, r.bucket, r.n, r.minimum, r.maximum, r.mean, r.total,
           r.covered_seconds
    FROM hv.rollup r
    JOIN hv.datastream d ON d.datastream_id = r.datastream_id
    JOIN hv.thing t ON t.thing_id = d.thing_id
    WHERE r.level = 0 AND r.bucket <= now();

CREATE VIEW public.observations_daily AS
    SELECT d.domain, t.code AS thing, d.property, r.bucket, r.n, r.minimum, r.maximum, r.mean, r.total,
           r.covered_seconds
    FROM hv.rollup r
    JOIN hv.datastream d ON d.datastream_id = r.datastream_id
    JOIN hv.thing t ON t.thing_id = d.thing_id
    WHERE r.level = 1 AND r.bucket <= now();

-- What is stored already is due.
INSERT INTO hv.rollup_due (datastream_id, hour)
    SELECT DISTINCT datastream_id, date_trunc('hour', phenomenon_time, 'UTC') FROM hv.observation;
