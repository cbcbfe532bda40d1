-- name: advance_rules_of_classes
-- Things may join a class, or leave one: who judges by classes must read them anew.
UPDATE hv.rule_set SET version = version + 1 WHERE EXISTS (SELECT FROM hv.rule WHERE extra ? 'classes')

-- name: put_organisation
-- An operator organisation by its code.
INSERT INTO hv.organisation (code, name) VALUES (%(code)s, %(name)s)
ON CONFLICT (code) DO UPDATE SET name = excluded.name

-- name: put_organisation_code
-- An operator organisation that may be new; its code is its name until somebody tells another.
INSERT INTO hv.organisation (code, name) VALUES (%(code)s, %(code)s)
ON CONFLICT (code) DO NOTHING

-- name: put_thing
-- A Thing by its code; a second time it is brought up to date.
-- Who tells no district leaves it as it is.
INSERT INTO hv.thing AS t (code, name, domain, kind, longitude, latitude, place, organisation_id, registered_at, district)
VALUES (%(code)s, %(name)s, %(domain)s, %(kind)s, %(longitude)s, %(latitude)s, %(place)s,
        (SELECT organisation_id FROM hv.organisation WHERE code = %(organisation)s), %(now)s, %(district)s)
ON CONFLICT (code) DO UPDATE SET
    name = excluded.name, domain = excluded.domain, kind = excluded.kind, longitude = excluded.longitude,
    latitude = excluded.latitude, place = excluded.place, organisation_id = excluded.organisation_id,
    district = coalesce(nullif(excluded.district, ''), t.district)

-- name: put_parent
-- The Thing that another belongs to.
UPDATE hv.thing SET parent_id = (SELECT p.thing_id FROM hv.thing p WHERE p.code = %(parent)s)
WHERE code = %(code)s

-- name: assign_things
-- Who operates some Things and where they stand; what is null stays as it is.
UPDATE hv.thing t
SET district = coalesce(%(district)s::text, t.district),
    organisation_id = coalesce((SELECT organisation_id FROM hv.organisation WHERE code = %(organisation)s), t.organisation_id)
WHERE t.code = ANY(%(codes)s)
RETURNING t.code

-- name: registry_changed
-- Things are not what they were: servers read them again, and nobody goes on seeing what is no longer in his scope.
INSERT INTO hv.installation AS i (key, value) VALUES ('registry', '1')
ON CONFLICT (key) DO UPDATE SET value = (i.value::bigint + 1)::text

-- name: set_status
-- What devices or their last wills say of the link; the newest word wins, of one instant the last. The time is that of
-- the change: a retained word that comes again at each subscription makes nothing fresh.
UPDATE hv.thing t SET status = s.status, status_at = s.at
FROM (SELECT DISTINCT ON (code) code, status, at
      FROM unnest(%(codes)s::text[], %(statuses)s::text[], %(times)s::timestamptz[])
           WITH ORDINALITY AS x (code, status, at, place)
      ORDER BY code, at DESC, place DESC) s
WHERE t.code = s.code AND (t.status_at IS NULL OR t.status_at <= s.at) AND t.status IS DISTINCT FROM s.status
RETURNING t.code

-- name: known_things
-- Which of these codes are registered.
SELECT code FROM hv.thing WHERE code = ANY(%(codes)s)

-- name: register_unknown_things
-- Open registration: a Thing nobody announced gets its code as its name.
INSERT INTO hv.thing (code, name, domain, registered_at)
SELECT DISTINCT ON (x.code) x.code, x.code, x.domain, %(now)s::timestamptz
FROM unnest(%(codes)s::text[], %(domains)s::text[]) AS x (code, domain)
WHERE NOT EXISTS (SELECT FROM hv.thing t WHERE t.code = x.code)
ORDER BY x.code, x.domain
ON CONFLICT (code) DO NOTHING

-- name: register_datastreams
-- A new property of a known Thing makes a datastream.
INSERT INTO hv.datastream (thing_id, domain, property, unit, kind, expected_period, registered_at)
SELECT t.thing_id, x.domain, x.property, x.unit, x.kind, make_interval(secs => x.period), %(now)s::timestamptz
FROM unnest(%(domains)s::text[], %(things)s::text[], %(properties)s::text[], %(units)s::text[], %(kinds)s::text[],
            %(periods)s::float8[]) AS x (domain, thing, property, unit, kind, period)
JOIN hv.thing t ON t.code = x.thing
WHERE NOT EXISTS (SELECT FROM hv.datastream d
                  WHERE d.thing_id = t.thing_id AND d.domain = x.domain AND d.property = x.property)
ORDER BY t.thing_id, x.domain, x.property
ON CONFLICT (thing_id, domain, property) DO NOTHING

-- name: resolve_datastreams
-- Ids and newest readings of datastreams given by their names.
SELECT x.domain, x.thing, x.property, d.datastream_id, d.thing_id, l.phenomenon_time, l.result, l.quality
FROM unnest(%(domains)s::text[], %(things)s::text[], %(properties)s::text[]) AS x (domain, thing, property)
JOIN hv.thing t ON t.code = x.thing
JOIN hv.datastream d ON d.thing_id = t.thing_id AND d.domain = x.domain AND d.property = x.property
LEFT JOIN hv.latest l ON l.datastream_id = d.datastream_id

-- name: all_datastreams
-- Every datastream by its names and ids, with its newest reading.
SELECT d.domain, t.code, d.property, d.datastream_id, d.thing_id, l.phenomenon_time, l.result, l.quality
FROM hv.datastream d
JOIN hv.thing t ON t.thing_id = d.thing_id
LEFT JOIN hv.latest l ON l.datastream_id = d.datastream_id
ORDER BY d.datastream_id

-- name: admit_thing
-- Let a waiting Thing in.
INSERT INTO hv.thing (code, name, domain, registered_at) VALUES (%(code)s, %(name)s, %(domain)s, %(now)s)
ON CONFLICT (code) DO NOTHING
RETURNING thing_id

-- name: waiting_things
-- Things that send (lines of a file send nothing) and are not registered, with the domain of their newest topic.
SELECT r.thing, split_part((array_agg(r.topic ORDER BY r.received_time DESC))[1], '/', 3), sum(r.count)::bigint,
       min(r.received_time), max(r.received_time)
FROM hv.rejected_message r
WHERE r.reason = 'unknown_thing' AND r.replayed_at IS NULL AND r.thing <> '' AND r.topic LIKE 'urban/v1/%%'
  AND NOT EXISTS (SELECT FROM hv.thing t WHERE t.code = r.thing)
GROUP BY r.thing ORDER BY max(r.received_time) DESC

-- name: any_thing
-- Whether there is a Thing.
SELECT EXISTS (SELECT FROM hv.thing)
