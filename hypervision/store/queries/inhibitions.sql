-- name: alarm_priority
-- How urgent an alarm is: by it an alarm may be shelved for longer or shorter.
SELECT priority FROM hv.alarm WHERE alarm_id = %(alarm_id)s

-- name: shelf_of
-- The shelf that stands over one condition, whether its time is over or not.
SELECT inhibition_id, author, ends_at FROM hv.inhibition
WHERE kind = 'shelved' AND ended_at IS NULL AND source_kind = %(kind)s AND source_id = %(source)s AND rule_id = %(rule)s

-- name: put_inhibition
-- A shelf, a placing out of service, a maintenance window.
INSERT INTO hv.inhibition (kind, source_kind, source_id, rule_id, once, began_at, ends_at, reason, author, made_at)
VALUES (%(kind)s, %(source_kind)s, %(source_id)s, %(rule_id)s, %(once)s, %(began_at)s, %(ends_at)s, %(reason)s,
        %(author)s, %(made_at)s)
RETURNING inhibition_id

-- name: put_inhibition_targets
-- What it is about.
INSERT INTO hv.inhibition_target (inhibition_id, thing_id, datastream_id, domain, children)
SELECT %(inhibition_id)s, thing_id, datastream_id, domain, children
FROM unnest(%(things)s::int[], %(datastreams)s::int[], %(domains)s::text[], %(children)s::boolean[])
     AS x (thing_id, datastream_id, domain, children)

-- name: end_inhibition
-- It ends now, by a person's hand or (an empty name) by itself; nothing when it has ended before.
UPDATE hv.inhibition SET ended_at = %(now)s, ended_by = %(by)s
WHERE inhibition_id = %(inhibition_id)s AND ended_at IS NULL

-- name: end_what_is_over
-- Shelves and windows whose time is over.
UPDATE hv.inhibition SET ended_at = ends_at WHERE ended_at IS NULL AND ends_at <= %(now)s

-- name: inhibition_one
-- One of them: its kind, condition, author, and since when and by whom it is ended.
SELECT kind, source_kind, source_id, rule_id, author, ended_at, ended_by FROM hv.inhibition
WHERE inhibition_id = %(inhibition_id)s

-- name: alarms_hidden_by
-- Open alarms that one of them hides, with the keys of their conditions.
SELECT alarm_id, source_kind, source_id, rule_id FROM hv.alarm
WHERE state <> 'NORM' AND inhibition_id = %(inhibition_id)s

-- name: inhibition_begins_or_ends
-- Whether one begins or ends within a stretch of time.
SELECT EXISTS (SELECT FROM hv.inhibition WHERE ended_at IS NULL
               AND (ends_at <= %(now)s OR (began_at > %(since)s AND began_at <= %(now)s)))

-- name: inhibition_streams
-- The datastreams of one property of a Thing, and the Thing itself.
SELECT t.thing_id, d.datastream_id
FROM hv.thing t
LEFT JOIN hv.datastream d ON d.thing_id = t.thing_id AND d.property = %(property)s
    AND (%(domain)s::text IS NULL OR d.domain = %(domain)s)
WHERE t.code = %(thing)s AND -- part: in_scope

-- name: inhibition_below
-- The Things below one, and whether each is in the scope of an account.
WITH RECURSIVE below AS (
    SELECT c.thing_id FROM hv.thing c JOIN hv.thing top ON top.thing_id = c.parent_id WHERE top.code = %(thing)s
    UNION
    SELECT c.thing_id FROM hv.thing c JOIN below b ON b.thing_id = c.parent_id
)
SELECT t.thing_id, -- part: in_scope
       IS TRUE
FROM below b
JOIN hv.thing t ON t.thing_id = b.thing_id
ORDER BY t.thing_id

-- name: inhibitions_listed
-- Those that stand or are to come (or all, or one), each with what it is about and how many open alarms it hides.
SELECT i.inhibition_id, i.kind, i.once, i.began_at, i.ends_at, i.reason, i.author, i.made_at, i.ended_at, i.ended_by,
       r.code, r.label_fr, r.label_en, r.priority,
       CASE WHEN i.rule_id IS NULL THEN far.about ELSE jsonb_build_array(jsonb_build_object(
           'thing', t.code, 'name', coalesce(s.name, t.name, p.code), 'property', d.property,
           'placed', jsonb_build_object(
               'organisation_id', t.organisation_id, 'domain', t.domain, 'district', t.district))) END,
       (SELECT count(*) FROM hv.alarm a WHERE a.state <> 'NORM' AND a.inhibition_id = i.inhibition_id)
FROM hv.inhibition i
LEFT JOIN hv.rule r ON r.rule_id = i.rule_id
LEFT JOIN hv.datastream d ON i.source_kind = 'datastream' AND d.datastream_id = i.source_id
LEFT JOIN hv.thing_group s ON i.source_kind = 'group' AND s.group_id = i.source_id
LEFT JOIN hv.thing t
    ON t.thing_id = CASE WHEN i.source_kind = 'thing' THEN i.source_id ELSE coalesce(s.thing_id, d.thing_id) END
LEFT JOIN hv.platform_part p ON i.source_kind = 'system' AND p.part_id = i.source_id
LEFT JOIN LATERAL (
    SELECT jsonb_agg(jsonb_build_object('thing', u.code, 'name', u.name, 'property', e.property,
               'domain', g.domain, 'children', g.children, 'placed', CASE WHEN u.thing_id IS NOT NULL THEN jsonb_build_object(
               'organisation_id', u.organisation_id, 'domain', u.domain, 'district', u.district) END)
                     ORDER BY g.domain, u.code, e.property) AS about
    FROM hv.inhibition_target g
    LEFT JOIN hv.datastream e ON e.datastream_id = g.datastream_id
    LEFT JOIN hv.thing u ON u.thing_id = coalesce(g.thing_id, e.thing_id)
    WHERE g.inhibition_id = i.inhibition_id
) far ON true
WHERE CASE WHEN %(id)s::bigint IS NULL THEN %(ended)s OR i.ended_at IS NULL ELSE i.inhibition_id = %(id)s END
ORDER BY i.inhibition_id DESC
LIMIT %(limit)s
