-- name: busy_conditions
-- Every condition that is not in its normal phase.
SELECT source_kind, source_id, rule_id, phase FROM hv.alarm_condition WHERE phase <> 'normal'

-- name: standing_conditions
-- Every condition that is not in its normal phase, with the limit its alarm was raised at.
SELECT c.source_kind, c.source_id, c.rule_id, c.phase, a.limit_value
FROM hv.alarm_condition c LEFT JOIN hv.alarm a ON a.alarm_id = c.alarm_id
WHERE c.phase <> 'normal'

-- name: make_conditions
-- Rows to lock, in (source, rule) order.
INSERT INTO hv.alarm_condition (source_kind, source_id, rule_id, phase, since, last_event)
SELECT kind, source, rule, 'normal', '0001-01-02 00:00:00+00', '0001-01-02 00:00:00+00'
FROM unnest(%(kinds)s::text[], %(sources)s::int[], %(rules)s::int[]) AS x (kind, source, rule)
ORDER BY kind, source, rule
ON CONFLICT DO NOTHING

-- name: lock_conditions
-- Conditions with the state of their open alarm; locked in (source, rule) order until the commit.
SELECT c.source_kind, c.source_id, c.rule_id, c.phase, c.since, c.last_event, c.value, c.alarm_id
FROM hv.alarm_condition c
JOIN unnest(%(kinds)s::text[], %(sources)s::int[], %(rules)s::int[]) AS x (kind, source, rule)
  ON c.source_kind = x.kind AND c.source_id = x.source AND c.rule_id = x.rule
ORDER BY c.source_kind, c.source_id, c.rule_id
FOR UPDATE OF c

-- name: alarm_states
-- States of alarms whose condition is locked.
SELECT alarm_id, state FROM hv.alarm WHERE alarm_id = ANY(%(alarms)s)

-- name: new_alarm_ids
-- Ids for new alarms, taken before the rows are written.
SELECT nextval(pg_get_serial_sequence('hv.alarm', 'alarm_id')) FROM generate_series(1, %(n)s)

-- name: put_alarms
-- New occurrences.
INSERT INTO hv.alarm (alarm_id, rule_id, rule_version, source_kind, source_id, thing_id, datastream_id, priority,
                      state, raised_at, detected_at, returned_at, value, limit_value, message)
OVERRIDING SYSTEM VALUE
SELECT * FROM unnest(
    %(alarm_id)s::bigint[], %(rule_id)s::int[], %(rule_version)s::int[], %(source_kind)s::text[],
    %(source_id)s::int[], %(thing_id)s::int[], %(datastream_id)s::int[], %(priority)s::text[], %(state)s::text[],
    %(raised_at)s::timestamptz[], %(detected_at)s::timestamptz[], %(returned_at)s::timestamptz[],
    %(value)s::float8[], %(limit_value)s::float8[], %(message)s::text[])

-- name: update_alarms
-- Occurrences after further steps.
UPDATE hv.alarm a SET
    state = x.state, acknowledged_at = coalesce(x.acknowledged_at, a.acknowledged_at),
    acknowledged_by = coalesce(x.acknowledged_by, a.acknowledged_by), returned_at = x.returned_at
FROM unnest(%(alarm_id)s::bigint[], %(state)s::text[], %(acknowledged_at)s::timestamptz[],
            %(acknowledged_by)s::text[], %(returned_at)s::timestamptz[])
     AS x (alarm_id, state, acknowledged_at, acknowledged_by, returned_at)
WHERE a.alarm_id = x.alarm_id

-- name: alarms_listed
-- Open alarms as the view tells them, hidden or not or either.
SELECT id, priority, state, suppression, source, raised_at, message, hidden_until FROM public.alarms
WHERE state <> 'NORM' AND (%(hidden)s::boolean IS NULL OR (suppression <> 'none') = %(hidden)s)
ORDER BY id DESC
LIMIT %(limit)s

-- name: alarm_seen
-- When an alarm last returned, and who acknowledged it.
SELECT returned_at, acknowledged_by FROM hv.alarm WHERE alarm_id = %(alarm_id)s

-- name: put_transitions
-- Steps of alarms, as the journal keeps them, in their order.
INSERT INTO hv.alarm_transition (alarm_id, at, from_state, to_state, cause, actor, comment, rule_version, recorded_at,
                                 from_suppression, to_suppression)
SELECT alarm_id, at, from_state, to_state, cause, actor, comment, rule_version, recorded_at, from_suppression,
       to_suppression
FROM unnest(%(alarm_id)s::bigint[], %(at)s::timestamptz[], %(from_state)s::text[], %(to_state)s::text[],
            %(cause)s::text[], %(actor)s::text[], %(comment)s::text[], %(rule_version)s::int[],
            %(recorded_at)s::timestamptz[], %(from_suppression)s::text[], %(to_suppression)s::text[]) WITH ORDINALITY
     AS x (alarm_id, at, from_state, to_state, cause, actor, comment, rule_version, recorded_at, from_suppression,
           to_suppression, place)
ORDER BY place

-- name: put_conditions
-- Conditions after their events; the rows are locked.
UPDATE hv.alarm_condition c SET
    phase = x.phase, since = x.since, last_event = x.last_event, value = x.value, alarm_id = x.alarm_id
FROM unnest(%(source_kind)s::text[], %(source_id)s::int[], %(rule_id)s::int[], %(phase)s::text[],
            %(since)s::timestamptz[], %(last_event)s::timestamptz[], %(value)s::float8[], %(alarm_id)s::bigint[])
     AS x (source_kind, source_id, rule_id, phase, since, last_event, value, alarm_id)
WHERE c.source_kind = x.source_kind AND c.source_id = x.source_id AND c.rule_id = x.rule_id

-- name: condition_of_alarm
-- The key of the condition behind an alarm.
SELECT source_kind, source_id, rule_id, rule_version, state
FROM hv.alarm WHERE alarm_id = %(alarm_id)s

-- name: advance_alarm_no
-- A step that came from no batch: screens see it by this number, and are told to look, as after a batch.
UPDATE hv.writer SET alarm_no = alarm_no + 1 WHERE writer_id = %(writer_id)s
RETURNING pg_notify('hypervision', name)

-- name: due_conditions
-- Conditions whose delay is over although no reading followed.
SELECT c.source_kind, c.source_id, c.rule_id
FROM hv.alarm_condition c JOIN hv.rule r ON r.rule_id = c.rule_id
WHERE c.phase IN ('pending', 'returning')
  AND c.since + CASE c.phase WHEN 'pending' THEN r.on_delay ELSE r.off_delay END <= %(before)s

-- name: stray_conditions
-- Conditions that stand although their rule was removed or switched off.
SELECT c.source_kind, c.source_id, c.rule_id
FROM hv.alarm_condition c JOIN hv.rule r ON r.rule_id = c.rule_id
WHERE c.phase <> 'normal' AND NOT r.enabled

-- name: thing_silence
-- Per Thing with an expected period: when it was last heard (or registered, when all it sent is older), its shortest
-- period, and whether it sent any newest reading itself. A corrected one is history like an imported one; what it was
-- is told by how soon it came. What a clock that was ahead has put into the future tells nothing.
SELECT d.thing_id, t.code, t.domain,
       greatest(max(least(l.phenomenon_time, l.received_time)),
                CASE WHEN t.registered_at <= %(now)s THEN t.registered_at END),
       extract(epoch FROM min(d.expected_period))::float8,
       bool_or(l.live OR (w.name = 'correct' AND l.received_time <= l.phenomenon_time + interval '1 hour'))
FROM hv.datastream d
JOIN hv.thing t ON t.thing_id = d.thing_id
JOIN hv.latest l ON l.datastream_id = d.datastream_id
JOIN hv.writer w ON w.writer_id = l.writer_id
WHERE d.expected_period IS NOT NULL AND NOT (d.domain || '/' || d.property) = ANY(%(derived)s)
GROUP BY d.thing_id, t.code, t.domain, t.registered_at

-- name: escalate_silence
-- A Thing that is overdue becomes stale: the same alarm, said louder.
UPDATE hv.alarm SET message = %(message)s, priority = %(priority)s
WHERE alarm_id = %(alarm_id)s AND message <> %(message)s
