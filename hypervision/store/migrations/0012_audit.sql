-- Who did what, to what, from where and why: a chain of hashes that only this database appends to. Its lines are
-- written by hv.audit_chain at the commit of what they tell of.

CREATE TABLE hv.audit (
    number bigint PRIMARY KEY,
    at timestamptz NOT NULL,
    actor text NOT NULL,
    action text NOT NULL,
    object_kind text NOT NULL,
    object_id text NOT NULL,
    address text NOT NULL,
    reason text NOT NULL,
    before jsonb,
    after jsonb,
    -- The database role that asked for the line.
    role text NOT NULL,
    previous bytea NOT NULL,
    hash bytea NOT NULL
);
CREATE INDEX audit_actor ON hv.audit (actor, number);
CREATE INDEX audit_action ON hv.audit (action, number);
CREATE INDEX audit_object ON hv.audit (object_kind, object_id, number);

-- The end of the chain; what is appended locks this one row.
CREATE TABLE hv.audit_head (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    number bigint NOT NULL,
    hash bytea NOT NULL
);
INSERT INTO hv.audit_head (number, hash) VALUES (0, decode(repeat('00', 32), 'hex'));

-- Lines of transactions under way: each goes to the end of the chain when its transaction commits, and not before, so
-- that the row of the end is the last lock of every transaction and is held no longer than a commit takes.
CREATE TABLE hv.audit_due (
    due_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    actor text NOT NULL CHECK (actor <> ''),
    action text NOT NULL CHECK (action ~ '^[a-z]+(_[a-z]+)*\.[a-z]+(_[a-z]+)*$'),
    object_kind text NOT NULL,
    object_id text NOT NULL,
    address text NOT NULL,
    reason text NOT NULL,
    before jsonb,
    after jsonb,
    -- This line seals the lines up to this number, which go with it.
    seals bigint
);

-- A field of the canonical form: how many bytes it has in UTF-8, a colon, itself; a minus where there is nothing.
CREATE FUNCTION hv.audit_field(field text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN coalesce(octet_length(convert_to(field, 'UTF8')) || ':' || field, '-') || ',';

-- What is hashed of a line: the hash before it, then each field. hypervision.auditing computes the same.
CREATE FUNCTION hv.audit_hash(line hv.audit) RETURNS bytea LANGUAGE sql STABLE PARALLEL SAFE
    RETURN sha256(line.previous || convert_to(
        hv.audit_field(line.number::text)
        || hv.audit_field(((extract(epoch FROM line.at) * 1000000)::bigint)::text)
        || hv.audit_field(line.actor) || hv.audit_field(line.action)
        || hv.audit_field(line.object_kind) || hv.audit_field(line.object_id)
        || hv.audit_field(line.address) || hv.audit_field(line.reason)
        || hv.audit_field(line.before::text) || hv.audit_field(line.after::text)
        || hv.audit_field(line.role), 'UTF8'));

-- The one way to a line, for every process. What begins with `audit_log.` is told by the log itself.
CREATE FUNCTION hv.audit_note(actor text, action text, object_kind text, object_id text, address text, reason text,
                              before jsonb, after jsonb) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF action LIKE 'audit\_log.%' THEN
        RAISE EXCEPTION 'the action % is told by the audit log itself', action USING ERRCODE = 'insufficient_privilege';
    END IF;
    INSERT INTO hv.audit_due (actor, action, object_kind, object_id, address, reason, before, after)
    VALUES (audit_note.actor, audit_note.action, audit_note.object_kind, audit_note.object_id, audit_note.address,
            audit_note.reason, audit_note.before, audit_note.after);
END $$;

-- Lets old lines go: up to the last one before an instant without a gap, `most` at most. The line of the seal, which
-- stands in the chain, says up to which number and with which hash, so that the rest can still be proved. For the owner.
CREATE FUNCTION hv.audit_seal(until timestamptz, most bigint, actor text, address text, reason text) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    oldest bigint := (SELECT min(a.number) FROM hv.audit a);
    through bigint;
BEGIN
    -- `least` leaves out what is null: nothing is so young. The newest line always stays, for the chain goes on from it.
    SELECT least(min(a.number) - 1, oldest + most - 1) INTO through FROM hv.audit a WHERE a.at >= audit_seal.until;
    SELECT least(through, h.number - 1) INTO through FROM hv.audit_head h;
    IF oldest IS NULL OR through < oldest THEN
        RETURN 0;
    END IF;
    INSERT INTO hv.audit_due (actor, action, object_kind, object_id, address, reason, seals)
    VALUES (audit_seal.actor, 'audit_log.seal', 'audit', through::text, audit_seal.address, audit_seal.reason, through);
    RETURN through - oldest + 1;
END $$;

CREATE FUNCTION hv.audit_chain() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    line hv.audit;
BEGIN
    -- Here everybody who appends waits for the commit before it; there is no gap, and no number twice.
    SELECT h.number + 1, h.hash INTO line.number, line.previous FROM hv.audit_head h FOR UPDATE;
    line.at := clock_timestamp();
    line.actor := NEW.actor;
    line.action := NEW.action;
    line.object_kind := NEW.object_kind;
    line.object_id := NEW.object_id;
    line.address := NEW.address;
    line.reason := NEW.reason;
    line.before := NEW.before;
    line.after := NEW.after;
    line.role := session_user;
    IF NEW.seals IS NOT NULL THEN
        SELECT jsonb_build_object('through', a.number, 'hash', encode(a.hash, 'hex')) INTO STRICT line.after
        FROM hv.audit a WHERE a.number = NEW.seals;
    END IF;
    line.hash := hv.audit_hash(line);
    INSERT INTO hv.audit SELECT line.*;
    UPDATE hv.audit_head SET number = line.number, hash = line.hash;
    DELETE FROM hv.audit_due WHERE due_id = NEW.due_id;
    IF NEW.seals IS NOT NULL THEN
        DELETE FROM hv.audit WHERE number <= NEW.seals;
    END IF;
    RETURN NULL;
END $$;

CREATE CONSTRAINT TRIGGER audit_chain AFTER INSERT ON hv.audit_due DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION hv.audit_chain();

-- What hv.audit_chain itself does comes from within a trigger; everything else is refused, to the owner as well.
CREATE FUNCTION hv.audit_refuse() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF pg_trigger_depth() < 2 THEN
        RAISE EXCEPTION 'the audit log is append-only: % of hv.% is refused', TG_OP, TG_TABLE_NAME
            USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER audit_refuse BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON hv.audit
    FOR EACH STATEMENT EXECUTE FUNCTION hv.audit_refuse();
CREATE TRIGGER audit_refuse BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON hv.audit_head
    FOR EACH STATEMENT EXECUTE FUNCTION hv.audit_refuse();
CREATE TRIGGER audit_refuse BEFORE UPDATE OR DELETE OR TRUNCATE ON hv.audit_due
    FOR EACH STATEMENT EXECUTE FUNCTION hv.audit_refuse();

REVOKE ALL ON FUNCTION hv.audit_note(text, text, text, text, text, text, jsonb, jsonb) FROM PUBLIC;
REVOKE ALL ON FUNCTION hv.audit_seal(timestamptz, bigint, text, text, text) FROM PUBLIC;

-- Room for the readings of a day, for processes that do not own the observations; under the lock
-- `lock_partitions`. A table of this name that is no partition is what an interrupted dropping left.
CREATE FUNCTION hv.make_room(name text, first date, last date) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    there regclass := to_regclass('hv.' || quote_ident(name));
    columns text;
BEGIN
    IF NOT (last > first AND (
            (name = 'observation_' || to_char(first, 'YYYYMMDD') AND last = first + 1)
            OR (name = 'observation_' || to_char(first, 'YYYYMM') AND first = date_trunc('month', first::timestamp)
                AND last = first + interval '1 month'))) THEN
        RAISE EXCEPTION '% is no partition from % to %', name, first, last USING ERRCODE = 'invalid_parameter_value';
    END IF;
    IF there IS NOT NULL THEN
        IF EXISTS (SELECT FROM pg_inherits i WHERE i.inhrelid = there) THEN
            RAISE EXCEPTION '% is in use', name USING ERRCODE = 'object_in_use';
        END IF;
        EXECUTE format('DROP TABLE hv.%I', name);
    END IF;
    SELECT string_agg(format('%I %s%s', attname, format_type(atttypid, atttypmod),
                             CASE WHEN attnotnull THEN ' NOT NULL' ELSE '' END), ', '
                      ORDER BY greatest(attlen, 0) DESC, attnum)
    INTO columns
    FROM pg_attribute WHERE attrelid = 'hv.observation'::regclass AND attnum > 0 AND NOT attisdropped;
    EXECUTE format('CREATE TABLE hv.%I (%s, PRIMARY KEY (datastream_id, phenomenon_time) WITH (fillfactor = 100))'
                   ' WITH (fillfactor = 100)', name, columns);
    EXECUTE format('ALTER TABLE hv.observation ATTACH PARTITION hv.%I FOR VALUES FROM (%L) TO (%L)', name,
                   to_char(first, 'YYYY-MM-DD') || ' 00:00:00+00', to_char(last, 'YYYY-MM-DD') || ' 00:00:00+00');
END $$;
REVOKE ALL ON FUNCTION hv.make_room(text, date, date) FROM PUBLIC;
