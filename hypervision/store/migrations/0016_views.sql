-- online: views that people keep, their notes beside the charts, and the steps of all alarms by time.

-- What an account keeps of the control room: the address of a page with everything chosen on it.
CREATE TABLE IF NOT EXISTS hv.saved_view (
    view_id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL,
    owner text NOT NULL,
    -- What of the town its owner saw then: shared, it is for who sees the same.
    scope jsonb NOT NULL,
    shared boolean NOT NULL DEFAULT false,
    address text NOT NULL,
    at timestamptz NOT NULL,
    UNIQUE (owner, name)
);

-- What people remark beside the readings.
CREATE TABLE IF NOT EXISTS hv.note (
    note_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at timestamptz NOT NULL,
    thing_id int REFERENCES hv.thing,
    -- What of the town its author saw then: without a Thing it is for who sees the same.
    scope jsonb NOT NULL,
    text text NOT NULL,
    author text NOT NULL,
    written_at timestamptz NOT NULL,
    removed_at timestamptz,
    removed_by text
);
CREATE INDEX IF NOT EXISTS note_at ON hv.note (at) WHERE removed_at IS NULL;

-- What rang and was acknowledged within some time, whichever alarm it was.
CREATE INDEX CONCURRENTLY IF NOT EXISTS alarm_transition_recorded ON hv.alarm_transition (recorded_at);
