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

-- name: trend_rolled
-- Of readings that are no longer kept: their days, and their hours where these are kept, as columns in order of time.
-- A bucket into which a value was held, and nothing came, has no extremes.
SELECT array_agg(bucket), array_agg(ends), array_agg(coalesce(minimum, 'NaN')), array_agg(coalesce(maximum, 'NaN')),
       array_agg(mean), array_agg(covered_seconds), array_agg(level)
FROM (
    SELECT bucket, minimum, maximum, mean, covered_seconds, level,
           -- A local day has 23 to 25 hours, and may begin after midnight.
           CASE level WHEN 0 THEN bucket + interval '1 hour'
                      ELSE (date_trunc('day', bucket AT TIME ZONE zone) + interval '1 day') AT TIME ZONE zone END AS ends
    FROM hv.rollup
    CROSS JOIN (SELECT coalesce((SELECT value FROM hv.installation WHERE key = 'rollup zone'), 'UTC') AS zone) AS local
    WHERE datastream_id = %(datastream_id)s AND bucket >= %(since)s
          AND bucket < least(%(until)s, (SELECT hv.kept_from('observations')))
          AND CASE level WHEN 0 THEN bucket >= (SELECT hv.kept_from('hours'))
                         ELSE bucket < (SELECT hv.kept_from('hours')) END
          AND mean IS NOT NULL
    ORDER BY bucket
) AS kept
