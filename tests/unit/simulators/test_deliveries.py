import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from simulators import deliveries
from simulators.deliveries import Messages
from simulators.readings import Readings, Stream

STREAMS = tuple(sorted(Stream("water", f"t{i}", name) for i in range(3) for name in ("flow", "pressure")))
OWNER = np.array([int(stream.thing[1]) for stream in STREAMS], np.int32)


@st.composite
def readings(draw):
    rows = draw(st.sets(st.tuples(st.integers(0, 20), st.integers(0, len(STREAMS) - 1)), max_size=60))
    ordered = sorted(rows)
    time_us = np.array([t for t, _ in ordered], np.int64) * 1_000_000
    stream = np.array([s for _, s in ordered], np.int32)
    return Readings(STREAMS, stream, time_us, np.arange(len(ordered), dtype=np.float64))


def grouped(columns, first_seq=0) -> Messages:
    return deliveries.group(columns, OWNER, np.full(3, first_seq, np.int64), key=5)[0]


@given(readings())
def test_every_reading_is_in_exactly_one_message_of_its_thing_and_instant(columns):
    messages = grouped(columns)
    rows = [row for a, b in zip(messages.first, messages.stop, strict=True) for row in range(a, b)]
    assert rows == list(range(len(columns)))
    for i in range(len(messages)):
        part = slice(messages.first[i], messages.stop[i])
        assert set(OWNER[columns.stream[part]]) == {messages.thing[i]}
        assert set(columns.time_us[part]) == {messages.time_us[i]}
    assert len({(int(t), int(at)) for t, at in zip(messages.thing, messages.time_us, strict=True)}) == len(messages)


@given(readings(), st.integers(0, 1_000))
def test_counters_of_a_thing_rise_by_one(columns, first_seq):
    messages, after = deliveries.group(columns, OWNER, np.full(3, first_seq, np.int64), key=5)
    for thing in range(3):
        mine = messages.seq[messages.thing == thing]
        assert mine.tolist() == list(range(first_seq, first_seq + len(mine)))
        assert after[thing] == first_seq + len(mine)


@given(readings(), st.lists(st.booleans(), min_size=60, max_size=60))
def test_link_faults_are_pure_and_touch_only_what_they_hit(columns, flags):
    messages = grouped(columns)
    hit = np.array(flags[: len(messages)], np.bool_)
    before = {name: getattr(messages, name).copy() for name in Messages.__slots__}
    changes = {
        "late": deliveries.late(messages, hit, delay_us=7),
        "order": deliveries.out_of_order(messages, hit, key=1),
        "skew": deliveries.clock_skew(messages, hit, skew_us=-9),
        "timed": deliveries.missing_time(messages, hit),
    }
    for changed in changes.values():
        for name, column in before.items():
            assert np.array_equal(getattr(changed, name)[~hit], column[~hit])
    assert (changes["late"].sent_us[hit] == messages.sent_us[hit] + 7).all()
    assert (changes["order"].sent_us[hit] > messages.sent_us[hit]).all()
    assert (changes["skew"].time_us[hit] == messages.time_us[hit] - 9).all()
    assert not changes["timed"].timed[hit].any()
    for name, column in before.items():
        assert np.array_equal(getattr(messages, name), column)


@given(readings(), st.lists(st.booleans(), min_size=60, max_size=60))
def test_dropout_and_duplicate_change_only_how_often_a_message_comes(columns, flags):
    messages = grouped(columns)
    hit = np.array(flags[: len(messages)], np.bool_)
    kept = deliveries.dropout(messages, hit)
    assert kept.first.tolist() == messages.first[~hit].tolist()
    doubled = deliveries.duplicate(messages, hit)
    assert len(doubled) == len(messages) + hit.sum()
    again = doubled.take(np.arange(len(messages), len(doubled)))
    assert again.seq.tolist() == messages.seq[hit].tolist()
    assert (again.sent_us > messages.sent_us[hit]).all()


def test_share_of_concerned_messages_is_the_same_whenever_asked():
    columns = Readings(
        STREAMS, np.zeros(2_000, np.int32), np.arange(2_000, dtype=np.int64) * 1_000_000, np.zeros(2_000)
    )
    messages = grouped(columns)
    everything = np.ones(2_000, np.bool_)
    chosen = deliveries.chosen(messages, everything, 0.3, 9)
    part = messages.take(np.arange(500, 900))
    assert np.array_equal(chosen[500:900], deliveries.chosen(part, everything[:400], 0.3, 9))
    assert abs(chosen.mean() - 0.3) < 0.05
