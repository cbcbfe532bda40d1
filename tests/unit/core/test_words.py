"""Alarm messages, topics, batches, slots and instants."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hypervision import clock, topics
from hypervision.batch import Batch, Draft
from hypervision.datastreams import NEVER, UNRESOLVED, StreamTable
from hypervision.domains import load
from hypervision.quality import NAMES
from hypervision.rules import Rule
from hypervision.wording import alarm_message, number_text, stale_message, unit_text, value_text

FLOW = load()["water"].properties["flow"]
LAMP = load()["lighting"].properties["lamp_state"]


@pytest.mark.parametrize(
    ("kind", "value", "limit", "language", "text"),
    [
        ("high", 31.25, 25.0, "en", "Polluted air: 31.2 m³/h > 25.0 m³/h"),
        ("high", 31.25, 25.0, "fr", "Air pollué\u00a0: 31,2 m³/h > 25,0 m³/h"),
        ("low", 1.0, 2.0, "fr", "Air pollué\u00a0: 1,0 m³/h < 2,0 m³/h"),
        ("rate_of_change", 990.0, 600.0, "en", "Polluted air: 16.50 m³/h/min > 10.00 m³/h/min"),
        ("state_equals", 2.0, 2.0, "en", "Polluted air"),
        ("silence", 12.4, 2.0, "fr", "Air pollué\u00a0: depuis 12 min"),
        ("silence", 12.4, 2.0, "en", "Polluted air: for 12 min"),
        ("high", None, 25.0, "en", "Polluted air"),
    ],
)
def test_alarm_message_by_kind_and_language(  # noqa: PLR0917
    make_rule: Callable[..., Rule],
    kind: str,
    value: float | None,
    limit: float,
    language: str,
    text: str,
) -> None:
    assert alarm_message(make_rule(kind), None if kind == "silence" else FLOW, value, limit, language) == text


def test_stale_message_in_both_languages(make_rule: Callable[..., Rule]) -> None:
    rule = make_rule("silence")
    assert stale_message(rule, 20.0, "en") == "Polluted air: stale values, more than 20 min without a reading"
    assert stale_message(rule, 20.0, "fr") == "Air pollué\u00a0: valeurs périmées, plus de 20 min sans mesure"


def test_value_text_of_a_state_is_its_label() -> None:
    assert (value_text(LAMP, 2.0, "fr"), value_text(LAMP, 2.0, "en")) == ("en défaut", "fault")
    assert value_text(LAMP, 7.0, "en") == "7"


def test_unit_text_has_a_form_for_every_unit_of_the_domains() -> None:
    for prop in load().properties:
        assert not set("{}") & set(unit_text(prop.unit)), prop.unit


def test_number_text_by_language() -> None:
    assert (number_text(-1.005, 2, "fr"), number_text(3.0, 0, "en")) == ("-1,00", "3")


@pytest.mark.parametrize(
    "topic",
    [
        "urban/v1/water/p1", "urban/v1/water/p1/up/", "/urban/v1/water/p1/up", "urban/v2/water/p1/up",
        "urban/v1/water//up", "urban/v1/water/p 1/up", "urban/v1/water/é/up", "urban/v1/water/p1\n/up",
        "urban/v1/water/-p/up", f"urban/v1/water/{'p' * 65}/up", "", "urban/v1/water/p1/up/x",
    ],
)  # fmt: skip
def test_topic_that_is_not_ours_is_none(topic: str) -> None:
    assert topics.parse(topic) is None
    assert topics.thing_of(topic) == ""


@given(st.from_regex(topics.THING, fullmatch=True), st.sampled_from(["water", "waste"]))
def test_topic_there_and_back(thing: str, domain: str) -> None:
    assert topics.parse(topics.up(domain, thing)) == (domain, thing, "up")
    assert topics.thing_of(topics.up(domain, thing)) == thing


@given(st.datetimes(datetime(1, 1, 2), datetime(9998, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001
def test_instant_there_and_back(at: datetime) -> None:
    assert clock.from_us(clock.to_us(at)) == at


def test_qualities_stand_from_worst_to_best() -> None:
    assert NAMES == ("bad", "corrected", "suspect", "out_of_range", "time_assumed", "good")


def test_draft_becomes_columns() -> None:
    draft = Draft()
    first = draft.message_of("t/1", b"1", received_us=10)
    second = draft.message_of("t/2", b"2", received_us=20)
    draft.reading(second, slot=4, time_us=7, result=1.5)
    draft.reading(second, slot=5, time_us=8, result=2.5, quality=4)
    draft.refuse(first, "empty", "nothing")
    batch = draft.close()
    assert (batch.messages, len(batch)) == (2, 2)
    assert batch.message.tolist() == [1, 1]
    assert batch.slot.tolist() == [4, 5]
    assert batch.quality.tolist() == [5, 4]
    assert [str(column.dtype) for column in (batch.received_us, batch.time_us, batch.message)] == [
        "int64",
        "int64",
        "int32",
    ]
    assert [refusal.reason for refusal in batch.refusals] == ["empty"]


def test_series_counts_as_one_message() -> None:
    batch = Batch.of_series(
        slot=np.array([0, 1], np.int32),
        time_us=np.array([1, 2]),
        result=np.array([1.0, 2.0]),
        received_us=9,
        source="import/x.csv",
        imported=True,
    )
    assert (batch.messages, len(batch), batch.topics, batch.imported) == (1, 2, ["import/x.csv"], True)
    assert batch.received_us[batch.message].tolist() == [9, 9]


def test_slot_is_one_per_datastream() -> None:
    table = StreamTable(load())
    assert [table.slot("water", "p", "flow"), table.slot("water", "p", "level"), table.slot("water", "p", "flow")] == [
        0,
        1,
        0,
    ]
    with pytest.raises(KeyError):
        table.slot("water", "p", "colour")
    with pytest.raises(KeyError):
        table.slot("air", "p", "pm25")


def test_table_covers_new_slots_after_extend_and_keeps_what_it_knew() -> None:
    table = StreamTable(load())
    first = table.slot("water", "p", "flow")
    assert len(table) == 0
    table.extend()
    table.datastream_id[first], table.newest_us[first] = 7, 5
    for n in range(3000):
        table.slot("waste", f"bin-{n}", "fill")
    table.extend()
    assert len(table) == 3001
    assert (table.datastream_id[first], table.newest_us[first]) == (7, 5)
    assert table.datastream_id[3000] == UNRESOLVED
    assert table.newest_us[3000] == NEVER
    assert table.property_of(3000).name == "fill"
    assert table.properties[table.prop[3000]].name == "fill"


def test_slots_from_two_threads_are_the_same() -> None:
    table = StreamTable(load())
    found: list[list[int]] = [[], []]

    def ask(mine: list[int]) -> None:
        mine += [table.slot("waste", f"bin-{n}", "fill") for n in range(2000)]

    threads = [threading.Thread(target=ask, args=(mine,)) for mine in found]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        table.extend()
    table.extend()
    assert found[0] == found[1]
    assert sorted(found[0]) == list(range(2000))
    assert len(table) == 2000


def test_in_range_by_property() -> None:
    table = StreamTable(load())
    slots = np.array([table.slot("waste", "b", "fill"), table.slot("water", "p", "pressure")], np.int32)
    table.extend()
    assert table.in_range(slots, np.array([150.0, 41.0])).tolist() == [True, False]
    assert table.in_range(slots, np.array([np.nan, -1.0])).tolist() == [False, True]
