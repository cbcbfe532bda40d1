-- The whole schema as all migrations together leave it; to read, and to compare: `db migrate` applies the migrations.
-- Tables live in the schema hv and are private; the views in public are the contract.

CREATE SCHEMA hv;

CREATE TABLE hv.installation (
    key text PRIMARY KEY,
    value text NOT NULL
);

CREATE TABLE hv.organisation (
    organisation_id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    code text NOT NULL UNIQUE,
    name text NOT NULL
);

CREATE TABLE hv.thing (
    thing_id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    code text NOT NULL UNIQUE CHECK (code ~ '^[A-Za-z0-9][A-Za-z0-9._:-]{0,63}$'),
    name text NOT NULL,
    domain text NOT NULL,
    kind text NOT NULL DEFAULT '',
    parent_id int REFERENCES hv.thing,
    longitude float8 CHECK (longitude BETWEEN -180 AND 180),
    latitude float8 CHECK (latitude BETWEEN -90 AND 90),
    place text NOT NULL DEFAULT '',
    organisation_id int REFERENCES hv.organisation,
    status text CHECK (status IN ('online', 'offline')),
    status_at timestamptz,
    registered_at timestamptz NOT NULL,
    -- Where it stands, as the town divides itself: the scope of an account may be some districts.
    district text NOT NULL DEFAULT '',
    CHECK ((longitude IS NULL) = (latitude IS NULL))
);
CREATE INDEX thing_parent ON hv.thing (parent_id);

CREATE TABLE hv.sensor (
    sensor_id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    thing_id int NOT NULL REFERENCES hv.thing,
    code text NOT NULL,
    model text NOT NULL DEFAULT '',
    serial text NOT NULL DEFAULT '',
    UNIQUE (thing_id, code)
);

CREATE TABLE hv.datastream (
    datastream_id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    thing_id int NOT NULL REFERENCES hv.thing,
    sensor_id int REFERENCES hv.sensor,
    domain text NOT NULL,
    property text NOT NULL,
    unit text NOT NULL,
    kind text NOT NULL CHECK (kind IN ('gauge', 'counter', 'state', 'event')),
    expected_period interval,
    registered_at timestamptz NOT NULL,
    UNIQUE (thing_id, domain, property)
);

-- quality, worst first: 0 bad, 1 corrected, 2 suspect, 3 out_of_range, 4 time_assumed, 5 good
-- A reading that was received within 32 s of its time and is not late has a delay, and neither late nor received_time;
-- every other has both of them and no delay. See hv.receipt.
CREATE TABLE hv.observation (
    datastream_id int NOT NULL,
    phenomenon_time timestamptz NOT NULL,
    result float8 NOT NULL,
    quality smallint NOT NULL,
    late boolean,
    received_time timestamptz,
    delay_ms smallint,
    PRIMARY KEY (datastream_id, phenomenon_time)
) /* observation storage */;

-- How many readings came to a UTC day, or were changed on it, after it was old enough to be packed. What packs it looks
-- here whether something came meanwhile, and packs it once more where much came since.
CREATE TABLE hv.late_day (
    day date PRIMARY KEY,
    rows bigint NOT NULL
);

-- `live` is false for history, which no later look may take for a reason to ring.
-- Every writer updates only newer rows; the half-empty pages keep those updates in place (HOT).
CREATE TABLE hv.latest (
    datastream_id int PRIMARY KEY,
    phenomenon_time timestamptz NOT NULL,
    result float8 NOT NULL,
    quality smallint NOT NULL,
    late boolean NOT NULL,
    received_time timestamptz NOT NULL,
    writer_id int NOT NULL,
    commit_no bigint NOT NULL,
    live boolean NOT NULL DEFAULT true
) WITH (fillfactor = 50);

CREATE TABLE hv.state_label (
    domain text NOT NULL,
    property text NOT NULL,
    result float8 NOT NULL,
    label text NOT NULL,
    PRIMARY KEY (domain, property, result)
);

-- One process that commits through intake. stored, duplicate and rejected are committed with each batch.
CREATE TABLE hv.writer (
    writer_id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL UNIQUE,
    commit_no bigint NOT NULL DEFAULT 0,
    alarm_no bigint NOT NULL DEFAULT 0,
    stored bigint NOT NULL DEFAULT 0,
    duplicate bigint NOT NULL DEFAULT 0,
    rejected bigint NOT NULL DEFAULT 0,
    -- Taken out of service on purpose: it is not missed, and its counters go on counting.
    retired_at timestamptz
) WITH (fillfactor = 50);

-- What a writer publishes each second, all five counters from one instant.
CREATE TABLE hv.writer_snapshot (
    writer_id int PRIMARY KEY REFERENCES hv.writer,
    beat_at timestamptz NOT NULL,
    received bigint NOT NULL,
    stored bigint NOT NULL,
    duplicate bigint NOT NULL,
    rejected bigint NOT NULL,
    in_flight bigint NOT NULL,
    link text NOT NULL DEFAULT '',
    detail jsonb NOT NULL DEFAULT '{}',
    CHECK (received = stored + duplicate + rejected + in_flight)
) WITH (fillfactor = 50);

-- Messages that carry seq and no time: kept for a day to make a redelivery harmless.
CREATE TABLE hv.message_identity (
    thing text NOT NULL,
    boot text NOT NULL,
    seq bigint NOT NULL,
    payload_hash bigint NOT NULL,
    received_time timestamptz NOT NULL,
    PRIMARY KEY (thing, boot, seq, payload_hash)
);
CREATE INDEX message_identity_received ON hv.message_identity (received_time);

CREATE TABLE hv.rejected_message (
    rejected_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    received_time timestamptz NOT NULL,
    topic text NOT NULL,
    thing text NOT NULL DEFAULT '',
    payload bytea NOT NULL,
    payload_bytes int NOT NULL,
    reason text NOT NULL,
    detail text NOT NULL,
    count bigint NOT NULL DEFAULT 1,
    partial boolean NOT NULL,
    replayed_at timestamptz
);
-- Counts are read from this one alone.
CREATE INDEX rejected_message_received ON hv.rejected_message (received_time, rejected_id)
    INCLUDE (thing, reason, count, partial, replayed_at);
CREATE INDEX rejected_message_of_thing ON hv.rejected_message (thing, received_time, rejected_id);
CREATE INDEX rejected_message_of_reason ON hv.rejected_message (reason, received_time, rejected_id);
CREATE INDEX rejected_message_thing ON hv.rejected_message (thing, reason) WHERE replayed_at IS NULL;

CREATE TABLE hv.rule_set (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    version bigint NOT NULL
);
INSERT INTO hv.rule_set (version) VALUES (1);

CREATE TABLE hv.rule (
    rule_id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    code text NOT NULL UNIQUE,
    version int NOT NULL DEFAULT 1,
    domain text NOT NULL,
    property text,
    kind text NOT NULL CHECK (kind IN ('high', 'low', 'rate_of_change', 'state_equals', 'silence', 'talking')),
    priority text NOT NULL CHECK (priority IN ('critical', 'high', 'medium', 'low')),
    limit_value float8 NOT NULL,
    deadband float8 NOT NULL DEFAULT 0 CHECK (deadband >= 0),
    on_delay interval NOT NULL DEFAULT '0',
    off_delay interval NOT NULL DEFAULT '0',
    label_fr text NOT NULL,
    label_en text NOT NULL,
    action_fr text NOT NULL DEFAULT '',
    action_en text NOT NULL DEFAULT '',
    enabled boolean NOT NULL DEFAULT true,
    -- Null: nobody has said anything yet, and the next `db migrate` puts in what the domain file says.
    consequence_fr text,
    consequence_en text,
    latched boolean,
    realarm_after interval,
    escalate_after interval,
    suppressed_by jsonb,
    -- What a rule has beyond its columns: classes of Things, schedule, formula.
    extra jsonb NOT NULL DEFAULT '{}',
    CHECK ((kind IN ('silence', 'talking')) = (property IS NULL))
);

-- The limit of one Thing is an override of a rule, never a second alarm.
CREATE TABLE hv.rule_override (
    rule_id int NOT NULL REFERENCES hv.rule ON DELETE CASCADE,
    thing_id int NOT NULL REFERENCES hv.thing,
    limit_value float8,
    deadband float8 CHECK (deadband >= 0),
    enabled boolean NOT NULL DEFAULT true,
    PRIMARY KEY (rule_id, thing_id)
);

CREATE TABLE hv.rule_version (
    rule_id int NOT NULL,
    version int NOT NULL,
    at timestamptz NOT NULL,
    actor text NOT NULL,
    document jsonb NOT NULL,
    approved_by text,
    reason text NOT NULL DEFAULT '',
    proposal_id bigint,
    PRIMARY KEY (rule_id, version)
);

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

-- A part of the platform itself, which alarms are about as they are about Things: `disk`, `broker`, a writer.
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

-- One row per occurrence; it ends in NORM.
CREATE TABLE hv.alarm (
    alarm_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    rule_id int NOT NULL REFERENCES hv.rule,
    rule_version int NOT NULL,
    source_kind text NOT NULL CHECK (source_kind IN ('datastream', 'thing', 'group', 'system')),
    source_id int NOT NULL,
    thing_id int REFERENCES hv.thing,
    datastream_id int REFERENCES hv.datastream,
    priority text NOT NULL,
    state text NOT NULL CHECK (state IN ('NORM', 'UNACK', 'ACKED', 'RTNUN')),
    suppression text NOT NULL DEFAULT 'none'
        CHECK (suppression IN ('none', 'shelved', 'by_design', 'out_of_service', 'maintenance')),
    raised_at timestamptz NOT NULL,
    detected_at timestamptz NOT NULL,
    acknowledged_at timestamptz,
    acknowledged_by text,
    returned_at timestamptz,
    value float8,
    limit_value float8,
    message text NOT NULL,
    -- The correction that took away or changed the reading which raised it: statistics of alarms leave such a one out.
    correction_id bigint,
    inhibition_id bigint REFERENCES hv.inhibition,
    -- The alarm that explains this one, which is suppressed by design for it.
    explained_by bigint REFERENCES hv.alarm,
    hidden_since timestamptz,
    -- Since when it rings, where that is not its detection: it was hidden, or rang again.
    rang_at timestamptz,
    escalated_at timestamptz,
    escalated_to text
);
CREATE UNIQUE INDEX alarm_open ON hv.alarm (source_kind, source_id, rule_id) WHERE state <> 'NORM';
CREATE INDEX alarm_raised ON hv.alarm (raised_at DESC, alarm_id DESC);
CREATE INDEX alarm_thing ON hv.alarm (thing_id, raised_at DESC);

-- The live condition of one (source, rule); the row that every writer locks, in (source, rule) order.
CREATE TABLE hv.alarm_condition (
    source_kind text NOT NULL,
    source_id int NOT NULL,
    rule_id int NOT NULL REFERENCES hv.rule,
    phase text NOT NULL CHECK (phase IN ('normal', 'pending', 'active', 'returning')),
    since timestamptz NOT NULL,
    last_event timestamptz NOT NULL,
    value float8,
    alarm_id bigint REFERENCES hv.alarm,
    PRIMARY KEY (source_kind, source_id, rule_id)
);
CREATE INDEX alarm_condition_busy ON hv.alarm_condition (source_kind, source_id, rule_id) WHERE phase <> 'normal';

CREATE TABLE hv.alarm_transition (
    transition_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    alarm_id bigint NOT NULL REFERENCES hv.alarm,
    at timestamptz NOT NULL,
    from_state text NOT NULL,
    to_state text NOT NULL,
    cause text NOT NULL,
    actor text NOT NULL DEFAULT '',
    comment text NOT NULL DEFAULT '',
    rule_version int NOT NULL,
    recorded_at timestamptz NOT NULL,
    -- Null where a step did not touch it.
    from_suppression text,
    to_suppression text
);
CREATE INDEX alarm_transition_alarm ON hv.alarm_transition (alarm_id, transition_id);
CREATE INDEX alarm_transition_recorded ON hv.alarm_transition (recorded_at);

-- What deserves a line and is no alarm: a late crossing, a session lost at the broker, an admission.
CREATE TABLE hv.journal (
    journal_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at timestamptz NOT NULL,
    kind text NOT NULL,
    thing_id int REFERENCES hv.thing,
    datastream_id int,
    actor text NOT NULL DEFAULT '',
    detail jsonb NOT NULL DEFAULT '{}'
);
CREATE INDEX journal_thing ON hv.journal (thing_id, at DESC);

CREATE TABLE hv.account (
    account_id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL UNIQUE CHECK (name ~ '^[A-Za-z0-9][A-Za-z0-9._@-]{0,63}$'),
    password_hash text NOT NULL,
    role text NOT NULL CHECK (role IN ('viewer', 'operator', 'engineer', 'administrator', 'auditor')),
    organisation_id int REFERENCES hv.organisation,
    language text CHECK (language IN ('fr', 'en')),
    created_at timestamptz NOT NULL,
    disabled_at timestamptz,
    -- What of the town it may know besides its organisation's; null limits nothing.
    domains text[] CHECK (cardinality(domains) > 0),
    districts text[] CHECK (cardinality(districts) > 0),
    -- Grows with every change of the account, so that of two administrators at once one is told of the other.
    version bigint NOT NULL DEFAULT 1,
    changed_at timestamptz,
    changed_by text,
    -- Such an account has no password here: its password_hash matches nothing.
    by_provider boolean NOT NULL DEFAULT false
);

-- Only a hash of the cookie is kept: reading this table does not give a session away.
CREATE TABLE hv.session (
    token_hash bytea PRIMARY KEY,
    account_id int NOT NULL REFERENCES hv.account ON DELETE CASCADE,
    created_at timestamptz NOT NULL,
    seen_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    -- What its owner is shown. Until a second factor is there that the role asks for, it may do nothing else.
    way text NOT NULL DEFAULT 'password' CHECK (way IN ('password', 'provider')),
    address text NOT NULL DEFAULT '',
    agent text NOT NULL DEFAULT '',
    enrolling boolean NOT NULL DEFAULT false,
    -- Of its account when it was opened: a session of another role has ended. Null: opened before.
    role text
);
CREATE INDEX session_account ON hv.session (account_id);

-- Failed log-ins, for back-off by account name and address.
CREATE TABLE hv.login_failure (
    at timestamptz NOT NULL,
    name text NOT NULL,
    address text NOT NULL
);
CREATE INDEX login_failure_name ON hv.login_failure (name, at);
CREATE INDEX login_failure_address ON hv.login_failure (address, at);

-- Who of an OpenID provider is which account.
CREATE TABLE hv.identity (
    issuer text NOT NULL,
    subject text NOT NULL,
    account_id int NOT NULL REFERENCES hv.account ON DELETE CASCADE,
    linked_at timestamptz NOT NULL,
    PRIMARY KEY (issuer, subject)
);
CREATE INDEX identity_account ON hv.identity (account_id);

-- A secret that nobody has confirmed yet lets nobody in and keeps nobody out. `last_step` is the newest that was used.
CREATE TABLE hv.second_factor (
    account_id int PRIMARY KEY REFERENCES hv.account ON DELETE CASCADE,
    secret bytea NOT NULL,
    created_at timestamptz NOT NULL,
    confirmed_at timestamptz,
    last_step bigint NOT NULL DEFAULT 0
);

CREATE TABLE hv.recovery_code (
    account_id int NOT NULL REFERENCES hv.account ON DELETE CASCADE,
    code_hash bytea NOT NULL,
    used_at timestamptz,
    PRIMARY KEY (account_id, code_hash)
);

-- Only a hash is kept. `scopes` are words of hypervision/tokens.py, read anew at each use.
CREATE TABLE hv.api_token (
    api_token_id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    account_id int NOT NULL REFERENCES hv.account ON DELETE CASCADE,
    name text NOT NULL,
    token_hash bytea NOT NULL UNIQUE,
    scopes text[] NOT NULL,
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    used_at timestamptz,
    revoked_at timestamptz
);
CREATE INDEX api_token_account ON hv.api_token (account_id);

-- A link with which somebody makes an account, once: the first administrator.
CREATE TABLE hv.invitation (
    token_hash bytea PRIMARY KEY,
    role text NOT NULL CHECK (role IN ('viewer', 'operator', 'engineer', 'administrator', 'auditor')),
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    used_at timestamptz
);


-- What an account keeps of the control room: the address of a page with everything chosen on it.
CREATE TABLE hv.saved_view (
    view_id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL,
    owner text NOT NULL,
    -- What of the town its owner saw then: shared, it is for who sees the same.
    scope jsonb NOT NULL,
    shared boolean NOT NULL DEFAULT false,
    address text NOT NULL,
    at timestamptz NOT NULL,
    UNIQUE (owner, name)
);

-- What people remark beside the readings.
CREATE TABLE hv.note (
    note_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at timestamptz NOT NULL,
    thing_id int REFERENCES hv.thing,
    -- What of the town its author saw then: without a Thing it is for who sees the same.
    scope jsonb NOT NULL,
    text text NOT NULL,
    author text NOT NULL,
    written_at timestamptz NOT NULL,
    removed_at timestamptz,
    removed_by text
);
CREATE INDEX note_at ON hv.note (at) WHERE removed_at IS NULL;

-- Each writer notes the hours it touches, once in an epoch; `watch` ends the epoch when it collects them.
CREATE TABLE hv.rollup_epoch (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    epoch bigint NOT NULL
);
INSERT INTO hv.rollup_epoch (epoch) VALUES (1);

-- Append-only, without a key, so that writers never wait for each other.
CREATE TABLE hv.rollup_mark (
    datastream_id int NOT NULL,
    hour timestamptz NOT NULL
);

-- What was collected and is not computed yet.
CREATE TABLE hv.rollup_due (
    datastream_id int NOT NULL,
    hour timestamptz NOT NULL,
    PRIMARY KEY (datastream_id, hour)
);

-- level: 0 UTC hour, 1 local day.
CREATE TABLE hv.rollup (
    datastream_id int NOT NULL,
    level smallint NOT NULL,
    bucket timestamptz NOT NULL,
    n bigint NOT NULL,
    minimum float8,
    maximum float8,
    mean float8,
    total float8,
    covered_seconds float8 NOT NULL,
    PRIMARY KEY (datastream_id, level, bucket)
);

-- Silences that are over: two consecutive readings further apart than two expected periods. Made with the roll-ups.
CREATE TABLE hv.hole (
    datastream_id int NOT NULL,
    began timestamptz NOT NULL,
    ended timestamptz NOT NULL,
    missing bigint NOT NULL,
    PRIMARY KEY (datastream_id, began)
);
CREATE INDEX hole_ended ON hv.hole (ended);

-- How far a device's message counter has come: one row for every run of it, from one restart to the next.
CREATE TABLE hv.sequence (
    sequence_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    thing_id int NOT NULL REFERENCES hv.thing,
    domain text NOT NULL,
    boot text NOT NULL,
    first_seq bigint NOT NULL,
    last_seq bigint NOT NULL,
    first_time timestamptz NOT NULL,
    last_time timestamptz NOT NULL,
    version bigint NOT NULL
) WITH (fillfactor = 50);
CREATE INDEX sequence_thing ON hv.sequence (thing_id, domain);
CREATE UNIQUE INDEX sequence_boot ON hv.sequence (thing_id, domain, boot) WHERE boot <> '';

-- Numbers of a run that have not come; began and ended are the times of the messages on both sides.
CREATE TABLE hv.sequence_gap (
    sequence_id bigint NOT NULL,
    thing_id int NOT NULL REFERENCES hv.thing,
    domain text NOT NULL,
    boot text NOT NULL,
    first_seq bigint NOT NULL,
    last_seq bigint NOT NULL,
    began timestamptz NOT NULL,
    ended timestamptz NOT NULL,
    PRIMARY KEY (sequence_id, first_seq)
);
CREATE INDEX sequence_gap_thing ON hv.sequence_gap (thing_id, ended);
CREATE INDEX sequence_gap_ended ON hv.sequence_gap (ended);

-- When a part of the platform itself was away, written by the collector after it was over.
CREATE TABLE hv.outage (
    writer text NOT NULL,
    cause text NOT NULL CHECK (cause IN ('broker', 'database', 'collector')),
    began timestamptz NOT NULL,
    ended timestamptz NOT NULL,
    PRIMARY KEY (writer, cause, began)
);
CREATE INDEX outage_ended ON hv.outage (ended);

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

-- From when on `observations` or `hours` are kept: before it roll-ups stay as they are, for there is nothing left to
-- compute them from.
CREATE FUNCTION hv.kept_from(what text) RETURNS timestamptz LANGUAGE sql STABLE PARALLEL SAFE
    RETURN coalesce((SELECT value::timestamptz FROM hv.installation WHERE key = 'kept from ' || what), '-infinity');

CREATE FUNCTION hv.receipt(phenomenon_time timestamptz, delay_ms smallint, received_time timestamptz)
    RETURNS timestamptz LANGUAGE sql STABLE PARALLEL SAFE
    RETURN coalesce(received_time, phenomenon_time + delay_ms * interval '1 millisecond');

CREATE FUNCTION hv.quality_name(code smallint) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN (ARRAY['bad', 'corrected', 'suspect', 'out_of_range', 'time_assumed', 'good'])[code + 1];

-- By how much a counter grew between two readings. A fall is a rollover when the register was within a hundredth of
-- a power of ten, 2^16 or 2^32 and starts again within a hundredth of it; a reset when it starts again below a
-- twentieth of where it was (what it shows is what it counted since); else another meter, of which nothing is known.
CREATE FUNCTION hv.increase(was float8, now_is float8) RETURNS float8 LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE
        WHEN now_is >= was THEN now_is - was
        WHEN was >= 65535 * 0.99 AND was < 65536 AND now_is <= 655 THEN 65536 - was + now_is
        WHEN was >= 4294967295 * 0.99 AND was < 4294967296 AND now_is <= 42949672 THEN 4294967296 - was + now_is
        WHEN was >= 99 AND was >= 0.99 * power(10::float8, ceil(log(greatest(was, 1)))) AND was < power(10::float8, ceil(log(greatest(was, 1))))
             AND now_is >= 0 AND now_is <= 0.01 * power(10::float8, ceil(log(greatest(was, 1))))
            THEN power(10::float8, ceil(log(greatest(was, 1)))) - was + now_is
        WHEN now_is >= 0 AND now_is <= was / 20 THEN now_is
        ELSE 0
    END;

-- How long a reading stands for when none follows: two of its expected periods, after which it is overdue; a day
-- where readings come on change only.
CREATE FUNCTION hv.hold(kind text, expected_period interval) RETURNS interval LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN kind = 'event' THEN interval '0' ELSE coalesce(2 * expected_period, interval '24 hours') END;

-- How many readings of this period did not come between two that did.
CREATE FUNCTION hv.missing(length interval, expected_period interval) RETURNS bigint LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN round(extract(epoch FROM length) / extract(epoch FROM expected_period))::bigint - 1;

-- The roll-up of one datastream in the buckets between rising edges, from the readings alone; bad (0) and out of range
-- (3) ones do not count. A reading stands until the next one, at most for `hold`; a counter grows evenly between two
-- readings, however far apart. mean is weighted by time; total is the growth of a counter, the seconds at 1 of a
-- state, the sum of events. Buckets with nothing in them are left out.
CREATE FUNCTION hv.roll_up(stream int, kind text, hold interval, edges timestamptz[])
RETURNS TABLE (bucket timestamptz, n bigint, minimum float8, maximum float8, mean float8, total float8,
               covered_seconds float8)
LANGUAGE sql STABLE PARALLEL SAFE AS $$
WITH reading AS (
    (SELECT phenomenon_time AS t, result AS v FROM hv.observation
     WHERE datastream_id = stream AND phenomenon_time < edges[1] AND quality NOT IN (0, 3)
           AND (kind = 'counter' OR phenomenon_time > edges[1] - hold)
     ORDER BY phenomenon_time DESC LIMIT 1)
    UNION ALL
    (SELECT phenomenon_time, result FROM hv.observation
     WHERE datastream_id = stream AND phenomenon_time >= edges[1] AND phenomenon_time < edges[cardinality(edges)]
           AND quality NOT IN (0, 3))
    UNION ALL
    (SELECT phenomenon_time, result FROM hv.observation
     WHERE datastream_id = stream AND phenomenon_time >= edges[cardinality(edges)] AND quality NOT IN (0, 3)
           AND (kind = 'counter' OR phenomenon_time < edges[cardinality(edges)] + hold)
     ORDER BY phenomenon_time LIMIT 1)
), segment AS (
    SELECT t, v, lead(t) OVER w AS next_t, lead(v) OVER w AS next_v FROM reading WINDOW w AS (ORDER BY t)
), part AS (
    SELECT b, v, t >= edges[b] AND t < edges[b + 1] AS here,
           greatest(0, extract(epoch FROM least(next_t, t + hold, edges[b + 1]) - greatest(t, edges[b])))::float8 AS held,
           CASE WHEN kind = 'counter' THEN hv.increase(v, next_v)
               * (greatest(0, extract(epoch FROM least(next_t, edges[b + 1]) - greatest(t, edges[b])))
                  / extract(epoch FROM next_t - t))::float8
           END AS grown
    FROM segment, generate_series(
        greatest(1, width_bucket(t, edges)),
        least(cardinality(edges) - 1,
              width_bucket(CASE WHEN kind = 'counter' THEN greatest(next_t, t + hold) ELSE least(next_t, t + hold) END, edges))
    ) AS b
)
SELECT edges[b], count(*) FILTER (WHERE here), min(v) FILTER (WHERE here), max(v) FILTER (WHERE here),
       sum(v * held) / nullif(sum(held), 0),
       CASE kind WHEN 'counter' THEN coalesce(sum(grown), 0) WHEN 'state' THEN coalesce(sum(held) FILTER (WHERE v = 1), 0)
                 WHEN 'event' THEN coalesce(sum(v) FILTER (WHERE here), 0) END,
       sum(held)
FROM part GROUP BY b
HAVING bool_or(here) OR sum(held) > 0 OR sum(grown) <> 0
$$;

CREATE VIEW public.things AS
    SELECT t.code, t.name, t.domain, p.code AS parent, t.place, o.code AS organisation,
           t.kind, t.longitude, t.latitude, t.status, t.status_at, t.registered_at, t.district
    FROM hv.thing t
    LEFT JOIN hv.thing p ON p.thing_id = t.parent_id
    LEFT JOIN hv.organisation o ON o.organisation_id = t.organisation_id;

CREATE VIEW public.datastreams AS
    SELECT t.code, t.name, d.domain, p.code AS parent, t.place, o.code AS organisation,
           t.code AS thing, d.property, d.unit, d.kind, d.expected_period
    FROM hv.datastream d
    JOIN hv.thing t ON t.thing_id = d.thing_id
    LEFT JOIN hv.thing p ON p.thing_id = t.parent_id
    LEFT JOIN hv.organisation o ON o.organisation_id = t.organisation_id;

CREATE VIEW public.observations AS
    SELECT d.domain, t.code AS thing, d.property, x.phenomenon_time, x.result, d.unit,
           hv.quality_name(x.quality) AS quality, coalesce(x.late, false) AS late,
           hv.receipt(x.phenomenon_time, x.delay_ms, x.received_time) AS received_time, s.label AS state
    FROM hv.observation x
    JOIN hv.datastream d ON d.datastream_id = x.datastream_id
    JOIN hv.thing t ON t.thing_id = d.thing_id
    LEFT JOIN hv.state_label s ON s.domain = d.domain AND s.property = d.property AND s.result = x.result;

CREATE VIEW public.latest_observations AS
    SELECT d.domain, t.code AS thing, d.property, x.phenomenon_time, x.result, d.unit,
           hv.quality_name(x.quality) AS quality, x.late, x.received_time, s.label AS state
    FROM hv.latest x
    JOIN hv.datastream d ON d.datastream_id = x.datastream_id
    JOIN hv.thing t ON t.thing_id = d.thing_id
    LEFT JOIN hv.state_label s ON s.domain = d.domain AND s.property = d.property AND s.result = x.result;

CREATE VIEW public.alarms AS
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

CREATE VIEW public.alarm_transitions AS
    SELECT alarm_id, at, from_state, to_state, cause, actor, comment, rule_version, from_suppression, to_suppression
    FROM hv.alarm_transition;

CREATE VIEW public.rejected_messages AS
    SELECT rejected_id AS id, received_time, topic, payload, payload_bytes, reason, detail, count, partial,
           replayed_at
    FROM hv.rejected_message;

-- The newest reading stands for a while yet: hours to come are not shown before their time.
CREATE VIEW public.observations_hourly AS
    SELECT d.domain, t.code AS thing, d.property, r.bucket, r.n, r.minimum, r.maximum, r.mean, r.total,
           r.covered_seconds
    FROM hv.rollup r
    JOIN hv.datastream d ON d.datastream_id = r.datastream_id
    JOIN hv.thing t ON t.thing_id = d.thing_id
    WHERE r.level = 0 AND r.bucket <= now();

CREATE VIEW public.observations_daily AS
    SELECT d.domain, t.code AS thing, d.property, r.bucket, r.n, r.minimum, r.maximum, r.mean, r.total,
           r.covered_seconds
    FROM hv.rollup r
    JOIN hv.datastream d ON d.datastream_id = r.datastream_id
    JOIN hv.thing t ON t.thing_id = d.thing_id
    WHERE r.level = 1 AND r.bucket <= now();

-- All gaps with what the screens need to know of them. A silence has no end while it lasts.
CREATE VIEW hv.gap AS
    SELECT t.thing_id, t.organisation_id, d.datastream_id, d.domain, t.code AS thing, d.property,
           h.began, h.ended, 'silence' AS cause, h.missing
    FROM hv.hole h
    JOIN hv.datastream d ON d.datastream_id = h.datastream_id
    JOIN hv.thing t ON t.thing_id = d.thing_id
UNION ALL
    SELECT t.thing_id, t.organisation_id, d.datastream_id, d.domain, t.code, d.property,
           n.since, NULL, 'silence', hv.missing(now() - n.since, d.expected_period)
    FROM hv.latest l
    JOIN hv.datastream d ON d.datastream_id = l.datastream_id
    JOIN hv.thing t ON t.thing_id = d.thing_id
    -- A newest reading that was invalidated is none.
    CROSS JOIN LATERAL (
        SELECT CASE WHEN l.quality > 0 THEN l.phenomenon_time ELSE (
            SELECT max(x.phenomenon_time) FROM hv.observation x
            WHERE x.datastream_id = l.datastream_id AND x.quality > 0) END AS since) AS n
    WHERE d.kind <> 'event' AND d.expected_period > interval '0'
          AND n.since < now() - hv.hold(d.kind, d.expected_period)
UNION ALL
    SELECT t.thing_id, t.organisation_id, NULL, g.domain, t.code, NULL,
           least(g.began, g.ended), greatest(g.began, g.ended), 'sequence', g.last_seq - g.first_seq + 1
    FROM hv.sequence_gap g
    JOIN hv.thing t ON t.thing_id = g.thing_id
UNION ALL
    SELECT NULL, NULL, NULL, NULL, NULL, NULL, o.began, o.ended, o.cause, NULL
    FROM hv.outage o;

CREATE VIEW public.gaps AS
    SELECT thing, property, began AS start, ended AS "end", cause, missing FROM hv.gap;

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

-- Who did what, to what, from where and why: a chain of hashes that only this database appends to. Its lines are
-- written by hv.audit_chain at the commit of what they tell of.

CREATE TABLE hv.audit (
    number bigint PRIMARY KEY,
    at timestamptz NOT NULL,
    actor text NOT NULL,
    action text NOT NULL,
    object_kind text NOT NULL,
    object_id text NOT NULL,
    address text NOT NULL,
    reason text NOT NULL,
    before jsonb,
    after jsonb,
    -- The database role that asked for the line.
    role text NOT NULL,
    previous bytea NOT NULL,
    hash bytea NOT NULL
);
CREATE INDEX audit_actor ON hv.audit (actor, number);
CREATE INDEX audit_action ON hv.audit (action, number);
CREATE INDEX audit_object ON hv.audit (object_kind, object_id, number);

-- The end of the chain; what is appended locks this one row.
CREATE TABLE hv.audit_head (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    number bigint NOT NULL,
    hash bytea NOT NULL
);
INSERT INTO hv.audit_head (number, hash) VALUES (0, decode(repeat('00', 32), 'hex'));

-- Lines of transactions under way: each goes to the end of the chain when its transaction commits, and not before, so
-- that the row of the end is the last lock of every transaction and is held no longer than a commit takes.
CREATE TABLE hv.audit_due (
    due_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    actor text NOT NULL CHECK (actor <> ''),
    action text NOT NULL CHECK (action ~ '^[a-z]+(_[a-z]+)*\.[a-z]+(_[a-z]+)*$'),
    object_kind text NOT NULL,
    object_id text NOT NULL,
    address text NOT NULL,
    reason text NOT NULL,
    before jsonb,
    after jsonb,
    -- This line seals the lines up to this number, which go with it.
    seals bigint
);

-- A field of the canonical form: how many bytes it has in UTF-8, a colon, itself; a minus where there is nothing.
CREATE FUNCTION hv.audit_field(field text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN coalesce(octet_length(convert_to(field, 'UTF8')) || ':' || field, '-') || ',';

-- What is hashed of a line: the hash before it, then each field. hypervision.auditing computes the same.
CREATE FUNCTION hv.audit_hash(line hv.audit) RETURNS bytea LANGUAGE sql STABLE PARALLEL SAFE
    RETURN sha256(line.previous || convert_to(
        hv.audit_field(line.number::text)
        || hv.audit_field(((extract(epoch FROM line.at) * 1000000)::bigint)::text)
        || hv.audit_field(line.actor) || hv.audit_field(line.action)
        || hv.audit_field(line.object_kind) || hv.audit_field(line.object_id)
        || hv.audit_field(line.address) || hv.audit_field(line.reason)
        || hv.audit_field(line.before::text) || hv.audit_field(line.after::text)
        || hv.audit_field(line.role), 'UTF8'));

-- The one way to a line, for every process. What begins with `audit_log.` is told by the log itself.
CREATE FUNCTION hv.audit_note(actor text, action text, object_kind text, object_id text, address text, reason text,
                              before jsonb, after jsonb) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF action LIKE 'audit\_log.%' THEN
        RAISE EXCEPTION 'the action % is told by the audit log itself', action USING ERRCODE = 'insufficient_privilege';
    END IF;
    INSERT INTO hv.audit_due (actor, action, object_kind, object_id, address, reason, before, after)
    VALUES (audit_note.actor, audit_note.action, audit_note.object_kind, audit_note.object_id, audit_note.address,
            audit_note.reason, audit_note.before, audit_note.after);
END $$;

-- Lets old lines go: up to the last one before an instant without a gap, `most` at most. The line of the seal, which
-- stands in the chain, says up to which number and with which hash, so that the rest can still be proved. For the owner.
CREATE FUNCTION hv.audit_seal(until timestamptz, most bigint, actor text, address text, reason text) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    oldest bigint := (SELECT min(a.number) FROM hv.audit a);
    through bigint;
BEGIN
    -- `least` leaves out what is null: nothing is so young. The newest line always stays, for the chain goes on from it.
    SELECT least(min(a.number) - 1, oldest + most - 1) INTO through FROM hv.audit a WHERE a.at >= audit_seal.until;
    SELECT least(through, h.number - 1) INTO through FROM hv.audit_head h;
    IF oldest IS NULL OR through < oldest THEN
        RETURN 0;
    END IF;
    INSERT INTO hv.audit_due (actor, action, object_kind, object_id, address, reason, seals)
    VALUES (audit_seal.actor, 'audit_log.seal', 'audit', through::text, audit_seal.address, audit_seal.reason, through);
    RETURN through - oldest + 1;
END $$;

CREATE FUNCTION hv.audit_chain() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    line hv.audit;
BEGIN
    -- Here everybody who appends waits for the commit before it; there is no gap, and no number twice.
    SELECT h.number + 1, h.hash INTO line.number, line.previous FROM hv.audit_head h FOR UPDATE;
    line.at := clock_timestamp();
    line.actor := NEW.actor;
    line.action := NEW.action;
    line.object_kind := NEW.object_kind;
    line.object_id := NEW.object_id;
    line.address := NEW.address;
    line.reason := NEW.reason;
    line.before := NEW.before;
    line.after := NEW.after;
    line.role := session_user;
    IF NEW.seals IS NOT NULL THEN
        SELECT jsonb_build_object('through', a.number, 'hash', encode(a.hash, 'hex')) INTO STRICT line.after
        FROM hv.audit a WHERE a.number = NEW.seals;
    END IF;
    line.hash := hv.audit_hash(line);
    INSERT INTO hv.audit SELECT line.*;
    UPDATE hv.audit_head SET number = line.number, hash = line.hash;
    DELETE FROM hv.audit_due WHERE due_id = NEW.due_id;
    IF NEW.seals IS NOT NULL THEN
        DELETE FROM hv.audit WHERE number <= NEW.seals;
    END IF;
    RETURN NULL;
END $$;

CREATE CONSTRAINT TRIGGER audit_chain AFTER INSERT ON hv.audit_due DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION hv.audit_chain();

-- What hv.audit_chain itself does comes from within a trigger; everything else is refused, to the owner as well.
CREATE FUNCTION hv.audit_refuse() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF pg_trigger_depth() < 2 THEN
        RAISE EXCEPTION 'the audit log is append-only: % of hv.% is refused', TG_OP, TG_TABLE_NAME
            USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER audit_refuse BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON hv.audit
    FOR EACH STATEMENT EXECUTE FUNCTION hv.audit_refuse();
CREATE TRIGGER audit_refuse BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON hv.audit_head
    FOR EACH STATEMENT EXECUTE FUNCTION hv.audit_refuse();
CREATE TRIGGER audit_refuse BEFORE UPDATE OR DELETE OR TRUNCATE ON hv.audit_due
    FOR EACH STATEMENT EXECUTE FUNCTION hv.audit_refuse();

REVOKE ALL ON FUNCTION hv.audit_note(text, text, text, text, text, text, jsonb, jsonb) FROM PUBLIC;
REVOKE ALL ON FUNCTION hv.audit_seal(timestamptz, bigint, text, text, text) FROM PUBLIC;

-- Room for the readings of a day, for processes that do not own the observations; under the lock
-- `lock_partitions`. A table of this name that is no partition is what an interrupted dropping left.
CREATE FUNCTION hv.make_room(name text, first date, last date) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    there regclass := to_regclass('hv.' || quote_ident(name));
    columns text;
BEGIN
    IF NOT (last > first AND (
            (name = 'observation_' || to_char(first, 'YYYYMMDD') AND last = first + 1)
            OR (name = 'observation_' || to_char(first, 'YYYYMM') AND first = date_trunc('month', first::timestamp)
                AND last = first + interval '1 month'))) THEN
        RAISE EXCEPTION '% is no partition from % to %', name, first, last USING ERRCODE = 'invalid_parameter_value';
    END IF;
    IF there IS NOT NULL THEN
        IF EXISTS (SELECT FROM pg_inherits i WHERE i.inhrelid = there) THEN
            RAISE EXCEPTION '% is in use', name USING ERRCODE = 'object_in_use';
        END IF;
        EXECUTE format('DROP TABLE hv.%I', name);
    END IF;
    SELECT string_agg(format('%I %s%s', attname, format_type(atttypid, atttypmod),
                             CASE WHEN attnotnull THEN ' NOT NULL' ELSE '' END), ', '
                      ORDER BY greatest(attlen, 0) DESC, attnum)
    INTO columns
    FROM pg_attribute WHERE attrelid = 'hv.observation'::regclass AND attnum > 0 AND NOT attisdropped;
    EXECUTE format('CREATE TABLE hv.%I (%s, PRIMARY KEY (datastream_id, phenomenon_time) WITH (fillfactor = 100))'
                   ' WITH (fillfactor = 100)', name, columns);
    EXECUTE format('ALTER TABLE hv.observation ATTACH PARTITION hv.%I FOR VALUES FROM (%L) TO (%L)', name,
                   to_char(first, 'YYYY-MM-DD') || ' 00:00:00+00', to_char(last, 'YYYY-MM-DD') || ' 00:00:00+00');
END $$;
REVOKE ALL ON FUNCTION hv.make_room(text, date, date) FROM PUBLIC;

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

CREATE VIEW public.rules AS
    SELECT r.code, r.version, r.domain, ltrim(r.property, '=') AS property, r.kind, r.priority, r.limit_value, r.deadband,
           r.on_delay, r.off_delay, r.enabled, r.label_fr, r.label_en, r.extra, h.detail AS wrong
    FROM hv.rule r
    LEFT JOIN hv.rule_health h ON h.rule_id = r.rule_id;

CREATE VIEW public.rule_versions AS
    SELECT r.code, v.version, v.at, v.actor AS author, v.approved_by, v.reason, v.document
    FROM hv.rule_version v
    JOIN hv.rule r ON r.rule_id = v.rule_id;
