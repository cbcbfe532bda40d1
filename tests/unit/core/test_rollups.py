"""Hours are computed in steps that the database can do."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from hypervision import rollups
from hypervision.errors import TemporaryStoreError
from hypervision.store import rollups as store
from hypervision.store.rollups import Marked

MARKED = [Marked(1, datetime(2026, 3, 20, tzinfo=UTC) + timedelta(hours=i)) for i in range(10)]


class Undone:
    """A connection on which nothing is done."""

    closed = False
    times = 0

    def rollback(self) -> None:
        self.times += 1


def refusing(done: list[tuple[int, int]], *, most: int, sqlstate: str) -> Any:
    """As `store.work` where a statement takes too long with more than so many hours."""

    def work(_connection: Any, *, zone: str, first: list[Marked], limit: int) -> int:
        assert zone == "UTC"
        if len(first) + limit > most:
            raise TemporaryStoreError("canceling statement due to statement timeout", sqlstate=sqlstate)
        done.append((len(first), limit))
        return len(first) + limit

    return work


def test_step_that_takes_too_long_is_done_by_halves(monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[tuple[int, int]] = []
    connection: Any = Undone()
    monkeypatch.setattr(store, "work", refusing(done, most=3, sqlstate="57014"))
    assert rollups._work(connection, zone="UTC", first=MARKED, limit=8) == 18
    assert (sum(first for first, _ in done), sum(limit for _, limit in done)) == (10, 8)
    assert connection.times >= 3


@pytest.mark.parametrize(("most", "sqlstate"), [(0, "57014"), (3, "57P01")])
def test_single_hour_that_takes_too_long_and_a_server_that_is_away_are_waited_for(
    monkeypatch: pytest.MonkeyPatch, most: int, sqlstate: str
) -> None:
    connection: Any = Undone()
    monkeypatch.setattr(store, "work", refusing([], most=most, sqlstate=sqlstate))
    with pytest.raises(TemporaryStoreError):
        rollups._work(connection, zone="UTC", first=MARKED, limit=8)
