from __future__ import annotations

import json
import time
from dataclasses import replace
from datetime import UTC, datetime
from weakref import ref

import pytest

from hypervision.batch import Draft
from hypervision.clock import to_us
from hypervision.datastreams import StreamTable
from hypervision.decoding import Bounds
from hypervision.domains import load
from hypervision.quality import GOOD, TIME_ASSUMED
from ingest.decoders import routes as routes_module
from ingest.decoders.message import payload_hash
from ingest.decoders.urban import decode

NOW = to_us(datetime(2026, 11, 22, 12, tzinfo=UTC))
BOUNDS = Bounds(earliest_us=to_us(datetime(2000, 1, 1, tzinfo=UTC)), future_us=600_000_000)
TOPIC = "urban/v1/water/p1/up"


@pytest.fixture
def streams() -> StreamTable:
    return StreamTable(load())


def run(streams: StreamTable, *messages: tuple[str, bytes], received_us: int = NOW, bounds: Bounds = BOUNDS) -> Draft:
    draft = Draft()
    decode(
        [topic for topic, _ in messages],
        [payload for _, payload in messages],
        received_us=received_us,
        draft=draft,
        streams=streams,
        bounds=bounds,
    )
    return draft


def test_receipt_times_increase_strictly_when_the_clock_stands_or_steps_back(streams: StreamTable) -> None:
    first = run(streams, (TOPIC, b'{"flow": 1}'), (TOPIC, b'{"flow": 1}'))
    second = run(streams, (TOPIC, b'{"flow": 1}'), received_us=NOW - 5_000_000)
    assert first.time_us + second.time_us == [NOW, NOW + 1, NOW + 2]
    assert first.quality == [TIME_ASSUMED] * 2


def test_readings_without_time_are_refused_where_none_is_assumed(streams: StreamTable) -> None:
    pack = b'[{"n": "flow", "v": 1}, {"n": "level", "v": 2, "t": 1799000000}]'
    timed = b'{"time": "2026-11-22T11:59:00Z", "flow": 4}'
    messages = [(TOPIC, b'{"seq": 7, "flow": 1}'), (TOPIC, pack), (TOPIC, timed)]
    draft = run(streams, *messages, bounds=replace(BOUNDS, assume=False))
    assert [(refusal.message, refusal.reason) for refusal in draft.refusals] == [
        (0, "no_time"), (1, "no_time"), (1, "time_in_future"),
    ]  # fmt: skip
    assert (draft.message, draft.quality) == ([2], [GOOD])
    # It was received all the same: its number is no gap.
    assert [number[2] for number in draft.numbers] == [7]


def test_message_without_time_sent_again_with_its_receipt_has_the_same_times(streams: StreamTable) -> None:
    pack = b'[{"n": "flow", "v": 1}, {"n": "level", "v": 2}]'
    messages = [
        (TOPIC, b'{"flow": 1, "x": 1}'),
        (TOPIC, b'[{"flow": 2}, {"flow": 3}]'),
        (TOPIC, b'{"y": 1}'),
        (TOPIC, pack),
    ]
    first = run(streams, *messages)
    assert first.received_us == [NOW, NOW + 1, NOW + 3, NOW + 4]
    fresh = StreamTable(load())
    again = [run(fresh, one, received_us=at) for one, at in zip(messages, first.received_us, strict=True)]
    assert [at for draft in again for at in draft.time_us] == first.time_us


def test_receipt_times_increase_when_topics_are_forgotten(
    streams: StreamTable, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(routes_module, "_MOST_ROUTES", 2)
    names = [f"urban/v1/water/p{i % 3}/up" for i in range(9)]
    draft = run(streams, *[(name, b'{"flow": 1}') for name in names])
    for name in set(names):
        mine = [at for at, topic in zip(draft.time_us, names, strict=True) if topic == name]
        assert mine == sorted(set(mine))


def test_second_message_of_a_topic_takes_the_short_way_with_the_same_result(streams: StreamTable) -> None:
    payload = b'{"time": "2026-11-22T11:00:00Z", "seq": 1, "flow": 1, "pump_state": 1, "flux": 2}'
    draft = run(streams, (TOPIC, payload), (TOPIC, payload))
    rows = list(zip(draft.message, draft.slot, draft.time_us, draft.result, draft.quality, strict=True))
    assert [row[1:] for row in rows if row[0] == 0] == [row[1:] for row in rows if row[0] == 1]
    assert [refusal.message for refusal in draft.refusals] == [0, 1]
    assert draft.identities == []


def test_payload_hash_is_stable_and_fits_a_bigint() -> None:
    assert payload_hash("t", b"abc") == payload_hash("t", b"abc") != payload_hash("t", b"abd")
    assert payload_hash("urban/v1/water/pole/up", b"abc") != payload_hash("urban/v1/waste/pole/up", b"abc")
    assert -(2**63) <= payload_hash("t", b"abc") < 2**63


def test_identity_is_one_per_message_and_only_without_time(streams: StreamTable) -> None:
    draft = run(streams, (TOPIC, b'[{"seq": 1, "flow": 1}, {"seq": 2, "flow": 2}]'))
    assert [(i.message, i.thing, i.boot, i.seq) for i in draft.identities] == [(0, "p1", "", 1)]


@pytest.mark.parametrize(
    "payload",
    [
        json.dumps({f"k{i}": 1 for i in range(100_000)}).encode(),
        json.dumps({"flow": "x" * 1_000_000}).encode(),
        json.dumps([{"flow": "x"}] * 60_000).encode(),
        b'{"a":' * 200_000,
        b"[" * 1_000_000,
        b'{"time": "' + b"9" * 1_000_000 + b'"}',
        b'{"flow": ' + b"9" * 1_000_000 + b"}",
        b'{"flow": {"value": 1, "unit": "' + b"(" * 1_000_000 + b'"}}',
        json.dumps([{"bn": "x", "n": "flow", "v": None}] * 30_000).encode(),
        b"\xff" * 1_000_000,
    ],
    ids=lambda payload: repr(payload[:12]),
)
def test_hostile_megabyte_ends_soon_with_few_refusals(streams: StreamTable, payload: bytes) -> None:
    started = time.process_time()
    draft = run(streams, (TOPIC, payload))
    # Far above what it takes (0.1 s of the processor), far below what a quadratic step would.
    assert time.process_time() - started < 5.0
    assert 1 <= len(draft.refusals) <= 17
    assert sum(len(refusal.detail) for refusal in draft.refusals) < 10_000


def test_hostile_topics_are_kept_short_and_printable_and_make_no_slots(streams: StreamTable) -> None:
    names = ["urban/v1/water/" + "x" * 60_000 + "/up", "\0", "urban/v1/w\0/p/up", "", "urban/v1/<b>/p1/up"]
    draft = run(streams, *[(name, b"{}") for name in names])
    assert len(draft.refusals) == len(names) == len(draft.topics)
    assert all(len(topic) <= 1100 and "\0" not in topic for topic in draft.topics)
    assert not streams.keys


def test_five_thousand_bad_messages_do_not_slow_the_good_ones(streams: StreamTable) -> None:
    good = (TOPIC, b'{"time": "2026-11-22T11:00:00Z", "flow": 1}')
    bad = [(f"urban/v1/water/p{i}/up", b'{"flow": {"value": 1, "unit": "zz%d"}}' % (i % 7)) for i in range(5_000)]
    started = time.process_time()
    draft = run(streams, *bad, good)
    assert time.process_time() - started < 5.0
    assert draft.message == [5_000]
    assert {refusal.reason for refusal in draft.refusals} == {"unknown_unit"}


def test_stream_table_goes_with_all_that_was_worked_out_about_it() -> None:
    """A replay has one of its own, and a web server many replays."""
    table = StreamTable(load())
    run(
        table, (TOPIC, b'{"time": "2026-11-22T11:00:00Z", "flow": 1}'), (TOPIC, b'{"flow": {"value": 1, "unit": "zz"}}')
    )
    assert len(table.keys) == 1
    left = ref(table)
    del table
    assert left() is None


def test_message_whose_values_are_all_refused_tells_its_time(streams: StreamTable) -> None:
    at = NOW - 3_600_000_000
    draft = run(
        streams,
        (TOPIC, b'{"time": %d, "flow": 1, "nonsense": 1}' % (at // 1000)),
        (TOPIC, b'{"time": %d, "nonsense": 1}' % (at // 1000)),
        (TOPIC, b'[{"time": %d, "nonsense": 1}, {"time": %d, "more": 1}]' % (at // 1000, NOW // 1000)),
        (TOPIC, b'[{"bn": "p1:", "n": "nonsense", "v": 1, "t": %d}]' % (at // 1_000_000)),
        (TOPIC, b'{"nonsense": 1}'),
        (TOPIC, b'{"time": 1, "flow": 1}'),
        (TOPIC, b"{bad"),
    )
    assert sorted({refusal.message for refusal in draft.refusals}) == [0, 1, 2, 3, 4, 5, 6]
    assert draft.moments == [(1, at), (2, at), (3, at)]
    draft.rewind(3)
    assert draft.close().moments == [(1, at), (2, at)]


@pytest.mark.parametrize("digits", [19, 310, 4_000])
@pytest.mark.parametrize("sign", ["", "-"])
@pytest.mark.parametrize("key", ["time", "seq", "boot"])
def test_whole_number_of_any_length_is_refused_and_stops_nothing(
    streams: StreamTable, key: str, sign: str, digits: int
) -> None:
    number = sign.encode() + b"9" * digits
    payload = b'{"seq": 3, "%s": %s, "flow": 1}' % (key.encode(), number)
    draft = run(streams, (TOPIC, payload), (TOPIC, b'{"seq": 4, "flow": 2}'))
    reasons = {refusal.reason for refusal in draft.refusals if refusal.message == 0}
    assert reasons <= {"bad_seq", "time_too_old", "time_in_future", "malformed"}
    assert reasons or (key, sign, digits) == ("boot", "", 19)
    assert draft.result[-1] == 2.0
    assert all(len(identity.boot) <= 64 for identity in draft.identities)


def _columns(draft: Draft, first: int = 0) -> list[tuple[int, int, float, int]]:
    found = zip(draft.message, draft.slot, draft.time_us, draft.result, draft.quality, strict=True)
    return [(slot, at, result, grade) for message, slot, at, result, grade in found if message >= first]


LONG = b'{"time":%d,"seq":%d,"flow":1.5,"pressure":3,"level":2.25,"volume":7,"chlorine":0.5}'
AT_MS = NOW // 1000


@pytest.mark.parametrize(
    "payload",
    [
        b"[" + LONG % (AT_MS, 1) + b"," + LONG % (AT_MS + 1, 2) + b"]",
        LONG % (AT_MS, 1),
        b'[{"time":%d,"flow":1},{"time":%d,"pressure":2,"flow":3}]' % (AT_MS, AT_MS + 5),
        b'[{"time":%d,"flow":1},{"time":%d,"flow":"much"}]' % (AT_MS, AT_MS + 5),
        b'[{"time":%d,"flow":1},{"time":%d,"flow":true,"pump_state":1}]' % (AT_MS, AT_MS + 5),
        b'[{"time":%d,"flow":1},{"flow":2,"seq":4}]' % AT_MS,
        b'[{"time":%d,"flow":1},7,{"time":%d}]' % (AT_MS, AT_MS),
        b'[{"time":%d,"flow":1},{"time":%d,"flow":2,"seq":9}]' % (AT_MS, AT_MS + 86_400_000),
        b'{"time":%d,"flow":1,"pressure":2,"level":3,"nothing":4,"chlorine":{"value":1,"unit":"mg/L"}}' % AT_MS,
        b'[{"n":"flow","v":3,"time":%d}]' % AT_MS,
        b"[[]]",
        b"[]",
    ],
)
def test_properties_known_already_change_nothing_of_what_a_message_says(streams: StreamTable, payload: bytes) -> None:
    first, again = run(streams, (TOPIC, payload)), run(streams, (TOPIC, payload))
    assert again.refusals == first.refusals
    # Times of receipt go on increasing.
    assert [n[:3] for n in again.numbers] == [n[:3] for n in first.numbers]
    timed = [row for row in _columns(again) if row[3] != TIME_ASSUMED]
    assert timed == [row for row in _columns(first) if row[3] != TIME_ASSUMED]
    assert len(again.slot) == len(first.slot)
    alone = run(StreamTable(load()), (TOPIC, payload))
    assert [r[1:] for r in _columns(alone)][: len(timed)] == [r[1:] for r in _columns(first)][: len(timed)]


def test_array_between_other_messages_takes_nothing_of_its_neighbours(streams: StreamTable) -> None:
    plain = b'{"time":%d,"flow":1}' % AT_MS
    run(streams, (TOPIC, plain))
    bad = b'[{"time":%d,"flow":2},{"time":%d,"flow":null}]' % (AT_MS + 1, AT_MS + 2)
    draft = run(streams, (TOPIC, plain), (TOPIC, bad), (TOPIC, plain))
    assert draft.message == [0, 1, 2]
    assert draft.result == [1, 2.0, 1]
    assert [refusal.message for refusal in draft.refusals] == [1]


def test_ever_new_combinations_of_properties_are_not_all_remembered(streams: StreamTable) -> None:
    names = ["flow", "pressure", "level", "volume", "chlorine", "turbidity"]
    for turn in range(12):
        order = names[turn % 6 :] + names[: turn % 6]
        item = json.dumps({"time": AT_MS + turn, **dict.fromkeys(order[: 4 + turn % 2], turn)}).encode()
        assert len(run(streams, (TOPIC, item)).slot) == 4 + turn % 2
    assert len(streams.beside(routes_module.Routes).known[TOPIC].shapes) <= routes_module._MOST_SHAPES


@pytest.mark.parametrize(
    ("name", "unit", "said"),
    [
        ("temperature", "°F", "UCUM writes it [degF]"),
        ("temperature", "F", "UCUM writes it [degF]"),
        ("temperature", "degC", "UCUM writes it Cel"),
        ("flow", "m³/h", "UCUM writes it m3/h"),
    ],
)
def test_unit_as_people_write_it_is_told_as_ucum_does(streams: StreamTable, name: str, unit: str, said: str) -> None:
    payload = json.dumps({name: {"value": 1, "unit": unit}}).encode()
    draft = run(streams, (f"urban/v1/{'waste' if name == 'temperature' else 'water'}/p1/up", payload))
    assert said in draft.refusals[0].detail


def test_unit_that_would_not_fit_either_is_not_proposed(streams: StreamTable) -> None:
    draft = run(streams, (TOPIC, b'{"flow": {"value": 1, "unit": "kWh"}}'))
    assert "UCUM writes" not in draft.refusals[0].detail
