-- name: periods_of
-- The datastreams of a Thing.
SELECT d.datastream_id, d.thing_id, d.domain, d.property, t.code
FROM hv.datastream d JOIN hv.thing t ON t.thing_id = d.thing_id
WHERE t.code = %(thing)s AND (%(domain)s::text IS NULL OR d.domain = %(domain)s)
ORDER BY d.domain, d.property

-- name: put_periods
-- How often readings of some datastreams are expected; tells which of them are changed, and how often it was before [s].
UPDATE hv.datastream d SET expected_period = make_interval(secs => x.period)
FROM unnest(%(ids)s::int[], %(periods)s::float8[]) AS x (datastream_id, period),
     hv.datastream was
WHERE d.datastream_id = x.datastream_id AND was.datastream_id = d.datastream_id
      AND d.expected_period IS DISTINCT FROM make_interval(secs => x.period)
RETURNING d.datastream_id, extract(epoch FROM was.expected_period)::float8

-- name: mark_hours_of
-- Every hour of some datastreams whose readings are kept, for the roll-ups and the silences among them.
INSERT INTO hv.rollup_mark (datastream_id, hour)
SELECT r.datastream_id, r.bucket
FROM hv.rollup r
WHERE r.datastream_id = ANY(%(ids)s) AND r.level = 0 AND r.bucket >= hv.kept_from('observations')

-- name: journal_period
-- The audit line of such a change.
INSERT INTO hv.journal (at, kind, thing_id, datastream_id, actor, detail)
VALUES (%(now)s, 'period', %(thing_id)s, %(datastream_id)s, %(actor)s, %(detail)s)
