"""What a fault is: how long it lasts, and how it is done."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ingest.bench.faults.scene import Deed, Scene
from ingest.bench.faults.schedule import Span, Step


@dataclass(frozen=True, slots=True)
class Fault:
    """One kind of fault.

    Parameters
    ----------
    span : Span
        Its name and its bounds.
    act : callable
        Does it and, where it lasts, ends it.
    missing : callable
        Why this machine cannot do it; empty when it can.
    """

    span: Span
    act: Callable[[Scene, Step], Deed]
    missing: Callable[[], str] = str
