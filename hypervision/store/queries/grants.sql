-- name: roles_there
-- Which of the platform's roles the server has, and of which of them we are a member.
SELECT rolname::text, pg_has_role(current_user, oid, 'MEMBER') FROM pg_roles WHERE starts_with(rolname, 'hypervision_')

-- name: readable_tables
-- Tables and views of the platform; partitions are read through their parent.
SELECT n.nspname::text, c.relname::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'v') AND NOT c.relispartition AND (n.nspname = 'hv' OR (n.nspname = 'public' AND c.relkind = 'v'))
      AND pg_has_role(current_user, c.relowner, 'USAGE')
      AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e')

-- name: not_in_storage
-- What keeps readings and does not belong to the role that is to own it yet.
SELECT c.relname::text FROM pg_class c
WHERE c.relnamespace = 'hv'::regnamespace AND c.relkind IN ('r', 'p') AND c.relname ~ '^(observation|packing_.*|observation_[0-9]+)$'
      AND pg_get_userbyid(c.relowner) <> %(owner)s

-- name: storage_able
-- Whether a role can own the readings: TimescaleDB keeps them in a schema of its own.
SELECT to_regnamespace('_timescaledb_internal') IS NULL
       OR has_schema_privilege(%(owner)s, '_timescaledb_internal', 'CREATE')

-- name: audit_rights
-- Each role of the processes: whether it could write to the audit log past its function, and whether it could become the
-- owner of the log or of the database.
SELECT r.rolname::text,
       r.rolsuper OR has_table_privilege(r.oid, 'hv.audit', 'INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER')
       OR has_table_privilege(r.oid, 'hv.audit_head', 'INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER')
       OR has_table_privilege(r.oid, 'hv.audit_due', 'INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER')
       OR has_function_privilege(r.oid, 'hv.audit_seal(timestamptz, bigint, text, text, text)', 'EXECUTE')
       OR pg_has_role(r.oid, c.relowner, 'MEMBER') OR pg_has_role(r.oid, n.nspowner, 'MEMBER')
FROM pg_roles r, pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.oid = 'hv.audit'::regclass AND r.rolname = ANY(%(roles)s)
ORDER BY r.rolname

-- name: connected_owners
-- The platform's own connections whose role could change the audit log, by what they call themselves; not the one that asks.
SELECT DISTINCT a.application_name FROM pg_stat_activity a
JOIN pg_class c ON c.oid = 'hv.audit'::regclass
WHERE a.datname = current_database() AND starts_with(a.application_name, 'hypervision ') AND a.pid <> pg_backend_pid()
      AND pg_has_role(a.usesysid, c.relowner, 'MEMBER')
      -- What only the owner can do, and is done soon.
      AND substr(a.application_name, 13) <> ALL (ARRAY['migrate', 'status', 'backup', 'restore', 'retain', 'pack', 'seal'])
ORDER BY 1
