-- name: trend_readings
-- The readings of one datastream between two instants, as columns in order of time; without readings that somebody
-- took out.
SELECT array_agg(phenomenon_time), array_agg(result), array_agg(quality)
FROM (
    SELECT phenomenon_time, result, quality
    FROM hv.observation
    WHERE datastream_id = %(datastream_id)s AND phenomenon_time >= %(since)s AND phenomenon_time <= %(until)s
          AND quality <> 0
    ORDER BY phenomenon_time
) AS reading

-- name: trend_size
-- About how many readings there are between two instants, by the days they touch.
SELECT coalesce(sum(n), 0)::bigint
FROM hv.rollup
WHERE datastream_id = %(datastream_id)s AND level = 1 AND bucket > %(since)s - interval '25 hours'
      AND bucket <= %(until)s

-- name: trend_readings_from
-- The end of the newest hour with which the readings up to an instant would be more than so many; null when they are not.
SELECT max(bucket) + interval '1 hour'
FROM (
    SELECT bucket, sum(n) OVER (ORDER BY bucket DESC) AS so_far
    FROM hv.rollup
    WHERE datastream_id = %(datastream_id)s AND level = 0 AND bucket >= %(since)s AND bucket <= %(until)s
) AS counted
WHERE so_far > %(most)s

-- name: trend_rolled
-- Of readings that are no longer kept, or too many to be drawn: their days, and their hours where these are kept, as
-- columns in order of time. A bucket into which a value was held, and nothing came, has no extremes.
SELECT array_agg(bucket), array_agg(ends), array_agg(coalesce(minimum, 'NaN')), array_agg(coalesce(maximum, 'NaN')),
       array_agg(mean), array_agg(covered_seconds), array_agg(level)
FROM (
    SELECT bucket, minimum, maximum, mean, covered_seconds, level,
           -- A local day has 23 to 25 hours, and may begin after midnight, or with the first of two.
           CASE WHEN level = 0 THEN bucket + interval '1 hour'
                WHEN (midnight - interval '1 hour') AT TIME ZONE zone >= tomorrow THEN midnight - interval '1 hour'
                ELSE midnight END AS ends
    FROM hv.rollup
    CROSS JOIN (SELECT coalesce((SELECT value FROM hv.installation WHERE key = 'rollup zone'), 'UTC') AS zone) AS local
    CROSS JOIN LATERAL (SELECT date_trunc('day', bucket AT TIME ZONE zone) + interval '1 day' AS tomorrow) AS next_day
    CROSS JOIN LATERAL (SELECT tomorrow AT TIME ZONE zone AS midnight) AS next_midnight
    WHERE datastream_id = %(datastream_id)s AND bucket >= %(since)s
          AND bucket < least(%(until)s, greatest((SELECT hv.kept_from('observations')), %(readings_from)s))
          AND CASE level WHEN 0 THEN bucket >= (SELECT hv.kept_from('hours'))
                         ELSE bucket < (SELECT hv.kept_from('hours')) END
          AND mean IS NOT NULL
    ORDER BY bucket
) AS kept
