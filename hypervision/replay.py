"""Sending quarantined messages through the way in once more, after a fix or an admission."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from hypervision.batch import Draft
from hypervision.clock import to_us
from hypervision.decoding import bounds_of, decoder
from hypervision.intake import Intake
from hypervision.settings import Settings
from hypervision.store import rejected

_CHUNK: Final = 1000


@dataclass(frozen=True, slots=True)
class Replayed:
    """What a replay did: messages sent again, and how many of them are stored now."""

    messages: int
    stored: int


def replay(
    settings: Settings,
    *,
    clock: Callable[[], datetime],
    thing: str | None = None,
    reason: str | None = None,
    ids: tuple[int, ...] | None = None,
) -> Replayed:
    """Send rejected messages again, oldest first; those that were cut at 64 KiB cannot be.

    Parameters
    ----------
    thing, reason, ids
        Which ones; all that were not replayed yet when nothing is given.
    """
    decode = decoder("urban")
    messages = stored = 0
    with Intake.open(settings, writer="replay", wait=10.0) as intake:
        # Listed before the first is sent: one that is refused again is quarantined anew, and must not come back.
        waiting = _listed(intake, thing=thing, reason=reason, ids=ids)
        for first in range(0, len(waiting), _CHUNK):
            chosen = waiting[first : first + _CHUNK]
            for row in rejected.to_replay(intake.connection, ids=chosen, limit=_CHUNK):
                draft = Draft()
                decode(
                    [row.topic],
                    [row.payload],
                    received_us=to_us(row.received_time),
                    draft=draft,
                    streams=intake.streams,
                    bounds=bounds_of(settings),
                )
                # Its number was noted when it was refused; now it would make a duplicate of it.
                draft.identities.clear()
                receipt = intake.commit(draft.close(), now=clock())
                messages += 1
                stored += receipt.stored
            rejected.mark_replayed(intake.connection, chosen, now=clock())
    return Replayed(messages, stored)


def _listed(intake: Intake, *, thing: str | None, reason: str | None, ids: tuple[int, ...] | None) -> list[int]:
    found: list[int] = []
    while True:
        rows = rejected.to_replay(
            intake.connection, thing=thing, reason=reason, ids=ids, after=found[-1] if found else 0, limit=_CHUNK
        )
        if not rows:
            return found
        found += [row.rejected_id for row in rows]
