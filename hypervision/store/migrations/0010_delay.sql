-- The receipt as a delay: its wandering microseconds were a third of a compressed reading. A reading that was received
-- within 32 s of its time and is not late has a delay, and neither late nor received_time; every other has both of them
-- and no delay.

ALTER TABLE hv.observation ADD COLUMN delay_ms smallint;
ALTER TABLE hv.observation ALTER COLUMN received_time DROP NOT NULL;
ALTER TABLE hv.observation ALTER COLUMN late DROP NOT NULL;

CREATE FUNCTION hv.receipt(phenomenon_time timestamptz, delay_ms smallint, received_time timestamptz)
    RETURNS timestamptz LANGUAGE sql STABLE PARALLEL SAFE
    RETURN coalesce(received_time, phenomenon_time + delay_ms * interval '1 millisecond');

CREATE OR REPLACE VIEW public.observations AS
    SELECT d.domain, t.code AS thing, d.property, x.phenomenon_time, x.result, d.unit,
           hv.quality_name(x.quality) AS quality, coalesce(x.late, false) AS late,
           hv.receipt(x.phenomenon_time, x.delay_ms, x.received_time) AS received_time, s.label AS state
    FROM hv.observation x
    JOIN hv.datastream d ON d.datastream_id = x.datastream_id
    JOIN hv.thing t ON t.thing_id = d.thing_id
    LEFT JOIN hv.state_label s ON s.domain = d.domain AND s.property = d.property AND s.result = x.result;
