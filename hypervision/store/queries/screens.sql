-- name: screen_writers
-- Every writer: its cursors, its counters of one instant and the age of its beat by the database's clock.
SELECT w.writer_id, w.name, w.commit_no, w.alarm_no, s.beat_at,
       extract(epoch FROM clock_timestamp() - s.beat_at)::float8,
       s.received, s.stored, s.duplicate, s.rejected, s.in_flight, s.link, s.detail,
       w.retired_at IS NOT NULL
FROM hv.writer w
LEFT JOIN hv.writer_snapshot s ON s.writer_id = w.writer_id
ORDER BY w.name;

-- name: screen_things
-- Every Thing with its place.
SELECT t.thing_id, t.code, t.name, t.domain, t.kind, p.code, t.longitude, t.latitude, t.place,
       t.organisation_id, o.name, t.status, t.status_at, t.district
FROM hv.thing t
LEFT JOIN hv.thing p ON p.thing_id = t.parent_id
LEFT JOIN hv.organisation o ON o.organisation_id = t.organisation_id
ORDER BY t.thing_id;

-- name: screen_registry_version
-- Changes when Things, datastreams, their status or the rules do: the reader then reads them again.
SELECT (SELECT count(*) FROM hv.thing), (SELECT coalesce(max(datastream_id), 0) FROM hv.datastream),
       (SELECT max(status_at) FROM hv.thing), (SELECT version FROM hv.rule_set),
       (SELECT value FROM hv.installation WHERE key = 'registry');

-- name: screen_streams
-- Every datastream.
SELECT datastream_id, thing_id, domain, property, unit, kind,
       extract(epoch FROM expected_period)::float8
FROM hv.datastream
ORDER BY datastream_id;

-- name: screen_latest
-- The newest reading of every datastream committed after the cursors; a writer without cursor counts from -1.
SELECT l.datastream_id, l.phenomenon_time, l.result, l.quality
FROM hv.latest l
LEFT JOIN unnest(%(writers)s::int[], %(commits)s::bigint[]) c (writer_id, commit_no)
       ON c.writer_id = l.writer_id
WHERE l.commit_no > coalesce(c.commit_no, -1);

-- name: screen_alarms
-- Open alarms with what their rule says in both languages.
SELECT a.alarm_id, a.priority, a.state, a.suppression, a.source_kind, a.thing_id, a.datastream_id,
       a.raised_at, a.detected_at, a.acknowledged_at, a.acknowledged_by, a.returned_at,
       a.value, a.limit_value, a.message,
       r.code, r.domain, ltrim(r.property, '='), r.kind, r.label_fr, r.label_en, r.action_fr, r.action_en,
       coalesce(r.consequence_fr, ''), coalesce(r.consequence_en, ''), a.inhibition_id, a.explained_by, a.hidden_since,
       i.ends_at, coalesce(i.once, false), i.author, i.reason, coalesce(a.rang_at, a.detected_at), a.escalated_to,
       coalesce(p.code, g.name, '')
FROM hv.alarm a
JOIN hv.rule r ON r.rule_id = a.rule_id
LEFT JOIN hv.inhibition i ON i.inhibition_id = a.inhibition_id
LEFT JOIN hv.platform_part p ON a.source_kind = 'system' AND p.part_id = a.source_id
LEFT JOIN hv.thing_group g ON a.source_kind = 'group' AND g.group_id = a.source_id
WHERE a.state <> 'NORM'
ORDER BY a.alarm_id;

-- name: screen_chattering
-- Open alarms that rang often of late, over all occurrences of their condition; among the newest steps of the journal.
SELECT n.alarm_id, count(*)
FROM hv.alarm_transition x
JOIN hv.alarm a ON a.alarm_id = x.alarm_id
JOIN hv.alarm_condition n ON n.source_kind = a.source_kind AND n.source_id = a.source_id AND n.rule_id = a.rule_id
WHERE x.transition_id > (SELECT max(transition_id) - 5000 FROM hv.alarm_transition)
  AND x.recorded_at > %(since)s AND x.cause = 'limit'
GROUP BY n.alarm_id
HAVING count(*) >= %(least)s;

-- name: screen_activations
-- What rang for an operator of late: an alarm that began or rang again, and one that came back from where it was hidden.
-- What its shelf, its cause or a window hid in the transaction that raised it never rang.
SELECT x.recorded_at, x.alarm_id, a.thing_id
FROM hv.alarm_transition x
JOIN hv.alarm a ON a.alarm_id = x.alarm_id
WHERE x.recorded_at > %(since)s
  AND (x.to_suppression = 'none' AND x.to_state IN ('UNACK', 'RTNUN')
       OR x.to_suppression IS NULL AND x.to_state = 'UNACK' AND x.from_state <> 'UNACK' AND a.correction_id IS NULL
          AND NOT EXISTS (
              SELECT 1 FROM hv.alarm_transition y
              WHERE y.alarm_id = x.alarm_id AND y.transition_id > x.transition_id AND y.recorded_at = x.recorded_at
                AND y.to_suppression <> 'none')
          AND coalesce((
              SELECT y.to_suppression FROM hv.alarm_transition y
              WHERE y.alarm_id = x.alarm_id AND y.to_suppression IS NOT NULL AND y.transition_id < x.transition_id
              ORDER BY y.transition_id DESC LIMIT 1), 'none') = 'none')
ORDER BY x.recorded_at DESC
LIMIT %(limit)s;

-- name: screen_alarm_history
-- The last alarms of one Thing, closed ones too, overlapping the given time.
SELECT a.alarm_id, a.priority, a.state, a.suppression, a.source_kind, a.thing_id, a.datastream_id,
       a.raised_at, a.detected_at, a.acknowledged_at, a.acknowledged_by, a.returned_at,
       a.value, a.limit_value, a.message,
       r.code, r.domain, ltrim(r.property, '='), r.kind, r.label_fr, r.label_en, r.action_fr, r.action_en,
       coalesce(r.consequence_fr, ''), coalesce(r.consequence_en, ''), a.inhibition_id, a.explained_by, a.hidden_since,
       i.ends_at, coalesce(i.once, false), i.author, i.reason, coalesce(a.rang_at, a.detected_at), a.escalated_to
FROM hv.alarm a
JOIN hv.rule r ON r.rule_id = a.rule_id
LEFT JOIN hv.inhibition i ON i.inhibition_id = a.inhibition_id
WHERE a.thing_id = %(thing_id)s AND coalesce(a.returned_at, 'infinity') >= %(since)s
ORDER BY a.raised_at DESC
LIMIT %(limit)s;

-- name: screen_course
-- Mean of some datastreams in buckets of equal width over the last day, for the line on a domain's tile; of the readings
-- that count in roll-ups: neither bad (0) nor out of range (3).
SELECT floor(date_part('epoch', phenomenon_time) / %(width)s::float8)::bigint, avg(result)
FROM hv.observation
WHERE datastream_id = ANY(%(streams)s::int[]) AND phenomenon_time >= %(since)s AND phenomenon_time <= %(until)s
  AND quality NOT IN (0, 3)
GROUP BY 1
ORDER BY 1;

-- name: screen_journal
-- What happened to one Thing: its journal and the transitions of its alarms, newest first.
SELECT j.at, j.kind, j.actor, j.detail::text, NULL::text, NULL::text, NULL::text, NULL::text
FROM hv.journal j
WHERE j.thing_id = %(thing_id)s
UNION ALL
SELECT x.at, 'transition', x.actor, x.comment, x.from_state, x.to_state, x.cause, r.code
FROM hv.alarm_transition x
JOIN hv.alarm a ON a.alarm_id = x.alarm_id
JOIN hv.rule r ON r.rule_id = a.rule_id
WHERE a.thing_id = %(thing_id)s
ORDER BY 1 DESC
LIMIT %(limit)s;

-- name: screen_rejected
-- The newest rejected messages and refused values.
SELECT x.rejected_id, x.received_time, x.topic, x.payload_bytes, x.reason, x.detail, x.count, x.partial,
       x.replayed_at, left(encode(substring(x.payload FROM 1 FOR 200), 'escape'), 400)
FROM hv.rejected_message x
ORDER BY x.rejected_id DESC
LIMIT %(limit)s;

-- name: screen_rejected_of
-- The same of one scope: a few of each of its Things by their index, however many others there are.
-- Only what is shown is read whole.
WITH newest AS (
    SELECT y.rejected_id
    FROM hv.thing t
    CROSS JOIN LATERAL (
        SELECT r.received_time, r.rejected_id FROM hv.rejected_message r
        WHERE r.thing = t.code
        ORDER BY r.received_time DESC, r.rejected_id DESC
        LIMIT %(limit)s
    ) y
    WHERE -- part: in_scope
    ORDER BY y.received_time DESC, y.rejected_id DESC
    LIMIT %(limit)s
)
SELECT x.rejected_id, x.received_time, x.topic, x.payload_bytes, x.reason, x.detail, x.count, x.partial,
       x.replayed_at, left(encode(substring(x.payload FROM 1 FOR 200), 'escape'), 400)
FROM newest
JOIN hv.rejected_message x ON x.rejected_id = newest.rejected_id
ORDER BY x.received_time DESC, x.rejected_id DESC;

-- name: screen_engine
-- What the database says about itself.
SELECT current_setting('server_version'), pg_database_size(current_database()),
       (SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()),
       (SELECT value FROM hv.installation WHERE key = 'engine');

-- name: api_things
-- Things for the API: of a domain by registration or by a datastream; a parent outside of the scope is not named.
SELECT t.code, t.name, t.domain, t.kind, p.code AS parent, t.place, t.district, o.code AS organisation,
       t.longitude, t.latitude, t.status, t.status_at, t.registered_at
FROM hv.thing t
LEFT JOIN hv.organisation o ON o.organisation_id = t.organisation_id
LEFT JOIN hv.thing p ON p.thing_id = t.parent_id AND -- part: in_scope as p
WHERE (%(domain)s::text IS NULL OR t.domain = %(domain)s
       OR EXISTS (SELECT 1 FROM hv.datastream d WHERE d.thing_id = t.thing_id AND d.domain = %(domain)s))
  AND (%(thing)s::text IS NULL OR t.code = %(thing)s)
  AND -- part: in_scope
  AND t.code > %(after)s
ORDER BY t.code
LIMIT %(limit)s;

-- name: api_datastreams
-- Datastreams for the API, each with its newest reading.
SELECT t.code AS thing, d.domain, d.property, d.unit, d.kind,
       extract(epoch FROM d.expected_period)::float8 AS expected_period_seconds,
       l.phenomenon_time, l.result, hv.quality_name(l.quality) AS quality, s.label AS state
FROM hv.datastream d
JOIN hv.thing t ON t.thing_id = d.thing_id
LEFT JOIN hv.latest l ON l.datastream_id = d.datastream_id
LEFT JOIN hv.state_label s ON s.domain = d.domain AND s.property = d.property AND s.result = l.result
WHERE (%(domain)s::text IS NULL OR d.domain = %(domain)s)
  AND (%(thing)s::text IS NULL OR t.code = %(thing)s)
  AND (%(property)s::text IS NULL OR d.property = %(property)s)
  AND -- part: in_scope
ORDER BY t.code, d.domain, d.property
LIMIT %(limit)s;

-- name: api_observations
-- Observations for the API, oldest first within the asked time.
SELECT d.domain, t.code AS thing, d.property, x.phenomenon_time, x.result, d.unit,
       hv.quality_name(x.quality) AS quality, coalesce(x.late, false) AS late,
       hv.receipt(x.phenomenon_time, x.delay_ms, x.received_time) AS received_time, s.label AS state
FROM hv.observation x
JOIN hv.datastream d ON d.datastream_id = x.datastream_id
JOIN hv.thing t ON t.thing_id = d.thing_id
LEFT JOIN hv.state_label s ON s.domain = d.domain AND s.property = d.property AND s.result = x.result
WHERE x.phenomenon_time >= %(since)s AND x.phenomenon_time < %(until)s
  AND (%(domain)s::text IS NULL OR d.domain = %(domain)s)
  AND (%(thing)s::text IS NULL OR t.code = %(thing)s)
  AND (%(property)s::text IS NULL OR d.property = %(property)s)
  AND -- part: in_scope
ORDER BY x.phenomenon_time, t.code, d.domain, d.property
LIMIT %(limit)s;

-- name: api_rollups
-- Hours (level 0) or local days (1) for the API, by Thing and property; those to come are not told before their time.
SELECT d.domain, t.code AS thing, d.property, r.bucket, r.n, r.minimum, r.maximum, r.mean, r.total, d.unit,
       r.covered_seconds
FROM hv.datastream d
JOIN hv.thing t ON t.thing_id = d.thing_id
JOIN hv.rollup r ON r.datastream_id = d.datastream_id
WHERE r.level = %(level)s AND r.bucket >= %(since)s AND r.bucket < least(%(until)s, now())
  AND (%(domain)s::text IS NULL OR d.domain = %(domain)s)
  AND (%(thing)s::text IS NULL OR t.code = %(thing)s)
  AND (%(property)s::text IS NULL OR d.property = %(property)s)
  AND -- part: in_scope
ORDER BY t.code, d.domain, d.property, r.bucket
LIMIT %(limit)s;

-- name: api_alarms
-- Alarm occurrences for the API, newest first.
SELECT a.*
FROM public.alarms a
LEFT JOIN hv.thing t ON t.code = a.thing
WHERE (%(id)s::bigint IS NULL OR a.id = %(id)s)
  AND (%(open)s::boolean IS NULL OR (a.state <> 'NORM') = %(open)s)
  AND (%(domain)s::text IS NULL OR a.domain = %(domain)s)
  AND (%(thing)s::text IS NULL OR a.thing = %(thing)s)
  AND (%(priority)s::text IS NULL OR a.priority = %(priority)s)
  AND (%(since)s::timestamptz IS NULL OR a.raised_at >= %(since)s)
  AND (%(until)s::timestamptz IS NULL OR a.raised_at < %(until)s)
  AND -- part: in_scope
  AND (%(before)s::bigint IS NULL OR a.id < %(before)s)
  AND (%(hidden)s::boolean IS NULL OR (a.suppression <> 'none') = %(hidden)s)
  AND (%(explained_by)s::bigint IS NULL OR a.explained_by = %(explained_by)s)
ORDER BY a.id DESC
LIMIT %(limit)s;

-- name: api_transitions
-- The transitions of one alarm, in order.
SELECT x.alarm_id, x.at, x.from_state, x.to_state, x.cause, x.actor, x.comment, x.rule_version, x.from_suppression,
       x.to_suppression
FROM hv.alarm_transition x
WHERE x.alarm_id = %(id)s
ORDER BY x.transition_id;

-- name: api_refusals
-- Why a message that was posted at one instant, or some of its values, was not taken.
SELECT reason, detail
FROM hv.rejected_message
WHERE received_time = %(at)s AND topic = %(topic)s
ORDER BY rejected_id;

-- name: api_writer_id
-- The number of a writer by its name.
SELECT writer_id FROM hv.writer WHERE name = %(name)s;

-- name: api_alarm_visible
-- Whether an alarm exists for an account of a scope.
SELECT 1
FROM hv.alarm a
LEFT JOIN hv.thing t ON t.thing_id = a.thing_id
WHERE a.alarm_id = %(id)s
  AND -- part: in_scope
;
