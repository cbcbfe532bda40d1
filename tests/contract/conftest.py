"""One suite for every database engine: its fixtures."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest

from hypervision.store import clocks
from tests.contract.servers import (
    ENGINES,
    NOW,
    Server,
    embedded_server,
    migrate_at,
    native_timescale,
    system_server,
    timescale_server,
)
from tests.contract.verbs import started, verb
from tests.contract.world import World

__all__ = ["started", "verb"]


@pytest.fixture(scope="session", params=ENGINES)
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    if request.param == "postgresql-18":
        yield from embedded_server(*request.getfixturevalue("_database_server"))
    elif request.param == "postgresql-15":
        yield from system_server()
    else:
        yield from timescale_server()


@pytest.fixture
def empty(server: Server) -> Iterator[str]:
    url = server.empty()
    yield url
    server.drop(url)


@pytest.fixture
def world(server: Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    # Stories are told at a time of their own: the real one is later, whatever the machine says.
    monkeypatch.setattr(clocks, "server_time", lambda _connection: NOW + timedelta(days=3650))
    url = server.migrated()
    found = World(server, url, monkeypatch)
    yield found
    found.close()
    server.drop(url)


@pytest.fixture
def several() -> None:
    """For tests that need several connections at once: TimescaleDB in WebAssembly takes one."""


@pytest.fixture
def days_apart() -> None:
    """For tests of PostgreSQL's own partitions, one a day."""


@pytest.fixture
def plain_tables() -> None:
    """For tests of people, rights and rules, whose tables TimescaleDB makes nothing of: left to a native one."""


@pytest.fixture
def newest_only() -> None:
    """For tests of verbs, which are the same for every engine and slow to start."""


def engine_of(item: pytest.Item) -> str:
    """The engine a test is asked of, empty for a test without one."""
    return str(getattr(getattr(item, "callspec", None), "params", {}).get("server", ""))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what an engine of the suite is not asked: nothing is lost, so nothing is skipped."""
    left_out = []
    for item in items:
        # Spread over several processes, an engine stays with one of them: it is started once. The embedded one starts
        # in a moment, and its tests fill what time the others leave.
        if engine_of(item) not in ("", "postgresql-18"):
            item.add_marker(pytest.mark.xdist_group(engine_of(item)))
        asked = getattr(item, "fixturenames", ())
        engine = engine_of(item)
        alone = engine == "timescaledb" and native_timescale() is None
        whole = engine == "timescaledb" and "days_apart" in asked
        if (
            whole
            or (alone and {"several", "plain_tables"} & set(asked))
            or (engine != "postgresql-18" and "newest_only" in asked)
        ):
            left_out.append(item)
    if left_out:
        items[:] = [item for item in items if item not in set(left_out)]
        config.hook.pytest_deselected(items=left_out)


@pytest.fixture
def migrate_now() -> Callable[..., list[str]]:
    return migrate_at
