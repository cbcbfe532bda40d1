-- Gaps: silences of datastreams, numbers that never came, known outages of the platform itself.

-- Silences that are over: two consecutive readings further apart than two expected periods. Made with the roll-ups.
CREATE TABLE hv.hole (
    datastream_id int NOT NULL,
    began timestamptz NOT NULL,
    ended timestamptz NOT NULL,
    missing bigint NOT NULL,
    PRIMARY KEY (datastream_id, began)
);
CREATE INDEX hole_ended ON hv.hole (ended);

-- How far a device's message counter has come: one row for every run of it, from one restart to the next.
CREATE TABLE hv.sequence (
    sequence_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    thing_id int NOT NULL REFERENCES hv.thing,
    domain text NOT NULL,
    boot text NOT NULL,
    first_seq bigint NOT NULL,
    last_seq bigint NOT NULL,
    first_time timestamptz NOT NULL,
    last_time timestamptz NOT NULL,
    version bigint NOT NULL
) WITH (fillfactor = 50);
CREATE INDEX sequence_thing ON hv.sequence (thing_id, domain);
CREATE UNIQUE INDEX sequence_boot ON hv.sequence (thing_id, domain, boot) WHERE boot <> '';

-- Numbers of a run that have not come; began and ended are the times of the messages on both sides.
CREATE TABLE hv.sequence_gap (
    sequence_id bigint NOT NULL,
    thing_id int NOT NULL REFERENCES hv.thing,
    domain text NOT NULL,
    boot text NOT NULL,
    first_seq bigint NOT NULL,
    last_seq bigint NOT NULL,
    began timestamptz NOT NULL,
    ended timestamptz NOT NULL,
    PRIMARY KEY (sequence_id, first_seq)
);
CREATE INDEX sequence_gap_thing ON hv.sequence_gap (thing_id, ended);
CREATE INDEX sequence_gap_ended ON hv.sequence_gap (ended);

-- When a part of the platform itself was away, written by the collector after it was over.
CREATE TABLE hv.outage (
    writer text NOT NULL,
    cause text NOT NULL CHECK (cause IN ('broker', 'database', 'collector')),
    began timestamptz NOT NULL,
    ended timestamptz NOT NULL,
    PRIMARY KEY (writer, cause, began)
);
CREATE INDEX outage_ended ON hv.outage (ended);

-- How many readings of this period did not come between two that did.
CREATE FUNCTION hv.missing(length interval, expected_period interval) RETURNS bigint LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN round(extract(epoch FROM length) / extract(epoch FROM expected_period))::bigint - 1;

-- All gaps with what the screens need to know of them. A silence has no end while it lasts.
CREATE VIEW hv.gap AS
    SELECT t.thing_id, t.organisation_id, d.datastream_id, d.domain, t.code AS thing, d.property,
           h.began, h.ended, 'silence' AS cause, h.missing
    FROM hv.hole h
    JOIN hv.datastream d ON d.datastream_id = h.datastream_id
    JOIN hv.thing t ON t.thing_id = d.thing_id
UNION ALL
    SELECT t.thing_id, t.organisation_id, d.datastream_id, d.domain, t.code, d.property,
           n.since, NULL, 'silence', hv.missing(now() - n.since, d.expected_period)
    FROM hv.latest l
    JOIN hv.datastream d ON d.datastream_id = l.datastream_id
    JOIN hv.thing t ON t.thing_id = d.thing_id
    -- A newest reading that was invalidated is none.
    CROSS JOIN LATERAL (
        SELECT CASE WHEN l.quality > 0 THEN l.phenomenon_time ELSE (
            SELECT max(x.phenomenon_time) FROM hv.observation x
            WHERE x.datastream_id = l.datastream_id AND x.quality > 0) END AS since) AS n
    WHERE d.kind <> 'event' AND d.expected_period > interval '0'
          AND n.since < now() - hv.hold(d.kind, d.expected_period)
UNION ALL
    SELECT t.thing_id, t.organisation_id, NULL, g.domain, t.code, NULL,
           least(g.began, g.ended), greatest(g.began, g.ended), 'sequence', g.last_seq - g.first_seq + 1
    FROM hv.sequence_gap g
    JOIN hv.thing t ON t.thing_id = g.thing_id
UNION ALL
    SELECT NULL, NULL, NULL, NULL, NULL, NULL, o.began, o.ended, o.cause, NULL
    FROM hv.outage o;

CREATE VIEW public.gaps AS
    SELECT thing, property, began AS start, ended AS "end", cause, missing FROM hv.gap;

-- The silences of what is stored already are found with the next pass.
INSERT INTO hv.rollup_due (datastream_id, hour)
    SELECT r.datastream_id, r.bucket
    FROM hv.rollup r JOIN hv.datastream d ON d.datastream_id = r.datastream_id
    WHERE r.level = 0 AND d.expected_period IS NOT NULL
    ON CONFLICT (datastream_id, hour) DO NOTHING;
