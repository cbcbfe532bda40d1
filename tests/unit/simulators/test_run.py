"""`hypervision simulate` from its command line on, with a broker and a clock of the test."""

import itertools
import json
import signal
from datetime import UTC, datetime, timedelta

import pytest

from hypervision.cli import main
from simulators import run
from simulators.localtime import MINUTE_US, SECOND_US, to_us
from simulators.water import courses

START = "2026-11-12T18:00:00Z"
SCENARIO = """
things = 120
include = ["bin-10*", "lamp-01-*", "bay-gare-00*", "pressure-00*"]
[[fault]]
kind = "missing_time"
thing = "bin-103"
start = "-1d"
[[fault]]
kind = "spike"
thing = "pressure-001"
property = "pressure"
start = "+1m"
size = 5.0
"""


class Broker:
    """Takes what is published, in order."""

    def __init__(self, _url):
        self.heard = []
        Broker.last = self

    def __enter__(self):
        return self

    def __exit__(self, *_exception):
        pass

    def wait_connected(self, _stop):
        pass

    def status(self, things, online, _stop):
        pass

    def flush(self, *, seconds):
        return seconds > 0

    def publish(self, topic, payload, _stop):
        self.heard.append((topic, payload))


@pytest.fixture
def simulate(tmp_path, monkeypatch, capsys):
    scenario = tmp_path / "mine.toml"
    scenario.write_text(SCENARIO, "utf-8")
    monkeypatch.setattr(courses, "available", lambda: False)
    monkeypatch.setattr(signal, "signal", lambda *_: None)
    monkeypatch.setattr(run, "Publisher", Broker)
    monkeypatch.setenv("HYPERVISION_MQTT_URL", "mqtt://127.0.0.1:1")
    folder = (tmp_path / f"data-{i}" for i in itertools.count())

    def call(*words):
        code = main(["simulate", "--scenario", str(scenario), "--data-dir", str(next(folder)), *words])
        told = capsys.readouterr()
        return code, (Broker.last.heard if code == 0 else told.err)

    return call


def test_same_seed_and_start_give_the_same_run_byte_for_byte_whenever_it_is_run(simulate, tmp_path):
    words = ("--start", START, "--duration", "600", "--speed", "1000000")
    first = simulate(*words, "--seed", "7", "--truth", str(tmp_path / "one"))
    # A run that is made at another moment and at another speed.
    second = simulate(*words[:-1], "900000", "--seed", "7", "--truth", str(tmp_path / "other"))
    assert first[0] == 0
    assert first == second
    assert len(first[1]) > 300
    assert (tmp_path / "one").read_bytes() == (tmp_path / "other").read_bytes() != b""
    times = [json.loads(payload).get("time", START) for _, payload in first[1]]
    assert min(times) >= START.replace("Z", ".000Z")
    assert max(times) < "2026-11-12T18:10:00"
    assert simulate(*words, "--seed", "8")[1] != first[1]


def test_restart_counter_rises_with_the_start_and_differs_by_seed(simulate):
    def boot(start, seed):
        heard = simulate("--start", start, "--duration", "60", "--speed", "1000000", "--seed", seed)[1]
        (found,) = {json.loads(payload)["boot"] for _, payload in heard}
        return found

    assert boot(START, "7") < boot("2026-11-12T18:00:01Z", "7")
    assert boot(START, "7") != boot(START, "8")
    assert boot(START, "7") < 2**53


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--start", (datetime.now(UTC) + timedelta(days=30)).isoformat()), "is still to come"),
        (("--start", (datetime.now(UTC) - timedelta(seconds=60)).isoformat(), "--speed", "60", "--duration", "7200"),
         "runs ahead of the clock"),
        (("--start", START, "--history", "2"), "--history ends now"),
    ],
)  # fmt: skip
def test_start_that_cannot_be_is_refused_in_one_sentence(words, said, simulate):
    code, told = simulate(*words)
    assert code == 2
    assert said in told
    assert told.count("\n") == 1


@pytest.mark.parametrize("text", ["yesterday", "2026-11-12T18:00:00", "1999-01-01T00:00:00Z", ""])
def test_start_that_is_no_time_is_wrong_usage(text, simulate, capsys):
    with pytest.raises(SystemExit) as ended:
        simulate("--start", text)
    assert ended.value.code == 2
    assert "is no time such as" in capsys.readouterr().err


def test_fast_run_from_a_start_ends_when_it_has_caught_up():
    now = to_us(datetime(2026, 11, 12, 18, tzinfo=UTC))
    playback = run._playback(run.Wishes("x", start_us=now - 59 * MINUTE_US, speed=60.0), now)
    assert playback.end_us == now + MINUTE_US
    assert playback.due_in(playback.end_us, now) == 60.0


def test_run_without_a_start_begins_at_a_whole_second():
    now = to_us(datetime(2026, 11, 12, 18, tzinfo=UTC)) + 123_456
    for wishes in (run.Wishes("x"), run.Wishes("x", duration_s=5.0), run.Wishes("x", speed=7.0)):
        playback = run._playback(wishes, now)
        assert playback.start_us % SECOND_US == 0
        assert playback.start_us <= now
