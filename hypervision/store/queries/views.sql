-- name: views_seen
-- The views that an account may open: its own, and those that others who see the same of the town share.
SELECT view_id, name, owner, shared, address, at
FROM hv.saved_view
WHERE owner = %(owner)s OR (shared AND scope = %(scope)s::jsonb)
ORDER BY lower(name), owner

-- name: view_count
-- How many views an account keeps.
SELECT count(*) FROM hv.saved_view WHERE owner = %(owner)s

-- name: keep_view
-- A view of one's own; of the same name it takes the place of the one before.
INSERT INTO hv.saved_view AS v (name, owner, scope, shared, address, at)
VALUES (%(name)s, %(owner)s, %(scope)s, %(shared)s, %(address)s, %(now)s)
ON CONFLICT (owner, name) DO UPDATE
SET scope = excluded.scope, shared = excluded.shared, address = excluded.address, at = excluded.at
RETURNING view_id, name, owner, shared, address, at

-- name: drop_view
-- One's own view is forgotten.
DELETE FROM hv.saved_view WHERE view_id = %(view_id)s AND owner = %(owner)s

-- name: notes_seen
-- Notes of some time that an account may read, oldest first: of some Things, and of none in particular.
SELECT n.note_id, n.at, t.code, n.text, n.author, n.written_at
FROM hv.note n
LEFT JOIN hv.thing t ON t.thing_id = n.thing_id
WHERE n.removed_at IS NULL AND n.at >= %(since)s AND n.at <= %(until)s
      AND (%(things)s::int[] IS NULL OR n.thing_id IS NULL OR n.thing_id = ANY(%(things)s))
      AND CASE WHEN n.thing_id IS NULL THEN -- part: everything
          OR n.scope = %(scope)s::jsonb ELSE -- part: in_scope
END
ORDER BY n.at, n.note_id
LIMIT %(limit)s

-- name: write_note
-- A note beside the readings.
INSERT INTO hv.note (at, thing_id, scope, text, author, written_at)
VALUES (%(at)s, %(thing_id)s, %(scope)s, %(text)s, %(author)s, %(now)s)
RETURNING note_id, at, NULL::text, text, author, written_at

-- name: remove_note
-- A note is shown no more; it stays, with who took it away. One's own, or any that one may read where nobody in
-- particular is named.
UPDATE hv.note n SET removed_at = %(now)s, removed_by = %(actor)s
WHERE n.note_id = %(note_id)s AND n.removed_at IS NULL AND (%(author)s::text IS NULL OR n.author = %(author)s)
      AND ( -- part: everything
           OR CASE WHEN n.thing_id IS NULL THEN n.scope = %(scope)s::jsonb
           ELSE EXISTS (SELECT FROM hv.thing t WHERE t.thing_id = n.thing_id AND -- part: in_scope
) END)

-- name: alarms_drawn
-- Alarms of some Things that touch a stretch of time, the newest.
SELECT a.alarm_id, a.priority, a.state, a.suppression, a.source_kind, a.thing_id, a.datastream_id,
       a.raised_at, a.detected_at, a.acknowledged_at, a.acknowledged_by, a.returned_at,
       a.value, a.limit_value, a.message,
       r.code, r.domain, ltrim(r.property, '='), r.kind, r.label_fr, r.label_en, r.action_fr, r.action_en,
       coalesce(r.consequence_fr, ''), coalesce(r.consequence_en, ''), a.inhibition_id, a.explained_by, a.hidden_since,
       i.ends_at, coalesce(i.once, false), i.author, i.reason, coalesce(a.rang_at, a.detected_at), a.escalated_to
FROM hv.alarm a
JOIN hv.rule r ON r.rule_id = a.rule_id
LEFT JOIN hv.inhibition i ON i.inhibition_id = a.inhibition_id
WHERE a.thing_id = ANY(%(things)s::int[]) AND a.raised_at <= %(until)s
      AND (a.returned_at >= %(since)s OR (a.returned_at IS NULL AND a.state <> 'NORM'))
ORDER BY a.raised_at DESC
LIMIT %(limit)s

-- name: corrections_drawn
-- Corrections that touch a stretch of time of some datastreams, oldest first.
SELECT datastream_id, kind, since, until, reason, author, at
FROM hv.correction
WHERE datastream_id = ANY(%(streams)s::int[]) AND since <= %(until)s AND until >= %(since)s
ORDER BY since, correction_id
LIMIT %(limit)s
