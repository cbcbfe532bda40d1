-- name: own_sessions
-- The sessions of an account that have not ended, newest first, each by the beginning of its hash.
SELECT encode(substr(token_hash, 1, 8), 'hex'), way, address, agent, created_at, seen_at, expires_at, token_hash
FROM hv.session
WHERE account_id = %(account_id)s AND expires_at > %(now)s
ORDER BY created_at DESC
LIMIT 100;

-- name: own_session_end
-- End one session of one's own, or with no id all but the one in use.
DELETE FROM hv.session
WHERE account_id = %(account_id)s AND token_hash <> %(token_hash)s
      AND (%(id)s::text IS NULL OR encode(substr(token_hash, 1, 8), 'hex') = %(id)s)
RETURNING 1;

-- name: account_name
-- What an account is called.
SELECT name FROM hv.account WHERE account_id = %(account_id)s;

-- name: session_enrolled
-- The second factor that was asked for is there: this session may do all that its account may.
UPDATE hv.session SET enrolling = false WHERE token_hash = %(token_hash)s;

-- name: account_new_password
-- A new password that its owner chose; own_session_end follows in the same transaction.
UPDATE hv.account
SET password_hash = %(password_hash)s, version = version + 1, changed_at = %(now)s, changed_by = name
WHERE account_id = %(account_id)s;

-- name: factor_find
-- The second factor of an account, held so that one code is not used by two at once.
SELECT secret, confirmed_at IS NOT NULL, last_step
FROM hv.second_factor
WHERE account_id = %(account_id)s
FOR UPDATE;

-- name: factor_begin
-- A new secret that nobody has confirmed; a confirmed one stays.
INSERT INTO hv.second_factor (account_id, secret, created_at)
VALUES (%(account_id)s, %(secret)s, %(now)s)
ON CONFLICT (account_id) DO UPDATE SET secret = excluded.secret, created_at = excluded.created_at, last_step = 0
WHERE hv.second_factor.confirmed_at IS NULL
RETURNING account_id;

-- name: factor_confirm
-- From now on it is asked for.
UPDATE hv.second_factor SET confirmed_at = %(now)s, last_step = %(step)s WHERE account_id = %(account_id)s;

-- name: factor_step
-- No code of this step of time or before it counts again.
UPDATE hv.second_factor SET last_step = %(step)s WHERE account_id = %(account_id)s;

-- name: factor_remove
-- The account has no second factor any more.
DELETE FROM hv.second_factor WHERE account_id = %(account_id)s RETURNING confirmed_at IS NOT NULL;

-- name: recovery_remove
-- Nor recovery codes.
DELETE FROM hv.recovery_code WHERE account_id = %(account_id)s;

-- name: recovery_add
-- The hash of one new recovery code.
INSERT INTO hv.recovery_code (account_id, code_hash) VALUES (%(account_id)s, %(code_hash)s)
ON CONFLICT (account_id, code_hash) DO NOTHING;

-- name: recovery_use
-- Use up one recovery code; nothing where it is none or was used.
UPDATE hv.recovery_code SET used_at = %(now)s
WHERE account_id = %(account_id)s AND code_hash = %(code_hash)s AND used_at IS NULL
RETURNING 1;

-- name: factor_state
-- Whether an account has a second factor, how many recovery codes are left, whether it has a password here.
SELECT EXISTS (SELECT FROM hv.second_factor f WHERE f.account_id = a.account_id AND f.confirmed_at IS NOT NULL),
       (SELECT count(*) FROM hv.recovery_code r WHERE r.account_id = a.account_id AND r.used_at IS NULL),
       a.password_hash <> '!'
FROM hv.account a
WHERE a.account_id = %(account_id)s;

-- name: account_of_name
-- An account as the rights table knows it, by its name.
SELECT account_id, name, role, organisation_id, domains, districts, language FROM hv.account WHERE name = %(name)s;

-- name: token_add
-- A new API token.
INSERT INTO hv.api_token (account_id, name, token_hash, scopes, created_at, expires_at)
VALUES (%(account_id)s, %(name)s, %(token_hash)s, %(scopes)s, %(now)s, %(expires_at)s)
RETURNING api_token_id;

-- name: token_count
-- How many tokens of an account are in force.
SELECT count(*) FROM hv.api_token
WHERE account_id = %(account_id)s AND revoked_at IS NULL AND expires_at > %(now)s;

-- name: token_list
-- The tokens of an account that were not revoked, newest first; those that expired lately too.
SELECT api_token_id, name, scopes, created_at, expires_at, used_at
FROM hv.api_token
WHERE account_id = %(account_id)s AND revoked_at IS NULL AND expires_at > %(since)s
ORDER BY api_token_id DESC;

-- name: token_revoke
-- From now on it opens nothing.
UPDATE hv.api_token SET revoked_at = %(now)s
WHERE api_token_id = %(id)s AND account_id = %(account_id)s AND revoked_at IS NULL
RETURNING name;

-- name: token_find
-- The account behind an API token, and whether its use was noted within the last minute.
SELECT t.expires_at, t.scopes, coalesce(t.used_at < %(noted)s, true),
       a.account_id, a.name, a.role, a.organisation_id, a.domains, a.districts, a.language
FROM hv.api_token t
JOIN hv.account a ON a.account_id = t.account_id
WHERE t.token_hash = %(token_hash)s AND t.expires_at > %(now)s AND t.revoked_at IS NULL AND a.disabled_at IS NULL;

-- name: token_used
-- When a token was last used, to the minute.
UPDATE hv.api_token SET used_at = %(now)s
WHERE token_hash = %(token_hash)s AND coalesce(used_at < %(noted)s, true);

-- name: identity_find
-- The account that somebody of a provider has here, whether or not it is disabled.
SELECT a.disabled_at IS NOT NULL, a.account_id, a.name, a.role, a.organisation_id, a.domains, a.districts, a.language
FROM hv.identity i
JOIN hv.account a ON a.account_id = i.account_id
WHERE i.issuer = %(issuer)s AND i.subject = %(subject)s;

-- name: identity_candidate
-- An account of this name, for a first log-in by the provider: whether it was made for that, and is nobody's yet.
SELECT a.by_provider AND NOT EXISTS (SELECT FROM hv.identity i WHERE i.account_id = a.account_id),
       a.disabled_at IS NOT NULL, a.account_id, a.name, a.role, a.organisation_id, a.domains, a.districts, a.language
FROM hv.account a
WHERE lower(a.name COLLATE "C") = lower(%(name)s COLLATE "C");

-- name: identity_add
-- This account is theirs from now on.
INSERT INTO hv.identity (issuer, subject, account_id, linked_at)
VALUES (%(issuer)s, %(subject)s, %(account_id)s, %(now)s);

-- name: identity_role
-- The role that the provider gives today; where it is another one, session_end_all follows in the same transaction.
UPDATE hv.account SET role = %(role)s, version = version + 1, changed_at = %(now)s, changed_by = NULL
WHERE account_id = %(account_id)s AND role <> %(role)s
RETURNING account_id;

-- name: administrator_known
-- Whether anybody may administer accounts: who sees a part of the town may not.
SELECT EXISTS (SELECT FROM hv.account
               WHERE role = 'administrator' AND disabled_at IS NULL
                 AND organisation_id IS NULL AND domains IS NULL AND districts IS NULL);

-- name: invitation_add
-- A link that makes one account, once. Those before it are of no use any more.
WITH gone AS (DELETE FROM hv.invitation)
INSERT INTO hv.invitation (token_hash, role, created_at, expires_at)
VALUES (%(token_hash)s, %(role)s, %(now)s, %(expires_at)s);

-- name: invitation_find
-- Whether a link can still be used, held so that two cannot use it at once.
SELECT role FROM hv.invitation
WHERE token_hash = %(token_hash)s AND expires_at > %(now)s AND used_at IS NULL
FOR UPDATE;

-- name: invitation_use
-- It has been used.
UPDATE hv.invitation SET used_at = %(now)s WHERE token_hash = %(token_hash)s;
