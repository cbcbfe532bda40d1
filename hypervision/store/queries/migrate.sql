-- name: has_installation
-- Whether any migration was ever applied.
SELECT to_regclass('hv.installation') IS NOT NULL

-- name: migrations_applied
-- Names of the migrations the database has.
SELECT substr(key, 11) FROM hv.installation WHERE key LIKE 'migration %%' ORDER BY key

-- name: note_installation
-- Remember a migration, or any other fact of the installation.
INSERT INTO hv.installation (key, value) VALUES (%(key)s, %(value)s)
ON CONFLICT (key) DO UPDATE SET value = excluded.value

-- name: lock_migration
-- Two migrations at once wait for each other.
SELECT pg_advisory_lock(%(lock)s)

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
-- One chunk a day, as the native partitions.
SELECT create_hypertable('hv.observation', 'phenomenon_time', chunk_time_interval => INTERVAL '1 day')

-- name: drop_time_index
-- The index that create_hypertable adds: a fifth of an open chunk, and no query asks by time alone.
DROP INDEX IF EXISTS hv.observation_phenomenon_time_idx

-- name: compress_hypertable
-- Only the community edition offers this; segment by datastream, newest first.
ALTER TABLE hv.observation SET (
    timescaledb.compress, timescaledb.compress_segmentby = 'datastream_id',
    timescaledb.compress_orderby = 'phenomenon_time DESC')
