"""A domain file in `DATA_DIR/domains`: every process and every verb knows it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from dashboards.assembly import create_server
from hypervision.cli import main
from hypervision.domains import catalogue_of
from hypervision.services.stage import Stage, stage
from hypervision.store.connection import connect

pytestmark = pytest.mark.integration

AIR = """
code = "air"
label = { fr = "Air", en = "Air" }

[[property]]
name = "pm25"
unit = "ug/m3"
kind = "gauge"
valid = [0, 1000]
period = 600
label = { fr = "Particules PM2,5", en = "PM2.5" }

[[property]]
name = "fan"
unit = "1"
kind = "state"
states = [
  { value = 0, code = "off", fr = "arrêté", en = "off" },
  { value = 1, code = "on", fr = "en marche", en = "on" },
]
label = { fr = "Ventilateur", en = "Fan" }

[[rule]]
code = "air.pm25.high"
property = "pm25"
kind = "high"
limit = 50
deadband = 5
priority = "medium"
label = { fr = "Air pollué", en = "Polluted air" }
"""


@pytest.fixture(scope="module")
def place() -> Iterator[Stage]:
    """A running database and broker, whose data directory was given a domain of one's own, then a collector."""
    with stage() as made:
        (made.folder / "domains").mkdir()
        (made.folder / "domains" / "air.toml").write_text(AIR, "utf-8")
        with pytest.MonkeyPatch.context() as patch:
            _enter(made, patch)
            assert main(["db", "migrate"]) == 0
        made.start("collect")
        yield made


@pytest.fixture(autouse=True)
def environment(place: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    _enter(place, monkeypatch)


def _enter(place: Stage, patch: pytest.MonkeyPatch) -> None:
    for name, value in {**place.environ, "HYPERVISION_DATA_DIR": str(place.folder)}.items():
        patch.setenv(name, value)


def _ask(place: Stage, text: str) -> list[tuple[object, ...]]:
    with connect(place.database_url, application="test", autocommit=True) as connection:
        return connection.execute(text).fetchall()  # type: ignore[arg-type]


def test_migrate_puts_in_rules_and_state_labels_of_an_own_domain(place: Stage) -> None:
    assert _ask(place, "SELECT code, limit_value FROM hv.rule WHERE domain = 'air'") == [("air.pm25.high", 50.0)]
    assert _ask(place, "SELECT label FROM hv.state_label WHERE domain = 'air' ORDER BY result") == [("off",), ("on",)]


def test_message_of_an_own_domain_is_published_stored_and_rings(
    place: Stage, capsys: pytest.CaptureFixture[str], wait_until: Callable[..., None]
) -> None:
    collecting = "SELECT 1 FROM hv.writer_snapshot WHERE link = 'connected'"
    wait_until(lambda: _ask(place, collecting), tell=place.roles["collect"].tail)
    assert main(["publish", "station-1", "pm25=80", "fan=on"]) == 0, capsys.readouterr()
    assert "stored: fan, pm25" in capsys.readouterr().out
    assert _ask(place, "SELECT domain, property, result, unit, state FROM latest_observations ORDER BY property") == [
        ("air", "fan", 1.0, "1", "on"),
        ("air", "pm25", 80.0, "ug/m3", None),
    ]
    assert _ask(place, "SELECT rule, state, limit_value FROM alarms") == [("air.pm25.high", "UNACK", 50.0)]


def test_thing_is_admitted_to_an_own_domain(place: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["things", "admit", "station-2", "--domain", "air"]) == 0, capsys.readouterr()
    assert _ask(place, "SELECT domain FROM things WHERE code = 'station-2'") == [("air",)]


def test_server_knows_the_domains_that_every_other_process_knows(place: Stage) -> None:
    assert create_server(place.settings).catalogue == catalogue_of(place.settings)
    assert "air" in catalogue_of(place.settings)
