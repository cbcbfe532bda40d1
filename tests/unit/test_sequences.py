"""Which numbers of a device's messages have not come: the same answer whatever the order of arrival."""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Iterable, Sequence

from hypothesis import given
from hypothesis import strategies as st

from hypervision.sequences import RUNS, Came, Gap, Run, Track, advance


class Memory:
    """The store in small: runs with keys, and the gaps of each, handed out as sparingly as the store does."""

    def __init__(self) -> None:
        self.runs: list[Run] = []
        self.gaps: dict[int, list[Gap]] = defaultdict(list)

    def take(self, *came: Came) -> None:
        low, high = min(c.seq for c in came), max(c.seq for c in came)
        near = {
            key: [gap for gap in gaps if gap.last_seq >= low and gap.first_seq <= high]
            for key, gaps in self.gaps.items()
        }
        kept: list[Run] = []
        for track in advance(self.runs, near, came):
            key = track.run.sequence_id or len(self.gaps) + 1
            far = [gap for gap in self.gaps[key] if gap not in near.get(key, [])]
            self.gaps[key] = sorted(far + track.gaps)
            kept.append(
                Run(track.run.boot, track.run.first_seq, track.run.last_seq, track.run.first_us, track.run.last_us, key)
            )
        self.runs = kept[-RUNS:]

    def found(self) -> list[tuple[str, Gap]]:
        return sorted((run.boot, gap) for run in self.runs for gap in self.gaps[run.sequence_id])


def missing(came: Iterable[Came]) -> list[tuple[str, Gap]]:
    """By definition: of every boot, what lies between two neighbours that came."""
    found = []
    times: dict[str, dict[int, int]] = defaultdict(dict)
    for one in came:
        times[one.boot][one.seq] = one.time_us
    for boot, by_seq in times.items():
        seqs = sorted(by_seq)
        for below, above in itertools.pairwise(seqs):
            if above > below + 1:
                found.append((boot, Gap(below + 1, above - 1, by_seq[below], by_seq[above])))
    return sorted(found)


def in_parts(came: Sequence[Came], cuts: Sequence[int]) -> Memory:
    memory = Memory()
    edges = sorted({0, len(came), *[cut % (len(came) + 1) for cut in cuts]})
    for first, last in itertools.pairwise(edges):
        memory.take(*came[first:last])
    return memory


numbers = st.sets(st.integers(0, 40), min_size=1, max_size=25)
cuts = st.lists(st.integers(0, 60), max_size=8)


@given(seqs=numbers, again=st.lists(st.integers(0, 100), max_size=10), cuts=cuts, rng=st.randoms(use_true_random=False))
def test_gaps_do_not_depend_on_order_batches_and_repetition(seqs, again, cuts, rng) -> None:  # type: ignore[no-untyped-def]
    ordered = [Came("", seq, 1000 + seq * 7) for seq in sorted(seqs)]
    came = ordered + [ordered[i % len(ordered)] for i in again]
    rng.shuffle(came)
    assert in_parts(came, cuts).found() == missing(ordered)


@given(
    boots=st.lists(numbers, min_size=1, max_size=5),
    again=st.lists(st.integers(0, 200), max_size=10),
    cuts=cuts,
    rng=st.randoms(use_true_random=False),
)
def test_each_boot_has_gaps_of_its_own_whatever_the_order(boots, again, cuts, rng) -> None:  # type: ignore[no-untyped-def]
    ordered = [Came(f"b{boot}", seq, boot * 10_000 + seq) for boot, seqs in enumerate(boots) for seq in sorted(seqs)]
    came = ordered + [ordered[i % len(ordered)] for i in again]
    rng.shuffle(came)
    assert in_parts(came, cuts).found() == missing(ordered)


@given(lives=st.lists(st.integers(1, 12), min_size=1, max_size=5), cuts=cuts, repeat=st.booleans())
def test_restarts_that_nobody_tells_make_no_gap(lives, cuts, repeat) -> None:  # type: ignore[no-untyped-def]
    """The counter starts at nought again and again, each message later than the one before; some come twice."""
    came = []
    at = 0
    for life in lives:
        for seq in range(life):
            at += 10
            came.append(Came("", seq, at))
            if repeat and seq % 3 == 0 and seq:
                came.append(came[-2])
    assert in_parts(came, cuts).found() == []


def gaps_of(tracks: list[Track]) -> list[tuple[int, int]]:
    return [(gap.first_seq, gap.last_seq) for track in tracks for gap in track.gaps]


def test_loss_around_a_restart_that_nobody_tells() -> None:
    came = [Came("", 5, 10), Came("", 8, 20), Came("", 0, 30), Came("", 2, 40)]
    assert gaps_of(advance([], {}, came)) == [(6, 7), (1, 1)]


def test_late_message_of_the_life_before_the_restart_fills_there() -> None:
    memory = Memory()
    memory.take(Came("", 5, 10), Came("", 7, 20))
    memory.take(Came("", 0, 30), Came("", 1, 40), Came("", 9, 50))
    memory.take(Came("", 6, 15))
    assert memory.found() == [("", Gap(2, 8, 40, 50))]


def test_late_message_without_time_fills_and_is_no_restart() -> None:
    memory = Memory()
    for seq, at in ((4, 10), (6, 20), (7, 30), (5, 40), (8, 50)):
        memory.take(Came("", seq, at, assumed=True))
    assert memory.found() == []


def test_first_messages_out_of_order_without_time_make_no_gap() -> None:
    """A collector's first sight of a device: 5 is redelivered after 6 to 10, with a later time of receipt."""
    memory = Memory()
    for i, seq in enumerate((6, 7, 8, 9, 10, 5, 11, 12)):
        memory.take(Came("", seq, 10 * i, assumed=True))
    assert memory.found() == []


def test_clock_that_was_wrong_for_a_while_makes_no_gap() -> None:
    memory = Memory()
    for seq, at in ((5, 1000), (6, 1010), (7, 20), (8, 30), (9, 1040), (10, 1050)):
        memory.take(Came("", seq, at))
    assert memory.found() == []


def test_counter_that_rolls_over_makes_no_gap() -> None:
    came = [Came("", seq % 65_536, i) for i, seq in enumerate(range(65_530, 65_545))]
    assert gaps_of(advance([], {}, came)) == []


def test_device_that_always_sends_the_same_number_keeps_one_run() -> None:
    memory = Memory()
    for at in range(50):
        memory.take(Came("", 3, at))
    assert len(memory.runs) == 1


def test_runs_that_are_remembered_are_bounded() -> None:
    memory = Memory()
    for at in range(200):
        memory.take(Came("", 200 - at, at))
    assert len(memory.runs) == RUNS
