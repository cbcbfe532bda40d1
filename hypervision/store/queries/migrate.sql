-- name: has_installation
-- Whether any migration was ever applied.
SELECT to_regclass('hv.installation') IS NOT NULL

-- name: migrations_applied
-- Names of the migrations the database has.
SELECT substr(key, 11) FROM hv.installation WHERE key LIKE 'migration %%' ORDER BY key

-- name: oldest_known
-- The oldest migration that a process must know to use this database.
SELECT value FROM hv.installation WHERE key = 'oldest'

-- name: note_installation
-- Remember a migration, or any other fact of the installation.
INSERT INTO hv.installation (key, value) VALUES (%(key)s, %(value)s)
ON CONFLICT (key) DO UPDATE SET value = excluded.value

-- name: lock_migration
-- Two migrations at once wait for each other.
SELECT pg_try_advisory_lock(%(lock)s)

-- name: wait_for_locks
-- How long to wait for a table.
SELECT set_config('lock_timeout', %(limit)s, false)

-- name: invalid_indexes
-- Indexes whose building was interrupted.
SELECT c.relname::text FROM pg_index i
JOIN pg_class c ON c.oid = i.indexrelid
WHERE NOT i.indisvalid AND c.relnamespace = to_regnamespace('hv') AND c.relkind = 'i'

-- name: unlock_migration
-- The counterpart of lock_migration.
SELECT pg_advisory_unlock(%(lock)s)

-- name: server_version
-- Server version as number and text, TimescaleDB's installed version, and its version when only preloaded.
SELECT current_setting('server_version_num')::int,
       split_part(current_setting('server_version'), ' ', 1),
       (SELECT extversion FROM pg_extension WHERE extname = 'timescaledb'),
       (SELECT default_version FROM pg_available_extensions
        -- A preloaded library shows its own settings; shared_preload_libraries itself is for privileged roles only.
        WHERE name = 'timescaledb' AND EXISTS (SELECT FROM pg_settings g WHERE g.name LIKE 'timescaledb.%%'))

-- name: create_timescale
-- The extension, where it is not there yet.
CREATE EXTENSION IF NOT EXISTS timescaledb

-- name: create_hypertable
-- One chunk a day; see chunks_of_a_week.
SELECT create_hypertable('hv.observation', 'phenomenon_time', chunk_time_interval => INTERVAL '1 day')

-- name: drop_time_index
-- The index that create_hypertable adds: a fifth of an open chunk, and no query asks by time alone.
DROP INDEX IF EXISTS hv.observation_phenomenon_time_idx

-- name: chunks_of_a_week
-- From now on: a datastream of five minutes fills its compressed batches, and years are planned with few chunks.
SELECT set_chunk_time_interval('hv.observation', INTERVAL '7 days')

-- name: compress_hypertable
-- Only the community edition offers this; segment by datastream, newest first.
ALTER TABLE hv.observation SET (
    timescaledb.compress, timescaledb.compress_segmentby = 'datastream_id',
    timescaledb.compress_orderby = 'phenomenon_time DESC')
