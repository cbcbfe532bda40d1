-- name: trend_readings
-- The readings of one datastream in some stretches of time that do not touch, in their order; without readings that
-- somebody took out.
SELECT array_agg(t), array_agg(v), array_agg(q)
FROM (
    SELECT x.phenomenon_time AS t, x.result AS v, x.quality AS q
    FROM unnest(%(starts)s::timestamptz[], %(ends)s::timestamptz[]) AS s (first, last)
    CROSS JOIN LATERAL (
        SELECT phenomenon_time, result, quality FROM hv.observation
        WHERE datastream_id = %(datastream_id)s AND phenomenon_time >= s.first AND phenomenon_time < s.last
              AND quality <> 0
        ORDER BY phenomenon_time) AS x
) AS reading

-- name: trend_stretch
-- The same for one stretch, so that the server plans with its bounds.
SELECT array_agg(t), array_agg(v), array_agg(q)
FROM (
    SELECT phenomenon_time AS t, result AS v, quality AS q FROM hv.observation
    WHERE datastream_id = %(datastream_id)s AND phenomenon_time >= %(since)s AND phenomenon_time < %(until)s
          AND quality <> 0
    ORDER BY phenomenon_time
) AS reading

-- name: trend_hours
-- What the roll-ups know of one datastream between two full hours: its hours with their extremes, the hours with
-- readings out of range (which roll-ups leave out and charts draw), its silences, the first hour that waits to be
-- computed anew; and how long a silence is that breaks its line (none: never).
SELECT h.hours, h.lows, h.highs, o.hours, s.began, s.ended, due.first,
       (SELECT array_agg((extract(epoch FROM hv.hold(kind, expected_period)) * 1000000)::int8) FROM hv.datastream
        WHERE datastream_id = %(datastream_id)s AND kind <> 'event' AND expected_period > interval '0')
FROM (
    SELECT array_agg(bucket) AS hours, array_agg(minimum) AS lows, array_agg(maximum) AS highs
    FROM (SELECT bucket, minimum, maximum FROM hv.rollup
          WHERE datastream_id = %(datastream_id)s AND level = 0 AND bucket >= %(since)s AND bucket < %(until)s AND n > 0
          ORDER BY bucket) AS x
) AS h, (
    SELECT array_agg(hour ORDER BY hour) AS hours FROM hv.outside
    WHERE datastream_id = %(datastream_id)s AND hour >= %(since)s AND hour < %(until)s
) AS o, (
    SELECT array_agg(began ORDER BY began) AS began, array_agg(ended ORDER BY began) AS ended FROM hv.hole
    WHERE datastream_id = %(datastream_id)s AND began >= %(since)s AND ended < %(until)s
) AS s, (
    SELECT array_agg(hour) AS first FROM (
        SELECT min(hour) AS hour FROM (
            SELECT hour FROM hv.rollup_due WHERE datastream_id = %(datastream_id)s
            UNION ALL
            SELECT hour FROM hv.rollup_mark WHERE datastream_id = %(datastream_id)s
        ) AS x WHERE hour >= %(since)s AND hour < %(until)s
    ) AS x WHERE hour IS NOT NULL
) AS due
