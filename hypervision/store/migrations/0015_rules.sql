-- Rules have a life: proposed, approved by a second person, in force from a time, given back. Every version is kept.

-- What a rule has beyond its columns: classes of Things, schedule, formula. A process of an older version judges by the
-- columns alone.
ALTER TABLE hv.rule ADD COLUMN extra jsonb NOT NULL DEFAULT '{}';

ALTER TABLE hv.rule_version ADD COLUMN approved_by text;
ALTER TABLE hv.rule_version ADD COLUMN reason text NOT NULL DEFAULT '';
ALTER TABLE hv.rule_version ADD COLUMN proposal_id bigint;

-- `base` is the version that its author looked at, 0 for a new rule; `version` the one that it became.
CREATE TABLE hv.rule_proposal (
    proposal_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    code text NOT NULL,
    base int NOT NULL,
    state text NOT NULL CHECK (state IN ('draft', 'proposed', 'approved', 'in_force', 'refused', 'withdrawn', 'overtaken')),
    document jsonb NOT NULL,
    back_to int,
    reason text NOT NULL,
    effective_from timestamptz,
    author text NOT NULL,
    at timestamptz NOT NULL,
    decided_by text,
    decided_at timestamptz,
    remark text NOT NULL DEFAULT '',
    version int,
    in_force_at timestamptz
);
-- One proposal of a rule waits at a time: who comes second is told who was first.
CREATE UNIQUE INDEX rule_proposal_open ON hv.rule_proposal (code) WHERE state IN ('proposed', 'approved');
CREATE UNIQUE INDEX rule_proposal_draft ON hv.rule_proposal (code, author) WHERE state = 'draft';
CREATE INDEX rule_proposal_code ON hv.rule_proposal (code, proposal_id);

-- From which reading on a datastream was judged by a version, where that reading was received before the version was in
-- force and committed after it. All other readings tell it by their receipt.
CREATE TABLE hv.rule_seam (
    rule_id int NOT NULL REFERENCES hv.rule,
    version int NOT NULL,
    datastream_id int NOT NULL,
    since timestamptz NOT NULL,
    PRIMARY KEY (datastream_id, rule_id, version)
);

-- What keeps a rule from being judged as it is written; no row: nothing.
CREATE TABLE hv.rule_health (
    rule_id int PRIMARY KEY REFERENCES hv.rule,
    since timestamptz NOT NULL,
    detail text NOT NULL
);

CREATE VIEW public.rules AS
    SELECT r.code, r.version, r.domain, ltrim(r.property, '=') AS property, r.kind, r.priority, r.limit_value, r.deadband,
           r.on_delay, r.off_delay, r.enabled, r.label_fr, r.label_en, r.extra, h.detail AS wrong
    FROM hv.rule r
    LEFT JOIN hv.rule_health h ON h.rule_id = r.rule_id;

CREATE VIEW public.rule_versions AS
    SELECT r.code, v.version, v.at, v.actor AS author, v.approved_by, v.reason, v.document
    FROM hv.rule_version v
    JOIN hv.rule r ON r.rule_id = v.rule_id;
