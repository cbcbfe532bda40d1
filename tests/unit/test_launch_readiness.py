"""How a start is told: steps in order, the town's history, reminders."""

from __future__ import annotations

import json
import threading
from pathlib import Path

from hypervision.services.readiness import Step, history_done, last_line, watch


class Said:
    def __init__(self) -> None:
        self.keys: list[str] = []
        self.values: list[dict[str, object]] = []

    def __call__(self, key: str, **values: object) -> None:
        self.keys.append(key)
        self.values.append(values)


def never() -> bool:
    return False


def after(looks: int) -> Step:
    count = iter(range(looks + 1))
    return Step(f"after{looks}", "log", lambda: next(count) == looks)


def test_watch_says_each_step_in_order_and_ends(tmp_path: Path) -> None:
    said = Said()
    slow, quick = after(3), Step("quick", "log", lambda: True, {"port": 7})
    assert watch([slow, quick], data_dir=tmp_path, say=said, stopped=threading.Event(), pause=0.001)
    assert said.keys == ["after3", "quick"]
    assert said.values[1] == {"port": 7}


def test_watch_ends_when_it_is_stopped(tmp_path: Path) -> None:
    stopped = threading.Event()

    def stop() -> bool:
        stopped.set()
        return False

    assert not watch([Step("x", "log", stop)], data_dir=tmp_path, say=Said(), stopped=stopped, pause=0.001)


def test_watch_reminds_of_what_is_missing_with_the_last_line_of_its_log(tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "serve.log").write_text("first\nthe port is busy\n\n")
    said, stopped = Said(), threading.Event()

    def say(key: str, **values: object) -> None:
        said(key, **values)
        if key == "last_line":
            stopped.set()

    steps = [Step("live", "serve", never), Step("health", "collect", never)]
    assert not watch(steps, data_dir=tmp_path, say=say, stopped=stopped, pause=0.001, remind=0.0)
    assert said.keys == ["still_waiting", "last_line"]
    assert said.values == [{"names": "serve, collect"}, {"name": "serve", "line": "the port is busy"}]


def test_watch_reminds_with_the_log_of_what_a_silent_part_waits_for(tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "collect.log").touch()
    (tmp_path / "logs" / "migrate.log").write_text("password authentication failed\n")
    said, stopped = Said(), threading.Event()

    def say(key: str, **values: object) -> None:
        said(key, **values)
        if key == "last_line":
            stopped.set()

    steps = [Step("health", "collect", never, needs=("migrate",))]
    assert not watch(steps, data_dir=tmp_path, say=say, stopped=stopped, pause=0.001, remind=0.0)
    assert said.values[-1] == {"name": "migrate", "line": "password authentication failed"}


def test_watch_shows_the_history_in_tens_of_percent(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    progress = tmp_path / "run" / "progress.json"
    shares = iter([0.0, 0.04, 0.11, 0.19, 0.5, 1.0])

    def grow() -> bool:
        share = next(shares, None)
        if share is None:
            return True
        progress.write_text(json.dumps({"step": "history", "done": share}))
        return False

    said = Said()
    watch([Step("town", "simulate", grow)], data_dir=tmp_path, say=said, stopped=threading.Event(), pause=0.001)
    assert [values.get("percent") for values in said.values] == [0, 11, 50, 100, None]


def test_history_done_of_files_that_say_nothing(tmp_path: Path) -> None:
    path = tmp_path / "progress.json"
    assert history_done(path) is None
    for text in (
        "",
        "{",
        "[]",
        '{"step": "other", "done": 1}',
        '{"step": "history"}',
        '{"step": "history", "done": null}',
    ):
        path.write_text(text)
        assert history_done(path) is None
    path.write_text('{"step": "history", "done": 0.25}')
    assert history_done(path) == 0.25


def test_last_line_of_an_empty_or_absent_log_is_empty(tmp_path: Path) -> None:
    assert last_line(tmp_path / "none.log") == ""
    (tmp_path / "empty.log").write_text("\n\n")
    assert last_line(tmp_path / "empty.log") == ""
