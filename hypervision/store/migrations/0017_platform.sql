-- Parts of the platform itself, and groups of Things, which alarms are about as they are about Things.

CREATE TABLE hv.platform_part (
    part_id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    code text NOT NULL UNIQUE
);

-- Things that belong together and are no parent and child: a feeder, a pressure zone, a round. Its alarms are shown at
-- one Thing, whose scope is theirs.
CREATE TABLE hv.thing_group (
    group_id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    code text NOT NULL UNIQUE CHECK (code ~ '^[A-Za-z0-9][A-Za-z0-9._:-]{0,63}$'),
    name text NOT NULL,
    thing_id int NOT NULL REFERENCES hv.thing,
    removed_at timestamptz,
    version int NOT NULL DEFAULT 1,
    changed_by text NOT NULL DEFAULT ''
);

CREATE TABLE hv.thing_group_member (
    group_id int NOT NULL REFERENCES hv.thing_group,
    thing_id int NOT NULL REFERENCES hv.thing,
    PRIMARY KEY (group_id, thing_id)
);
CREATE INDEX thing_group_member_thing ON hv.thing_group_member (thing_id);

CREATE OR REPLACE VIEW public.alarms AS
    SELECT a.alarm_id AS id, r.domain, a.source_kind,
           CASE a.source_kind WHEN 'datastream' THEN t.code || '/' || d.property
                              WHEN 'thing' THEN t.code WHEN 'group' THEN 'group/' || g.code
                              ELSE 'platform' || coalesce('/' || p.code, '') END AS source,
           t.code AS thing,
           coalesce(d.property, CASE WHEN a.source_kind IN ('group', 'system') THEN r.property END) AS property,
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
    LEFT JOIN hv.thing_group g ON a.source_kind = 'group' AND g.group_id = a.source_id
    LEFT JOIN hv.inhibition i ON i.inhibition_id = a.inhibition_id;
