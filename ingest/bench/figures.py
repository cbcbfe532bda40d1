"""The figures of `bench ingest`, and what each is held to."""

from __future__ import annotations

from typing import Final

from hypervision.bars import Bar

BARS: Final = (
    Bar("drain", "drain to committed rows, one collector, 2 readings each, rules on, embedded broker", "messages/s",
        31_000, 45_000),
    Bar("mosquitto", "the same from Mosquitto (no persistence)", "messages/s", 35_000, 60_000),
    Bar("together", "end to end, publisher and embedded broker on the same cores", "messages/s", 18_000, 26_000),
    Bar("wide", "the same drain when a message carries 20 readings", "readings/s", 150_000, 250_000),
    Bar("cpu", "CPU of the collector per million readings, in the first drain", "s", 14, 4, 1, low=True),
    Bar("backlog", "backlog of a database outage, worked off beside what goes on arriving", "times real time",
        8, None, 1),
    Bar("flat", "memory of the collector: the rest of that outage above its first third", "MB", 25, None, 1, low=True),
    Bar("p50", "publish to committed row, half of the messages", "ms", 300, None, low=True),
    Bar("p99", "publish to committed row, 99 of 100 messages", "ms", 1_000, None, low=True),
    Bar("looping", "that p99 beside one device in a loop, as a multiple", "times", 2, None, 2, low=True),
    Bar("memory", "memory of the collector, most of all runs", "MB", 250, None, low=True),
)  # fmt: skip
