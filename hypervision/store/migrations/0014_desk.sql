-- The alarm desk: what hides an alarm, why and how long; what explains it; when it rings again and to whom it is told.

-- Null: nobody has said anything yet, and the next `db migrate` puts in what the domain file says.
ALTER TABLE hv.rule
    ADD COLUMN consequence_fr text,
    ADD COLUMN consequence_en text,
    ADD COLUMN latched boolean,
    ADD COLUMN realarm_after interval,
    ADD COLUMN escalate_after interval,
    ADD COLUMN suppressed_by jsonb;

-- What a person hides alarms by: the shelf of one condition; Things, datastreams or domains out of service or in a
-- maintenance window.
CREATE TABLE hv.inhibition (
    inhibition_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind text NOT NULL CHECK (kind IN ('shelved', 'out_of_service', 'maintenance')),
    source_kind text,
    source_id int,
    rule_id int REFERENCES hv.rule,
    -- A shelf that ends as soon as its alarm returns.
    once boolean NOT NULL DEFAULT false,
    began_at timestamptz NOT NULL,
    ends_at timestamptz,
    reason text NOT NULL,
    author text NOT NULL,
    made_at timestamptz NOT NULL,
    ended_at timestamptz,
    -- Empty: it ended by itself.
    ended_by text NOT NULL DEFAULT '',
    CHECK ((kind = 'shelved') = (rule_id IS NOT NULL)),
    CHECK (ends_at IS NOT NULL OR kind = 'out_of_service')
);
CREATE UNIQUE INDEX inhibition_shelf ON hv.inhibition (source_kind, source_id, rule_id)
    WHERE kind = 'shelved' AND ended_at IS NULL;
CREATE INDEX inhibition_standing ON hv.inhibition (ends_at) WHERE ended_at IS NULL;

CREATE TABLE hv.inhibition_target (
    inhibition_id bigint NOT NULL REFERENCES hv.inhibition,
    thing_id int REFERENCES hv.thing,
    datastream_id int REFERENCES hv.datastream,
    domain text,
    -- With all Things below it.
    children boolean NOT NULL DEFAULT false,
    CHECK (num_nonnulls(thing_id, datastream_id, domain) = 1)
);
CREATE INDEX inhibition_target_of ON hv.inhibition_target (inhibition_id);

ALTER TABLE hv.alarm
    ADD COLUMN inhibition_id bigint REFERENCES hv.inhibition,
    -- The alarm that explains this one, which is suppressed by design for it.
    ADD COLUMN explained_by bigint REFERENCES hv.alarm,
    ADD COLUMN hidden_since timestamptz,
    -- Since when it rings, where that is not its detection: it was hidden, or rang again.
    ADD COLUMN rang_at timestamptz,
    ADD COLUMN escalated_at timestamptz,
    ADD COLUMN escalated_to text;
ALTER TABLE hv.alarm DROP CONSTRAINT alarm_suppression_check;
ALTER TABLE hv.alarm ADD CONSTRAINT alarm_suppression_check
    CHECK (suppression IN ('none', 'shelved', 'by_design', 'out_of_service', 'maintenance'));

-- Null where a step did not touch it.
ALTER TABLE hv.alarm_transition ADD COLUMN from_suppression text, ADD COLUMN to_suppression text;

CREATE OR REPLACE VIEW public.alarms AS
    SELECT a.alarm_id AS id, r.domain, a.source_kind,
           CASE a.source_kind WHEN 'datastream' THEN t.code || '/' || d.property
                              WHEN 'thing' THEN t.code ELSE 'platform' END AS source,
           t.code AS thing, d.property, r.code AS rule, a.rule_version, a.priority, a.state, a.suppression,
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
    LEFT JOIN hv.inhibition i ON i.inhibition_id = a.inhibition_id;

CREATE OR REPLACE VIEW public.alarm_transitions AS
    SELECT alarm_id, at, from_state, to_state, cause, actor, comment, rule_version, from_suppression, to_suppression
    FROM hv.alarm_transition;

CREATE VIEW public.inhibitions AS
    SELECT i.inhibition_id AS id, i.kind, coalesce(g.domain, d.domain, r.domain, t.domain) AS domain,
           coalesce(t.code, u.code) AS thing, d.property, coalesce(g.children, false) AS children, r.code AS rule, i.once,
           i.began_at, i.ends_at, i.reason, i.author, i.made_at, i.ended_at, i.ended_by
    FROM hv.inhibition i
    LEFT JOIN hv.inhibition_target g ON g.inhibition_id = i.inhibition_id
    LEFT JOIN hv.rule r ON r.rule_id = i.rule_id
    LEFT JOIN hv.datastream d
        ON d.datastream_id = CASE WHEN i.source_kind = 'datastream' THEN i.source_id ELSE g.datastream_id END
    LEFT JOIN hv.thing t ON t.thing_id = CASE WHEN i.source_kind = 'thing' THEN i.source_id ELSE g.thing_id END
    LEFT JOIN hv.thing u ON u.thing_id = d.thing_id;
