"""Faults of the network between the collector and its services: silence, one direction only, flapping, delay."""

from __future__ import annotations

import time
from functools import partial
from typing import Final

from ingest.bench.faults.catalogue import Fault
from ingest.bench.faults.proxy import Proxy
from ingest.bench.faults.scene import Deed, Scene
from ingest.bench.faults.schedule import Span, Step


def _proxy(scene: Scene, side: str) -> Proxy:
    return scene.town.mqtt if side == "broker" else scene.town.database


def silence(side: str, way: str, scene: Scene, step: Step) -> Deed:
    """Nothing comes through and nothing is closed; afterwards what stood is torn down, or goes on."""
    proxy = _proxy(scene, side)
    proxy.hold(up=way in ("both", "up"), down=way in ("both", "down"))
    torn = step.draw % 2 == 0
    try:
        time.sleep(step.seconds)
        if torn:
            proxy.sever()
    finally:
        proxy.release()
    return Deed(time.time(), f"{step.seconds:.0f} s, then {'torn down' if torn else 'what was held came through'}")


def flap(side: str, scene: Scene, step: Step) -> Deed:
    """Up for half a second, torn down for half a second, again and again."""
    proxy = _proxy(scene, side)
    deadline = time.monotonic() + step.seconds
    times = 0
    try:
        while time.monotonic() < deadline:
            proxy.refuse()
            time.sleep(0.5)
            proxy.release()
            time.sleep(0.5)
            times += 1
    finally:
        proxy.release()
    return Deed(time.time(), f"{times} times")


def delay(side: str, scene: Scene, step: Step) -> Deed:
    """Every piece comes 0.2 s late."""
    proxy = _proxy(scene, side)
    proxy.delay(0.2)
    try:
        time.sleep(step.seconds)
    finally:
        proxy.release()
    return Deed(time.time(), f"0.2 s for {step.seconds:.0f} s")


def answer_lost(scene: Scene, _step: Step) -> Deed:
    """The database hears the collector, its answers are lost, and then the connection: was it committed or not?"""
    scene.town.database.hold(up=False)
    try:
        time.sleep(1.0)
        scene.town.database.sever()
    finally:
        scene.town.database.release()
    return Deed(time.time())


FAULTS: Final = [
    *(
        Fault(Span(f"cut {side}, {way}", 2, 12), partial(silence, side, way))
        for side in ("broker", "database")
        for way in ("both", "up", "down")
    ),
    # Longer than the keep-alive of MQTT (30 s): the collector must notice by itself.
    Fault(Span("long cut broker", 50, 60), partial(silence, "broker", "both")),
    Fault(Span("long cut database", 35, 45), partial(silence, "database", "both")),
    *(Fault(Span(f"flapping {side}", 3, 10), partial(flap, side)) for side in ("broker", "database")),
    *(Fault(Span(f"delay {side}", 3, 8), partial(delay, side)) for side in ("broker", "database")),
    Fault(Span("commit unanswered", weight=2), answer_lost),
]
