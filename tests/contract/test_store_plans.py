"""Every question of the screens uses its index on a database large enough for the server to want one."""

from __future__ import annotations

import re
from typing import Any

import pytest

from dashboards.bench.budgets import BUDGETS
from dashboards.bench.cases import QUERIES
from dashboards.bench.made import Size
from dashboards.bench.queries import fill
from hypervision.store.connection import connect
from hypervision.store.filling import Filler
from hypervision.store.plans import note, plans
from hypervision.store.pool import ScreenPool

pytestmark = pytest.mark.integration


@pytest.mark.usefixtures("newest_only")
def test_every_question_uses_its_index(world: Any) -> None:
    size = Size(years=4, others=400, steps=300, long=60 * 288)
    with Filler(world.url) as filler:
        place = fill(filler, world.url, size, say=lambda _text: None)
    wrong = []
    try:
        for name, question in QUERIES.items():
            with place.pool.connection() as connection:
                note(connection)
            found = question(place)
            with place.pool.connection() as connection:
                told = plans(connection)
            indexes = {index for plan in told for index in plan.indexes}
            wrong += [
                f"{name} uses {sorted(indexes)} and not {wanted}: {[plan.nodes for plan in told]}"
                for wanted in BUDGETS[name].indexes
                if not any(re.fullmatch(wanted, index) for index in indexes)
            ]
            scanned = [table for plan in told for table in plan.scanned if table.startswith("observation_")]
            if scanned and name != "observations_all":
                wrong.append(f"{name} reads all of {scanned}")
            assert told, f"{name} asked nothing"
            if name not in ("alarm_history", "gaps_newest", "gaps_thing"):
                assert found, f"{name} found nothing"
    finally:
        place.pool.close()
    assert wrong == []


def test_no_statement_is_compiled_on_a_server_that_would(world: Any) -> None:
    """On a server with PostgreSQL's own defaults each look at what hides alarms was compiled for two seconds."""
    with connect(world.url, application="test") as connection:
        assert connection.execute("SHOW jit").fetchone() == ("off",)
    if world.server.many:
        pool = ScreenPool(world.url, size=1)
        pool.open()
        try:
            with pool.connection() as connection:
                assert connection.execute("SHOW jit").fetchone() == ("off",)
        finally:
            pool.close()
