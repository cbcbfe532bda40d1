-- name: growth
-- The growth of a counter by hours or days, as the roll-ups have it.
SELECT bucket, total, maximum
FROM hv.rollup
WHERE datastream_id = %(datastream_id)s AND level = %(level)s AND bucket >= %(since)s AND bucket < %(until)s
      AND total IS NOT NULL
ORDER BY bucket
