-- Hours with readings out of range: roll-ups leave such readings out, charts draw them. A wide chart looks here where
-- its hours need a second look. Kept by the roll-ups.
CREATE TABLE hv.outside (
    datastream_id int NOT NULL,
    hour timestamptz NOT NULL,
    PRIMARY KEY (datastream_id, hour)
);

SET LOCAL statement_timeout = 0;
INSERT INTO hv.outside (datastream_id, hour)
SELECT DISTINCT datastream_id, date_trunc('hour', phenomenon_time, 'UTC') FROM hv.observation WHERE quality = 3;
