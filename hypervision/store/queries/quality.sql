-- name: quality_events
-- What rang (1), rang again before anybody acknowledged it (2) and was acknowledged (3) between two instants, as columns
-- in any order; source and rule in one number. What a correction found to be no alarm is left out, and what did not ring
-- by design, out of service or in a maintenance window.
SELECT array_agg(recorded_at), array_agg(alarm_id), array_agg(what), array_agg(rank), array_agg(actor)
FROM (
    SELECT x.recorded_at, x.alarm_id,
           (CASE WHEN x.to_state <> 'UNACK' THEN 3 WHEN x.from_state = 'RTNUN' THEN 2 ELSE 1 END)::int AS what,
           coalesce(array_position(ARRAY['critical', 'high', 'medium', 'low'], a.priority), 4) - 1 AS rank,
           ((coalesce(array_position(ARRAY['datastream', 'thing', 'group'], a.source_kind), 4) - 1)::bigint << 60)
           | (a.rule_id::bigint << 32) | a.source_id::bigint AS actor
    FROM hv.alarm_transition x
    JOIN hv.alarm a ON a.alarm_id = x.alarm_id
    WHERE x.recorded_at >= %(since)s AND x.recorded_at < %(until)s
          AND (x.to_state = 'UNACK' OR x.cause = 'acknowledge') AND a.correction_id IS NULL
          AND a.suppression IN ('none', 'shelved')
          AND ( -- part: everything
               OR a.thing_id IN (SELECT t.thing_id FROM hv.thing t WHERE -- part: in_scope
))
) AS event

-- name: quality_names
-- Rule and Thing of some alarms by their source; of the platform's own there is no Thing, but a part.
SELECT w.place, r.code, r.label_fr, r.label_en, r.priority, t.code, coalesce(g.name, t.name, p.code)
FROM unnest(%(kinds)s::text[], %(rules)s::int[], %(sources)s::int[])
     WITH ORDINALITY AS w (kind, rule_id, source_id, place)
JOIN hv.rule r ON r.rule_id = w.rule_id
LEFT JOIN hv.datastream d ON w.kind = 'datastream' AND d.datastream_id = w.source_id
LEFT JOIN hv.thing_group g ON w.kind = 'group' AND g.group_id = w.source_id
LEFT JOIN hv.thing t ON t.thing_id = CASE WHEN w.kind = 'thing' THEN w.source_id ELSE coalesce(g.thing_id, d.thing_id) END
LEFT JOIN hv.platform_part p ON w.kind = 'system' AND p.part_id = w.source_id

-- name: quality_standing
-- Every open alarm: when it last rang, whether its cause is there, whether somebody shelved it; the longest first.
SELECT coalesce(last.rang, a.detected_at), a.state IN ('UNACK', 'ACKED'), a.suppression = 'shelved',
       r.code, r.label_fr, r.label_en, a.priority, t.code, coalesce(g.name, t.name, p.code)
FROM hv.alarm a
JOIN hv.rule r ON r.rule_id = a.rule_id
LEFT JOIN hv.thing t ON t.thing_id = a.thing_id
LEFT JOIN hv.platform_part p ON a.source_kind = 'system' AND p.part_id = a.source_id
LEFT JOIN hv.thing_group g ON a.source_kind = 'group' AND g.group_id = a.source_id
LEFT JOIN LATERAL (
    SELECT max(x.recorded_at) AS rang FROM hv.alarm_transition x
    WHERE x.alarm_id = a.alarm_id AND x.to_state = 'UNACK') AS last ON true
WHERE a.state <> 'NORM' AND a.suppression IN ('none', 'shelved')
      AND -- part: in_scope
ORDER BY 1, a.alarm_id
