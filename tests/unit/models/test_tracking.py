"""A track writes every score once, walks the past by what was known then, and repeats the night for the present."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from hypervision.batch import Float64, Int64
from models.bins import medians
from models.clock import DAY, HOUR, MINUTE
from models.night import NightFlow
from models.seasonal import SeasonalExcess
from models.tracking import REPEAT_FOR, Track
from models.walk import Walker, walk

District = Callable[..., tuple[Int64, Float64]]


def test_medians_of_nothing_are_nothing() -> None:
    starts, middle = medians(np.empty(0, np.int64), np.empty(0), 10)
    assert (len(starts), len(middle)) == (0, 0)


def test_medians_are_numpys_own(district: District) -> None:
    times, values = district(1)
    starts, middle = medians(times, values, HOUR)
    expected = [float(np.median(values[(times >= s) & (times < s + HOUR)])) for s in starts.tolist()]
    assert middle == pytest.approx(expected)


def test_first_scores_are_those_of_a_walk_and_the_model_then_knows_the_present(district: District) -> None:
    times, values = district(14)
    track = Track("dma-1", SeasonalExcess())
    now = int(times[-1])
    scores = track.advance(times, values, now_us=now)
    walked = walk(SeasonalExcess(), times, values)
    assert np.array_equal(scores.times_us, walked.times_us)
    assert np.array_equal(scores.excess, walked.excess)
    assert track.walker.fitted_us == now
    assert not track.problem


def test_rounds_give_each_interval_once_whatever_their_rhythm(district: District) -> None:
    times, values = district(16)
    track = Track("dma-1", SeasonalExcess())
    start = int(times[0]) + 14 * DAY
    found: list[int] = []
    for now in range(start, int(times[-1]) + 1, 7 * MINUTE):
        known = times <= now
        scores = track.advance(times[known], values[known], now_us=now)
        track.wrote(scores)
        found += scores.times_us.tolist()
    assert found == sorted(set(found))
    assert np.unique(np.diff(found)).tolist() == [15 * MINUTE]
    assert found[-1] > int(times[-1]) - 25 * MINUTE


def test_learning_again_is_due_once_a_day(district: District) -> None:
    times, values = district(16)
    track = Track("dma-1", NightFlow())
    start = int(times[0]) + 14 * DAY
    learnt = []
    for now in range(start, int(times[-1]) + 1, HOUR):
        known = times <= now
        assert track.due(now) == (not learnt or now - learnt[-1] >= DAY)
        track.wrote(track.advance(times[known], values[known], now_us=now))
        assert track.walker.fitted_us is not None
        if not learnt or track.walker.fitted_us != learnt[-1]:
            learnt.append(track.walker.fitted_us)
    assert len(learnt) == 2


def test_too_little_history_says_so_and_goes_on_when_there_is_enough(district: District) -> None:
    times, values = district(10)
    track = Track("dma-1", NightFlow())
    for days in (3, 5):
        known = times <= times[0] + days * DAY
        now = int(times[0]) + days * DAY
        assert not len(track.advance(times[known], values[known], now_us=now).times_us)
        assert "7 are needed" in track.problem
    scores = track.advance(times, values, now_us=int(times[-1]))
    assert not track.problem
    assert scores.times_us[-1] == times[-1]


def test_no_readings_are_no_scores() -> None:
    track = Track("dma-1", NightFlow())
    assert not len(track.advance(np.empty(0, np.int64), np.empty(0), now_us=DAY).times_us)


def test_night_is_repeated_at_the_time_of_evaluation_but_not_for_ever(district: District) -> None:
    times, values = district(14)
    track = Track("dma-1", NightFlow())
    now = int(times[-1])
    first = track.advance(times, values, now_us=now)
    assert first.times_us[-1] == now
    assert first.excess[-1] == first.excess[-2]
    track.wrote(first)
    assert not len(track.advance(times, values, now_us=now + HOUR - 1).times_us)
    # The meter is silent from here on: the night's score stands for a while, then nothing is said.
    written = 0
    for later in range(now + HOUR, now + 3 * DAY, HOUR):
        scores = track.advance(times, values, now_us=later)
        track.wrote(scores)
        written += len(scores.times_us)
    night_end = int(first.times_us[-2])
    assert written == (night_end + REPEAT_FOR - now) // HOUR


def test_repeated_night_keeps_the_score_that_it_got_by_what_was_learnt_before(district: District) -> None:
    times, values = district(14, seed=3)
    nights = NightFlow().nights(times, values)
    leaking = values + 0.3 * float(np.median(nights.flow)) * (times > nights.ends_us[-4])
    now = int(times[-1])
    walked = walk(NightFlow(), times, leaking)
    told = NightFlow().fit(times, leaking).excess(times, leaking)
    assert told.excess[-1] != walked.excess[-1]
    track = Track("dma-1", NightFlow())
    repeats = []
    for later in range(now, now + 12 * HOUR, HOUR):
        scores = track.advance(times, leaking, now_us=later)
        track.wrote(scores)
        repeats.append(float(scores.excess[-1]))
    assert set(repeats) == {float(walked.excess[-1])}


def test_night_that_the_first_model_learnt_from_is_not_judged(district: District) -> None:
    times, values = district(7)
    assert len(NightFlow().nights(times, values).day) == NightFlow().minimum_nights
    track = Track("dma-1", NightFlow())
    # The guard gives way to the minimum: the newest night is among the seven that say what is normal.
    for later in range(int(times[-1]), int(times[-1]) + 6 * HOUR, HOUR):
        assert not len(track.advance(times, values, now_us=later).times_us)
    assert not track.problem


def test_restarted_process_repeats_the_night_by_what_was_learnt_before_it(district: District) -> None:
    times, values = district(14, seed=3)
    now = int(times[-1])
    night_us = int(NightFlow().nights(times, values).ends_us[-1])
    again = Track("dma-1", NightFlow(), written_us=now - 30 * MINUTE)
    assert not len(again.advance(times, values, now_us=now).times_us)
    scores = again.advance(times, values, now_us=now + HOUR)
    assert scores.times_us.tolist() == [now + HOUR]
    # Whatever the night's own readings were, the model that judged it had not seen them.
    walker = Walker(NightFlow())
    expected = walker.advance(times, values, since_us=now - REPEAT_FOR, until_us=now)
    assert scores.excess.tolist() == [expected.excess[-1]]
    assert expected.times_us[-1] == night_us
    before = times <= now - REPEAT_FOR
    assert times[before][-1] < night_us
    seen = NightFlow().fit(times[before], values[before])
    assert seen.excess(times, values).excess[-1] == expected.excess[-1]


def test_track_of_a_restarted_process_goes_on_after_what_is_written(district: District) -> None:
    times, values = district(14)
    now = int(times[-1])
    before = Track("dma-1", SeasonalExcess())
    whole = before.advance(times, values, now_us=now)
    written = int(whole.times_us[-10])
    again = Track("dma-1", SeasonalExcess(), written_us=written)
    assert again.advance(times, values, now_us=now).times_us.tolist() == whole.times_us[-9:].tolist()


def test_night_that_ended_before_the_last_repeat_is_written_at_once(district: District) -> None:
    times, values = district(14)
    nights = NightFlow().nights(times, values)
    end = int(nights.ends_us[-1])
    track = Track("dma-1", NightFlow())
    early = times < end
    # The repeat falls one minute after the quiet hours, before the reading that completes them.
    track.wrote(track.advance(times[early], values[early], now_us=end + MINUTE))
    assert track.written_us == end + MINUTE
    on_time = times <= end
    scores = track.advance(times[on_time], values[on_time], now_us=end + 4 * MINUTE)
    assert scores.times_us.tolist() == [end + 4 * MINUTE]


def test_walker_tries_again_after_too_little_history(district: District) -> None:
    times, values = district(9)
    walker = Walker(SeasonalExcess())
    scores = walker.advance(times, values, since_us=int(times[0]), until_us=int(times[-1]))
    assert not walker.problem
    assert times[0] + 7 * DAY < scores.times_us[0] <= times[0] + int(7.5 * DAY)
