-- name: account_add
-- A new account, or nothing when the name is taken.
INSERT INTO hv.account (name, password_hash, role, organisation_id, domains, districts, language, created_at,
                        changed_at, changed_by, by_provider)
SELECT %(name)s, %(password_hash)s, %(role)s,
       (SELECT organisation_id FROM hv.organisation WHERE code = %(organisation)s), %(domains)s::text[],
       %(districts)s::text[], %(language)s, %(now)s, %(now)s, %(actor)s,
       %(by_provider)s
ON CONFLICT (name) DO NOTHING
RETURNING account_id;

-- name: account_alike
-- The account whose name differs by capitals at most; "C" because a Turkish database would not make an i of I.
SELECT name FROM hv.account WHERE lower(name COLLATE "C") = lower(%(name)s COLLATE "C") LIMIT 1;

-- name: account_lock
-- One who changes accounts at a time; reading and logging in go on.
LOCK TABLE hv.account IN SHARE ROW EXCLUSIVE MODE;

-- name: account_organisation
-- The number of an organisation; no row for an unknown one.
SELECT organisation_id FROM hv.organisation WHERE code = %(organisation)s;

-- name: account_district_unknown
-- Districts in which no Thing stands.
SELECT d.name FROM unnest(%(districts)s::text[]) AS d (name)
WHERE NOT EXISTS (SELECT FROM hv.thing t WHERE t.district = d.name)
ORDER BY 1;

-- name: account_organisations
-- Organisations that an account may belong to.
SELECT code, name FROM hv.organisation ORDER BY name, code;

-- name: account_districts
-- Districts that Things stand in.
SELECT DISTINCT district FROM hv.thing WHERE district <> '' ORDER BY 1;

-- name: account_list
-- Everybody, or one of them, for administrators.
SELECT a.account_id, a.name, a.role, a.organisation_id, o.code, a.domains, a.districts, a.language, a.created_at,
       a.disabled_at, a.version, a.changed_at, a.changed_by, s.sessions, s.logged_in_at
FROM hv.account a
LEFT JOIN hv.organisation o ON o.organisation_id = a.organisation_id
CROSS JOIN LATERAL (SELECT count(*)::int AS sessions, max(s.created_at) AS logged_in_at
                    FROM hv.session s
                    WHERE s.account_id = a.account_id AND s.expires_at > %(now)s) s
WHERE %(name)s::text IS NULL OR a.name = %(name)s
ORDER BY a.name;

-- name: account_administrators
-- How many others administer accounts.
SELECT count(*)
FROM hv.account
WHERE name <> %(name)s AND role = 'administrator' AND disabled_at IS NULL
  AND organisation_id IS NULL AND domains IS NULL AND districts IS NULL;

-- name: account_change
-- What an administrator made of an account.
UPDATE hv.account
SET role = %(role)s, organisation_id = %(organisation_id)s, domains = %(domains)s::text[],
    districts = %(districts)s::text[], language = %(language)s, disabled_at = %(disabled_at)s,
    version = version + 1, changed_at = %(now)s, changed_by = %(actor)s
WHERE account_id = %(account_id)s;

-- name: account_set_password
-- A new password; session_end_all follows in the same transaction.
UPDATE hv.account
SET password_hash = %(password_hash)s, by_provider = false, version = version + 1, changed_at = %(now)s, changed_by = %(actor)s
WHERE account_id = %(account_id)s;

-- name: session_end_all
-- Log an account out everywhere.
DELETE FROM hv.session WHERE account_id = %(account_id)s;
