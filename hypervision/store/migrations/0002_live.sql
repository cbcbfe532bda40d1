-- History never rings, not even when a second look finds it among the newest values.

ALTER TABLE hv.latest ADD COLUMN live boolean NOT NULL DEFAULT true;
