-- name: account_by_name
-- What a log-in needs to know about one account.
SELECT account_id, name, role, organisation_id, domains, districts, language, password_hash
FROM hv.account
WHERE name = %(name)s AND disabled_at IS NULL;

-- name: session_add
-- A session; its end is absolute.
INSERT INTO hv.session (token_hash, account_id, created_at, seen_at, expires_at, way, address, agent, enrolling, role)
VALUES (%(token_hash)s, %(account_id)s, %(now)s, %(now)s, %(expires_at)s, %(way)s, %(address)s, %(agent)s,
        %(enrolling)s, %(role)s);

-- name: session_find
-- The account behind a session that has not ended: by time, or since its account has another role.
SELECT s.expires_at, s.enrolling, s.seen_at < %(noted)s,
       a.account_id, a.name, a.role, a.organisation_id, a.domains, a.districts, a.language
FROM hv.session s
JOIN hv.account a ON a.account_id = s.account_id
WHERE s.token_hash = %(token_hash)s AND s.expires_at > %(now)s AND a.disabled_at IS NULL
      AND (s.role IS NULL OR s.role = a.role);

-- name: session_end
-- Log out; whose session it was.
DELETE FROM hv.session s USING hv.account a
WHERE s.token_hash = %(token_hash)s AND a.account_id = s.account_id
RETURNING a.name;

-- name: session_sweep
-- Forget what has ended.
DELETE FROM hv.session WHERE expires_at <= %(now)s;

-- name: session_seen
-- When a session was last used, to the minute.
UPDATE hv.session SET seen_at = %(now)s WHERE token_hash = %(token_hash)s AND seen_at < %(noted)s;

-- name: failure_add
-- One failed log-in.
INSERT INTO hv.login_failure (at, name, address) VALUES (%(now)s, %(name)s, %(address)s);

-- name: failure_sweep
-- Failures older than the window no longer count.
DELETE FROM hv.login_failure WHERE at < %(since)s;

-- name: failure_count
-- Failures by name and by address within the window, each with its last time.
SELECT count(*) FILTER (WHERE name = %(name)s), max(at) FILTER (WHERE name = %(name)s),
       count(*) FILTER (WHERE address = %(address)s), max(at) FILTER (WHERE address = %(address)s)
FROM hv.login_failure
WHERE at >= %(since)s AND (name = %(name)s OR address = %(address)s);

-- name: failure_forget
-- A right password ends the back-off of its account.
DELETE FROM hv.login_failure WHERE name = %(name)s;
