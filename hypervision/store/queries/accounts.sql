-- name: account_by_name
-- What a log-in needs to know about one account.
SELECT account_id, name, role, organisation_id, language, password_hash
FROM hv.account
WHERE name = %(name)s AND disabled_at IS NULL;

-- name: account_add
-- A new account, or nothing when the name is taken.
INSERT INTO hv.account (name, password_hash, role, organisation_id, language, created_at, by_provider)
SELECT %(name)s, %(password_hash)s, %(role)s,
       (SELECT organisation_id FROM hv.organisation WHERE code = %(organisation)s), %(language)s, %(now)s,
       %(by_provider)s
ON CONFLICT (name) DO NOTHING
RETURNING account_id;

-- name: account_alike
-- The account whose name differs by capitals at most; "C" because a Turkish database would not make an i of I.
SELECT name FROM hv.account WHERE lower(name COLLATE "C") = lower(%(name)s COLLATE "C") LIMIT 1;

-- name: account_lock
-- One new account at a time; reading and logging in go on.
LOCK TABLE hv.account IN SHARE ROW EXCLUSIVE MODE;

-- name: account_organisation_known
-- Whether an organisation exists.
SELECT 1 FROM hv.organisation WHERE code = %(organisation)s;

-- name: account_list
-- Everybody, for `accounts list`.
SELECT a.name, a.role, o.code, a.language, a.created_at, a.disabled_at
FROM hv.account a
LEFT JOIN hv.organisation o ON o.organisation_id = a.organisation_id
ORDER BY a.name;

-- name: account_set_password
-- A new password; session_end_all follows in the same transaction.
UPDATE hv.account SET password_hash = %(password_hash)s, by_provider = false
WHERE name = %(name)s
RETURNING account_id;

-- name: account_set_disabled
-- Since when nobody may log in with it; session_end_all follows in the same transaction.
UPDATE hv.account SET disabled_at = %(at)s WHERE name = %(name)s RETURNING account_id;

-- name: session_end_all
-- Log an account out everywhere.
DELETE FROM hv.session WHERE account_id = %(account_id)s;

-- name: session_add
-- A session; its end is absolute.
INSERT INTO hv.session (token_hash, account_id, created_at, seen_at, expires_at, way, address, agent, enrolling, role,
                        organisation_id)
VALUES (%(token_hash)s, %(account_id)s, %(now)s, %(now)s, %(expires_at)s, %(way)s, %(address)s, %(agent)s,
        %(enrolling)s, %(role)s, %(organisation_id)s);

-- name: session_find
-- The account behind a session that has not ended: by time, or since its account has another role or organisation.
SELECT s.expires_at, s.enrolling, s.seen_at < %(noted)s,
       a.account_id, a.name, a.role, a.organisation_id, a.language
FROM hv.session s
JOIN hv.account a ON a.account_id = s.account_id
WHERE s.token_hash = %(token_hash)s AND s.expires_at > %(now)s AND a.disabled_at IS NULL
      AND (s.role IS NULL OR (s.role = a.role AND s.organisation_id IS NOT DISTINCT FROM a.organisation_id));

-- name: session_end
-- Log out.
DELETE FROM hv.session WHERE token_hash = %(token_hash)s;

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
