"""A running town: physics of four domains, faults of their sensors and links, as messages in order."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final, NamedTuple, Protocol

import numpy as np
import orjson

from simulators import deliveries, faults
from simulators.deliveries import Messages
from simulators.kinds import MESSAGE_KINDS, SENSOR_KINDS
from simulators.lighting.devices import Lighting
from simulators.localtime import DAY_US, SECOND_US
from simulators.noise import Float64, Int64, key_of
from simulators.pace import HISTORY, Pace
from simulators.parking.devices import Parking
from simulators.readings import Bool, Int32, Readings, Series, Stream, collect
from simulators.scenario import Fault, Scenario
from simulators.town import Town, build_town
from simulators.truth import Truth, rfc3339
from simulators.waste.devices import Waste
from simulators.water.sensors import Water


class Domain(Protocol):
    """What a simulated domain offers."""

    def streams(self) -> Iterator[Stream]:
        """The datastreams it feeds."""

    def readings(self, start_us: int, end_us: int, pace: Pace) -> Iterator[Series]:
        """What its devices measure within [start, end) [us], the same whatever was asked before."""


class Outgoing(NamedTuple):
    """A message ready to be published.

    Attributes
    ----------
    sent_us : int
        When [us].
    topic : str
        `urban/v1/{domain}/{thing}/up`.
    payload : bytes
        JSON.
    """

    sent_us: int
    topic: str
    payload: bytes


class Simulation:
    """The town from an origin on.

    Parameters
    ----------
    scenario : Scenario
        Seed, Things and faults.
    origin_us : int
        Before it nothing can be asked [us].
    horizon_us : int
        Until when something will be asked, as far as is known [us].
    boot : int
        The devices' restart counter.
    prefix : str
        Stands before the code of every Thing, so that a town can run beside another.
    cache : Path, optional
        Where the hydraulic course is kept for the next start.

    Attributes
    ----------
    town : Town
        Its Things.
    streams : tuple of Stream
        All datastreams, sorted; their Things and those of `things` without the prefix.
    """

    def __init__(
        self,
        scenario: Scenario,
        *,
        origin_us: int,
        horizon_us: int,
        boot: int = 1,
        prefix: str = "",
        cache: Path | None = None,
    ) -> None:
        self.scenario = scenario
        self.town: Town = build_town(scenario.things).only(scenario.include)
        self._origin_us = origin_us
        self._boot = boot
        self.prefix = prefix
        span = {"origin_us": origin_us, "horizon_us": horizon_us}
        self._water = Water(scenario, self.town, cache=cache, **span)
        self._domains: tuple[Domain, ...] = (
            self._water,
            Lighting(scenario, self.town, **span),
            Parking(scenario, self.town, **span),
            Waste(scenario, self.town, **span),
        )
        self.streams: tuple[Stream, ...] = tuple(sorted(s for domain in self._domains for s in domain.streams()))
        self.things: tuple[tuple[str, str], ...] = tuple(sorted({(s.domain, s.thing) for s in self.streams}))
        index = {thing: i for i, thing in enumerate(self.things)}
        self._thing_of_stream: Int32 = np.array([index[s.domain, s.thing] for s in self.streams], np.int32)
        self._next_seq: Int64 = np.zeros(len(self.things), np.int64)
        self._key = key_of(scenario.seed, "latency")
        self._sensor_faults: dict[Stream, list[Fault]] = {}
        self._message_faults: list[tuple[int, Fault]] = []
        self._held: dict[Fault, float] = {}
        self._arm(scenario.faults, index)

    def _arm(self, wanted: Sequence[Fault], index: Mapping[tuple[str, str], int]) -> None:
        for fault in wanted:
            if fault.kind in SENSOR_KINDS:
                for stream in self.streams:
                    if (stream.thing, stream.name) == (fault.thing, fault.property):
                        self._sensor_faults.setdefault(stream, []).append(fault)
            elif fault.kind in MESSAGE_KINDS:
                self._message_faults += [(i, fault) for (_, thing), i in index.items() if thing == fault.thing]

    def prepare(self) -> None:
        """Begin with what takes long while the caller waits for something else."""
        self._water.prepare()

    def truths(self) -> list[Truth]:
        """What is wrong in this run, and nothing that concerns Things outside of it."""
        found = [truth for fault in self.scenario.faults for truth in fault.truths(self.town)]
        return [replace(truth, thing=self.prefix + truth.thing) for truth in found]

    def published_streams(self) -> list[Stream]:
        """The datastreams as the platform knows them."""
        return [stream._replace(thing=self.prefix + stream.thing) for stream in self.streams]

    def published_things(self) -> list[tuple[str, str]]:
        """Domain and code of every Thing as the platform knows them."""
        return [(domain, self.prefix + thing) for domain, thing in self.things]

    def readings(self, start_us: int, end_us: int, pace: Pace) -> Readings:
        """What all sensors measure within [start, end) [us]; faults of sensors included, of links not."""
        return collect((self._spoilt(series) for series in self._true(start_us, end_us, pace)), self.streams)

    def arrived(self, start_us: int, end_us: int, pace: Pace) -> deliveries.Arrived:
        """What became of `readings` on their way: the past as a database would hold it."""
        readings = self.readings(start_us, end_us, pace)
        messages, _ = deliveries.group(readings, self._thing_of_stream, self._next_seq, key=self._key)
        for thing, fault in self._message_faults:
            messages = self._befallen(messages, thing, fault)
        return deliveries.arrived(readings, messages)

    def messages(self, start_us: int, end_us: int, pace: Pace) -> list[Outgoing]:
        """The messages about [start, end) [us] in the order in which they are sent, some of them later.

        Notes
        -----
        The devices' counters go on from call to call: ask for one stretch after the other.
        """
        readings = self.readings(start_us, end_us, pace)
        messages, self._next_seq = deliveries.group(readings, self._thing_of_stream, self._next_seq, key=self._key)
        for thing, fault in self._message_faults:
            messages = self._befallen(messages, thing, fault)
        messages = messages.take(np.lexsort((messages.seq, messages.thing, messages.sent_us)))
        return [self._outgoing(readings, messages, i) for i in range(len(messages))]

    def _true(self, start_us: int, end_us: int, pace: Pace) -> Iterator[Series]:
        for domain in self._domains:
            yield from domain.readings(start_us, end_us, pace)

    def _spoilt(self, series: Series) -> Series:
        result = series.result.astype(np.float64)
        for fault in self._sensor_faults.get(series.stream, ()):
            if not faults.during(series.time_us, fault.start_us, fault.end_us).any():
                continue
            result = self._with(series.stream, series.time_us, result, fault)
        return series._replace(result=result)

    def _with(self, stream: Stream, time_us: Int64, result: Float64, fault: Fault) -> Float64:
        span = {"start_us": fault.start_us, "end_us": fault.end_us}
        if fault.kind == "drift":
            return faults.drift(time_us, result, size=fault.size, **span)
        if fault.kind == "spike":
            key = key_of(self.scenario.seed, stream.thing, stream.name, "spike")
            return faults.spike(time_us, result, size=fault.size, key=key, **span)
        return faults.stuck(time_us, result, held=self._last_before(stream, fault), **span)

    def _last_before(self, stream: Stream, fault: Fault) -> float:
        """What a sensor showed when it got stuck, or first of all when that was before the origin."""
        if fault not in self._held:
            begin = max(fault.start_us - DAY_US - SECOND_US, self._origin_us)
            end = max(fault.start_us, self._origin_us + DAY_US + SECOND_US)
            earlier = [s for s in self._true(begin, end, HISTORY) if s.stream == stream and len(s.time_us)]
            before = [float(s.result[s.time_us < fault.start_us][-1]) for s in earlier if s.time_us[0] < fault.start_us]
            first = [float(s.result[0]) for s in earlier]
            self._held[fault] = (before or first or [fault.size])[0]
        return self._held[fault]

    def _concerned(self, messages: Messages, thing: int, fault: Fault) -> Bool:
        hit = (messages.thing == thing) & faults.during(messages.time_us, fault.start_us, fault.end_us)
        key = key_of(self.scenario.seed, fault.kind, fault.thing)
        by_share = fault.kind not in ("late", "clock_skew")
        return deliveries.chosen(messages, hit, fault.size, key) if by_share else hit

    def _befallen(self, messages: Messages, thing: int, fault: Fault) -> Messages:
        hit = self._concerned(messages, thing, fault)
        match fault.kind:
            case "dropout":
                return deliveries.dropout(messages, hit)
            case "duplicate":
                return deliveries.duplicate(messages, hit)
            case "late":
                return deliveries.late(messages, hit, delay_us=round(fault.size * SECOND_US))
            case "out_of_order":
                key = key_of(self.scenario.seed, "delay", fault.thing)
                return deliveries.out_of_order(messages, hit, key=key)
            case "clock_skew":
                return deliveries.clock_skew(messages, hit, skew_us=round(fault.size * SECOND_US))
            case _:
                return deliveries.missing_time(messages, hit)

    def _outgoing(self, readings: Readings, messages: Messages, i: int) -> Outgoing:
        domain, thing = self.things[messages.thing[i]]
        content: dict[str, object] = {}
        if messages.timed[i]:
            content["time"] = rfc3339(int(messages.time_us[i]))
        content["seq"] = int(messages.seq[i])
        content["boot"] = self._boot
        for row in range(int(messages.first[i]), int(messages.stop[i])):
            result = float(readings.result[row])
            name = self.streams[readings.stream[row]].name
            content[name] = int(result) if result.is_integer() else result
        return Outgoing(
            int(messages.sent_us[i]), TOPIC.format(domain=domain, thing=self.prefix + thing), orjson.dumps(content)
        )


TOPIC: Final = "urban/v1/{domain}/{thing}/up"
