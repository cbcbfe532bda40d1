-- name: end_one_shots
-- A shelf for one occurrence ends as soon as that has returned; of some alarms, or of all.
UPDATE hv.inhibition i SET ended_at = %(now)s
FROM hv.alarm a
WHERE i.once AND i.kind = 'shelved' AND i.ended_at IS NULL AND a.inhibition_id = i.inhibition_id
  AND a.state IN ('RTNUN', 'NORM')
  AND (%(alarms)s::bigint[] IS NULL OR a.alarm_id = ANY(%(alarms)s::bigint[]))

-- name: hidings
-- Everything that hides some open alarms (or all) at an instant: shelves, Things out of service, windows, and causes.
WITH RECURSIVE asked AS (
    -- What befalls the Thing that a group is shown at does not befall the group.
    SELECT a.alarm_id, a.source_kind, a.source_id, a.rule_id, a.datastream_id, a.priority, r.domain, r.suppressed_by,
           CASE WHEN a.source_kind <> 'group' THEN a.thing_id END AS thing_id
    FROM hv.alarm a JOIN hv.rule r ON r.rule_id = a.rule_id
    WHERE a.state <> 'NORM' AND (%(alarms)s::bigint[] IS NULL OR a.alarm_id = ANY(%(alarms)s::bigint[]))
), above AS (
    -- Parents that go in a circle are followed no further than anybody builds.
    SELECT DISTINCT thing_id AS thing, thing_id AS up, 0 AS height FROM asked WHERE thing_id IS NOT NULL
    UNION
    SELECT v.thing, t.parent_id, v.height + 1
    FROM above v JOIN hv.thing t ON t.thing_id = v.up
    WHERE t.parent_id IS NOT NULL AND v.height < 8
), standing AS (
    SELECT i.inhibition_id, i.kind, i.source_kind, i.source_id, i.rule_id, i.author, i.reason
    FROM hv.inhibition i
    WHERE i.ended_at IS NULL AND i.began_at <= %(now)s AND (i.ends_at IS NULL OR i.ends_at > %(now)s)
), designed AS (
    SELECT k.alarm_id, v.up, d.rule, d.property, d.equals, d.below, d."over", coalesce(d.hold, 0) AS hold,
           coalesce(d.late, false) AS late
    FROM asked k
    CROSS JOIN LATERAL jsonb_to_recordset(
        CASE WHEN jsonb_typeof(k.suppressed_by) = 'array' THEN k.suppressed_by ELSE '[]' END)
        AS d (rule text, property text, "of" text, equals float8, below float8, "over" float8, hold float8,
              late boolean)
    JOIN above v ON v.thing = k.thing_id
        AND CASE d."of" WHEN 'self' THEN v.height = 0 WHEN 'parent' THEN v.height = 1 ELSE v.height > 0 END
)
SELECT k.alarm_id, s.kind, s.inhibition_id, NULL::bigint, s.author, s.reason
FROM asked k JOIN standing s
    ON s.kind = 'shelved' AND s.source_kind = k.source_kind AND s.source_id = k.source_id AND s.rule_id = k.rule_id
UNION ALL
SELECT DISTINCT k.alarm_id, s.kind, s.inhibition_id, NULL::bigint, s.author, s.reason
FROM standing s
JOIN hv.inhibition_target g ON g.inhibition_id = s.inhibition_id
JOIN above v ON v.up = g.thing_id AND (v.height = 0 OR g.children)
JOIN asked k ON k.thing_id = v.thing
UNION ALL
SELECT DISTINCT k.alarm_id, s.kind, s.inhibition_id, NULL::bigint, s.author, s.reason
FROM standing s
JOIN hv.inhibition_target g ON g.inhibition_id = s.inhibition_id
JOIN asked k ON k.datastream_id = g.datastream_id
UNION ALL
SELECT DISTINCT k.alarm_id, s.kind, s.inhibition_id, NULL::bigint, s.author, s.reason
FROM standing s
JOIN hv.inhibition_target g ON g.inhibition_id = s.inhibition_id
JOIN asked k ON k.domain = g.domain
UNION ALL
SELECT g.alarm_id, 'by_design', NULL, c.alarm_id, '', ''
FROM designed g
JOIN hv.rule r ON r.code = g.rule
LEFT JOIN hv.datastream d ON d.thing_id = g.up AND d.domain = r.domain AND d.property = r.property
JOIN hv.alarm_condition n ON n.rule_id = r.rule_id
    AND n.source_kind = CASE WHEN r.property IS NULL THEN 'thing' ELSE 'datastream' END
    AND n.source_id = CASE WHEN r.property IS NULL THEN g.up ELSE d.datastream_id END
JOIN hv.alarm c ON c.alarm_id = n.alarm_id
WHERE c.alarm_id <> g.alarm_id
  AND (n.phase IN ('active', 'returning') OR c.returned_at + g.hold * interval '1 second' > %(now)s)
UNION ALL
-- The alarm of a group explains what it counts, where it is no less urgent, and whoever sees the one sees the other.
SELECT k.alarm_id, 'by_design', NULL, c.alarm_id, '', ''
FROM asked k
JOIN hv.rule o ON o.rule_id = k.rule_id
JOIN hv.thing_group_member m ON m.thing_id = k.thing_id
JOIN hv.thing_group s ON s.group_id = m.group_id AND s.removed_at IS NULL
JOIN hv.alarm_condition n ON n.source_kind = 'group' AND n.source_id = m.group_id AND n.phase IN ('active', 'returning')
JOIN hv.rule r ON r.rule_id = n.rule_id AND (r.property LIKE 'in_alarm%%' OR o.kind = 'silence')
JOIN hv.alarm c ON c.alarm_id = n.alarm_id
    AND array_position(ARRAY['critical', 'high', 'medium', 'low'], c.priority)
        <= array_position(ARRAY['critical', 'high', 'medium', 'low'], k.priority)
JOIN hv.thing t ON t.thing_id = k.thing_id
JOIN hv.thing u ON u.thing_id = c.thing_id
WHERE k.source_kind IN ('datastream', 'thing') AND t.domain = u.domain AND t.district = u.district
  AND t.organisation_id IS NOT DISTINCT FROM u.organisation_id
UNION ALL
SELECT g.alarm_id, 'by_design', NULL, NULL, '', ''
FROM designed g
JOIN hv.datastream d ON d.thing_id = g.up AND d.domain || '/' || d.property = g.property
JOIN hv.latest l ON l.datastream_id = d.datastream_id
WHERE l.quality NOT IN (0, 3) AND (g.equals IS NULL OR l.result = g.equals) AND (g.below IS NULL OR l.result < g.below)
  AND (g."over" IS NULL OR l.result > g."over")
UNION ALL
SELECT g.alarm_id, 'by_design', NULL, NULL, '', ''
FROM designed g
CROSS JOIN LATERAL (
    SELECT max(least(l.phenomenon_time, l.received_time)) AS heard, min(d.expected_period) AS period
    FROM hv.datastream d JOIN hv.latest l ON l.datastream_id = d.datastream_id
    WHERE d.thing_id = g.up AND d.expected_period IS NOT NULL
) x
WHERE g.late AND x.heard + x.period < %(now)s

-- name: hidden_standings
-- Some open alarms (or all), each with what hides it now and who ended that.
SELECT a.alarm_id, a.source_kind, a.source_id, a.rule_id, a.rule_version, a.state, a.suppression, a.inhibition_id,
       a.explained_by, coalesce(a.hidden_since <= a.detected_at, false),
       CASE WHEN i.ended_at IS NULL THEN '' ELSE i.ended_by END
FROM hv.alarm a LEFT JOIN hv.inhibition i ON i.inhibition_id = a.inhibition_id
WHERE a.state <> 'NORM' AND (%(alarms)s::bigint[] IS NULL OR a.alarm_id = ANY(%(alarms)s::bigint[]))
ORDER BY a.alarm_id

-- name: put_hidings
-- Alarms after what hides them changed; their conditions are locked.
UPDATE hv.alarm a SET
    state = x.state, suppression = x.suppression, inhibition_id = x.inhibition_id, explained_by = x.explained_by,
    hidden_since = CASE WHEN x.suppression <> 'none' THEN coalesce(a.hidden_since, x.at) END,
    rang_at = CASE WHEN x.rings THEN x.at ELSE a.rang_at END,
    escalated_at = CASE WHEN NOT x.rings THEN a.escalated_at END,
    escalated_to = CASE WHEN NOT x.rings THEN a.escalated_to END,
    acknowledged_at = CASE WHEN x.seen_by IS NULL THEN a.acknowledged_at ELSE x.at END,
    acknowledged_by = coalesce(x.seen_by, a.acknowledged_by)
FROM unnest(%(alarm_id)s::bigint[], %(state)s::text[], %(suppression)s::text[], %(inhibition_id)s::bigint[],
            %(explained_by)s::bigint[], %(rings)s::boolean[], %(seen_by)s::text[], %(at)s::timestamptz[])
     AS x (alarm_id, state, suppression, inhibition_id, explained_by, rings, seen_by, at)
WHERE a.alarm_id = x.alarm_id
