from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import numpy as np
import pytest

from hypervision.batch import REJECTED, STORED, Batch, Draft, Identity, Receipt
from hypervision.errors import PermanentStoreError, TemporaryStoreError
from ingest import committer as committer_module
from ingest.assembly import Load
from ingest.committer import Committer
from ingest.counters import Counters, Snapshot
from ingest.held import digest
from ingest.outages import Outages


def load(*payloads: bytes) -> Load:
    draft = Draft()
    for payload in payloads:
        m = draft.message_of("t", payload, received_us=1)
        draft.reading(m, slot=0, time_us=m, result=1.0)
    return Load(draft.close(), list(range(1, len(payloads) + 1)), [], 1)


class FakeStore:
    """Refuses for good what holds `bad`, and for now as often as `away` says."""

    def __init__(self, away: int = 0) -> None:
        self.away = away
        self.batches: list[Batch] = []
        self.gate = threading.Event()
        self.gate.set()

    def commit(self, batch: Batch, *, now: datetime) -> Receipt:  # noqa: ARG002
        self.gate.wait(5)
        if self.away:
            self.away -= 1
            raise TemporaryStoreError("database: away")
        if any(batch.payloads[m] == b"bad" for m in batch.message):
            raise PermanentStoreError("database: no such row")
        self.batches.append(batch)
        outcome = np.full(batch.messages, STORED, np.int8)
        outcome[[r.message for r in batch.refusals]] = REJECTED
        rejected = int((outcome == REJECTED).sum())
        return Receipt(outcome, batch.messages - rejected, rejected, 0, len(batch), 0)


def test_batch_is_tried_again_until_the_database_is_back(
    monkeypatch: pytest.MonkeyPatch, wait_until: Callable[..., None]
) -> None:
    monkeypatch.setattr(committer_module, "_FIRST_PAUSE", 0.001)
    store, counters = FakeStore(away=3), Counters((0, 0, 0))
    committer = Committer(store, counters, settled=lambda: None)
    counters.arrived(2)
    first = load(b"a", b"b")
    committer.submit(first)
    assert not committer.idle
    committer.start()
    wait_until(lambda: committer.idle)
    assert list(committer.done) == [first]
    assert [batch is first.batch for batch in store.batches] == [True]
    assert counters.snapshot() == Snapshot(2, 2, 0, 0, 0)
    assert committer.stop(1.0)


def test_message_the_store_refuses_is_rejected_alone(wait_until: Callable[..., None]) -> None:
    store, counters = FakeStore(), Counters((0, 0, 0))
    committer = Committer(store, counters, settled=lambda: None)
    counters.arrived(7)
    committer.submit(load(b"a", b"b", b"bad", b"c", b"d", b"e", b"f"))
    committer.start()
    wait_until(lambda: committer.idle)
    assert counters.snapshot() == Snapshot(7, 6, 0, 1, 0)
    assert [p for batch in store.batches for p in batch.payloads] == [b"a", b"b", b"bad", b"c", b"d", b"e", b"f"]
    refusals = [(batch.payloads[r.message], r.reason) for batch in store.batches for r in batch.refusals]
    assert refusals == [(b"bad", "store_refused")]
    committer.stop(1.0)


def test_refused_messages_are_noted_with_their_place_in_the_load(wait_until: Callable[..., None]) -> None:
    class Telling(FakeStore):
        def commit(self, batch: Batch, *, now: datetime) -> Receipt:
            receipt = super().commit(batch, now=now)
            refused = tuple(m for m, payload in enumerate(batch.payloads) if payload in (b"no", b"bad"))
            return replace(receipt, refused=refused)

    committer = Committer(Telling(), Counters((0, 0, 0)), settled=lambda: None)
    given = load(b"a", b"no", b"bad", b"c", b"no")
    committer.submit(given)
    committer.start()
    wait_until(lambda: committer.idle)
    assert set(given.anonymous) == {(2, digest("t", b"no")), (3, digest("t", b"bad")), (5, digest("t", b"no"))}
    committer.stop(1.0)


def test_loads_that_wait_can_be_discarded_and_the_running_one_ends(wait_until: Callable[..., None]) -> None:
    store = FakeStore()
    store.gate.clear()
    committer = Committer(store, Counters((0, 0, 0)), settled=lambda: None)
    committer.start()
    committer.submit(load(b"a"))
    wait_until(lambda: not committer.full and committer._queue.empty())
    committer.submit(load(b"b", b"c"))
    committer.submit(load(b"d"))
    assert committer.full
    assert committer.discard() == 3
    assert not committer.idle
    store.gate.set()
    wait_until(lambda: committer.idle)
    assert [batch.payloads for batch in store.batches] == [[b"a"]]
    assert committer.stop(1.0)


def test_stop_abandons_a_batch_that_waits_for_the_database() -> None:
    committer = Committer(FakeStore(away=10_000), Counters((0, 0, 0)), settled=lambda: None)
    committer.start()
    committer.submit(load(b"a"))
    assert not committer.stop(0.2)
    assert not committer.done


def test_message_whose_identity_is_refused_is_rejected_alone(wait_until: Callable[..., None]) -> None:
    class Narrow(FakeStore):
        def commit(self, batch: Batch, *, now: datetime) -> Receipt:
            if any(len(identity.boot) > 64 for identity in batch.identities):
                raise PermanentStoreError("database: index row size exceeds the maximum")
            return super().commit(batch, now=now)

    store, counters = Narrow(), Counters((0, 0, 0))
    committer = Committer(store, counters, settled=lambda: None)
    given = load(b"a", b"b")
    given.batch.identities.append(Identity(1, "p1", "9" * 3000, 1, 4711))
    counters.arrived(2)
    committer.submit(given)
    committer.start()
    wait_until(lambda: committer.idle)
    assert counters.snapshot() == Snapshot(2, 1, 0, 1, 0)
    committer.stop(1.0)


def test_store_that_refuses_even_nothing_is_a_failure(wait_until: Callable[..., None]) -> None:
    class Broken(FakeStore):
        def commit(self, batch: Batch, *, now: datetime) -> Receipt:  # noqa: ARG002
            raise PermanentStoreError("database: no such table")

    committer = Committer(Broken(), Counters((0, 0, 0)), settled=lambda: None)
    committer.start()
    committer.submit(load(b"a"))
    wait_until(lambda: committer.failure is not None)
    assert "no such table" in str(committer.failure)
    assert not committer.done


class Fragile(FakeStore):
    """Hangs up, or takes too long, over whatever holds `bad`."""

    def __init__(self, sqlstate: str, *, midway: bool = True) -> None:
        super().__init__()
        self.sqlstate, self.midway, self.tried = sqlstate, midway, 0

    def commit(self, batch: Batch, *, now: datetime) -> Receipt:
        if any(batch.payloads[m] == b"bad" for m in batch.message):
            self.tried += 1
            error = TemporaryStoreError("database: the server closed the connection", sqlstate=self.sqlstate)
            error.midway = self.midway
            raise error
        return super().commit(batch, now=now)


@pytest.mark.parametrize("sqlstate", ["", "57P02", "08006"])
def test_message_over_which_the_server_hangs_up_each_time_is_refused_alone(
    sqlstate: str, monkeypatch: pytest.MonkeyPatch, wait_until: Callable[..., None]
) -> None:
    monkeypatch.setattr(committer_module, "_FIRST_PAUSE", 0.0)
    store, counters = Fragile(sqlstate), Counters((0, 0, 0))
    committer = Committer(store, counters, settled=lambda: None)
    counters.arrived(4)
    committer.submit(load(b"a", b"b", b"bad", b"c"))
    committer.start()
    wait_until(lambda: committer.idle)
    assert counters.snapshot() == Snapshot(4, 3, 0, 1, 0)
    assert [p for batch in store.batches for p in batch.payloads] == [b"a", b"b", b"bad", b"c"]
    # Three blows each for four and two messages, eight for the one.
    assert store.tried == 3 + 3 + 8
    committer.stop(1.0)


def test_batch_that_takes_too_long_is_made_smaller_and_no_message_refused(
    monkeypatch: pytest.MonkeyPatch, wait_until: Callable[..., None]
) -> None:
    monkeypatch.setattr(committer_module, "_FIRST_PAUSE", 0.0)
    store, counters = Fragile("57014"), Counters((0, 0, 0))
    committer = Committer(store, counters, settled=lambda: None)
    committer.submit(load(b"a", b"bad"))
    committer.start()
    wait_until(lambda: store.tried > 50)
    assert [batch.payloads for batch in store.batches] == [[b"a"]]
    assert not [r for batch in store.batches for r in batch.refusals]
    committer.stop(1.0)


def test_database_that_is_away_says_nothing_about_the_batch(
    monkeypatch: pytest.MonkeyPatch, wait_until: Callable[..., None]
) -> None:
    monkeypatch.setattr(committer_module, "_FIRST_PAUSE", 0.0)
    store = Fragile("", midway=False)
    committer = Committer(store, Counters((0, 0, 0)), settled=lambda: None)
    committer.submit(load(b"a", b"bad"))
    committer.start()
    wait_until(lambda: store.tried > 50)
    assert not store.batches
    committer.stop(1.0)


class Notebook:
    """What is noted, and which of it is written."""

    def __init__(self) -> None:
        self.noted: list[tuple[str, datetime, datetime]] = []
        self.written: list[tuple[str, datetime, datetime]] = []

    def note(self, cause: str, began: datetime, ended: datetime) -> None:
        self.noted.append((cause, began, ended))

    def write(self) -> None:
        self.written += self.noted
        self.noted.clear()


def test_time_without_the_database_is_noted_once_it_is_back(
    monkeypatch: pytest.MonkeyPatch, wait_until: Callable[..., None]
) -> None:
    monkeypatch.setattr(committer_module, "_FIRST_PAUSE", 0.01)
    notebook = Notebook()
    committer = Committer(FakeStore(away=4), Counters((0, 0, 0)), settled=lambda: None, outages=notebook)
    before = datetime.now(UTC)
    committer.submit(load(b"a"))
    committer.submit(load(b"b"))
    committer.start()
    wait_until(lambda: committer.idle and notebook.written)
    ((cause, began, ended),) = notebook.written
    assert cause == "database"
    assert before <= began < ended <= datetime.now(UTC)
    assert committer.stop(1.0)


def test_outage_is_written_although_no_message_comes(
    monkeypatch: pytest.MonkeyPatch, wait_until: Callable[..., None]
) -> None:
    monkeypatch.setattr(committer_module, "_IDLE", 0.01)
    notebook = Notebook()
    committer = Committer(FakeStore(), Counters((0, 0, 0)), settled=lambda: None, outages=notebook)
    committer.start()
    now = datetime.now(UTC)
    notebook.note("broker", now - timedelta(minutes=1), now)
    wait_until(lambda: notebook.written)
    assert committer.stop(1.0)


def test_what_is_over_within_seconds_is_no_outage() -> None:
    excused: list[tuple[int, int]] = []
    outages = Outages(SimpleNamespace(excuse=lambda *times: excused.append(times)))  # type: ignore[arg-type]
    now = datetime.now(UTC)
    outages.note("broker", now - timedelta(seconds=4), now)
    # The store would have been asked, and there is none.
    outages.write()
    outages.note("broker", now - timedelta(seconds=6), now)
    with pytest.raises(AttributeError):
        outages.write()
    assert [ended - began for began, ended in excused] == [6_000_000]
