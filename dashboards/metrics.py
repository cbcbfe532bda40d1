"""`/metrics`: the figures of every process in the text format of Prometheus, made from the town when it is asked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from itertools import accumulate
from typing import TYPE_CHECKING, Any, Final

from fastapi import FastAPI
from fastapi.responses import Response
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, InfoMetricFamily
from prometheus_client.registry import Collector

from dashboards import town as judge
from dashboards.health import parts
from dashboards.live import utc_now
from dashboards.server import Server
from dashboards.writing import NAME as OWN_WRITER
from hypervision.metrics import FAMILIES, KEY, Family, build
from hypervision.store.failures import FAILURES

if TYPE_CHECKING:
    from datetime import datetime

    from prometheus_client.core import Metric

    from dashboards.limits import Periods
    from dashboards.town import Town

_PREFIX: Final = "hypervision_"
_OUTCOMES: Final = ("received", "stored", "duplicate", "rejected")
_MADE: Final[Mapping[str, type[CounterMetricFamily | GaugeMetricFamily]]] = {
    "counter": CounterMetricFamily,
    "gauge": GaugeMetricFamily,
}


def register(app: FastAPI, server: Server) -> None:
    """Add the route."""
    registry = CollectorRegistry()
    registry.register(TownMetrics(server))

    @app.get("/metrics", include_in_schema=False)
    async def metrics() -> Response:
        return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)


class TownMetrics(Collector):
    """Prometheus metrics made from the town when they are asked for."""

    def __init__(self, server: Server) -> None:
        self._server = server

    def collect(self) -> Iterable[Metric]:
        """The families of this moment."""
        server = self._server
        town, now = server.reader.town, utc_now()
        yield from of_messages(town)
        yield from of_writers(town, database_errors=FAILURES.counts())
        yield from of_parts(town, now=now)
        yield from of_town(town, now=now, periods=server.periods)
        yield GaugeMetricFamily(_PREFIX + "screens_open", "Open screens, each pushed to", value=server.hub.screens)
        yield InfoMetricFamily(_PREFIX + "build", "Versions of the platform and of Python", value=build())


def of_messages(town: Town) -> Iterator[Metric]:
    """The five counters of each writer, of one instant."""
    counted = CounterMetricFamily(
        _PREFIX + "messages",
        "Messages by outcome; received is the sum of the others and of those in flight",
        labels=["writer", "outcome"],
    )
    flying = GaugeMetricFamily(
        _PREFIX + "messages_in_flight", "Messages received and not yet committed", labels=["writer"]
    )
    for writer in town.writers:
        if writer.received is not None:
            for outcome in _OUTCOMES:
                counted.add_metric([writer.name, outcome], getattr(writer, outcome))
            flying.add_metric([writer.name], writer.in_flight or 0)
    yield counted
    yield flying


def of_writers(town: Town, *, database_errors: Mapping[str, int]) -> Iterator[Metric]:
    """What each process counts itself and publishes with its beat.

    Parameters
    ----------
    database_errors : mapping
        Of this process, which cannot publish them while its database is away.
    """
    told = {writer.name: (writer.detail or {}).get(KEY) or {} for writer in town.writers}
    told[OWN_WRITER] = {**told.get(OWN_WRITER, {}), "database_errors": dict(database_errors)}
    for name, family in FAMILIES.items():
        metric = _family(name, family)
        for writer, figures in told.items():
            if name in figures:
                _add(metric, family, writer, figures[name])
        yield metric


def _family(name: str, family: Family) -> Metric:
    labels = ["writer", *([family.label] if family.label else [])]
    if family.kind == "histogram":
        return HistogramMetricFamily(_PREFIX + name, family.help, labels=labels)
    return _MADE[family.kind](_PREFIX + name, family.help, labels=labels)


def _add(metric: Any, family: Family, writer: str, value: Any) -> None:
    """Add what one writer published; another version of the platform may have published something else."""
    if family.kind == "histogram":
        if isinstance(value, list) and len(value) == len(family.edges) + 2:
            bounds = [*(str(float(edge)) for edge in family.edges), "+Inf"]
            metric.add_metric([writer], list(zip(bounds, accumulate(value[1:]), strict=True)), value[0])
    elif family.label:
        for label, number in value.items() if isinstance(value, dict) else ():
            metric.add_metric([writer, label], number)
    elif isinstance(value, int | float):
        metric.add_metric([writer], value)


def of_parts(town: Town, *, now: datetime) -> Iterator[Metric]:
    """What the health page says of each part; one that ran once and has ended is no reason for an alert."""
    up = GaugeMetricFamily(_PREFIX + "part_up", "Whether a part of the platform makes progress", labels=["part"])
    age = GaugeMetricFamily(_PREFIX + "part_age_seconds", "Since the last progress of a part", labels=["part"])
    for part in parts(town, now=now):
        if not part.working and not part.needed:
            continue
        up.add_metric([part.name], float(part.working))
        if part.age is not None:
            age.add_metric([part.name], max(part.age, 0.0))
    yield up
    yield age


def of_town(town: Town, *, now: datetime, periods: Periods) -> Iterator[Metric]:
    """Alarms and Things."""
    alarms = GaugeMetricFamily(
        _PREFIX + "alarms_open", "Open alarms by priority and state (ISA-18.2)", labels=["priority", "state"]
    )
    for key, number in sorted(Counter((a.priority, a.state) for a in town.alarms.values()).items()):
        alarms.add_metric(list(key), number)
    yield alarms
    hidden = GaugeMetricFamily(
        _PREFIX + "alarms_hidden", "Open alarms that do not ring, by what hides them", labels=["suppression"]
    )
    for kind, number in sorted(Counter(a.suppression for a in town.alarms.values()).items()):
        if kind != "none":
            hidden.add_metric([kind], number)
    yield hidden
    heard = judge.reporting(town, town.things.values(), now=now, periods=periods)
    yield GaugeMetricFamily(_PREFIX + "things", "Registered Things", value=len(town.things))
    yield GaugeMetricFamily(
        _PREFIX + "things_silent",
        "Things that are expected to report and do not",
        value=heard.expected - heard.reporting,
    )
