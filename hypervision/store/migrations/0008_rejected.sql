-- Rejected messages are listed by time of receipt, of one Thing or one reason too, and counted from an index alone.

DROP INDEX hv.rejected_message_received;
CREATE INDEX rejected_message_received ON hv.rejected_message (received_time, rejected_id)
    INCLUDE (thing, reason, count, partial, replayed_at);
CREATE INDEX rejected_message_of_thing ON hv.rejected_message (thing, received_time, rejected_id);
CREATE INDEX rejected_message_of_reason ON hv.rejected_message (reason, received_time, rejected_id);
