"""A small domain, its datastreams, and rules made by hand."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pytest

from hypervision.batch import Batch, Draft
from hypervision.datastreams import StreamTable
from hypervision.domains import Catalogue
from hypervision.domains.reading import parse
from hypervision.rules import Override, Rule, RuleSet

AIR = """
code = "air"
icon = "wind"
order = 9
label = { fr = "Air", en = "Air" }

[[property]]
name = "pm25"
unit = "ug/m3"
kind = "gauge"
valid = [0, 1000]
period = 600
decimals = 1
label = { fr = "Particules fines", en = "Fine particles" }

[[property]]
name = "fan"
unit = "1"
kind = "state"
period = 600
label = { fr = "Ventilateur", en = "Fan" }
states = [
    { value = 0, code = "off", fr = "à l’arrêt", en = "off" },
    { value = 2, code = "fault", fr = "en défaut", en = "fault" },
]

[[rule]]
code = "air.pm25.high"
property = "pm25"
kind = "high"
limit = 25
deadband = 5
on_delay = 60
off_delay = 120
priority = "high"
label = { fr = "Air pollué", en = "Polluted air" }
action = { fr = "Prévenir la préfecture.", en = "Tell the prefecture." }

[[rule]]
code = "air.silence"
kind = "silence"
priority = "low"
label = { fr = "Station muette", en = "No readings" }
"""


@pytest.fixture
def air_text() -> str:
    return AIR


@pytest.fixture
def streams() -> StreamTable:
    """Three Things (ids 11, 12, 13) with the datastreams 101, 102, 103 of pm25, and 111 for the fan of the first."""
    table = StreamTable(Catalogue([parse(AIR, name="air.toml")]))
    for number, thing in enumerate(("a", "b", "c")):
        slot = table.slot("air", thing, "pm25")
        table.extend()
        table.datastream_id[slot], table.thing_id[slot] = 101 + number, 11 + number
    slot = table.slot("air", "a", "fan")
    table.extend()
    table.datastream_id[slot], table.thing_id[slot] = 111, 11
    return table


@pytest.fixture
def make_rule() -> Callable[..., Rule]:
    def make(kind: str = "high", limit: float = 25.0, **fields: object) -> Rule:
        values: dict[str, object] = {
            "rule_id": 1, "code": f"air.{kind}", "version": 1, "domain": "air",
            "property": None if kind == "silence" else "pm25", "kind": kind, "priority": "high", "limit": limit,
            "deadband": 0.0, "on_delay_us": 0, "off_delay_us": 0, "fr": "Air pollué", "en": "Polluted air",
        }  # fmt: skip
        return Rule(**(values | fields))  # type: ignore[arg-type]

    return make


@pytest.fixture
def rule_set() -> Callable[..., RuleSet]:
    def make(*rules: Rule, overrides: Sequence[Override] = (), version: int = 1) -> RuleSet:
        return RuleSet(version, rules, tuple(overrides))

    return make


@pytest.fixture
def make_batch() -> Callable[..., Batch]:
    """One message per (slot, time [s], result); received at `received` [s]."""

    def make(*readings: tuple[int, float, float], received: float = 1e9, imported: bool = False) -> Batch:
        draft = Draft()
        for slot, seconds, result in readings:
            message = draft.message_of("urban/v1/air/a/up", b"{}", received_us=round(received * 1e6))
            draft.reading(message, slot=slot, time_us=round(seconds * 1e6), result=result)
        batch = draft.close()
        return batch if not imported else Batch.of_series(
            slot=batch.slot, time_us=batch.time_us, result=batch.result, received_us=round(received * 1e6),
            source="import/x.csv", imported=True,
        )  # fmt: skip

    return make


@pytest.fixture
def column() -> Callable[..., np.ndarray]:
    return lambda *values, dtype=np.float64: np.array(values, dtype)
