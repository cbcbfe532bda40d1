-- name: trouble_slow_function
-- What makes every statement that writes observations slow.
CREATE OR REPLACE FUNCTION hv.trouble_slow() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN PERFORM pg_sleep(0.4); RETURN NULL; END $$

-- name: trouble_slow_trigger
-- Called once a statement; COPY is one.
CREATE TRIGGER trouble_slow BEFORE INSERT ON hv.observation FOR EACH STATEMENT EXECUTE FUNCTION hv.trouble_slow()

-- name: trouble_slow_end
-- Fast again.
DROP FUNCTION IF EXISTS hv.trouble_slow() CASCADE

-- name: trouble_lock
-- Nobody else reads or writes observations until the transaction ends.
LOCK TABLE hv.observation IN ACCESS EXCLUSIVE MODE

-- name: trouble_connections
-- Whether anybody may connect to a database.
ALTER DATABASE {database} ALLOW_CONNECTIONS {allowed}

-- name: trouble_read_only
-- Whether transactions may write.
ALTER SYSTEM SET default_transaction_read_only = {value}

-- name: trouble_read_only_end
-- As it was.
ALTER SYSTEM RESET default_transaction_read_only

-- name: trouble_little_log
-- Checkpoints often, so that the write-ahead log stays small.
ALTER SYSTEM SET max_wal_size = '96MB'

-- name: trouble_switch_log
-- The next file of the write-ahead log is needed now.
SELECT pg_switch_wal()

-- name: trouble_reload
-- Changed settings hold from now on.
SELECT pg_reload_conf()

-- name: trouble_terminate
-- End the sessions of a database, but for our own.
SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
WHERE datname = %(database)s AND pid <> pg_backend_pid() AND application_name LIKE %(application)s

-- name: trouble_backend
-- The server process of a session.
SELECT pid FROM pg_stat_activity WHERE datname = %(database)s AND application_name LIKE %(application)s
ORDER BY backend_start DESC LIMIT 1
