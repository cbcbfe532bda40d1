-- name: series_sources
-- The datastreams of one property on Things of some kinds, that models read.
SELECT d.datastream_id, t.code
FROM hv.datastream d
JOIN hv.thing t ON t.thing_id = d.thing_id
WHERE d.domain = %(domain)s AND d.property = %(property)s AND t.kind = ANY(%(kinds)s)
ORDER BY t.code

-- name: series_readings
-- Readings of some datastreams after an instant, in order of time, without those of a doubtful quality.
SELECT datastream_id, (extract(epoch FROM phenomenon_time) * 1000000)::int8, result
FROM hv.observation
WHERE datastream_id = ANY(%(datastreams)s) AND phenomenon_time > %(after)s AND phenomenon_time <= %(until)s
      AND quality = ANY(%(qualities)s)
ORDER BY datastream_id, phenomenon_time

-- name: series_thinned
-- As series_readings, one mean per datastream and interval at the time of its last reading: weeks of a meter that
-- reports every few seconds are not carried over one by one.
SELECT datastream_id, (extract(epoch FROM max(phenomenon_time)) * 1000000)::int8, avg(result)
FROM hv.observation
WHERE datastream_id = ANY(%(datastreams)s) AND phenomenon_time > %(after)s AND phenomenon_time <= %(until)s
      AND quality = ANY(%(qualities)s)
GROUP BY datastream_id, date_bin(%(every)s::interval, phenomenon_time, timestamptz '2000-01-01 00:00:00Z')
ORDER BY 1, 2

-- name: series_newest
-- Newest phenomenon time of one property by Thing.
SELECT t.code, (extract(epoch FROM x.phenomenon_time) * 1000000)::int8
FROM hv.latest x
JOIN hv.datastream d ON d.datastream_id = x.datastream_id
JOIN hv.thing t ON t.thing_id = d.thing_id
WHERE d.domain = %(domain)s AND d.property = %(property)s
