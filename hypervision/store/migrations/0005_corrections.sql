-- Corrections of past readings: what was changed, why and by whom, with every value as it was before.

CREATE TABLE hv.correction (
    datastream_id int NOT NULL REFERENCES hv.datastream,
    correction_id bigint GENERATED ALWAYS AS IDENTITY,
    kind text NOT NULL CHECK (kind IN ('invalidate', 'correct', 'restore')),
    since timestamptz NOT NULL,
    until timestamptz NOT NULL,
    operation jsonb NOT NULL,
    reason text NOT NULL,
    author text NOT NULL,
    at timestamptz NOT NULL,
    progress timestamptz,
    rows bigint NOT NULL DEFAULT 0,
    finished_at timestamptz,
    journal_id bigint REFERENCES hv.journal,
    PRIMARY KEY (datastream_id, correction_id)
);
-- One that was interrupted is found again before another begins.
CREATE INDEX correction_open ON hv.correction (datastream_id) WHERE finished_at IS NULL;
CREATE INDEX correction_id ON hv.correction (correction_id);

-- A reading as it was before a correction; in force until a restore gives it back.
CREATE TABLE hv.corrected_observation (
    datastream_id int NOT NULL,
    phenomenon_time timestamptz NOT NULL,
    correction_id bigint NOT NULL,
    result float8 NOT NULL,
    quality smallint NOT NULL,
    restored_by bigint,
    PRIMARY KEY (datastream_id, phenomenon_time, correction_id)
);

-- The correction that took away or changed the reading which raised it: statistics of alarms leave such a one out.
ALTER TABLE hv.alarm ADD COLUMN correction_id bigint;

CREATE OR REPLACE VIEW public.alarms AS
    SELECT a.alarm_id AS id, r.domain, a.source_kind,
           CASE a.source_kind WHEN 'datastream' THEN t.code || '/' || d.property
                              WHEN 'thing' THEN t.code ELSE 'platform' END AS source,
           t.code AS thing, d.property, r.code AS rule, a.rule_version, a.priority, a.state, a.suppression,
           a.raised_at, a.detected_at, a.acknowledged_at, a.acknowledged_by, a.returned_at, a.value,
           a.limit_value, a.message, a.correction_id AS correction
    FROM hv.alarm a
    JOIN hv.rule r ON r.rule_id = a.rule_id
    LEFT JOIN hv.thing t ON t.thing_id = a.thing_id
    LEFT JOIN hv.datastream d ON d.datastream_id = a.datastream_id;

CREATE VIEW public.corrections AS
    SELECT c.correction_id AS id, d.domain, t.code AS thing, d.property, c.kind, c.since, c.until, c.operation,
           c.reason, c.author, c.at, c.rows, c.finished_at
    FROM hv.correction c
    JOIN hv.datastream d ON d.datastream_id = c.datastream_id
    JOIN hv.thing t ON t.thing_id = d.thing_id;

CREATE VIEW public.corrected_observations AS
    SELECT x.correction_id AS correction, d.domain, t.code AS thing, d.property, x.phenomenon_time, x.result,
           hv.quality_name(x.quality) AS quality, x.restored_by
    FROM hv.corrected_observation x
    JOIN hv.datastream d ON d.datastream_id = x.datastream_id
    JOIN hv.thing t ON t.thing_id = d.thing_id;
