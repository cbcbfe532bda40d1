-- name: hold_partitions
-- Before the snapshot: until it ends no partition is exchanged or dropped, whose rows it would otherwise not see any more.
LOCK TABLE hv.observation IN ACCESS SHARE MODE

-- name: export_snapshot
-- What a backup sees: the snapshot's name for pg_dump, its instant, and what the database takes on the disk.
SELECT pg_export_snapshot(), transaction_timestamp(), pg_database_size(current_database())

-- name: table_bytes
-- What all tables take without their indexes: the readings' partitions or chunks are most of it.
SELECT coalesce(sum(pg_table_size(c.oid)), 0)::bigint
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'm') AND (n.nspname IN ('hv', 'public') OR n.nspname LIKE '\_timescaledb\_%')

-- name: own_tables
-- The platform's tables; what a partition holds is counted with its parent.
SELECT c.relname::text
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = 'hv' AND c.relkind IN ('r', 'p') AND NOT c.relispartition
ORDER BY 1

-- name: backup_writers
-- How far each writer had committed, with its counters.
SELECT name, commit_no, stored, duplicate, rejected FROM hv.writer ORDER BY name

-- name: database_holds
-- Whether the platform's schema is there, any migration in it, and the first foreign table or view in the way.
SELECT to_regnamespace('hv') IS NOT NULL,
       to_regclass('hv.installation') IS NOT NULL,
       (SELECT min(c.relname::text) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
              AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e'))

-- name: drop_unfinished
-- What a restore that was interrupted has left; the views of public hang on it.
DROP SCHEMA hv CASCADE

-- name: identities
-- Every numbered column with its table and sequence.
SELECT c.relname::text, a.attname::text, pg_get_serial_sequence(format('%I.%I', n.nspname, c.relname), a.attname)
FROM pg_attribute a
JOIN pg_class c ON c.oid = a.attrelid
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = 'hv' AND a.attidentity <> '' AND c.relkind IN ('r', 'p') AND NOT c.relispartition
ORDER BY 1, 2

-- name: forget_sessions
-- A log-in that was ended after the backup does not come back to life.
DELETE FROM hv.session

-- name: installation_fact
-- One fact of the installation.
SELECT value FROM hv.installation WHERE key = %(key)s

-- name: extension_version
-- The version of TimescaleDB in this database, nothing where it is not.
SELECT extversion FROM pg_extension WHERE extname = 'timescaledb'

-- name: role_and_owner
-- Who we are, whether a superuser, and whose the database is.
SELECT current_user::text, rolsuper, (SELECT pg_get_userbyid(datdba)::text FROM pg_database
                                      WHERE datname = current_database())
FROM pg_roles WHERE rolname = current_user

-- name: give_to_owner
-- What a superuser has restored belongs to the database's owner: the platform's role.
DO $$
DECLARE
    owner name := (SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = current_database());
    found text;
BEGIN
    EXECUTE format('ALTER SCHEMA hv OWNER TO %I', owner);
    FOR found IN
        SELECT format('ALTER TABLE %I.%I OWNER TO %I', n.nspname, c.relname, owner)
        FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname IN ('hv', 'public') AND c.relkind IN ('r', 'p', 'v')
              AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e')
        UNION ALL
        SELECT format('ALTER ROUTINE %s OWNER TO %I', p.oid::regprocedure, owner)
        FROM pg_proc p WHERE p.pronamespace = 'hv'::regnamespace
    LOOP
        EXECUTE found;
    END LOOP;
END $$

-- name: timescale_pre_restore
-- Stops TimescaleDB's own work while its catalog is read in.
SELECT timescaledb_pre_restore()

-- name: timescale_post_restore
-- The counterpart of timescale_pre_restore.
SELECT timescaledb_post_restore()

-- name: no_hurry
-- For work that may take hours: no statement and no idle transaction is ended.
SELECT set_config('statement_timeout', '0', false), set_config('idle_in_transaction_session_timeout', '0', false)
