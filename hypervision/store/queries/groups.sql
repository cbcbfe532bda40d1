-- name: groups_counted
-- Every group: the Thing that it is shown at, its members, how many of them have an alarm that is active and that
-- nobody hid and nothing else explains, and how many of these are silent.
WITH troubled AS (
    SELECT a.thing_id, bool_or(r.kind = 'silence') AS silent
    FROM hv.alarm_condition n
    JOIN hv.alarm a ON a.alarm_id = n.alarm_id
    JOIN hv.rule r ON r.rule_id = a.rule_id
    LEFT JOIN hv.alarm c ON c.alarm_id = a.explained_by
    WHERE n.phase <> 'normal' AND n.phase <> 'pending' AND a.source_kind IN ('datastream', 'thing')
      AND (a.suppression = 'none' OR (a.suppression = 'by_design' AND c.source_kind = 'group'))
    GROUP BY a.thing_id
)
SELECT g.group_id, g.thing_id, count(*)::int, count(x.thing_id)::int, (count(*) FILTER (WHERE x.silent))::int
FROM hv.thing_group g
JOIN hv.thing_group_member m ON m.group_id = g.group_id
LEFT JOIN troubled x ON x.thing_id = m.thing_id
WHERE g.removed_at IS NULL
GROUP BY g.group_id, g.thing_id
ORDER BY g.group_id

-- name: groups_listed
-- Groups with the codes of their members, as far as an account may know of both; all, or one.
SELECT g.code, g.name, t.code AS shown_at,
       (SELECT array_agg(u.code ORDER BY u.code COLLATE "C") FROM hv.thing_group_member m JOIN hv.thing u ON u.thing_id = m.thing_id
        WHERE m.group_id = g.group_id AND -- part: in_scope as u
) AS things, g.version
FROM hv.thing_group g
JOIN hv.thing t ON t.thing_id = g.thing_id
WHERE g.removed_at IS NULL AND (%(code)s::text IS NULL OR g.code = %(code)s)
  AND -- part: in_scope
ORDER BY g.code

-- name: hold_group
-- The version of a group that nobody else changes meanwhile, and who made it; 0 when there is no such group any more.
SELECT CASE WHEN removed_at IS NULL THEN version ELSE 0 END, changed_by
FROM hv.thing_group WHERE code = %(code)s FOR UPDATE

-- name: put_group
-- A group, new or otherwise than before.
INSERT INTO hv.thing_group AS g (code, name, thing_id, changed_by)
SELECT %(code)s, %(name)s, t.thing_id, %(changed_by)s FROM hv.thing t WHERE t.code = %(shown_at)s
ON CONFLICT (code) DO UPDATE SET name = excluded.name, thing_id = excluded.thing_id, removed_at = NULL,
    version = g.version + 1, changed_by = excluded.changed_by
-- Of two who make the same group at once the second changes nothing.
WHERE NOT %(new)s OR g.removed_at IS NOT NULL
RETURNING group_id

-- name: drop_group_members
-- A group before its members are put in anew.
DELETE FROM hv.thing_group_member WHERE group_id = %(group_id)s

-- name: put_group_members
-- The members of a group; those that are registered.
INSERT INTO hv.thing_group_member (group_id, thing_id)
SELECT %(group_id)s, t.thing_id FROM hv.thing t WHERE t.code = ANY(%(things)s::text[])
RETURNING thing_id

-- name: remove_group
-- A group is no more; its alarms keep its name.
UPDATE hv.thing_group SET removed_at = %(now)s, version = version + 1, changed_by = %(changed_by)s
WHERE code = %(code)s AND removed_at IS NULL RETURNING group_id
