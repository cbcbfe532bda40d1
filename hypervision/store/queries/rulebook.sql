-- name: rulebook_rules
-- Rules as they stand, with the overrides of single Things by their code, what is wrong with them, the actor of the newest
-- version, and what waits.
SELECT r.rule_id, r.code, r.version, r.domain, r.property, r.kind, r.priority, r.limit_value, r.deadband, r.on_delay,
       r.off_delay, r.label_fr, r.label_en, r.action_fr, r.action_en, r.enabled, r.extra,
       coalesce((SELECT jsonb_object_agg(t.code, jsonb_strip_nulls(jsonb_build_object(
                            'limit', o.limit_value, 'deadband', o.deadband, 'enabled', o.enabled)))
                 FROM hv.rule_override o JOIN hv.thing t ON t.thing_id = o.thing_id
                 WHERE o.rule_id = r.rule_id), '{}'),
       h.since, h.detail, v.actor, v.at, p.proposal_id, p.state, p.author,
       coalesce(r.consequence_fr, ''), coalesce(r.consequence_en, ''), coalesce(r.latched, false), r.realarm_after,
       r.escalate_after, r.suppressed_by
FROM hv.rule r
LEFT JOIN hv.rule_health h ON h.rule_id = r.rule_id
LEFT JOIN hv.rule_version v ON v.rule_id = r.rule_id AND v.version = r.version
LEFT JOIN hv.rule_proposal p ON p.code = r.code AND p.state IN ('proposed', 'approved')
WHERE %(code)s::text IS NULL OR r.code = %(code)s
ORDER BY r.domain, r.code

-- name: rulebook_standing
-- How many alarms of each rule are active now.
SELECT rule_id, count(*) FROM hv.alarm WHERE state IN ('UNACK', 'ACKED') GROUP BY rule_id

-- name: rulebook_versions
-- The versions of a rule, the newest first.
SELECT v.version, v.at, v.actor, v.approved_by, v.reason, v.document, v.proposal_id
FROM hv.rule_version v JOIN hv.rule r ON r.rule_id = v.rule_id
WHERE r.code = %(code)s ORDER BY v.version DESC LIMIT %(limit)s

-- name: rulebook_version
-- One version of a rule.
SELECT v.version, v.at, v.actor, v.approved_by, v.reason, v.document, v.proposal_id
FROM hv.rule_version v JOIN hv.rule r ON r.rule_id = v.rule_id
WHERE r.code = %(code)s AND v.version = %(version)s

-- name: rulebook_proposals
-- Proposals, the newest first; of one state, of one rule.
SELECT proposal_id, code, base, state, document, back_to, reason, effective_from, author, at, decided_by, decided_at,
       remark, version, in_force_at
FROM hv.rule_proposal
WHERE (%(code)s::text IS NULL OR code = %(code)s)
  AND (%(states)s::text[] IS NULL OR state = ANY(%(states)s))
  AND (state <> 'draft' OR author = %(reader)s)
ORDER BY proposal_id DESC LIMIT %(limit)s

-- name: rulebook_proposal
-- One proposal, held until the commit.
SELECT proposal_id, code, base, state, document, back_to, reason, effective_from, author, at, decided_by, decided_at,
       remark, version, in_force_at
FROM hv.rule_proposal WHERE proposal_id = %(proposal_id)s FOR UPDATE

-- name: rulebook_put_proposal
-- A proposal; nothing where another one of its rule waits.
INSERT INTO hv.rule_proposal (code, base, state, document, back_to, reason, effective_from, author, at)
VALUES (%(code)s, %(base)s, 'proposed', %(document)s, %(back_to)s, %(reason)s, %(effective_from)s, %(author)s, %(at)s)
ON CONFLICT DO NOTHING
RETURNING proposal_id

-- name: rulebook_put_draft
-- What its author has not finished; one of each rule.
INSERT INTO hv.rule_proposal (code, base, state, document, reason, effective_from, author, at)
VALUES (%(code)s, %(base)s, 'draft', %(document)s, %(reason)s, %(effective_from)s, %(author)s, %(at)s)
ON CONFLICT (code, author) WHERE state = 'draft' DO UPDATE SET
    base = excluded.base, document = excluded.document, reason = excluded.reason,
    effective_from = excluded.effective_from, at = excluded.at
RETURNING proposal_id

-- name: rulebook_drop_draft
-- A draft that was proposed, or is not wanted.
DELETE FROM hv.rule_proposal WHERE code = %(code)s AND author = %(author)s AND state = 'draft'

-- name: rulebook_decide
-- A proposal is approved, refused, withdrawn or overtaken.
UPDATE hv.rule_proposal SET state = %(state)s, decided_by = %(actor)s, decided_at = %(at)s, remark = %(remark)s
WHERE proposal_id = %(proposal_id)s

-- name: rulebook_due
-- Approved proposals whose time has come, in their order.
SELECT proposal_id FROM hv.rule_proposal
WHERE state = 'approved' AND coalesce(effective_from, decided_at) <= %(now)s
ORDER BY coalesce(effective_from, decided_at), proposal_id

-- name: rulebook_hold
-- Batches wait until the commit: what they have judged was judged by the version before.
SELECT version FROM hv.rule_set FOR UPDATE

-- name: rulebook_things
-- Ids of Things by their code.
SELECT code, thing_id FROM hv.thing WHERE code = ANY(%(codes)s::text[])

-- name: rulebook_classes
-- Every kind of Thing of a domain's datastreams, with their number.
SELECT t.kind, count(DISTINCT t.thing_id)
FROM hv.thing t JOIN hv.datastream d ON d.thing_id = t.thing_id
WHERE d.domain = %(domain)s AND t.kind <> '' GROUP BY t.kind ORDER BY t.kind

-- name: rulebook_new_rule
-- A rule that was not there.
INSERT INTO hv.rule (code, version, domain, property, kind, priority, limit_value, deadband, on_delay, off_delay, label_fr,
                     label_en, action_fr, action_en, enabled, extra, consequence_fr, consequence_en, latched, realarm_after,
                     escalate_after, suppressed_by)
VALUES (%(code)s, 1, %(domain)s, %(property)s, %(kind)s, %(priority)s, %(limit)s, %(deadband)s,
        make_interval(secs => %(on_delay)s), make_interval(secs => %(off_delay)s), %(fr)s, %(en)s, %(action_fr)s,
        %(action_en)s, %(enabled)s, %(extra)s, %(consequence_fr)s, %(consequence_en)s, %(latched)s,
        make_interval(secs => %(realarm_after)s), make_interval(secs => %(escalate_after)s), %(causes)s)
RETURNING rule_id, version

-- name: rulebook_change_rule
-- A rule in its next version.
UPDATE hv.rule SET version = version + 1, property = %(property)s, kind = %(kind)s, priority = %(priority)s,
    limit_value = %(limit)s, deadband = %(deadband)s, on_delay = make_interval(secs => %(on_delay)s),
    off_delay = make_interval(secs => %(off_delay)s), label_fr = %(fr)s, label_en = %(en)s, action_fr = %(action_fr)s,
    action_en = %(action_en)s, enabled = %(enabled)s, extra = %(extra)s, consequence_fr = %(consequence_fr)s,
    consequence_en = %(consequence_en)s, latched = %(latched)s,
    realarm_after = make_interval(secs => %(realarm_after)s),
    escalate_after = make_interval(secs => %(escalate_after)s), suppressed_by = %(causes)s
WHERE code = %(code)s
RETURNING rule_id, version

-- name: rulebook_drop_overrides
-- The Things of a rule, before they are put anew.
DELETE FROM hv.rule_override WHERE rule_id = %(rule_id)s

-- name: rulebook_put_override
-- What one Thing has otherwise.
INSERT INTO hv.rule_override (rule_id, thing_id, limit_value, deadband, enabled)
VALUES (%(rule_id)s, %(thing_id)s, %(limit)s, %(deadband)s, %(enabled)s)

-- name: rulebook_note_version
-- A version with who answers for it; one that is noted stays.
INSERT INTO hv.rule_version (rule_id, version, at, actor, document, approved_by, reason, proposal_id)
VALUES (%(rule_id)s, %(version)s, %(at)s, %(actor)s, %(document)s, %(approved_by)s, %(reason)s, %(proposal_id)s)
ON CONFLICT (rule_id, version) DO NOTHING

-- name: rulebook_in_force
-- A proposal has become a version.
UPDATE hv.rule_proposal SET state = 'in_force', version = %(version)s, in_force_at = %(at)s
WHERE proposal_id = %(proposal_id)s

-- name: rulebook_newest_receipt
-- When the newest reading of a property was received.
SELECT max(l.received_time) FROM hv.latest l JOIN hv.datastream d ON d.datastream_id = l.datastream_id
WHERE d.domain = %(domain)s AND d.property = %(property)s

-- name: rulebook_put_seams
-- From which reading on datastreams are judged by a version.
INSERT INTO hv.rule_seam (rule_id, version, datastream_id, since)
SELECT * FROM unnest(%(rule_id)s::int[], %(version)s::int[], %(datastream_id)s::int[], %(since)s::timestamptz[])
ON CONFLICT (datastream_id, rule_id, version) DO UPDATE SET since = least(rule_seam.since, excluded.since)

-- name: rulebook_edits
-- Versions of the last hours before the newest one: a reading that was received before one of them may be judged after
-- it.
SELECT rule_id, version, at FROM hv.rule_version
WHERE version > 1 AND at > (SELECT max(at) FROM hv.rule_version) - interval '2 hours' ORDER BY at, version

-- name: rulebook_put_health
-- What is wrong with a rule; since when, is kept while it is the same.
INSERT INTO hv.rule_health (rule_id, since, detail) VALUES (%(rule_id)s, %(now)s, %(detail)s)
ON CONFLICT (rule_id) DO UPDATE SET since = excluded.since, detail = excluded.detail
WHERE rule_health.detail <> excluded.detail

-- name: rulebook_drop_health
-- Rules with which nothing is wrong any more.
DELETE FROM hv.rule_health WHERE NOT rule_id = ANY(%(wrong)s::int[])

-- name: rulebook_readings
-- The readings of a datastream in their order, as the rules saw them.
SELECT x.phenomenon_time, x.result, x.quality, coalesce(x.late, false),
       hv.receipt(x.phenomenon_time, x.delay_ms, x.received_time)
FROM hv.observation x
WHERE x.datastream_id = %(datastream_id)s AND x.phenomenon_time >= %(since)s AND x.phenomenon_time < %(until)s
ORDER BY x.phenomenon_time

-- name: rulebook_seams
-- Where the versions of a rule begin for a datastream, as far as receipts do not tell it.
SELECT version, since FROM hv.rule_seam WHERE datastream_id = %(datastream_id)s AND rule_id = %(rule_id)s

-- name: rulebook_steps
-- The transitions of one datastream's alarms by one rule, in the order in which they were written.
SELECT x.at, x.from_state, x.to_state, x.cause, x.actor, x.recorded_at
FROM hv.alarm_transition x JOIN hv.alarm a ON a.alarm_id = x.alarm_id
WHERE a.source_kind = 'datastream' AND a.source_id = %(datastream_id)s AND a.rule_id = %(rule_id)s
  AND x.at >= %(since)s AND x.at < %(until)s
ORDER BY x.transition_id

-- name: rulebook_state_before
-- In which state the alarm of a datastream by a rule was before an instant.
SELECT x.to_state FROM hv.alarm_transition x JOIN hv.alarm a ON a.alarm_id = x.alarm_id
WHERE a.source_kind = 'datastream' AND a.source_id = %(datastream_id)s AND a.rule_id = %(rule_id)s AND x.at < %(since)s
ORDER BY x.transition_id DESC LIMIT 1

-- name: rulebook_streams
-- Datastreams that a rule judges.
SELECT d.datastream_id, t.thing_id, t.code, t.kind FROM hv.datastream d JOIN hv.thing t ON t.thing_id = d.thing_id
WHERE d.domain = %(domain)s AND d.property = %(property)s AND (%(thing)s::text IS NULL OR t.code = %(thing)s)
ORDER BY d.datastream_id

-- name: rulebook_class_things
-- Things of some kinds.
SELECT kind, thing_id FROM hv.thing WHERE kind = ANY(%(kinds)s::text[]) ORDER BY kind, thing_id

-- name: rulebook_places
-- Every Thing and what it is a part of.
SELECT thing_id, code, parent_id FROM hv.thing ORDER BY thing_id
