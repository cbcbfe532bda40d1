-- Scopes of accounts: by domain and by district besides the organisation; the role of an auditor; and what two
-- administrators at once need to be told of each other.

ALTER TABLE hv.thing ADD COLUMN district text NOT NULL DEFAULT '';

ALTER TABLE hv.account ADD COLUMN domains text[] CHECK (cardinality(domains) > 0);
ALTER TABLE hv.account ADD COLUMN districts text[] CHECK (cardinality(districts) > 0);
ALTER TABLE hv.account ADD COLUMN version bigint NOT NULL DEFAULT 1;
ALTER TABLE hv.account ADD COLUMN changed_at timestamptz;
ALTER TABLE hv.account ADD COLUMN changed_by text;
ALTER TABLE hv.account DROP CONSTRAINT account_role_check;
ALTER TABLE hv.account ADD CONSTRAINT account_role_check
    CHECK (role IN ('viewer', 'operator', 'engineer', 'administrator', 'auditor'));

CREATE OR REPLACE VIEW public.things AS
    SELECT t.code, t.name, t.domain, p.code AS parent, t.place, o.code AS organisation,
           t.kind, t.longitude, t.latitude, t.status, t.status_at, t.registered_at, t.district
    FROM hv.thing t
    LEFT JOIN hv.thing p ON p.thing_id = t.parent_id
    LEFT JOIN hv.organisation o ON o.organisation_id = t.organisation_id;
