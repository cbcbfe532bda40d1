-- name: lock_writer
-- Two processes with the same writer name refuse to start; held as long as the connection lives.
SELECT pg_try_advisory_lock(720647, hashtext(%(name)s))

-- name: open_writer
-- The writer's own row, made at its first start.
INSERT INTO hv.writer (name) VALUES (%(name)s)
ON CONFLICT (name) DO UPDATE SET name = excluded.name
RETURNING writer_id, commit_no, alarm_no, stored, duplicate, rejected

-- name: writer_marks
-- How far every writer has committed.
SELECT writer_id, commit_no, alarm_no FROM hv.writer

-- name: transaction_status
-- What became of a transaction whose commit was never answered, nothing when it is too long ago; and whether its writer
-- has come as far.
SELECT pg_xact_status(%(transaction)s::xid8), commit_no >= %(commit_no)s FROM hv.writer WHERE writer_id = %(writer_id)s

-- name: advance_writer
-- The counters of a batch, in its own transaction; and the fence of what is packed, as it stands after the readings of
-- the batch were written (see lateness.Care).
UPDATE hv.writer
SET commit_no = %(commit_no)s, alarm_no = alarm_no + %(alarms)s, stored = stored + %(stored)s,
    duplicate = duplicate + %(duplicate)s, rejected = rejected + %(rejected)s, retired_at = NULL
WHERE writer_id = %(writer_id)s
RETURNING (SELECT value::date FROM hv.installation WHERE key = 'packed before')

-- name: publish_counters
-- All five counters of one instant; also the writer's beat, by the clock of the database: that of no writer is compared.
INSERT INTO hv.writer_snapshot (writer_id, beat_at, received, stored, duplicate, rejected, in_flight, link, detail)
VALUES (%(writer_id)s, clock_timestamp() - %(age)s * interval '1 s', %(received)s, %(stored)s, %(duplicate)s, %(rejected)s, %(in_flight)s, %(link)s,
        %(detail)s)
ON CONFLICT (writer_id) DO UPDATE SET
    beat_at = excluded.beat_at, received = excluded.received, stored = excluded.stored,
    duplicate = excluded.duplicate, rejected = excluded.rejected, in_flight = excluded.in_flight,
    link = excluded.link, detail = excluded.detail
RETURNING clock_timestamp()

-- name: notify_writer
-- A hint for the screens; they poll as well.
SELECT pg_notify('hypervision', %(name)s)

-- name: create_stage
-- Where a batch waits when some of its rows may be there already.
CREATE TEMP TABLE IF NOT EXISTS stage (
    datastream_id int, phenomenon_time timestamptz, result float8, quality smallint, late boolean,
    delay_ms smallint, received_time timestamptz) ON COMMIT DELETE ROWS

-- name: create_stage_latest
-- The newest row per datastream of a batch.
CREATE TEMP TABLE IF NOT EXISTS stage_latest (
    datastream_id int, phenomenon_time timestamptz, result float8, quality smallint, late boolean,
    delay_ms smallint, received_time timestamptz) ON COMMIT DELETE ROWS

-- name: copy_observations
-- The fast way: every row is expected to be new.
COPY hv.observation (datastream_id, phenomenon_time, result, quality, late, delay_ms, received_time)
FROM STDIN (FORMAT binary)

-- name: copy_stage
-- The safe way: the rows go to the stage first.
COPY stage FROM STDIN (FORMAT binary)

-- name: copy_stage_latest
-- The newest rows go to their stage.
COPY stage_latest FROM STDIN (FORMAT binary)

-- name: take_stage_existing
-- Staged rows of one month whose key is taken leave the stage, with the result that is stored; packed partitions have
-- no key to refuse them. Span by span, for the cost is to be that of the rows staged, not of the time between them, and
-- the index of a packed partition tells ranges of pages only (OFFSET keeps the planner from reading a partition whole).
WITH found AS MATERIALIZED (
    SELECT o.datastream_id, o.phenomenon_time, o.result
    FROM unnest(%(datastreams)s::int[], %(firsts)s::timestamptz[], %(lasts)s::timestamptz[])
         AS span (datastream_id, first, last)
    CROSS JOIN LATERAL (
        SELECT datastream_id, phenomenon_time, result FROM hv.observation
        WHERE datastream_id = span.datastream_id AND phenomenon_time BETWEEN span.first AND span.last
              AND phenomenon_time BETWEEN %(first)s AND %(last)s
        OFFSET 0) AS o
)
DELETE FROM stage s USING found f
WHERE f.datastream_id = s.datastream_id AND f.phenomenon_time = s.phenomenon_time
RETURNING f.datastream_id, f.phenomenon_time, f.result

-- name: insert_stage
-- Staged rows whose key is free. Packed partitions have no key: no target is named.
INSERT INTO hv.observation (datastream_id, phenomenon_time, result, quality, late, delay_ms, received_time)
SELECT datastream_id, phenomenon_time, result, quality, late, delay_ms, received_time
FROM stage ORDER BY datastream_id, phenomenon_time
ON CONFLICT DO NOTHING

-- name: upsert_latest
-- One row per datastream, in key order, only where newer.
INSERT INTO hv.latest AS l
    (datastream_id, phenomenon_time, result, quality, late, received_time, writer_id, commit_no, live)
SELECT datastream_id, phenomenon_time, result, quality, coalesce(late, false),
       hv.receipt(phenomenon_time, delay_ms, received_time), %(writer_id)s, %(commit_no)s, %(live)s
FROM stage_latest ORDER BY datastream_id
ON CONFLICT (datastream_id) DO UPDATE SET
    phenomenon_time = excluded.phenomenon_time, result = excluded.result, quality = excluded.quality,
    late = excluded.late, received_time = excluded.received_time, writer_id = excluded.writer_id,
    commit_no = excluded.commit_no, live = excluded.live
WHERE l.phenomenon_time < excluded.phenomenon_time

-- name: latest_since
-- What another writer has made newest since a commit of its.
SELECT datastream_id, phenomenon_time, result, quality FROM hv.latest
WHERE writer_id = %(writer_id)s AND commit_no > %(commit_no)s

-- name: observations_from
-- The readings of one datastream from an instant on and the one before it, in order of time; a rate needs that one.
SELECT phenomenon_time, result, quality FROM hv.observation
WHERE datastream_id = %(datastream_id)s
  AND phenomenon_time >= coalesce(
      (SELECT max(phenomenon_time) FROM hv.observation
       WHERE datastream_id = %(datastream_id)s AND phenomenon_time < %(first)s
         AND phenomenon_time >= %(first)s - INTERVAL '7 days'),
      %(first)s)
ORDER BY phenomenon_time

-- name: claim_identities
-- Messages without a time: only those that were never seen come back. By the server's clock, which all writers share.
INSERT INTO hv.message_identity (thing, boot, seq, payload_hash, received_time)
SELECT thing, boot, seq, payload_hash, now()
FROM unnest(%(things)s::text[], %(boots)s::text[], %(seqs)s::bigint[], %(hashes)s::bigint[])
     AS x (thing, boot, seq, payload_hash)
ORDER BY thing, boot, seq, payload_hash
ON CONFLICT DO NOTHING
RETURNING thing, boot, seq, payload_hash

-- name: put_rejected
-- Refused messages and refused values of stored ones.
INSERT INTO hv.rejected_message
    (received_time, topic, thing, payload, payload_bytes, reason, detail, partial, count)
SELECT received_time, topic, thing, payload, payload_bytes, reason, detail, partial, count
FROM unnest(%(times)s::timestamptz[], %(topics)s::text[], %(things)s::text[], %(payloads)s::bytea[],
            %(sizes)s::int[], %(reasons)s::text[], %(details)s::text[], %(partials)s::boolean[],
            %(counts)s::bigint[])
     AS x (received_time, topic, thing, payload, payload_bytes, reason, detail, partial, count)

-- name: put_journal
-- Lines of the journal.
INSERT INTO hv.journal (at, kind, thing_id, datastream_id, detail)
SELECT at, kind, thing_id, datastream_id, detail::jsonb
FROM unnest(%(times)s::timestamptz[], %(kinds)s::text[], %(things)s::int[], %(datastreams)s::int[],
            %(details)s::text[]) AS x (at, kind, thing_id, datastream_id, detail)
