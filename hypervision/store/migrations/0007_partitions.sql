-- A collector that was taken out of service on purpose: it is not missed, and its counters go on counting.

ALTER TABLE hv.writer ADD COLUMN retired_at timestamptz;
