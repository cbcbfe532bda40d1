-- name: trend_readings
-- The readings of one datastream between two instants, as columns; without readings that somebody took out. Not
-- ordered: the server reads each partition as it lies, and numpy sorts what is nearly sorted in no time.
SELECT array_agg(phenomenon_time), array_agg(result), array_agg(quality)
FROM hv.observation
WHERE datastream_id = %(datastream_id)s AND phenomenon_time >= %(since)s AND phenomenon_time <= %(until)s
      AND quality <> 0
