"""Kills under load, in the short form; HYPERVISION_TEST_KILLS=full runs ten, three and three of them."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from ingest.bench.kills import campaign
from ingest.bench.stage import Stage, stage

pytestmark = [pytest.mark.faults, pytest.mark.timeout(900)]

FULL = os.environ.get("HYPERVISION_TEST_KILLS") == "full"


@pytest.fixture
def place() -> Iterator[Stage]:
    # The broker delivers again after this time what a killed collector had taken; short, to be waited for.
    with stage(settings={"BROKER__ACK_WAIT": "3"}) as made:
        yield made


def tell(place: Stage) -> str:
    return "\n".join(f"--- {verb}\n{role.tail()}" for verb, role in place.roles.items())


@pytest.mark.parametrize(("verb", "short", "full"), [("collect", 3, 10), ("database", 1, 3), ("broker", 1, 3)], ids=str)
def test_kill_under_load_loses_and_doubles_nothing(place: Stage, verb: str, short: int, full: int) -> None:
    verdict = campaign(place, {verb: full if FULL else short})
    print(verdict)
    assert verdict.acknowledged > 500, f"{verdict}\n{tell(place)}"
    assert verdict.alarms > 20, f"{verdict}\n{tell(place)}"
    assert verdict.passed, f"{verdict}\n{tell(place)}"
