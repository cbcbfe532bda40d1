-- name: retire_writer
-- A writer is out of service from now on.
UPDATE hv.writer SET retired_at = %(now)s WHERE name = %(name)s

-- name: enlist_writer
-- A writer is at work (again).
UPDATE hv.writer SET retired_at = NULL WHERE name = %(name)s AND retired_at IS NOT NULL

-- name: collectors
-- Every collector that is not out of service, and whether it beats and is connected.
SELECT w.name, coalesce(s.beat_at > clock_timestamp() - %(patience)s * interval '1 s' AND s.link = 'connected', FALSE)
FROM hv.writer w LEFT JOIN hv.writer_snapshot s ON s.writer_id = w.writer_id
WHERE w.name LIKE 'collector-%%' AND w.retired_at IS NULL
ORDER BY w.name
