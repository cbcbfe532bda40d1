"""`analyse` against the real database: two weeks of a town, one district with a growing leak."""

from __future__ import annotations

import logging
import re
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import psycopg
import pytest
from pydantic import SecretStr

from hypervision import settings as settings_module
from hypervision.batch import Batch, Float64, Int64
from hypervision.clock import to_us
from hypervision.domains import load
from hypervision.errors import TemporaryStoreError
from hypervision.intake import Intake
from hypervision.settings import Settings
from hypervision.store import migrate
from hypervision.store.connection import connect
from hypervision.store.registry import NewThing, register_things
from models import desk
from models.analysis import Analysis, run
from models.clock import DAY, MINUTE
from models.detector import discover
from models.night import NightFlow

pytestmark = pytest.mark.integration

NOW = datetime(2026, 6, 3, 14, 2, tzinfo=UTC)
LEAK = "dma-leak"
CALM = "dma-calm"


def flows(until: datetime, *, days: int, seed: int, leak: float = 0.0) -> tuple[Int64, Float64]:
    """A daily wave with chance; a leak that grew over the last five days [m3/h]."""
    rng = np.random.default_rng(seed)
    last = to_us(until) // (5 * MINUTE) * (5 * MINUTE)
    times = last - np.arange(days * 288 - 1, -1, -1, dtype=np.int64) * (5 * MINUTE)
    wave = 30 - 18 * np.cos(2 * np.pi * (times / DAY - 2 / 24))
    day = times // DAY - times[0] // DAY
    noise = (1 + 0.015 * rng.standard_normal(days + 2)[day]) * (1 + 0.03 * rng.standard_normal(len(times)))
    grown = np.clip((times - (last - 5 * DAY)) / (5 * DAY), 0, 1)
    return times, np.asarray(wave * noise + leak * grown, np.float64)


@pytest.fixture
def settings(embedded_database: str, data_dir: Path) -> Settings:
    found = settings_module.load(
        {}, overrides={"data_dir": data_dir, "registration": "open", "log_level": "info"}
    ).model_copy(update={"database_url": SecretStr(embedded_database)})
    with connect(embedded_database, application="test") as connection:
        migrate.migrate(connection, load(), now=NOW)
        register_things(
            connection,
            [NewThing(code, code, "water", kind=kind) for code, kind in ((LEAK, "district"), (CALM, "district_meter"))]
            + [NewThing("pump", "pump", "water", kind="pump")],
            now=NOW,
        )
    return found


def store(settings: Settings, series: dict[str, tuple[Int64, Float64]], *, writer: str = "history") -> None:
    """Store flows as generated history does."""
    with Intake.open(settings, writer=writer, wait=20) as intake:
        for thing, (times, values) in series.items():
            slot = np.full(len(times), intake.streams.slot("water", thing, "flow"), np.int32)
            now = datetime.now(UTC)
            intake.commit(
                Batch.of_series(
                    slot=slot, time_us=times, result=values, received_us=to_us(now), source="test", imported=True
                ),
                now=now,
            )


def history(until: datetime, *, days: int = 14) -> dict[str, tuple[Int64, Float64]]:
    return {
        LEAK: flows(until, days=days, seed=1, leak=4.0),
        CALM: flows(until, days=days, seed=2),
        "pump": flows(until, days=days, seed=3),
    }


@pytest.fixture
def intake(settings: Settings) -> Iterator[Intake]:
    with Intake.open(settings, writer="analyse", wait=20) as found:
        yield found


def ask(settings: Settings, text: str) -> list[tuple[object, ...]]:
    assert settings.database_url is not None
    with psycopg.connect(settings.database_url.get_secret_value()) as connection:
        return connection.execute(text).fetchall()  # type: ignore[arg-type]


def test_two_weeks_with_a_growing_leak_score_the_past_and_ring_now(settings: Settings, intake: Intake) -> None:
    store(settings, history(NOW))
    analysis = Analysis(intake, lambda: discover(settings.zone))
    assert analysis.step(NOW) > 1000
    found = ask(
        settings,
        "SELECT thing, property, count(*), min(phenomenon_time), max(phenomenon_time) FROM observations"
        " WHERE property LIKE '%_excess' GROUP BY 1, 2 ORDER BY 1, 2",
    )
    assert [(r[0], r[1]) for r in found] == [
        (CALM, "flow_excess"), (CALM, "night_excess"), (LEAK, "flow_excess"), (LEAK, "night_excess"),
    ]  # fmt: skip
    for _, name, count, first, last in found:
        assert count > (6 if name == "night_excess" else 600)
        assert first < NOW - timedelta(days=5)
        assert last == (NOW if name == "night_excess" else datetime(2026, 6, 3, 14, 0, tzinfo=UTC))
    alarms = ask(settings, "SELECT thing, rule, state, raised_at FROM alarms ORDER BY rule")
    assert (LEAK, "water.night.excess", "UNACK", NOW) in alarms
    assert {row[0] for row in alarms} == {LEAK}
    assert not ask(settings, "SELECT * FROM rejected_messages")


def test_next_rounds_write_each_score_once_and_the_night_every_hour(settings: Settings, intake: Intake) -> None:
    store(settings, history(NOW + timedelta(hours=3)))
    analysis = Analysis(intake, lambda: discover(settings.zone))
    analysis.step(NOW)
    assert analysis.step(NOW + timedelta(minutes=1)) == 0
    quarter = analysis.step(NOW + timedelta(minutes=13))
    assert quarter == 2
    hour = analysis.step(NOW + timedelta(minutes=61))
    assert hour == 2 * 3 + 2
    assert not ask(settings, "SELECT * FROM rejected_messages")
    assert len(ask(settings, "SELECT id FROM alarms WHERE rule = 'water.night.excess'")) == 1


def test_restart_goes_on_where_it_stopped(settings: Settings) -> None:
    store(settings, history(NOW + timedelta(hours=3)))
    counts = []
    for at in (NOW, NOW + timedelta(minutes=13), NOW + timedelta(minutes=90)):
        with Intake.open(settings, writer="analyse", wait=20) as intake:
            counts.append(Analysis(intake, lambda: discover(settings.zone)).step(at))
    assert counts[1:] == [2, 2 * 5 + 2]
    assert not ask(settings, "SELECT * FROM rejected_messages")


def test_history_that_comes_after_the_first_rounds_is_taken_up(settings: Settings, intake: Intake) -> None:
    whole = history(NOW)
    store(settings, {thing: (t[-12:], v[-12:]) for thing, (t, v) in whole.items()}, writer="live")
    analysis = Analysis(intake, lambda: discover(settings.zone))
    assert analysis.step(NOW) == 0
    waiting = analysis.status["waiting"]
    assert isinstance(waiting, dict)
    assert sorted(waiting) == [f"{t}/{p}" for t in (CALM, LEAK) for p in ("flow_excess", "night_excess")]
    assert "7 days are needed" in waiting[f"{LEAK}/flow_excess"]
    store(settings, {thing: (t[:-12], v[:-12]) for thing, (t, v) in whole.items()})
    assert analysis.step(NOW + timedelta(minutes=1)) > 1000
    assert not analysis.status["waiting"]
    assert ask(settings, "SELECT state FROM alarms WHERE rule = 'water.night.excess'") == [("UNACK",)]


def test_lost_connection_loses_no_score_and_doubles_none(settings: Settings, intake: Intake) -> None:
    store(settings, history(NOW))
    analysis = Analysis(intake, lambda: discover(settings.zone))
    cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'hypervision analyse'"
    assert ask(settings, cut) == [(True,)]
    with pytest.raises(TemporaryStoreError):
        analysis.step(NOW)
    analysis.step(NOW)
    assert ask(settings, "SELECT state FROM alarms WHERE rule = 'water.night.excess'") == [("UNACK",)]
    assert not ask(settings, "SELECT * FROM rejected_messages")


def test_batch_that_the_database_did_not_take_is_stored_by_the_next_round(
    settings: Settings, intake: Intake, monkeypatch: pytest.MonkeyPatch
) -> None:
    store(settings, history(NOW))
    analysis = Analysis(intake, lambda: discover(settings.zone))
    with monkeypatch.context() as patch:

        def away(batch: Batch, *, now: datetime) -> None:
            raise TemporaryStoreError("database: away")

        patch.setattr(intake, "commit", away)
        with pytest.raises(TemporaryStoreError):
            analysis.step(NOW)
    assert analysis.step(NOW + timedelta(minutes=1)) > 1000
    assert ask(settings, "SELECT raised_at FROM alarms WHERE rule = 'water.night.excess'") == [(NOW,)]


class Failing(NightFlow):
    """Fails on one district."""

    def fit(self, times_us: Int64, values: Float64) -> NightFlow:
        if values[-1] > 30:
            raise ArithmeticError("no convergence")
        return super().fit(times_us, values)


def test_model_that_fails_on_one_series_is_logged_and_the_others_go_on(
    settings: Settings, intake: Intake, caplog: pytest.LogCaptureFixture
) -> None:
    low, high = flows(NOW, days=14, seed=1, leak=4.0), flows(NOW, days=14, seed=2)
    store(settings, {LEAK: (low[0], low[1] / 10), CALM: (high[0], high[1])})
    analysis = Analysis(intake, lambda: [Failing(zone=settings.zone)])
    with caplog.at_level(logging.ERROR):
        assert analysis.step(NOW) > 5
        assert analysis.step(NOW + timedelta(minutes=1)) == 0
    assert [r.getMessage() for r in caplog.records] == [f"night_excess of {CALM} failed, it rests a while"]
    analysis.computed_at -= 90
    analysis.beat()
    ((failing, computed),) = ask(
        settings,
        "SELECT (detail->>'failing')::int, (detail->>'computed')::float8 FROM hv.writer_snapshot"
        " JOIN hv.writer USING (writer_id) WHERE name = 'analyse'",
    )
    assert failing == 1
    assert isinstance(computed, float)
    assert 90 <= computed < 150
    assert ask(settings, "SELECT DISTINCT thing FROM observations WHERE property = 'night_excess'") == [(LEAK,)]


def test_run_beats_writes_and_stops_when_told(settings: Settings, wait_until: Callable[..., None]) -> None:
    store(settings, history(datetime.now(UTC)))
    stop = threading.Event()
    worker = threading.Thread(target=run, args=(settings, stop))
    worker.start()
    try:
        wait_until(lambda: ask(settings, "SELECT 1 FROM alarms WHERE rule = 'water.night.excess'"), seconds=60)
        text = (
            "SELECT beat_at, detail->>'detectors' FROM hv.writer_snapshot JOIN hv.writer USING (writer_id)"
            " WHERE name = 'analyse' AND detail ? 'detectors'"
        )
        wait_until(lambda: ask(settings, text), seconds=20)
        assert ask(settings, text)[0][1] == "4"
    finally:
        stop.set()
        worker.join(20)
    assert not worker.is_alive()


def test_models_fit_score_and_evaluate_read_the_database(
    settings: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from hypervision.cli import _parser
    from models.commands import MODELS

    now = datetime.now(UTC)
    store(settings, history(now))
    start = (now - timedelta(days=5)).isoformat()
    truth = tmp_path / "truth.jsonl"
    truth.write_text(
        f'{{"thing": "{LEAK}", "property": "flow", "fault": "leak", "start": "{start}", "end": null, "size": 4}}\n'
        f'{{"thing": "{LEAK}", "property": "flow", "fault": "drift", "start": "{start}", "end": null, "size": 4}}\n'
        f'{{"thing": "junction-1", "property": "flow", "fault": "burst", "start": "{start}", "end": null}}\n'
    )
    out = tmp_path / "scores.csv"
    for arguments in (["fit"], ["score", "--out", str(out)], ["evaluate", "--truth", str(truth)]):
        assert MODELS.run(_parser(MODELS).parse_args(arguments), settings) == 0
    told = capsys.readouterr()
    # How many nights two weeks hold depends on the hour at which this runs.
    assert re.search(rf"^{LEAK}/night_excess: from [89] nights", told.out, re.MULTILINE)
    assert f"{LEAK}/flow_excess:" in told.out
    assert out.read_text().startswith("domain,thing,property,time,result\nwater,")
    either = next(line.split() for line in told.out.splitlines() if line.startswith("either"))
    assert either[1:5] == ["1.00", "1", "0", "0"]
    assert "a burst of junction-1 is not judged" in told.err
    assert desk.LOSSES == ("leak", "burst")
