import numpy as np
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from simulators import faults

N = 40
TIMES = st.lists(st.integers(0, 10_000_000), min_size=1, max_size=N, unique=True).map(
    lambda values: np.array(sorted(values), np.int64)
)
RESULTS = arrays(np.float64, N, elements=st.floats(-1e6, 1e6))
SPAN = st.tuples(st.integers(0, 10_000_000), st.integers(0, 10_000_000)).map(sorted)

CHANGES = {
    "drift": lambda t, r, a, b: faults.drift(t, r, start_us=a, end_us=b, size=3.0),
    "spike": lambda t, r, a, b: faults.spike(t, r, start_us=a, end_us=b, size=3.0, key=11),
    "stuck": lambda t, r, a, b: faults.stuck(t, r, start_us=a, end_us=b, held=3.0),
}


@given(st.sampled_from(sorted(CHANGES)), TIMES, RESULTS, SPAN)
def test_sensor_fault_is_pure_and_leaves_the_rest_alone(kind, times, results, span):
    start, end = span
    assume(end > start)
    results = results[: len(times)]
    before = results.copy()
    changed = CHANGES[kind](times, results, start, end)
    outside = ~faults.during(times, start, end)
    assert np.array_equal(results, before)
    assert np.array_equal(changed[outside], results[outside])
    assert np.array_equal(changed, CHANGES[kind](times, results, start, end))


@given(TIMES, RESULTS, SPAN)
def test_sensor_fault_does_not_depend_on_the_window_it_is_asked_in(times, results, span):
    start, end = span
    assume(end > start)
    results = results[: len(times)]
    half = len(times) // 2
    for change in CHANGES.values():
        parts = [change(times[:half], results[:half], start, end), change(times[half:], results[half:], start, end)]
        assert np.array_equal(np.concatenate(parts), change(times, results, start, end))


@given(TIMES, SPAN)
def test_stuck_sensor_shows_one_value(times, span):
    start, end = span
    inside = faults.during(times, start, end)
    changed = faults.stuck(times, times.astype(float), start_us=start, end_us=end, held=-1.0)
    assert (changed[inside] == -1.0).all()


def test_drift_grows_to_its_size():
    times = np.arange(0, 1_000, 10)
    changed = faults.drift(times, np.zeros(100), start_us=200, end_us=800, size=6.0)
    inside = faults.during(times, 200, 800)
    assert np.allclose(changed[inside], (times[inside] - 200) / 100)
    assert (np.diff(changed[inside]) > 0).all()


def test_spikes_hit_about_their_share():
    times = np.arange(0, 10_000_000_000, 1_000_000)
    changed = faults.spike(times, np.zeros(len(times)), start_us=0, end_us=10**12, size=5.0, key=3)
    assert abs((changed == 5.0).mean() - faults.SPIKE_SHARE) < 0.01
