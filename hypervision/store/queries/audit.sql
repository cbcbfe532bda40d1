-- name: audit_note
-- A line of the audit log; it takes its place in the chain when the transaction commits.
SELECT hv.audit_note(%(actor)s, %(action)s, %(object_kind)s, %(object_id)s, %(address)s, %(reason)s, %(before)s, %(after)s)

-- name: audit_head
-- The end of the chain.
SELECT number, hash FROM hv.audit_head

-- name: has_audit
-- Whether this database has an audit log: one that is to be migrated yet, or a backup of it, has none.
SELECT to_regclass('hv.audit_head') IS NOT NULL

-- name: audit_lines
-- Every line, as the chain goes.
SELECT number, at, actor, action, object_kind, object_id, address, reason, before::text, after::text, role, previous, hash
FROM hv.audit ORDER BY number

-- part: chosen_audit
SELECT number, at, actor, action, object_kind, object_id, address, reason, before::text, after::text, role, previous, hash
FROM hv.audit
WHERE (%(actor)s::text IS NULL OR actor = %(actor)s::text)
      AND (%(action)s::text IS NULL OR action = %(action)s::text OR starts_with(action, %(action)s::text || '.'))
      AND (%(object_kind)s::text IS NULL OR object_kind = %(object_kind)s::text)
      AND (%(object_id)s::text IS NULL OR object_id = %(object_id)s::text)
      AND (%(since)s::timestamptz IS NULL OR at >= %(since)s::timestamptz)
      AND (%(until)s::timestamptz IS NULL OR at < %(until)s::timestamptz)

-- name: audit_page
-- Lines, newest first; what is null chooses nothing.
SELECT * FROM -- part: chosen_audit
AS x
WHERE %(before)s::bigint IS NULL OR number < %(before)s::bigint
ORDER BY number DESC LIMIT %(limit)s

-- name: audit_chosen
-- The same, as the chain goes.
SELECT * FROM -- part: chosen_audit
AS x
ORDER BY number

-- name: audit_actions
-- Which actions the newest lines tell of, for a choice among them.
SELECT DISTINCT action FROM (SELECT action FROM hv.audit ORDER BY number DESC LIMIT 10000) AS newest ORDER BY action

-- name: audit_seal
-- Lets old lines go; how many.
SELECT hv.audit_seal(%(until)s, %(most)s, %(actor)s, %(address)s, %(reason)s)
