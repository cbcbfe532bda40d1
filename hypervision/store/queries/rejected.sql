-- part: chosen_rejected
-- What a filter leaves; nothing given chooses nothing.
(%(thing)s::text IS NULL OR x.thing = %(thing)s)
  AND (%(reason)s::text IS NULL OR x.reason = %(reason)s)
  AND (%(since)s::timestamptz IS NULL OR x.received_time >= %(since)s)
  AND (%(until)s::timestamptz IS NULL OR x.received_time < %(until)s)
  AND (%(domain)s::text IS NULL OR starts_with(x.topic, %(domain)s))
  AND (%(topic)s::text IS NULL OR starts_with(x.topic, %(topic)s))
  AND (%(partial)s::boolean IS NULL OR x.partial = %(partial)s)
  AND (%(ids)s::bigint[] IS NULL OR x.rejected_id = ANY(%(ids)s))

-- part: waiting_rejected
-- Messages kept whole that a second try may mend.
x.replayed_at IS NULL AND x.reason <> 'rate_limited' AND x.payload_bytes = octet_length(x.payload) AND x.thing <> ''
  AND x.rejected_id <= %(newest)s
  AND (x.topic LIKE 'urban/v1/%%/up' OR (x.topic LIKE 'urban/v1/%%/status' AND x.payload IN ('online'::bytea, 'offline'::bytea)))
  AND -- part: chosen_rejected
  AND -- part: code_in_scope

-- part: further_rejected
-- Behind the last row of an earlier part.
%(after)s::bigint IS NULL OR (x.received_time, x.rejected_id) > (%(after_time)s::timestamptz, %(after)s::bigint)

-- part: digest_where_alike
CASE WHEN alike > 1 THEN (SELECT sha256(p.payload) FROM hv.rejected_message p WHERE p.rejected_id = row_of.rejected_id) END

-- name: rejected_page
-- Quarantined messages by time of receipt, newest first; of a payload its beginning.
SELECT rejected_id, received_time, thing, topic, substring(payload FROM 1 FOR %(bytes)s) AS payload,
       payload_bytes, reason, detail, count, partial, replayed_at
FROM hv.rejected_message x
WHERE -- part: chosen_rejected
  AND (%(replayed)s::boolean IS NULL OR (x.replayed_at IS NOT NULL) = %(replayed)s)
  AND (%(before)s::bigint IS NULL
       OR (x.received_time, x.rejected_id) < (%(before_time)s::timestamptz, %(before)s::bigint))
ORDER BY received_time DESC, rejected_id DESC
LIMIT %(limit)s

-- name: rejected_page_of
-- The same of one scope: a few of each of its Things by their index, then the newest of those.
-- Only what is shown is read whole.
WITH newest AS (
SELECT few.rejected_id
FROM hv.thing t
CROSS JOIN LATERAL (
    SELECT received_time, rejected_id
    FROM hv.rejected_message x
    WHERE x.thing = t.code
      AND -- part: chosen_rejected
      AND (%(replayed)s::boolean IS NULL OR (x.replayed_at IS NOT NULL) = %(replayed)s)
      AND (%(before)s::bigint IS NULL
           OR (x.received_time, x.rejected_id) < (%(before_time)s::timestamptz, %(before)s::bigint))
    ORDER BY x.received_time DESC, x.rejected_id DESC
    LIMIT %(limit)s
) AS few
WHERE (%(thing)s::text IS NULL OR t.code = %(thing)s)
  AND -- part: in_scope
ORDER BY few.received_time DESC, few.rejected_id DESC
LIMIT %(limit)s
)
SELECT x.rejected_id, x.received_time, x.thing, x.topic, substring(x.payload FROM 1 FOR %(bytes)s) AS payload,
       x.payload_bytes, x.reason, x.detail, x.count, x.partial, x.replayed_at
FROM newest
JOIN hv.rejected_message x ON x.rejected_id = newest.rejected_id
ORDER BY x.received_time DESC, x.rejected_id DESC

-- name: rejected_place
-- Where a page goes on; a row outside of the scope is as one that is not there.
SELECT received_time FROM hv.rejected_message x WHERE rejected_id = %(id)s AND -- part: code_in_scope

-- name: rejected_one
-- One message with its payload as it was kept.
SELECT rejected_id, received_time, thing, topic, payload, payload_bytes, reason, detail, count,
       partial, replayed_at
FROM hv.rejected_message x
WHERE rejected_id = %(id)s AND -- part: code_in_scope

-- name: rejected_by_reason
-- Rows and what they stand for, by reason, the most frequent first.
SELECT x.reason, count(*), sum(x.count)::bigint
FROM hv.rejected_message x
WHERE -- part: chosen_rejected
  AND (%(replayed)s::boolean IS NULL OR (x.replayed_at IS NOT NULL) = %(replayed)s)
  AND -- part: code_in_scope
GROUP BY x.reason
ORDER BY 3 DESC, 1
LIMIT %(top)s

-- name: rejected_by_thing
-- The same by Thing; what comes from no Thing is one line without a name.
SELECT x.thing, count(*), sum(x.count)::bigint
FROM hv.rejected_message x
WHERE -- part: chosen_rejected
  AND (%(replayed)s::boolean IS NULL OR (x.replayed_at IS NOT NULL) = %(replayed)s)
  AND -- part: code_in_scope
GROUP BY x.thing
ORDER BY 3 DESC, 1
LIMIT %(top)s

-- name: rejected_newest
-- The newest row of the quarantine, or of what a scope holds of it.
SELECT coalesce(max(rejected_id), 0) FROM hv.rejected_message x WHERE -- part: code_in_scope

-- name: rejected_waiting
-- Rows kept whole that a second try may mend, in order of receipt, and whether each is the first of its message: one has
-- a row for each of its reasons, of one instant. Payloads are read only to tell messages of one size apart.
WITH span AS MATERIALIZED (
    SELECT min(received_time) AS first, max(received_time) AS last
    FROM (
        SELECT received_time
        FROM hv.rejected_message x
        WHERE -- part: waiting_rejected
          AND -- part: further_rejected
        ORDER BY received_time, rejected_id
        LIMIT %(limit)s
    ) looked
), row_of AS (
    -- Whole instants, with what was looked at before in the first of them.
    SELECT rejected_id, received_time, topic, payload_bytes,
           count(*) OVER (PARTITION BY received_time, topic, payload_bytes) AS alike
    FROM hv.rejected_message x
    WHERE -- part: waiting_rejected
      AND received_time BETWEEN (SELECT first FROM span) AND (SELECT last FROM span)
), placed AS (
    SELECT rejected_id, received_time, row_number() OVER (
        PARTITION BY received_time, topic, payload_bytes, -- part: digest_where_alike
        ORDER BY rejected_id) AS place
    FROM row_of
)
SELECT rejected_id, place = 1
FROM placed x
WHERE -- part: further_rejected
ORDER BY received_time, rejected_id
LIMIT %(limit)s

-- name: rejected_waiting_count
-- How many messages there are of them, looked at up to a limit of rows and read up to a limit of bytes; how many rows that
-- were, and whether messages of one size and instant were left that nobody told apart.
WITH row_of AS (
    SELECT rejected_id, received_time, topic, payload_bytes,
           count(*) OVER (PARTITION BY received_time, topic, payload_bytes) AS alike
    FROM (
        SELECT rejected_id, received_time, topic, payload_bytes
        FROM hv.rejected_message x
        WHERE -- part: waiting_rejected
        LIMIT %(limit)s
    ) few
), weighed AS (
    SELECT *, sum(CASE WHEN alike > 1 THEN payload_bytes ELSE 0 END)
               OVER (ORDER BY received_time, topic, payload_bytes) > %(bytes)s AS unread
    FROM row_of
), message AS (
    SELECT count(*) AS rows, bool_or(unread AND alike > 1) AS unread
    FROM weighed row_of
    GROUP BY received_time, topic, payload_bytes, CASE WHEN NOT unread THEN -- part: digest_where_alike
             END
)
SELECT count(*), coalesce(sum(rows), 0)::bigint, coalesce(bool_or(unread), false) FROM message

-- name: rejected_old
-- What a purge would take, by reason.
SELECT reason, count(*), sum(count)::bigint
FROM hv.rejected_message
WHERE received_time < %(before)s AND (%(reason)s::text IS NULL OR reason = %(reason)s)
GROUP BY reason
ORDER BY 3 DESC, 1

-- name: rejected_purge
-- The oldest rows go, a bounded number at a time.
WITH old AS (
    SELECT rejected_id FROM hv.rejected_message
    WHERE received_time < %(before)s AND (%(reason)s::text IS NULL OR reason = %(reason)s)
    ORDER BY received_time, rejected_id
    LIMIT %(limit)s
), gone AS (
    DELETE FROM hv.rejected_message r USING old WHERE r.rejected_id = old.rejected_id RETURNING r.count
)
SELECT count(*), coalesce(sum(count), 0)::bigint FROM gone

-- name: rejected_journal
-- The audit line of a purge or a replay.
INSERT INTO hv.journal (at, kind, actor, detail)
VALUES (%(now)s, %(kind)s, %(actor)s, %(detail)s)
RETURNING journal_id

-- name: rejected_journal_on
-- How far a purge has come, in the transaction of each step.
UPDATE hv.journal SET detail = detail || %(detail)s WHERE journal_id = %(journal_id)s

-- name: rejected_repeated
-- How often refused messages stand among some rows; a message has one row for each of its reasons.
SELECT number, max(n)::int
FROM (
    SELECT w.number, count(*) AS n
    FROM unnest(%(numbers)s::int[], %(things)s::text[], %(topics)s::text[], %(payloads)s::bytea[], %(sizes)s::int[])
         AS w (number, thing, topic, payload, size)
    JOIN hv.rejected_message r
      ON r.thing = w.thing AND r.topic = w.topic AND r.payload_bytes = w.size AND r.payload = w.payload
    WHERE r.rejected_id <= %(newest)s AND r.rejected_id > %(newest)s - %(rows)s
      AND r.received_time >= %(since)s AND r.reason <> 'rate_limited'
    GROUP BY w.number, r.reason, r.partial
) found
GROUP BY number

-- name: rejected_read
-- Messages by their numbers, in order of receipt.
SELECT rejected_id, received_time, thing, topic, payload, payload_bytes, reason, detail, count,
       partial, replayed_at
FROM hv.rejected_message
WHERE rejected_id = ANY(%(ids)s)
ORDER BY received_time, rejected_id

-- name: rejected_settle
-- What a second try made of these messages. Refused again: the row it had tells the newer reason and goes on waiting,
-- and the row that the second try made is gone. Else every row of the message was replayed.
WITH message AS (
    SELECT rejected_id AS message, received_time, topic, payload FROM hv.rejected_message
    WHERE rejected_id = ANY(%(ids)s)
), row_of AS (
    SELECT m.message, r.rejected_id, r.reason, r.rejected_id > %(newest)s AS again
    FROM hv.rejected_message r
    JOIN message m ON m.received_time = r.received_time AND m.topic = r.topic AND m.payload = r.payload
    WHERE r.replayed_at IS NULL
), placed AS (
    -- Rows of the same reason belong together, then whatever is left of both.
    SELECT message, rejected_id, again, row_number() OVER (
        PARTITION BY message, again
        ORDER BY EXISTS (
            SELECT FROM row_of o WHERE o.message = r.message AND o.reason = r.reason AND o.again <> r.again
        ) DESC, reason, rejected_id) AS place
    FROM row_of r
), pair AS (
    SELECT o.message, o.rejected_id AS kept, n.rejected_id AS newer
    FROM placed o
    LEFT JOIN placed n ON n.message = o.message AND n.place = o.place AND n.again
    WHERE NOT o.again
), gone AS (
    DELETE FROM hv.rejected_message r USING pair WHERE r.rejected_id = pair.newer
)
UPDATE hv.rejected_message r SET
    reason = coalesce(n.reason, r.reason),
    detail = coalesce(n.detail || %(note)s, r.detail),
    -- The other values of a stored message stay stored.
    count = CASE WHEN n.partial OR NOT r.partial THEN coalesce(n.count, r.count) ELSE r.count END,
    partial = r.partial OR coalesce(n.partial, false),
    replayed_at = CASE WHEN n.rejected_id IS NULL THEN %(now)s::timestamptz END
FROM pair
LEFT JOIN hv.rejected_message n ON n.rejected_id = pair.newer
WHERE r.rejected_id = pair.kept
RETURNING pair.message, r.reason, r.replayed_at IS NULL
