-- name: rule_set_version
-- The version of all rules together.
SELECT version FROM hv.rule_set

-- name: hold_versions
-- The same and the epoch of the roll-ups, held until the commit: an edit of a rule, and the end of an epoch, wait for
-- the batches that used the old one. The transaction's own number tells afterwards whether it was committed.
SELECT r.version, e.epoch, pg_current_xact_id()::text FROM hv.rule_set r, hv.rollup_epoch e FOR SHARE

-- name: advance_rule_set
-- Every edit of a rule ends with this.
UPDATE hv.rule_set SET version = version + 1

-- name: rules_all
-- Every rule, in an order that keeps layers stable.
SELECT rule_id, code, version, domain, property, kind, priority, limit_value, deadband, on_delay, off_delay,
       label_fr, label_en, enabled, coalesce(latched, false), extra
FROM hv.rule ORDER BY domain, property, rule_id

-- name: rule_overrides_all
-- Every limit of a single Thing.
SELECT rule_id, thing_id, limit_value, deadband, enabled FROM hv.rule_override ORDER BY rule_id, thing_id

-- name: put_default_rule
-- A default rule where its code is new; returns nothing where it is there.
INSERT INTO hv.rule (code, domain, property, kind, priority, limit_value, deadband, on_delay, off_delay,
                     label_fr, label_en, action_fr, action_en, consequence_fr, consequence_en, latched, realarm_after,
                     escalate_after, suppressed_by)
VALUES (%(code)s, %(domain)s, %(property)s, %(kind)s, %(priority)s, %(limit)s, %(deadband)s,
        make_interval(secs => %(on_delay)s), make_interval(secs => %(off_delay)s),
        %(fr)s, %(en)s, %(action_fr)s, %(action_en)s, %(consequence_fr)s, %(consequence_en)s, %(latched)s,
        make_interval(secs => %(realarm_after)s), make_interval(secs => %(escalate_after)s), %(suppressed_by)s)
ON CONFLICT (code) DO NOTHING
RETURNING rule_id

-- name: fill_default_rule
-- What the desk asks of a rule that is there since before the desk was; edits made to it stay.
UPDATE hv.rule SET
    consequence_fr = %(consequence_fr)s, consequence_en = %(consequence_en)s,
    latched = coalesce(latched, %(latched)s), suppressed_by = coalesce(suppressed_by, %(suppressed_by)s),
    realarm_after = coalesce(realarm_after, make_interval(secs => %(realarm_after)s)),
    escalate_after = coalesce(escalate_after, make_interval(secs => %(escalate_after)s))
WHERE code = %(code)s AND consequence_fr IS NULL

-- name: note_rule_version
-- The whole rule as it stood in one version.
INSERT INTO hv.rule_version (rule_id, version, at, actor, document)
VALUES (%(rule_id)s, %(version)s, %(at)s, %(actor)s, %(document)s)

-- name: put_state_label
-- The label of a state, as the observations view shows it.
INSERT INTO hv.state_label (domain, property, result, label)
VALUES (%(domain)s, %(property)s, %(result)s, %(label)s)
ON CONFLICT (domain, property, result) DO UPDATE SET label = excluded.label
