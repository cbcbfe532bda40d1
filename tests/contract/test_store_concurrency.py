"""Several writers at once, and a database that goes away: nothing lost, nothing doubled, nobody deadlocked."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import psycopg
import pytest

from hypervision import intake as intake_module
from hypervision.clock import to_us
from hypervision.errors import PermanentStoreError, TemporaryStoreError
from hypervision.intake import Intake
from hypervision.store import alarms as alarm_store
from hypervision.store.connection import connect
from hypervision.store.writer import Writer

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("several")]
NOW = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)


def heat(thing: str, seconds: float, result: float) -> tuple[str, str, str, datetime, float]:
    return ("waste", thing, "temperature", NOW + seconds * SECOND, result)


def run(*works: Callable[[], None]) -> None:
    """Run in threads; the first failure is the test's."""
    failures: list[BaseException] = []

    def guarded(work: Callable[[], None]) -> None:
        try:
            work()
        except BaseException as error:  # noqa: BLE001
            failures.append(error)

    threads = [threading.Thread(target=guarded, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=120)
        assert not thread.is_alive()
    if failures:
        raise failures[0]


def wait_for_lock(world: Any) -> None:
    """Wait until somebody waits for a lock."""
    deadline = time.monotonic() + 20
    while world.rows(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    ) == [(0,)]:
        assert time.monotonic() < deadline, "nobody waits for a lock"
        time.sleep(0.02)


def test_two_writers_of_the_same_readings_in_opposite_order(world: Any) -> None:
    """Each reading rings; both writers send all of them, one forwards, one backwards."""
    things = [f"bin-{n}" for n in range(40)]
    world.send(world.intake("warm"), *[heat(thing, -10, 20.0) for thing in things])
    done: list[tuple[int, int, int]] = []

    def write(intake: Intake, order: int) -> Callable[[], None]:
        def work() -> None:
            for turn in range(12):
                readings = [heat(thing, turn, 70.0 if turn % 2 else 20.0) for thing in things[::order]]
                world.send(intake, *readings)
            done.append(intake.committed)

        return work

    run(write(world.intake("collector-1"), 1), write(world.intake("collector-2"), -1))
    assert world.rows("SELECT count(*) FROM observations") == [(40 * 13,)]
    stored, duplicate, rejected = (sum(column) for column in zip(*done, strict=True))
    assert (stored, duplicate, rejected) == (40 * 12, 40 * 12, 0)
    # One occurrence per bin: it rings and returns again and again, unacknowledged.
    assert world.rows("SELECT count(*), count(DISTINCT thing) FROM alarms") == [(40, 40)]
    assert world.rows("SELECT count(*) FROM alarm_transitions WHERE to_state = 'UNACK'") == [(40 * 6,)]
    assert world.rows("SELECT DISTINCT state FROM alarms") == [("UNACK",)]


def test_new_things_registered_by_two_writers_at_once(world: Any) -> None:
    def write(intake: Intake, order: int) -> Callable[[], None]:
        def work() -> None:
            for turn, n in enumerate(range(30)[::order]):
                world.send(intake, heat(f"bin-{n}", turn, 1.0))

        return work

    run(write(world.intake("collector-1"), 1), write(world.intake("collector-2"), -1))
    assert world.rows("SELECT count(*), count(DISTINCT code) FROM things") == [(30, 30)]
    assert world.rows("SELECT count(*) FROM datastreams") == [(30,)]


@pytest.mark.usefixtures("several", "days_apart")
def test_partitions_of_new_days_made_by_several_writers_at_once(world: Any) -> None:
    days = np.array([to_us(NOW + timedelta(days=n)) for n in range(12)], np.int64)
    intakes = [world.intake(f"collector-{n}") for n in range(3)]
    start = threading.Barrier(3)

    def make(intake: Intake) -> Callable[[], None]:
        def work() -> None:
            start.wait()
            intake.ensure_days(days, now=NOW)

        return work

    run(*[make(intake) for intake in intakes])
    assert world.rows("SELECT count(*) FROM pg_inherits WHERE inhparent = 'hv.observation'::regclass") == [(12,)]


def test_acknowledgement_and_return_at_the_same_instant_both_count(world: Any) -> None:
    intake = world.intake()
    world.send(intake, heat("bin", 0, 70.0))
    ((number,),) = world.rows("SELECT id FROM alarms")
    with connect(world.url, application="holder") as holder:
        # Somebody holds the condition; the acknowledgement and the reading both wait for it.
        holder.execute("SELECT * FROM hv.alarm_condition FOR UPDATE")

        def acknowledge() -> None:
            with connect(world.url, application="serve", autocommit=True) as connection:
                alarm_store.acknowledge(connection, number, actor="operator", comment="", now=NOW)

        def release() -> None:
            wait_for_lock(world)
            holder.rollback()

        run(acknowledge, lambda: world.send(intake, heat("bin", 1, 20.0)) and None, release)
    assert world.rows("SELECT state, acknowledged_by, returned_at FROM alarms") == [("NORM", "operator", NOW + SECOND)]
    steps = world.journal()
    assert steps[0] == ("NORM", "UNACK", "limit")
    assert {cause for _, _, cause in steps[1:]} == {"acknowledge", "return to normal"}
    assert steps[1][1] == steps[2][0]


def test_edit_of_a_rule_waits_for_the_batch_that_uses_it(world: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    intake = world.intake()
    inside, go = threading.Event(), threading.Event()
    real = Writer.write

    def slow(self: Writer, columns: Any) -> Any:
        inside.set()
        assert go.wait(20)
        return real(self, columns)

    monkeypatch.setattr(Writer, "write", slow)

    def edit() -> None:
        assert inside.wait(20)
        world.edit("waste.temperature.high", "limit_value = 80")

    def release() -> None:
        wait_for_lock(world)
        go.set()

    run(lambda: world.send(intake, heat("bin", 0, 70.0)) and None, edit, release)
    assert world.rows("SELECT rule_version, limit_value FROM alarms") == [(1, 65.0)]
    world.send(intake, heat("other", 0, 70.0))
    assert world.rows("SELECT count(*) FROM alarms") == [(1,)]


def test_two_writers_of_one_name_refuse_to_run(world: Any) -> None:
    world.intake("collector-1")
    with pytest.raises(TemporaryStoreError, match="another process writes as 'collector-1'"):
        Intake.open(world.settings(), writer="collector-1", wait=0.0)
    # The refused one left no connection behind.
    assert world.rows("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'hypervision collector-1'") == [
        (1,)
    ]


def test_batch_is_stored_after_the_connections_were_cut(world: Any) -> None:
    intake = world.intake()
    world.send(intake, heat("bin", 0, 70.0))
    world.server.kick(world.url)
    batch = world.batch(intake, heat("bin", 1, 71.0), heat("other", 1, 70.0))
    with pytest.raises(TemporaryStoreError):
        intake.commit(batch, now=NOW)
    receipt = intake.commit(batch, now=NOW)
    assert (receipt.stored, receipt.duplicate) == (2, 0)
    assert world.alarms() == [("waste.temperature.high", "bin", "UNACK"), ("waste.temperature.high", "other", "UNACK")]
    assert intake.committed == (3, 0, 0)


def test_caches_are_taken_anew_after_a_reconnection(world: Any) -> None:
    intake = world.intake()
    world.send(intake, heat("bin", 0, 20.0), heat("gone", 0, 20.0))
    world.server.kick(world.url)
    # Meanwhile the database was restored to another state: other ids, other newest values, an alarm.
    world.execute(
        "TRUNCATE hv.observation, hv.latest, hv.alarm_condition, hv.alarm_transition, hv.alarm, hv.datastream, hv.thing"
        " RESTART IDENTITY CASCADE"
    )
    other = world.intake("collector-2")
    world.send(other, heat("new", 0, 20.0), heat("bin", -30, 70.0))
    with pytest.raises(TemporaryStoreError):
        world.send(intake, heat("bin", -20, 71.0))
    receipt = world.send(intake, heat("bin", -20, 71.0))
    assert receipt.stored == 1
    assert world.rows("SELECT thing, phenomenon_time, late FROM observations WHERE thing = 'bin' ORDER BY 2") == [
        ("bin", NOW - 30 * SECOND, False),
        ("bin", NOW - 20 * SECOND, False),
    ]
    assert len(world.journal()) == 1
    world.send(intake, heat("bin", -10, 20.0))
    assert world.alarms() == [("waste.temperature.high", "bin", "RTNUN")]


def test_commit_whose_answer_was_lost_is_not_done_twice(world: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    intake = world.intake()
    world.send(intake, heat("bin", 0, 20.0))
    batch = world.batch(intake, heat("bin", 1, 70.0), heat("bin", 2, 71.0))
    real = psycopg.Connection.commit
    with monkeypatch.context() as patched:

        def lose(self: Any) -> None:
            done = self.execute("SELECT commit_no FROM hv.writer WHERE name = 'collector-1'").fetchone() == (2,)
            real(self)
            if done:  # the server has it; its answer never came
                self.close()
                raise psycopg.OperationalError("server closed the connection unexpectedly")

        patched.setattr(psycopg.Connection, "commit", lose)
        with pytest.raises(TemporaryStoreError):
            intake.commit(batch, now=NOW)
    receipt = intake.commit(batch, now=NOW)
    assert (receipt.stored, receipt.duplicate, receipt.rows, receipt.transitions) == (2, 0, 2, 1)
    # The question was a transaction, and is over.
    assert intake.connection.info.transaction_status == psycopg.pq.TransactionStatus.IDLE
    assert intake.committed == (3, 0, 0)
    assert world.journal() == [("NORM", "UNACK", "limit")]
    world.send(intake, heat("bin", 3, 20.0))
    assert world.alarms() == [("waste.temperature.high", "bin", "RTNUN")]


def test_batch_in_doubt_is_not_taken_apart_before_its_fate_is_known(
    world: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its commit went through, and what happens next looks like a refusal for good."""
    intake = world.intake()
    batch = world.batch(intake, heat("bin", 1, 20.0), heat("bin", 2, 21.0))
    real = psycopg.Connection.commit

    def lose(self: Any) -> None:
        done = self.execute("SELECT commit_no FROM hv.writer WHERE name = 'collector-1'").fetchone() == (1,)
        real(self)
        if done:
            self.close()
            raise psycopg.OperationalError("server closed the connection unexpectedly")

    def refuse(*_: object, **__: object) -> None:
        raise PermanentStoreError("database: password authentication failed", sqlstate="28P01")

    with monkeypatch.context() as patched:
        patched.setattr(psycopg.Connection, "commit", lose)
        with pytest.raises(TemporaryStoreError):
            intake.commit(batch, now=NOW)
    with monkeypatch.context() as patched:
        patched.setattr(intake_module, "reconnect", refuse)
        with pytest.raises(TemporaryStoreError, match="whether the last batch is stored is not known"):
            intake.commit(batch, now=NOW)
    # Whoever comes first settles it; the batch keeps its receipt.
    with intake.between():
        pass
    assert intake.commit(batch, now=NOW).stored == 2
    assert intake.committed == (2, 0, 0)


def test_batch_whose_commit_is_followed_by_a_failure_is_stored_once(
    world: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    intake = world.intake()
    batch = world.batch(intake, heat("bin", 1, 20.0))

    def fail(*_: object, **__: object) -> None:
        raise ZeroDivisionError("what nobody thought of")

    with monkeypatch.context() as patched:
        patched.setattr(intake._observing, "committed", fail)
        assert intake.commit(batch, now=NOW).stored == 1
    assert world.send(intake, heat("bin", 1, 20.0)).duplicate == 1
    assert intake.committed == (1, 1, 0)


def test_commit_that_never_reached_the_server_is_done_again(world: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    intake = world.intake()
    world.send(intake, heat("bin", 0, 20.0))
    batch = world.batch(intake, heat("bin", 1, 70.0))
    with monkeypatch.context() as patched:

        def lose(self: Writer, **_: object) -> None:
            self.connection.close()
            raise psycopg.OperationalError("server closed the connection unexpectedly")

        patched.setattr(Writer, "commit", lose)
        with pytest.raises(TemporaryStoreError):
            intake.commit(batch, now=NOW)
    assert world.rows("SELECT count(*) FROM observations") == [(1,)]
    assert intake.commit(batch, now=NOW).stored == 1
    assert world.journal() == [("NORM", "UNACK", "limit")]


def test_transaction_number_that_was_given_again_after_a_crash_does_not_speak_for_the_batch(
    world: Any, monkeypatch: pytest.MonkeyPatch, wait_until: Callable[..., None]
) -> None:
    """Nothing of the batch reached the disk; its number now belongs to a transaction that was committed."""
    intake = world.intake()
    batch = world.batch(intake, heat("bin", 0, 20.0))

    def lose(self: Writer, **_: object) -> None:
        self.connection.close()
        raise psycopg.OperationalError("server closed the connection unexpectedly")

    with monkeypatch.context() as patched:
        patched.setattr(Writer, "commit", lose)
        with pytest.raises(TemporaryStoreError):
            intake.commit(batch, now=NOW)
    ((given_again,),) = world.rows("SELECT pg_current_xact_id()::text")
    asked = Writer.was_committed
    monkeypatch.setattr(Writer, "was_committed", lambda self, _, commit_no: asked(self, given_again, commit_no))

    def stored() -> int:
        # The server keeps the name taken until it has noticed that the line is cut.
        with suppress(TemporaryStoreError):
            return intake.commit(batch, now=NOW).stored
        return 0

    wait_until(stored)
    assert world.rows("SELECT count(*) FROM observations") == [(1,)]


def test_phases_follow_what_another_writer_did(world: Any) -> None:
    one, two = world.intake("collector-1"), world.intake("collector-2")
    world.send(one, heat("bin", 0, 20.0))
    world.send(two, heat("bin", 1, 70.0))
    world.send(one, heat("bin", 2, 20.0))
    world.send(two, heat("bin", 3, 70.0))
    world.send(one, heat("bin", 4, 71.0))
    assert [row[1] for row in world.journal()] == ["UNACK", "RTNUN", "UNACK"]


def test_late_is_judged_by_what_another_writer_made_newest(world: Any) -> None:
    one, two = world.intake("collector-1"), world.intake("collector-2")
    world.send(one, heat("bin", -200, 20.0))
    world.send(two, heat("bin", 0, 20.0))
    world.send(one, heat("bin", -100, 70.0))
    assert world.rows("SELECT count(*) FROM observations WHERE late") == [(1,)]
    assert world.alarms() == []


def test_commit_of_a_namesake_is_not_taken_for_ones_own(
    world: Any, monkeypatch: pytest.MonkeyPatch, several: None
) -> None:
    """The answer of a commit is lost, it did not go through, and another process went on under the same name."""
    first = world.intake()
    batch = world.batch(first, ("waste", "bin", "temperature", NOW, 20.0))

    def lost(self: Writer, **_: Any) -> None:
        self.connection.close()
        raise TemporaryStoreError("the line is cut")

    with monkeypatch.context() as patched:
        patched.setattr(Writer, "commit", lost)
        with pytest.raises(TemporaryStoreError) as failure:
            first.commit(batch, now=NOW)
    assert not failure.value.midway
    other = world.intake()
    world.send(other, ("waste", "other", "temperature", NOW, 20.0))
    world.close(other)
    receipt = first.commit(batch, now=NOW)
    assert (receipt.stored, receipt.rows) == (1, 1)
    assert sorted(world.rows("SELECT thing FROM observations")) == [("bin",), ("other",)]


def test_failure_tells_whether_it_struck_the_batch_or_the_line(world: Any, several: None) -> None:
    intake = world.intake()
    batch = world.batch(intake, ("waste", "bin", "temperature", NOW, 20.0))
    world.server.kick(world.url)
    with pytest.raises(TemporaryStoreError) as failure:
        intake.commit(batch, now=NOW)
    assert failure.value.midway
    monkey = intake._url
    intake._url = "postgresql://127.0.0.1:1/nowhere"
    with pytest.raises(TemporaryStoreError) as failure:
        intake.commit(batch, now=NOW)
    assert not failure.value.midway
    intake._url = monkey
    assert intake.commit(batch, now=NOW).stored == 1
