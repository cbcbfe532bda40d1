"""What is counted in columns is what is counted Thing by Thing."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from dashboards import town as judge
from dashboards.columns import last_of, newest, registry, reporting, silent
from dashboards.figures import key_figures
from dashboards.limits import Periods
from dashboards.town import Freshness, Reporting, Town
from hypervision.domains import load
from hypervision.scope import EVERYTHING, Scope
from hypervision.store.screens import ReadingRow, StreamRow, ThingRow

NOW = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
PERIODS = Periods(2, 4)
CATALOGUE = load()
NAMES = {"water": ("flow", "pressure", "battery"), "lighting": ("power", "lamp_state")}


@st.composite
def towns(draw: st.DrawFn) -> Town:
    things: dict[int, ThingRow] = {}
    streams: dict[int, StreamRow] = {}
    latest: dict[int, ReadingRow] = {}
    of: dict[int, tuple[int, ...]] = {}
    for number in range(draw(st.integers(0, 6))):
        domain = draw(st.sampled_from(["water", "lighting", "parking"]))
        organisation = draw(st.sampled_from([1, 2]))
        things[number] = ThingRow(
            number, f"t{number}", "", domain, "", None, None, None, "", organisation, None, None, None
        )
        kinds = draw(st.lists(st.sampled_from([(d, n) for d, own in NAMES.items() for n in own]), unique=True))
        for kind, name in kinds:
            ident = len(streams)
            period = draw(st.sampled_from([None, 1.0, 60.0, 3600.0]))
            streams[ident] = StreamRow(ident, number, kind, name, "1", "gauge", period)
            of[number] = (*of.get(number, ()), ident)
            if draw(st.booleans()):
                at = NOW - timedelta(seconds=draw(st.sampled_from([0, 1, 2, 3, 4, 5, 119, 120, 121, 240, 241, 9000])))
                latest[ident] = ReadingRow(ident, at, draw(st.sampled_from([0.0, 1.0, 2.5])), draw(st.integers(0, 5)))
    codes = {t.code: t.thing_id for t in things.values()}
    return Town(things=things, codes=codes, streams=streams, streams_of=of, latest=latest)


@given(towns(), st.sampled_from([EVERYTHING, Scope(1)]))
def test_columns_count_as_one_by_one(town: Town, scope: Scope) -> None:
    things = town.visible_things(scope)
    for domain in ("water", "lighting", "parking"):
        assert reporting(town, scope, now=NOW, periods=PERIODS, domain=domain) == judge.reporting(
            town, things, now=NOW, periods=PERIODS, domain=domain
        )
        own = [t for t in things if judge.observes(town, t, domain)]
        assert list(registry(town, scope).members.get(domain, ())) == own
    assert reporting(town, scope, now=NOW, periods=PERIODS) == judge.reporting(town, things, now=NOW, periods=PERIODS)
    quiet = [t for t in things if judge.is_reporting(town, t.thing_id, now=NOW, periods=PERIODS) is False]
    assert {t.code for t in silent(town, scope, now=NOW, periods=PERIODS)} == {t.code for t in quiet}
    seen = {i for t in things for i in town.streams_of.get(t.thing_id, ())}
    last = max((r.at for r in town.latest.values() if r.datastream_id in seen), default=None)
    assert last_of(newest(town, scope).at) == last


@given(towns())
def test_figures_take_what_can_be_trusted(town: Town) -> None:
    for figure in key_figures(town, CATALOGUE["water"], scope=EVERYTHING, now=NOW, periods=PERIODS):
        rows = [s for s in town.streams.values() if (s.domain, s.property) == ("water", figure.prop.name)]
        told = [(town.latest.get(s.datastream_id), s) for s in rows]
        good = (Freshness.GOOD, Freshness.LATE)
        values = [
            r.result
            for r, s in told
            if r is not None and judge.freshness(r, s.period, now=NOW, periods=PERIODS) in good
        ]
        assert figure.total == len(values)
        assert (figure.low, figure.high) == ((min(values), max(values)) if values else (0.0, 0.0))
        assert (figure.value is None) == (not values)


def test_columns_follow_the_readings_and_the_registry() -> None:
    thing = ThingRow(1, "a", "", "water", "", None, None, None, "", 1, None, None, None)
    stream = StreamRow(1, 1, "water", "flow", "m3/h", "gauge", 60.0)
    town = Town(things={1: thing}, streams={1: stream}, streams_of={1: (1,)})
    assert reporting(town, EVERYTHING, now=NOW, periods=PERIODS) == Reporting(0, 1)
    heard = Town(
        things=town.things, streams=town.streams, streams_of=town.streams_of, latest={1: ReadingRow(1, NOW, 1.0, 5)}
    )
    assert reporting(heard, EVERYTHING, now=NOW, periods=PERIODS) == Reporting(1, 1)
    grown = Town(
        things={**town.things, 2: thing},
        streams={1: stream, 2: StreamRow(2, 2, "water", "flow", "m3/h", "gauge", 60.0)},
    )
    assert reporting(grown, EVERYTHING, now=NOW, periods=PERIODS, domain="waste") == Reporting(0, 0)
