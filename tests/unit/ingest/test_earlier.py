"""Who waits for what an earlier number of collectors left at the broker."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from hypervision.partitions import Partition
from hypervision.services.plan import Plan
from hypervision.settings import Settings, load
from ingest import earlier, service


def settings(folder: Path, url: str) -> Settings:
    return load({}, overrides={"data_dir": folder, "mqtt_url": url})


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A data directory whose `up` was killed before its broker had looked."""
    (tmp_path / "run").mkdir()
    Plan(8050, 1884, 4222, 5432).write(tmp_path)
    earlier.path(tmp_path).write_text("", "utf-8")
    return tmp_path


@pytest.mark.parametrize("url", ["mqtt://broker.example:1884", "mqtt://127.0.0.1:1883", "mqtts://localhost"])
@pytest.mark.parametrize("part", ["1/1", "2/3"])
def test_collector_of_another_broker_waits_for_nobody(
    folder: Path, url: str, part: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "_wait", lambda *_: pytest.fail("it waits"))
    assert service.clear_earlier(settings(folder, url), Partition.parse(part)) is None


@pytest.mark.parametrize(("part", "found"), [("1/1", set()), ("2/3", None)])
def test_collector_of_the_embedded_broker_waits_and_says_so(
    folder: Path, part: str, found: set[str] | None, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    looks = []

    def look(seconds: float) -> None:
        looks.append(seconds)
        if len(looks) > 5:
            earlier.settle(folder)

    monkeypatch.setattr("ingest.service.time.sleep", look)
    monkeypatch.setattr(service, "_PATIENCE", 0.0)
    with caplog.at_level(logging.WARNING):
        done = service.clear_earlier(settings(folder, "mqtt://u:p@127.0.0.1:1884"), Partition.parse(part))
    assert done == found
    assert len(looks) == 6
    [line] = caplog.messages
    assert line.startswith("waiting since 0 s for the ")
    assert "another number of collectors left" in line
