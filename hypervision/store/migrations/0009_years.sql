-- The database over years: which readings came late, and from when on something is still kept.

CREATE TABLE hv.late_day (
    day date PRIMARY KEY,
    rows bigint NOT NULL
);

CREATE FUNCTION hv.kept_from(what text) RETURNS timestamptz LANGUAGE sql STABLE PARALLEL SAFE
    RETURN coalesce((SELECT value::timestamptz FROM hv.installation WHERE key = 'kept from ' || what), '-infinity');
