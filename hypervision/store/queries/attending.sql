-- name: reminders_due
-- Acknowledged alarms that stay for longer than their rule, or else the settings for their priority, let them.
SELECT a.alarm_id, a.source_kind, a.source_id, a.rule_id, a.rule_version
FROM hv.alarm a
JOIN hv.rule r ON r.rule_id = a.rule_id
JOIN unnest(%(priorities)s::text[], %(seconds)s::float8[]) AS p (priority, seconds) ON p.priority = a.priority
WHERE a.state = 'ACKED' AND a.suppression = 'none'
  AND coalesce(extract(epoch FROM r.realarm_after), p.seconds) > 0
  AND coalesce(a.acknowledged_at, a.detected_at)
      + coalesce(r.realarm_after, p.seconds * interval '1 second') <= %(now)s

-- name: put_reminders
-- They ring once more.
UPDATE hv.alarm SET state = 'UNACK', rang_at = %(now)s, escalated_at = NULL, escalated_to = NULL
WHERE alarm_id = ANY(%(alarms)s)

-- name: escalations_due
-- Alarms that ring, still active, for longer than they may without anybody's acknowledgement.
SELECT a.alarm_id, a.source_kind, a.source_id, a.rule_id, a.rule_version
FROM hv.alarm a
JOIN hv.rule r ON r.rule_id = a.rule_id
JOIN unnest(%(priorities)s::text[], %(seconds)s::float8[]) AS p (priority, seconds) ON p.priority = a.priority
WHERE a.state = 'UNACK' AND a.suppression = 'none' AND a.escalated_at IS NULL
  AND coalesce(extract(epoch FROM r.escalate_after), p.seconds) > 0
  AND coalesce(a.rang_at, a.detected_at)
      + coalesce(r.escalate_after, p.seconds * interval '1 second') <= %(now)s

-- name: put_escalations
-- They are told to a role besides, and come first among their equals.
UPDATE hv.alarm SET escalated_at = %(now)s, escalated_to = %(role)s WHERE alarm_id = ANY(%(alarms)s)
