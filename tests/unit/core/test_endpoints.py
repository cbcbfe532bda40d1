"""What a local platform's `endpoints.json` may complete: settings of the same installation, and nothing that was given."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from hypervision import cli, endpoints
from hypervision.settings import Settings, load

DEMO = {
    "http": "http://127.0.0.1:8050",
    "mqtt": "mqtt://collector:p@127.0.0.1:1883",
    "database": "postgresql://hypervision:p@127.0.0.1:5433/hypervision",
    "log_ins": [{"user": "viewer", "password": "p", "role": "viewer"}],
}


@pytest.fixture
def demo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A demo runs in its default directory."""
    monkeypatch.setattr(endpoints, "default_data_dir", lambda name, **_: tmp_path / name)
    monkeypatch.setattr("hypervision.settings.default_data_dir", lambda name, **_: tmp_path / name)
    place = tmp_path / "hypervision-demo"
    place.mkdir()
    (place / "endpoints.json").write_text(json.dumps(DEMO), "utf-8")
    return place


def completed(**given: Any) -> tuple[str | None, str | None, str, Path]:
    found = endpoints.complete(load({}, overrides=given))
    return (*urls(found), found.registration, found.data_dir)


def urls(settings: Settings) -> tuple[str | None, str | None]:
    database, mqtt = settings.database_url, settings.mqtt_url
    return (
        None if database is None else database.get_secret_value(),
        None if mqtt is None else mqtt.get_secret_value(),
    )


def test_settings_that_name_nothing_are_completed_by_what_runs_here(demo: Path) -> None:
    assert completed() == (DEMO["database"], DEMO["mqtt"], "open", demo)


def test_nothing_is_taken_from_another_installation(demo: Path) -> None:
    prod = "postgresql://u:p@prod/hv"
    assert completed(database_url=prod) == (prod, None, "closed", demo.parent / "hypervision")
    broker = "mqtts://u:p@prod"
    assert completed(mqtt_url=broker) == (None, broker, "closed", demo.parent / "hypervision")
    both = {"database_url": prod, "mqtt_url": DEMO["mqtt"]}
    assert completed(**both) == (prod, DEMO["mqtt"], "closed", demo.parent / "hypervision")


def test_settings_that_name_the_same_database_or_broker_are_completed(demo: Path) -> None:
    other_role = "host=localhost port=5433 dbname=hypervision user=reader"
    assert completed(database_url=other_role) == (other_role, DEMO["mqtt"], "open", demo)
    device = "mqtt://device:x@localhost:1883"
    assert completed(mqtt_url=device) == (DEMO["database"], device, "open", demo)
    assert completed(database_url="postgresql://u@127.0.0.1:5433/other")[1] is None
    assert completed(database_url="postgresql://u@127.0.0.1/hypervision")[1] is None


def test_what_was_given_holds(demo: Path, tmp_path: Path) -> None:
    assert completed(registration="closed") == (DEMO["database"], DEMO["mqtt"], "closed", demo)
    empty = tmp_path / "empty"
    assert completed(data_dir=str(empty)) == (None, None, "closed", empty)
    assert completed(data_dir=str(demo)) == (DEMO["database"], DEMO["mqtt"], "open", demo)


def test_completing_twice_changes_nothing(demo: Path) -> None:
    once = endpoints.complete(load({}))
    assert once.data_dir == demo
    assert endpoints.complete(once) == once


@pytest.mark.parametrize("text", ["", "[]", '{"database": 7, "mqtt": null}', "{"])
def test_file_that_is_broken_completes_nothing(demo: Path, text: str) -> None:
    (demo / "endpoints.json").write_text(text, "utf-8")
    assert completed()[:2] == (None, None)


def test_collector_logs_in_to_the_broker_that_runs_here_as_collectors_do(demo: Path) -> None:
    (demo / "secrets").mkdir()
    kept = demo / "secrets" / "mqtt-platform-url"
    kept.write_text("mqtt://platform:x@127.0.0.1:1883\n", "utf-8")
    settings = load({}, overrides={"data_dir": str(demo)})
    assert urls(endpoints.complete(settings, collects=True)) == (DEMO["database"], "mqtt://platform:x@127.0.0.1:1883")
    assert urls(endpoints.complete(settings)) == (DEMO["database"], DEMO["mqtt"])
    kept.write_text("mqtt://platform:x@127.0.0.1:1884\n", "utf-8")
    assert urls(endpoints.complete(settings, collects=True))[1] == DEMO["mqtt"]


@pytest.mark.parametrize(
    ("words", "place"),
    [
        (["collect"], "ingest.service.run"),
        (["watch"], "hypervision.watch.main"),
        (["analyse"], "models.analysis.run"),
        (["models", "fit"], "models.desk.fit"),
    ],
)
def test_verb_finds_the_platform_that_runs_in_a_folder(
    demo: Path, monkeypatch: pytest.MonkeyPatch, words: list[str], place: str
) -> None:
    for name in [name for name in os.environ if name.startswith("HYPERVISION_")]:
        monkeypatch.delenv(name)
    met: list[Settings] = []

    def meet(*given: Any, **_: Any) -> int:
        met.extend(one for one in given if isinstance(one, Settings))
        return 0

    monkeypatch.setattr(place, meet)
    monkeypatch.setattr("signal.signal", lambda *_: None)
    monkeypatch.setattr("hypervision.logs.configure", lambda *_, **__: None)
    assert cli.main([*words, "--data-dir", str(demo)]) == 0
    assert urls(met[0]) == (DEMO["database"], DEMO["mqtt"])


def test_database_is_reached_by_the_role_of_the_process_where_it_has_one(demo: Path) -> None:
    own = "postgresql://hypervision_verbs:q@127.0.0.1:5433/hypervision"
    (demo / "secrets").mkdir()
    (demo / "secrets" / "database-verbs-url").write_text(own + "\n")
    assert completed()[0] == own
    found = [endpoints.complete(load({}), process=process).database_url for process in (None, "watch")]
    assert [url.get_secret_value() for url in found if url is not None] == [DEMO["database"]] * 2
    # One that an earlier start has left is of another server.
    (demo / "secrets" / "database-verbs-url").write_text(own.replace("5433", "5434"))
    assert completed()[0] == DEMO["database"]
    (demo / "secrets" / "database-verbs-url").write_bytes(b"\xff")
    assert completed()[0] == DEMO["database"]
