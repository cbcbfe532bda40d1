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
