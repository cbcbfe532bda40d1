"""Sessions of one server process, with a database that answers, refuses or hangs."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest

from dashboards import sessions as module
from dashboards.sessions import Sessions
from hypervision.accounts import Account, Role
from hypervision.errors import TemporaryStoreError

ACCOUNT = Account(1, "operator", Role.OPERATOR)
FAR = datetime.now(UTC) + timedelta(days=1)


class Database:
    """Answers, refuses or hangs; it knows the tokens `a` and `b` until they are logged out."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.tokens = {"a", "b"}
        self.refuses = False
        self.answers = threading.Event()
        self.answers.set()
        self.asked = 0
        monkeypatch.setattr(module.store, "find_session", self._find)
        monkeypatch.setattr(module.store, "log_out", lambda _c, token: self.tokens.discard(token))

    @contextmanager
    def connection(self) -> Iterator[None]:
        self.asked += 1
        assert self.answers.wait(20)
        if self.refuses:
            raise TemporaryStoreError("away", remedy="wait")
        yield

    def _find(self, _connection: None, token: str, **_now: datetime) -> tuple[Account, datetime] | None:
        return (ACCOUNT, FAR) if token in self.tokens else None


@pytest.fixture
def database(monkeypatch: pytest.MonkeyPatch) -> Database:
    monkeypatch.setattr(module, "_RECHECK", 0.0)
    monkeypatch.setattr(module, "_PATIENCE", 0.3)
    monkeypatch.setattr(module, "_AGAIN", 0.02)
    return Database(monkeypatch)


async def _until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 5
    while not condition():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.01)


def test_known_session_is_not_waited_for_while_the_database_hangs(database: Database) -> None:
    sessions = Sessions(database)  # type: ignore[arg-type]

    async def ask() -> list[float]:
        assert await sessions.ask("a") == ACCOUNT
        database.answers.clear()
        took = []
        try:
            for _ in range(20):
                started = time.monotonic()
                assert await sessions.ask("a") == ACCOUNT
                took.append(time.monotonic() - started)
            # One look-up hangs, not one for each time of asking.
            assert database.asked == 2
        finally:
            database.answers.set()
        return took

    first, *others = asyncio.run(ask())
    assert first < module._GLANCE + 0.2
    assert max(others) < 0.1


def test_unknown_session_is_told_that_the_database_hangs(database: Database) -> None:
    sessions = Sessions(database)  # type: ignore[arg-type]

    async def ask() -> None:
        database.answers.clear()
        try:
            with pytest.raises(TemporaryStoreError, match="does not answer"):
                await sessions.ask("a")
        finally:
            database.answers.set()
        await _until(lambda: not sessions._looking)
        assert await sessions.ask("a") == ACCOUNT

    asyncio.run(ask())


def test_session_that_is_found_ended_after_a_hang_is_out(database: Database) -> None:
    sessions = Sessions(database)  # type: ignore[arg-type]

    async def ask() -> None:
        assert await sessions.ask("a") == ACCOUNT
        database.answers.clear()
        assert await sessions.ask("a") == ACCOUNT
        database.tokens.clear()
        database.answers.set()
        await _until(lambda: not sessions._looking)
        assert await sessions.ask("a") is None

    asyncio.run(ask())


@pytest.mark.parametrize("hangs", [False, True])
def test_session_ended_while_the_database_is_away_ends_here_at_once_and_there_later(
    database: Database, hangs: bool
) -> None:
    sessions = Sessions(database)  # type: ignore[arg-type]

    async def ask() -> None:
        assert await sessions.ask("a") == ACCOUNT
        assert await sessions.ask("b") == ACCOUNT
        database.refuses = not hangs
        if hangs:
            database.answers.clear()
        assert await sessions.end("a") is False
        started = time.monotonic()
        assert await sessions.ask("a") is None
        assert time.monotonic() - started < 0.1
        assert sessions.remembered("a") is None
        assert await sessions.ask("b") == ACCOUNT
        assert database.tokens == {"a", "b"}
        database.refuses = False
        database.answers.set()
        await _until(lambda: database.tokens == {"b"})
        assert await sessions.ask("a") is None

    asyncio.run(ask())


def test_session_ended_while_the_database_answers_has_ended_there(database: Database) -> None:
    sessions = Sessions(database)  # type: ignore[arg-type]

    async def ask() -> None:
        assert await sessions.end("a") is True
        assert database.tokens == {"b"}
        # What is none of our tokens is nothing to keep.
        assert await sessions.end("x" * 1000) is True
        assert await sessions.end("") is True

    asyncio.run(ask())
    assert len(sessions._ended) == 1
