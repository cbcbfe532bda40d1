"""One suite for every detector of the entry point group `hypervision.detectors`."""

from __future__ import annotations

import dataclasses
import inspect
from importlib.metadata import EntryPoint, entry_points
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from hypervision.batch import Float64, Int64
from hypervision.domains import load
from models.clock import DAY, HOUR, MINUTE
from models.detector import GROUP, Detector, HistoryError
from models.ringing import rules_of
from models.walk import walk

ZONE = ZoneInfo("Europe/Paris")
INSTALLED = sorted(entry_points(group=GROUP), key=lambda entry: entry.name)
START = 1_777_900_000_000_000


def series(days: int = 20, *, seed: int = 1) -> tuple[Int64, Float64]:
    """A daily wave with noise, readings every 5 minutes."""
    rng = np.random.default_rng(seed)
    times = START + np.arange(days * 288, dtype=np.int64) * (5 * MINUTE)
    wave = 30 + 12 * np.sin(2 * np.pi * times / DAY - 2)
    return times, np.asarray(wave * (1 + 0.04 * rng.standard_normal(len(times))), np.float64)


@pytest.fixture(params=INSTALLED, ids=lambda entry: entry.name)
def kind(request: pytest.FixtureRequest) -> type[Detector]:
    entry: EntryPoint = request.param
    found = entry.load()
    assert issubclass(found, Detector)
    return found


def make(kind: type[Detector]) -> Detector:
    return kind(zone=ZONE)  # type: ignore[call-arg]


def parameters(detector: Detector) -> dict[str, object]:
    assert dataclasses.is_dataclass(detector)
    return {f.name: getattr(detector, f.name) for f in dataclasses.fields(detector) if f.init}


def test_group_holds_the_two_of_water() -> None:
    assert {entry.name for entry in INSTALLED} >= {"night", "seasonal"}


def test_every_parameter_has_a_default_and_is_named_in_the_docstring(kind: type[Detector]) -> None:
    assert parameters(make(kind))["zone"] is ZONE
    documented = inspect.getdoc(kind) or ""
    for name in parameters(make(kind)):
        assert name in documented, f"{kind.__name__} does not document {name}"


def test_what_it_reads_and_writes_is_in_the_domain_file_with_a_rule(kind: type[Detector]) -> None:
    catalogue = load()
    read = catalogue.find(kind.domain, kind.reads)
    written = catalogue.find(kind.domain, kind.writes)
    assert read is not None
    assert not read.derived
    assert written is not None
    assert written.derived
    assert rules_of(make(kind), catalogue)


def test_fit_and_score_leave_parameters_and_inputs_alone(kind: type[Detector]) -> None:
    detector = make(kind)
    before = parameters(detector)
    times, values = series()
    given = (times.copy(), values.copy())
    times.flags.writeable = values.flags.writeable = False
    assert detector.fit(times, values) is detector
    detector.excess(times, values)
    detector.score(times, values)
    assert parameters(detector) == before
    assert np.array_equal(times, given[0])
    assert np.array_equal(values, given[1])


def test_before_fit_nothing_is_scored(kind: type[Detector]) -> None:
    detector = make(kind)
    for ask in (lambda: detector.excess(*series(1)), lambda: detector.score(*series(1)), detector.describe):
        with pytest.raises(HistoryError, match="fit"):
            ask()


def test_failed_fit_forgets_what_was_learnt(kind: type[Detector]) -> None:
    detector = make(kind).fit(*series())
    with pytest.raises(HistoryError):
        detector.fit(*series(1))
    with pytest.raises(HistoryError):
        detector.excess(*series(1))


def test_empty_series_teaches_nothing_and_has_no_scores(kind: type[Detector]) -> None:
    nothing = (np.empty(0, np.int64), np.empty(0))
    with pytest.raises(HistoryError):
        make(kind).fit(*nothing)
    assert len(make(kind).fit(*series()).excess(*nothing).times_us) == 0


def test_columns_of_two_lengths_are_refused(kind: type[Detector]) -> None:
    times, values = series()
    with pytest.raises(ValueError, match="one length"):
        make(kind).fit(times, values[:-1])


def test_scores_rise_in_time_and_lie_between_0_and_1(kind: type[Detector]) -> None:
    times, values = series()
    scores = make(kind).fit(times, values).score(times, values * np.where(times > times[-1] - DAY, 2, 1))
    assert len(scores.times_us) > 5
    assert (np.diff(scores.times_us) > 0).all()
    assert scores.times_us[-1] <= times[-1]
    assert ((scores.excess >= 0) & (scores.excess <= 1)).all()


def test_same_seed_same_scores(kind: type[Detector]) -> None:
    times, values = series()
    first, second = (make(kind).fit(times, values).excess(times, values) for _ in range(2))
    assert np.array_equal(first.times_us, second.times_us)
    assert np.array_equal(first.excess, second.excess)


def test_order_of_readings_does_not_matter(kind: type[Detector]) -> None:
    times, values = series()
    shuffled = np.random.default_rng(3).permutation(len(times))
    straight = make(kind).fit(times, values).excess(times, values)
    mixed = make(kind).fit(times[shuffled], values[shuffled]).excess(times[shuffled], values[shuffled])
    assert np.array_equal(straight.times_us, mixed.times_us)
    assert np.allclose(straight.excess, mixed.excess)


@pytest.mark.parametrize("cut", [1, 17, 200, 288, 2000, 2881])
def test_no_look_ahead_scores_of_a_prefix_are_a_prefix_of_the_scores(kind: type[Detector], cut: int) -> None:
    times, values = series()
    detector = make(kind).fit(times, values)
    whole, part = detector.excess(times, values), detector.excess(times[:-cut], values[:-cut])
    same = whole.until(int(times[-cut - 1]))
    assert np.array_equal(part.times_us, same.times_us)
    assert np.array_equal(part.excess, same.excess)


@pytest.mark.parametrize("cut", [300, 1500])
def test_no_look_ahead_while_walking_either(kind: type[Detector], cut: int) -> None:
    times, values = series()
    whole, part = walk(make(kind), times, values), walk(make(kind), times[:-cut], values[:-cut])
    same = whole.until(int(times[-cut - 1]))
    assert len(part.times_us) > 0
    assert np.array_equal(part.times_us, same.times_us)
    assert np.array_equal(part.excess, same.excess)


def test_context_is_enough_for_the_last_score(kind: type[Detector]) -> None:
    times, values = series()
    raised = values * np.where(times > times[-1] - 6 * DAY, 1.3, 1)
    detector = make(kind).fit(times, values)
    whole = detector.excess(times, raised)
    since = int(times[-1]) - DAY
    recent = times > since - kind.context_us
    part = detector.excess(times[recent], raised[recent]).since(since)
    assert np.array_equal(part.times_us, whole.since(since).times_us)
    assert np.array_equal(part.excess, whole.since(since).excess)


def test_missing_and_infinite_values_are_survived(kind: type[Detector]) -> None:
    times, values = series()
    holes = np.random.default_rng(4).random(len(times))
    values[holes < 0.15] = np.nan
    values[holes > 0.99] = np.inf
    values[(holes > 0.98) & (holes < 0.985)] = -np.inf
    scores = make(kind).fit(times, values).excess(times, values)
    assert len(scores.times_us) > 10
    assert np.isfinite(scores.excess).all()


def test_only_missing_values_teach_nothing(kind: type[Detector]) -> None:
    times, values = series()
    with pytest.raises(HistoryError):
        make(kind).fit(times, np.full(len(values), np.nan))


def test_readings_twice_at_one_instant_are_survived(kind: type[Detector]) -> None:
    times, values = series()
    once = make(kind).fit(times, values).excess(times, values)
    twice = make(kind).fit(np.append(times, times), np.append(values + 99, values))
    assert np.allclose(once.excess, twice.excess(np.append(times, times), np.append(values + 99, values)).excess)


def test_other_steps_between_readings_are_survived(kind: type[Detector]) -> None:
    times, values = series()
    for every in (3, 6, 12):  # 15, 30 and 60 minutes
        scores = make(kind).fit(times[::every], values[::every]).excess(times[::every], values[::every])
        assert len(scores.times_us) > 10
        assert np.isfinite(scores.excess).all()


def test_more_flow_is_never_less_excess(kind: type[Detector]) -> None:
    times, values = series()
    detector = make(kind).fit(times, values)
    late = times > times[-1] - 4 * DAY
    low, high = detector.excess(times, values), detector.excess(times, values + 8.0 * late)
    assert np.array_equal(low.times_us, high.times_us)
    assert (high.excess >= low.excess - 1e-12).all()
    assert high.excess[-1] > low.excess[-1]


def test_description_is_one_line(kind: type[Detector]) -> None:
    told = make(kind).fit(*series()).describe()
    assert told
    assert "\n" not in told


def test_refresh_is_rarer_than_the_scoring_and_history_longer_than_the_context(kind: type[Detector]) -> None:
    detector = make(kind)
    assert detector.refresh_us == 0 or detector.refresh_us >= 10 * MINUTE
    assert detector.history_us >= 7 * DAY
    assert HOUR <= detector.context_us <= detector.history_us
