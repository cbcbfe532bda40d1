-- name: observation_columns
-- Widest first: nothing is lost between the columns. With its header a row takes 52 bytes where it has a delay, 60 where
-- it has late and received_time.
SELECT attname, format_type(atttypid, atttypmod) || CASE WHEN attnotnull THEN ' NOT NULL' ELSE '' END
FROM pg_attribute
WHERE attrelid = 'hv.observation'::regclass AND attnum > 0 AND NOT attisdropped
ORDER BY greatest(attlen, 0) DESC, attnum

-- name: observation_owner
-- Whose the observations are, where they are not ours.
SELECT pg_get_userbyid(relowner)::text FROM pg_class
WHERE oid = 'hv.observation'::regclass AND pg_get_userbyid(relowner) <> current_user

-- name: make_room
-- Make a partition and attach it; under lock_partitions.
SELECT hv.make_room(%(name)s, %(first)s, %(last)s)

-- name: attached_partitions
-- The partitions of the observations, and whether the detaching of one was begun: nobody can write to it any more.
SELECT c.relname, i.inhdetachpending FROM pg_inherits i
JOIN pg_class c ON c.oid = i.inhrelid
WHERE i.inhparent = 'hv.observation'::regclass

-- name: packed_partitions
-- Those of them that are packed: without a unique key.
SELECT c.relname FROM pg_inherits i
JOIN pg_class c ON c.oid = i.inhrelid
WHERE i.inhparent = 'hv.observation'::regclass
      AND NOT EXISTS (SELECT FROM pg_index x WHERE x.indrelid = c.oid AND x.indisunique)

-- name: lock_partitions
-- One process at a time creates or changes partitions; released at the end of the transaction.
SELECT pg_advisory_xact_lock(7206471002)

-- name: know_packing
-- Held by every writer as long as it lives: it knows that a partition may have no unique key, and of the fence.
SELECT pg_advisory_lock_shared(7206471005), pg_advisory_lock_shared(7206471008)

-- name: packed_before
-- The fence: whatever is packed, or is being packed, lies before this day.
SELECT value::date FROM hv.installation WHERE key = 'packed before'

-- name: move_fence
-- What lies before a day may be packed once this is committed and everybody who writes has ended; never back.
INSERT INTO hv.installation AS i (key, value) VALUES ('packed before', %(day)s::date::text)
ON CONFLICT (key) DO UPDATE SET value = greatest(i.value::date, excluded.value::date)::text

-- name: writers_of_old
-- Writers (they hold lock_writer) that do not know of packed partitions and their fence.
SELECT count(*) FROM pg_locks w
WHERE w.locktype = 'advisory' AND w.classid = 720647 AND w.objsubid = 2 AND w.granted
      AND w.database = (SELECT oid FROM pg_database WHERE datname = current_database())
      AND NOT EXISTS (
          SELECT FROM pg_locks k
          WHERE k.pid = w.pid AND k.locktype = 'advisory' AND k.objsubid = 1
                AND k.classid = (7206471008 >> 32)::oid AND k.objid = (7206471008 & 4294967295)::oid)

-- name: lock_packing_shared
-- Whoever writes to an old day keeps every partition as it is, beside others who do; released at the end of the
-- transaction. Statements that come after it see what is packed.
SELECT pg_advisory_xact_lock_shared(7206471004)

-- name: lock_packing
-- What packs waits for whoever writes to old days; released at the end of the transaction.
SELECT pg_advisory_xact_lock(7206471004)

-- name: try_packing
-- lock_packing and lock_partitions without waiting.
SELECT pg_try_advisory_xact_lock(7206471004) AND pg_try_advisory_xact_lock(7206471002)

-- name: lock_packed_months
-- Who writes to packed partitions of a month is alone with them, for no unique key refuses what two write at once;
-- months in order, so that none waits for the other. Released at the end of the transaction.
SELECT pg_advisory_xact_lock(720648, month) FROM unnest(%(months)s::int[]) AS x (month)

-- name: lock_packer
-- One process at a time packs; held as long as the connection lives.
SELECT pg_try_advisory_lock(7206471007)

-- name: unlock_packer
-- The counterpart of lock_packer.
SELECT pg_advisory_unlock(7206471007)

-- name: note_late
-- Readings that came to old days.
INSERT INTO hv.late_day AS d (day, rows)
SELECT day, rows FROM unnest(%(days)s::date[], %(rows)s::bigint[]) AS x (day, rows) ORDER BY day
ON CONFLICT (day) DO UPDATE SET rows = d.rows + excluded.rows

-- name: note_changed
-- Readings that a step of a correction changed, by their day.
INSERT INTO hv.late_day AS d (day, rows)
SELECT (phenomenon_time AT TIME ZONE 'UTC')::date AS day, count(*) FROM change GROUP BY 1 ORDER BY 1
ON CONFLICT (day) DO UPDATE SET rows = d.rows + excluded.rows

-- name: late_days
-- What came to old days since they were packed.
SELECT day, rows FROM hv.late_day ORDER BY day

-- name: late_rows
-- How much came to some days since they were packed.
SELECT coalesce(sum(rows), 0)::bigint FROM hv.late_day WHERE day >= %(first)s AND day < %(last)s

-- name: forget_late
-- These days are packed.
DELETE FROM hv.late_day WHERE day >= %(first)s AND day < %(last)s

-- name: partition_sizes
-- Every partition of the observations: whether it has its unique key, rows (as the last ANALYZE counted them, else
-- from the size of its heap), bytes of the heap and of the indexes, whether its detaching was interrupted.
SELECT c.relname,
       EXISTS (SELECT FROM pg_index x WHERE x.indrelid = c.oid AND x.indisunique) AS keyed,
       CASE WHEN c.reltuples > 0 AND c.relpages > 0
            THEN (c.reltuples / c.relpages * (pg_relation_size(c.oid) / 8192))::bigint
            ELSE (pg_relation_size(c.oid) / 53)::bigint END AS rows,
       pg_table_size(c.oid) AS heap, pg_indexes_size(c.oid) AS indexes, i.inhdetachpending AS pending
FROM pg_inherits i
JOIN pg_class c ON c.oid = i.inhrelid
WHERE i.inhparent = 'hv.observation'::regclass
ORDER BY c.relname

-- name: loose_partitions
-- Tables that were partitions of the observations or were to become some, and are none; as in partition_sizes.
SELECT c.relname, EXISTS (SELECT FROM pg_index x WHERE x.indrelid = c.oid AND x.indisunique),
       CASE WHEN c.reltuples > 0 AND c.relpages > 0
            THEN (c.reltuples / c.relpages * (pg_relation_size(c.oid) / 8192))::bigint
            ELSE (pg_relation_size(c.oid) / 53)::bigint END,
       pg_table_size(c.oid), pg_indexes_size(c.oid)
FROM pg_class c
WHERE c.relnamespace = 'hv'::regnamespace AND c.relkind = 'r' AND NOT c.relispartition
      AND c.relname ~ '^(observation|packing)_[0-9]{6}([0-9]{2})?$'
ORDER BY c.relname

-- name: parent_key
-- The unique key of all observations, where they still have one in common.
SELECT conname FROM pg_constraint WHERE conrelid = 'hv.observation'::regclass AND contype = 'p'

-- name: bounded_partitions
-- Partitions whose bounds stand as a constraint of their own as well.
SELECT c.relname FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid
WHERE k.conname = 'in_bounds' AND k.convalidated AND c.relnamespace = 'hv'::regnamespace

-- name: patience_of_packing
-- Copying and checking take what they need; nobody waits long for a lock that it waits for.
SELECT set_config('statement_timeout', '0', true), set_config('lock_timeout', '2s', true),
       set_config('work_mem', '64MB', true), set_config('maintenance_work_mem', '64MB', true)

-- name: patience_alone
-- How long each statement may take.
SELECT set_config('statement_timeout', %(patience)s, false)

-- name: patience_of_exchange
-- Whoever asks for readings waits behind us: half a second at most, once in a round.
SELECT set_config('lock_timeout', '500ms', true)

-- name: newest_reading
-- The last phenomenon time; of the newest values only.
SELECT max(phenomenon_time) FROM hv.latest

-- name: newest_known
-- What the readings say that the time is: the newest receipt and the newest phenomenon time.
SELECT max(received_time), max(phenomenon_time) FROM hv.latest

-- name: server_time
-- What the server says that the time is.
SELECT clock_timestamp()

-- name: storage_rest
-- How many hours wait for their roll-up, the roll-ups (rows about, bytes), the whole database.
SELECT (SELECT count(*) FROM (SELECT FROM hv.rollup_due LIMIT 1000001) AS few)
       + (SELECT count(*) FROM (SELECT FROM hv.rollup_mark LIMIT 1000001) AS few),
       (SELECT greatest(reltuples, 0)::bigint FROM pg_class WHERE oid = 'hv.rollup'::regclass),
       pg_total_relation_size('hv.rollup'), pg_database_size(current_database())

-- name: chunk_sizes
-- Every chunk of the hypertable: its days, whether it is compressed, rows (as counted when it was compressed, and those
-- beside them from the size of their heap), bytes of heap and indexes.
SELECT c.chunk_schema || '.' || c.chunk_name, c.range_start, c.range_end, c.is_compressed,
       coalesce(z.numrows_pre_compression, 0) + pg_relation_size(format('%I.%I', c.chunk_schema, c.chunk_name)) / 69,
       s.table_bytes + coalesce(s.toast_bytes, 0), s.index_bytes
FROM timescaledb_information.chunks c
JOIN chunks_detailed_size('hv.observation') s ON s.chunk_schema = c.chunk_schema AND s.chunk_name = c.chunk_name
JOIN _timescaledb_catalog.chunk k ON k.schema_name = c.chunk_schema AND k.table_name = c.chunk_name
LEFT JOIN _timescaledb_catalog.compression_chunk_size z ON z.chunk_id = k.id
WHERE c.hypertable_schema = 'hv' AND c.hypertable_name = 'observation'
ORDER BY c.range_start

-- name: compression_enabled
-- Whether the edition compresses; only the community edition does.
SELECT compression_enabled FROM timescaledb_information.hypertables
WHERE hypertable_schema = 'hv' AND hypertable_name = 'observation'

-- name: compress_chunk
-- A chunk, or what came to it since it was compressed.
SELECT compress_chunk(%(chunk)s::regclass, if_not_compressed => true)

-- name: chunks_to_compress
-- Chunks that end before a day and are not compressed, or to which readings came since.
SELECT c.chunk_schema || '.' || c.chunk_name, (c.range_start AT TIME ZONE 'UTC')::date,
       (c.range_end AT TIME ZONE 'UTC')::date
FROM timescaledb_information.chunks c
WHERE c.hypertable_schema = 'hv' AND c.hypertable_name = 'observation'
      AND c.range_end <= %(before)s::date::timestamp AT TIME ZONE 'UTC'
      AND (NOT c.is_compressed OR EXISTS (
          SELECT FROM hv.late_day d
          WHERE d.day >= (c.range_start AT TIME ZONE 'UTC')::date AND d.day < (c.range_end AT TIME ZONE 'UTC')::date))
ORDER BY c.range_start

-- name: drop_chunks
-- Whole chunks before an instant.
SELECT drop_chunks('hv.observation', older_than => %(before)s::timestamptz)

-- name: lock_kept
-- Waits for the roll-ups under way, which must not see readings go; see lock_kept_shared.
SELECT pg_advisory_xact_lock(7206471006)

-- name: kept_from_before
-- Whether what is kept begins before an instant, so far.
SELECT hv.kept_from(%(what)s) < %(at)s

-- name: kept_from_noted
-- From when on readings are kept, where some were dropped.
SELECT value FROM hv.installation WHERE key = 'kept from observations'

-- name: journal_storage
-- The audit line of what was dropped.
INSERT INTO hv.journal (at, kind, actor, detail) VALUES (%(now)s, 'retention', %(actor)s, %(detail)s)

-- name: rollup_streams
-- The highest number of a datastream.
SELECT coalesce(max(datastream_id), 0) FROM hv.datastream

-- name: any_old_rollups
-- Whether there are roll-ups of a level before an instant: one look into the index for each datastream.
SELECT EXISTS (
    SELECT FROM generate_series(0, %(streams)s::int) AS d (datastream_id)
    CROSS JOIN LATERAL (
        SELECT FROM hv.rollup
        WHERE datastream_id = d.datastream_id AND level = %(level)s AND bucket < %(before)s LIMIT 1) AS r)

-- name: count_old_rollups
-- Roll-ups of a level before an instant. Reads them all: only for who asks.
SELECT count(*) FROM hv.rollup WHERE level = %(level)s AND bucket < %(before)s

-- name: drop_old_rollups
-- Some of those of some datastreams; a few at a time, so that nobody waits for them.
DELETE FROM hv.rollup WHERE ctid = ANY (ARRAY(
    SELECT r.at FROM generate_series(%(low)s::int, %(high)s::int - 1) AS d (datastream_id)
    CROSS JOIN LATERAL (
        SELECT ctid AS at FROM hv.rollup
        WHERE datastream_id = d.datastream_id AND level = %(level)s AND bucket < %(before)s
        ORDER BY bucket LIMIT %(rows)s) AS r
    LIMIT %(rows)s))

-- name: count_old_gaps
-- Gaps that ended before an instant.
SELECT (SELECT count(*) FROM hv.hole WHERE ended < %(before)s)
     + (SELECT count(*) FROM hv.sequence_gap WHERE greatest(began, ended) < %(before)s)
     + (SELECT count(*) FROM hv.outage WHERE ended < %(before)s)

-- name: drop_old_holes
-- Some of the silences that ended before an instant.
DELETE FROM hv.hole WHERE ctid = ANY (ARRAY(
    SELECT ctid FROM hv.hole WHERE ended < %(before)s LIMIT %(rows)s))

-- name: drop_old_sequence_gaps
-- Some of the missing numbers from before an instant.
DELETE FROM hv.sequence_gap WHERE ctid = ANY (ARRAY(
    SELECT ctid FROM hv.sequence_gap WHERE ended < %(before)s AND began < %(before)s LIMIT %(rows)s))

-- name: drop_old_outages
-- Some of the outages that ended before an instant.
DELETE FROM hv.outage WHERE ctid = ANY (ARRAY(
    SELECT ctid FROM hv.outage WHERE ended < %(before)s LIMIT %(rows)s))

-- name: drop_old_values
-- Some of the values as they were before a correction, of readings that are gone.
DELETE FROM hv.corrected_observation WHERE ctid = ANY (ARRAY(
    SELECT ctid FROM hv.corrected_observation WHERE phenomenon_time < %(before)s LIMIT %(rows)s))
