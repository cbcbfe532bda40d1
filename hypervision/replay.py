"""Sending quarantined messages through the way in once more, after a fix or an admission."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from hypervision import topics
from hypervision.batch import Batch, Draft, Status
from hypervision.clock import to_us
from hypervision.decoding import Bounds, Decoder, bounds_of, decoder
from hypervision.errors import TemporaryStoreError
from hypervision.intake import Intake
from hypervision.settings import Settings
from hypervision.store import rejected
from hypervision.store.rejected import Rejected

_log = logging.getLogger(__name__)

# So many messages of 64 KiB at most are held at once.
_CHUNK: Final = 200
_BEAT: Final = timedelta(seconds=1)


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
    """Send rejected messages again as the writer `replay`; see `resend`."""
    with Intake.open(settings, writer="replay", wait=10.0) as intake:
        return resend(intake, clock=clock, thing=thing, reason=reason, ids=ids)


def resend(
    intake: Intake,
    *,
    clock: Callable[[], datetime],
    thing: str | None = None,
    reason: str | None = None,
    ids: tuple[int, ...] | None = None,
) -> Replayed:
    """Send rejected messages again, each once, in order of receipt and with its time of receipt.

    Parameters
    ----------
    thing, reason, ids
        Which ones; all that were not replayed yet when nothing is given.

    Notes
    -----
    What no second try can mend stays as it is: messages cut at 64 KiB, topics that are not a device's, lines of
    an import (mend the file and import it again), answers to no command.
    """
    decode, bounds = decoder("urban"), bounds_of(intake.settings)
    messages = stored = 0
    beaten = clock()
    intake.beat(now=beaten)
    # Listed before the first is sent: one that is refused again goes on waiting, and must not come back.
    waiting = rejected.waiting(intake.connection, thing=thing, reason=reason, ids=ids)
    for chosen in _chunks(waiting.ids):
        sent: list[int] = []
        for row in rejected.read(intake.connection, chosen):
            if clock() - beaten >= _BEAT:
                beaten = clock()
                intake.beat(now=beaten)
            try:
                batch = _batch(row, intake, decode, bounds)
                if batch is None:
                    continue
                receipt = intake.commit(batch, now=clock())
            except TemporaryStoreError:
                raise
            except Exception as error:  # noqa: BLE001  (whatever is wrong with a message, the next ones are sent)
                _log.warning("the rejected message %d cannot be sent again (%s)", row.rejected_id, error)
                continue
            sent.append(row.rejected_id)
            stored += receipt.stored
        rejected.settle(intake.connection, sent, newest=waiting.newest, now=clock())
        messages += len(sent)
    intake.beat(now=clock())
    return Replayed(messages, stored)


def _chunks(ids: list[int]) -> Iterator[list[int]]:
    for first in range(0, len(ids), _CHUNK):
        yield ids[first : first + _CHUNK]


def _batch(row: Rejected, intake: Intake, decode: Decoder, bounds: Bounds) -> Batch | None:
    """The message as it came in; None for a word about the link of a domain that is still unknown."""
    draft, received_us = Draft(), to_us(row.received_time)
    place = topics.parse(row.topic)
    if place is not None and place.leaf == "status":
        if place.domain not in intake.streams.catalogue:
            return None
        message = draft.message_of(row.topic, row.payload, received_us=received_us)
        draft.statuses.append(Status(message, place.domain, place.thing, row.payload.decode("ascii"), received_us))
    else:
        decode(
            [row.topic],
            [row.payload],
            received_us=received_us,
            draft=draft,
            streams=intake.streams,
            bounds=bounds,
        )
    # Its number was noted when it was refused; now it would make a duplicate of it.
    draft.identities.clear()
    return draft.close()
