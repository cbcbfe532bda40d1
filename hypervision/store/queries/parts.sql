-- name: part_writers
-- Every writer that ever beat, with the age of its beat by the database's clock and what it said then.
SELECT w.name, extract(epoch FROM clock_timestamp() - s.beat_at)::float8, w.retired_at IS NOT NULL, s.link,
       s.in_flight, s.stored, s.duplicate, s.rejected, s.detail
FROM hv.writer_snapshot s JOIN hv.writer w ON w.writer_id = s.writer_id
ORDER BY w.name

-- name: parts_known
-- Every part of the platform that an alarm was ever about.
SELECT code, part_id FROM hv.platform_part ORDER BY part_id

-- name: put_parts
-- Parts that are new.
INSERT INTO hv.platform_part (code) SELECT unnest(%(codes)s::text[]) ON CONFLICT DO NOTHING
