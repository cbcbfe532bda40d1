"""A process of the platform that is really stopped rings, and returns its alarm when it goes on."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.contract.verbs import environment

pytestmark = pytest.mark.integration
QUICK = "on_delay = interval '1 s', off_delay = interval '0'"


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[[str, str], psutil.Process]]:
    begun: list[subprocess.Popen[Any]] = []
    logs = (tmp_path / "said.log").open("w+")

    def run(url: str, verb: str) -> psutil.Process:
        environ = {key: value for key, value in os.environ.items() if not key.startswith("HYPERVISION_")}
        words = [sys.executable, "-m", "hypervision", verb]
        given = environ | environment(url, tmp_path, "closed")
        begun.append(subprocess.Popen(words, env=given, cwd=tmp_path, stdout=logs, stderr=logs))
        return psutil.Process(begun[-1].pid)

    yield run
    for process in begun:
        process.send_signal(signal.SIGCONT)
        process.terminate()
        process.wait(timeout=30)
    logs.close()


@pytest.mark.usefixtures("several", "newest_only")
def test_models_that_are_stopped_ring_and_return_when_they_go_on(
    world: Any, start: Callable[[str, str], psutil.Process], wait_until: Callable[..., None], tmp_path: Path
) -> None:
    def states() -> list[tuple[Any, ...]]:
        return world.rows("SELECT source, state FROM alarms WHERE rule = 'platform.analysis.stopped'")  # type: ignore[no-any-return]

    def said() -> str:
        return f"{states()}\n{(tmp_path / 'said.log').read_text()[-3000:]}"

    world.edit("platform.analysis.stopped", QUICK)
    models = start(world.url, "analyse")
    beats = "SELECT 1 FROM hv.writer_snapshot s JOIN hv.writer w USING (writer_id) WHERE w.name = 'analyse'"
    wait_until(lambda: bool(world.rows(beats)), seconds=60, tell=said)
    start(world.url, "watch")
    models.suspend()
    wait_until(lambda: states() == [("platform/analyse", "UNACK")], seconds=60, tell=said)
    models.resume()
    wait_until(lambda: states() == [("platform/analyse", "RTNUN")], seconds=30, tell=said)
