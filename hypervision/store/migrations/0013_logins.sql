-- How people and programs come in: second factors, one-time links, identities of a provider, API tokens.

-- What its owner is shown of a session. Until a second factor is there that the role asks for, it may do nothing else.
ALTER TABLE hv.session
    ADD COLUMN way text NOT NULL DEFAULT 'password' CHECK (way IN ('password', 'provider')),
    ADD COLUMN address text NOT NULL DEFAULT '',
    ADD COLUMN agent text NOT NULL DEFAULT '',
    ADD COLUMN enrolling boolean NOT NULL DEFAULT false,
    -- Of its account when it was opened: a session of another role has ended. Null: opened before.
    ADD COLUMN role text;

-- Such an account has no password here: its password_hash matches nothing.
ALTER TABLE hv.account ADD COLUMN by_provider boolean NOT NULL DEFAULT false;

CREATE TABLE hv.identity (
    issuer text NOT NULL,
    subject text NOT NULL,
    account_id int NOT NULL REFERENCES hv.account ON DELETE CASCADE,
    linked_at timestamptz NOT NULL,
    PRIMARY KEY (issuer, subject)
);
CREATE INDEX identity_account ON hv.identity (account_id);

-- A secret that nobody has confirmed yet lets nobody in and keeps nobody out. `last_step` is the newest that was used.
CREATE TABLE hv.second_factor (
    account_id int PRIMARY KEY REFERENCES hv.account ON DELETE CASCADE,
    secret bytea NOT NULL,
    created_at timestamptz NOT NULL,
    confirmed_at timestamptz,
    last_step bigint NOT NULL DEFAULT 0
);

CREATE TABLE hv.recovery_code (
    account_id int NOT NULL REFERENCES hv.account ON DELETE CASCADE,
    code_hash bytea NOT NULL,
    used_at timestamptz,
    PRIMARY KEY (account_id, code_hash)
);

-- Only a hash is kept. `scopes` are words of hypervision/tokens.py, read anew at each use.
CREATE TABLE hv.api_token (
    api_token_id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    account_id int NOT NULL REFERENCES hv.account ON DELETE CASCADE,
    name text NOT NULL,
    token_hash bytea NOT NULL UNIQUE,
    scopes text[] NOT NULL,
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    used_at timestamptz,
    revoked_at timestamptz
);
CREATE INDEX api_token_account ON hv.api_token (account_id);

-- A link with which somebody makes an account, once: the first administrator.
CREATE TABLE hv.invitation (
    token_hash bytea PRIMARY KEY,
    role text NOT NULL CHECK (role IN ('viewer', 'operator', 'engineer', 'administrator', 'auditor')),
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    used_at timestamptz
);
