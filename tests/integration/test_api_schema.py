"""Whatever is sent to the API of what its own description allows, or nearly allows: never an answer of 5xx."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis.strategies import SearchStrategy

from tests.browser.fake_town import PASSWORD, Town, running

pytestmark = pytest.mark.integration
# Requests of each route, about half of them such as the description allows.
EACH = 12
# These would end the session that asks.
ENDS = r"/api/v1/(logout|account/password)"


@pytest.fixture(scope="module")
def town(_database_server: tuple[Path, int]) -> Iterator[Town]:
    with running(_database_server) as made:
        yield made


@pytest.fixture(scope="module")
def described(town: Town) -> Iterator[Any]:
    """The API as it describes itself to an administrator, whose requests get furthest."""
    with httpx.Client(base_url=town.base, timeout=20) as client:
        answer = client.post("/api/v1/login", json={"user": "administrator", "password": PASSWORD})
        assert answer.status_code == 200, town.tail()
        document = client.get("/api/openapi.json").json()
        found = schemathesis.openapi.from_dict(document)
        found.config.update(base_url=town.base, headers={"Cookie": _cookie(client), "Origin": town.base})
        yield found.exclude(path_regex=ENDS)


def _cookie(client: httpx.Client) -> str:
    return "; ".join(f"{name}={value}" for name, value in client.cookies.items())


def _nearly(operation: Any) -> SearchStrategy[Any]:
    """Requests that the description does not allow, where there are such."""
    try:
        return operation.as_strategy(generation_mode=schemathesis.GenerationMode.NEGATIVE)  # type: ignore[no-any-return]
    except Exception:  # noqa: BLE001 -- an operation without parameters has none
        return operation.as_strategy()  # type: ignore[no-any-return]


def test_no_request_makes_the_server_fail(described: Any, town: Town) -> None:
    asked: set[str] = set()
    failed: list[str] = []
    for found in described.get_all_operations():
        operation = found.ok()

        @settings(
            max_examples=EACH, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
        )
        @given(case=operation.as_strategy() | _nearly(operation))
        def ask(case: schemathesis.Case[Any]) -> None:
            answer = case.call(timeout=20)
            asked.add(f"{case.method} {case.path}")
            assert answer.status_code < 500, f"{case.as_curl_command()}: {answer.status_code}"

        try:
            ask()
        except AssertionError as error:
            failed.append(str(error))
    assert failed == [], town.tail()
    assert len(asked) > 50
