-- online: rejected messages are listed by time of receipt, of one Thing or one reason too, and counted from an index alone.

CREATE INDEX CONCURRENTLY IF NOT EXISTS rejected_message_of_thing
    ON hv.rejected_message (thing, received_time, rejected_id);
CREATE INDEX CONCURRENTLY IF NOT EXISTS rejected_message_of_reason
    ON hv.rejected_message (reason, received_time, rejected_id);
-- Under a name of its own until the one before it is gone; repeated after its end it is made once more.
CREATE INDEX CONCURRENTLY IF NOT EXISTS rejected_message_listed ON hv.rejected_message (received_time, rejected_id)
    INCLUDE (thing, reason, count, partial, replayed_at);
DROP INDEX CONCURRENTLY IF EXISTS hv.rejected_message_received;
ALTER INDEX IF EXISTS hv.rejected_message_listed RENAME TO rejected_message_received;
