-- Parts of the platform itself, which alarms are about as they are about Things.

CREATE TABLE hv.platform_part (
    part_id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    code text NOT NULL UNIQUE
);

CREATE OR REPLACE VIEW public.alarms AS
    SELECT a.alarm_id AS id, r.domain, a.source_kind,
           CASE a.source_kind WHEN 'datastream' THEN t.code || '/' || d.property
                              WHEN 'thing' THEN t.code ELSE 'platform' || coalesce('/' || p.code, '') END AS source,
           t.code AS thing, coalesce(d.property, CASE WHEN p.part_id IS NOT NULL THEN r.property END) AS property,
           r.code AS rule, a.rule_version, a.priority, a.state, a.suppression,
           a.raised_at, a.detected_at, a.acknowledged_at, a.acknowledged_by, a.returned_at, a.value,
           a.limit_value, a.message, a.correction_id AS correction,
           a.hidden_since, i.ends_at AS hidden_until, i.author AS hidden_by, i.reason AS hidden_reason, a.explained_by,
           coalesce(a.rang_at, a.detected_at) AS rang_at, a.escalated_at, a.escalated_to,
           coalesce(r.consequence_fr, '') AS consequence_fr, coalesce(r.consequence_en, '') AS consequence_en,
           r.action_fr, r.action_en
    FROM hv.alarm a
    JOIN hv.rule r ON r.rule_id = a.rule_id
    LEFT JOIN hv.thing t ON t.thing_id = a.thing_id
    LEFT JOIN hv.datastream d ON d.datastream_id = a.datastream_id
    LEFT JOIN hv.platform_part p ON a.source_kind = 'system' AND p.part_id = a.source_id
    LEFT JOIN hv.inhibition i ON i.inhibition_id = a.inhibition_id;
