"""Faults of devices: poison, floods, storms, copies, late, shuffled and wrong clocks; and a session wiped out."""

from __future__ import annotations

import asyncio
import random
import signal
import struct
import time
from typing import Final

from hypervision.partitions import Partition
from hypervision.services import broker
from ingest.bench import feeder
from ingest.bench.faults import lanes
from ingest.bench.faults.catalogue import Fault
from ingest.bench.faults.scene import Deed, Scene
from ingest.bench.faults.schedule import Span, Step
from ingest.division import client_id as client_id_of

_RETAIN: Final = 0x01


def poison(scene: Scene, _step: Step) -> Deed:
    """5,000 messages that no decoder reads, in one go."""
    answered = scene.burst(lanes.poison(), scene.count(5_000))
    return Deed(time.time(), f"{answered} messages")


def retained(scene: Scene, _step: Step) -> Deed:
    """A flood of retained readings; the collector subscribes anew and gets all of them again."""
    answered = scene.burst(lanes.retained(), scene.count(5_000), flags=_RETAIN)
    scene.town.mqtt.sever()
    return Deed(time.time(), f"{answered} messages, sent again at the next subscription")


def copies(scene: Scene, step: Step) -> Deed:
    """What was published lately comes three times more, shuffled."""
    book = scene.books["main"]
    lane = book.lane
    again = book.tail(scene.count(3_000)) * 3
    random.Random(step.draw).shuffle(again)  # noqa: S311

    def make(index: int, _now_ms: int) -> tuple[str, bytes]:
        number, entry = again[index]
        return lane.make(number, entry.time_us // 1000)

    feeder.Feeder(scene.town.device, make, client_id="faults-copies").run(len(again))
    return Deed(time.time(), f"{len(again)} copies")


def late(scene: Scene, _step: Step) -> Deed:
    """Readings of the day before yesterday, in a mixed order."""
    return Deed(time.time(), f"{scene.burst(lanes.late(), scene.count(2_000))} messages")


def clocks(scene: Scene, _step: Step) -> Deed:
    """Devices with clocks wrong by minutes to weeks, in both directions."""
    return Deed(time.time(), f"{scene.burst(lanes.skewed(), scene.count(2_000))} messages")


def anonymous(scene: Scene, _step: Step) -> Deed:
    """Messages without time and counter."""
    return Deed(time.time(), f"{scene.burst(lanes.anonymous(), scene.count(1_000))} messages")


def session_lost(scene: Scene, _step: Step) -> Deed:
    """Somebody wipes the collector's session out at the broker; it must notice and subscribe anew.

    What is published while there is no session is answered and dropped by the broker, which nobody can mend; so
    nothing is published meanwhile.
    """
    for publisher in scene.publishers:
        publisher.rest()
    try:
        scene.wait(scene.quiet, seconds=180, what="the backlog")
        times = scene.connections()
        client_id = client_id_of(scene.town.settings, Partition(1, 1))
        feeder.connect(scene.town.platform, client_id).close()
        took = scene.wait(lambda: scene.connections() > times, seconds=60, what="a new session")
    finally:
        for publisher in scene.publishers:
            publisher.resume()
    return Deed(time.time(), f"subscribed anew after {took:.1f} s")


def storm(scene: Scene, _step: Step) -> Deed:
    """2,000 devices are connected; the broker is killed, and all of them come back at once and publish."""
    return asyncio.run(_storm(scene))


async def _storm(scene: Scene) -> Deed:
    broker.raise_file_limit()
    lane = lanes.storm()
    book = scene.book(lane)
    address = scene.town.device
    answered = 0
    closing = asyncio.Event()

    async def device(index: int, number: int, now_ms: int) -> None:
        nonlocal answered
        topic, payload = lane.make(number, now_ms)
        body = feeder.text(topic) + struct.pack(">H", 1) + payload
        packet = b"\x32" + feeder.length(len(body)) + body
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            writer: asyncio.StreamWriter | None = None
            try:
                reader, writer = await asyncio.open_connection(address.host, address.port)
                writer.write(feeder.hello(address, f"storm-{index}"))
                await asyncio.wait_for(reader.readexactly(4), 20)
                writer.write(packet)
                await asyncio.wait_for(reader.readexactly(4), 20)
                answered += 1
                await closing.wait()
            except (OSError, EOFError, TimeoutError):
                # The same message again, as an honest device does.
                await asyncio.sleep(0.2)
            else:
                return
            finally:
                if writer is not None:
                    writer.transport.abort()

    async def wave(count: int, *, kill: bool) -> float:
        nonlocal answered
        answered = 0
        closing.clear()
        first, now_ms = book.attempted, time.time_ns() // 1_000_000
        numbers = range(first, first + count)
        book.attempt([(number, now_ms) for number in numbers])
        if kill:
            await asyncio.to_thread(scene.town.signal, "broker", signal.SIGKILL)
        began = time.monotonic()
        tasks = [asyncio.create_task(device(index, number, now_ms)) for index, number in enumerate(numbers)]
        while answered < count and not all(task.done() for task in tasks):
            await asyncio.wait(tasks, timeout=0.05)
        took = time.monotonic() - began
        closing.set()
        await asyncio.gather(*tasks)
        if answered >= count:
            book.acknowledge(list(numbers))
        return took

    count = scene.count(lanes.STORM)
    calm = await wave(count, kill=False)
    back = await wave(count, kill=True)
    wrong = "" if answered >= count else f"{count - answered} of {count} devices did not come back within 60 s"
    return Deed(time.time(), f"{count} devices in {calm:.1f} s, after the kill in {back:.1f} s", wrong)


FAULTS: Final = [
    Fault(Span("poison"), poison),
    Fault(Span("retained flood"), retained),
    Fault(Span("copies, shuffled"), copies),
    Fault(Span("late, shuffled"), late),
    Fault(Span("wrong clocks"), clocks),
    Fault(Span("no time, no counter"), anonymous),
    Fault(Span("session lost"), session_lost),
    Fault(Span("reconnect storm"), storm),
]
