"""Sending quarantined messages through the way in once more, after a fix or an admission."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from hypervision import topics
from hypervision.batch import Batch, Draft, Status
from hypervision.clock import to_us
from hypervision.decoding import Bounds, Decoder, bounds_of, decoder
from hypervision.errors import TemporaryStoreError
from hypervision.intake import Intake
from hypervision.settings import Settings
from hypervision.store import audit, rejected
from hypervision.store.rejected import IN_HAND, Chosen, Rejected

_log = logging.getLogger(__name__)

# So many messages of 64 KiB at most are held at once.
_CHUNK: Final = 200
_BEAT: Final = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Replayed:
    """What a replay did.

    Attributes
    ----------
    messages : int
        Sent again.
    stored : int
        Of these, with something new in the store now.
    refused : int
        Of these, refused again, whole or in part: they wait on.
    reasons : mapping
        Reasons of the refused ones, with their numbers.
    last : int or None
        The last one that was looked at, where there may be more behind it.
    """

    messages: int
    stored: int
    refused: int = 0
    reasons: Mapping[str, int] = field(default_factory=dict, compare=False)
    last: int | None = field(default=None, compare=False)


def replay(
    settings: Settings,
    chosen: Chosen,
    *,
    clock: Callable[[], datetime],
    actor: str = "",
    newest: int | None = None,
    after: int | None = None,
    limit: int | None = None,
) -> Replayed:
    """Send rejected messages again as the writer `replay`; see `resend`.

    Parameters
    ----------
    actor : str
        Who asked for it, for the journal; empty: nobody did, and nothing is noted.
    """
    # A person who sends messages again is no loop: what was beyond a pace would be lost.
    unpaced = settings.model_copy(update={"ingest": settings.ingest.model_copy(update={"rate": 0.0})})
    with Intake.open(unpaced, writer="replay", wait=10.0) as intake:
        if actor and after is None:
            # Before the first of them is sent, once for all portions: whatever becomes of it, it is known who asked.
            with intake.between() as connection:
                audit.note(
                    connection, "rejected.replay", kind="rejected", ident="", actor=actor, after=described(chosen)
                )
                connection.commit()
        done = resend(intake, chosen, clock=clock, newest=newest, after=after, limit=limit)
        if actor and done.messages:
            told = {"messages": done.messages, "stored": done.stored, "refused": done.refused, **described(chosen)}
            with intake.between() as connection:
                rejected.note(connection, "rejected_replayed", actor=actor, detail=told, now=clock())
                connection.commit()
        return done


def described(chosen: Chosen) -> dict[str, object]:
    """What was chosen, for the journal."""
    values = {name: getattr(chosen, name) for name in Chosen.__slots__ if name != "scope"} | chosen.scope.told()
    return {
        name: value.isoformat() if isinstance(value, datetime) else value
        for name, value in values.items()
        if value is not None
    }


def resend(
    intake: Intake,
    chosen: Chosen,
    *,
    clock: Callable[[], datetime],
    newest: int | None = None,
    after: int | None = None,
    limit: int | None = None,
) -> Replayed:
    """Send rejected messages again, each once, in order of receipt and with its time of receipt.

    Parameters
    ----------
    chosen : Chosen
        Which ones; those that were replayed are left out in any case.
    newest : int, optional
        What was rejected after this row is not meant; None: what is rejected from now on.
    after : int, optional
        `last` of an earlier part of the same.
    limit : int, optional
        So many rows are looked at, the oldest: no more messages than that.

    Notes
    -----
    While it is at work its beat tells what it has in hand, and `watch` ends no delay of those Things: the reading that
    ends it may be the next one that is sent again. Nothing else waits for it.

    What no second try can mend stays as it is: messages cut at 64 KiB, topics that are not a device's, lines of
    an import (mend the file and import it again), answers to no command.
    """
    decode, bounds = decoder("urban"), bounds_of(intake.settings)
    messages = stored = 0
    reasons: Counter[str] = Counter()
    # Listed before the first is sent: one that is refused again goes on waiting, and must not come back.
    before = rejected.newest(intake.connection)
    upto = before if newest is None else min(newest, before)
    waiting = rejected.waiting(intake.connection, chosen, newest=upto, after=after, limit=limit)
    if not waiting.ids:
        return Replayed(0, 0, last=waiting.last)
    at_work = {IN_HAND: {"newest": upto, "thing": chosen.thing, **chosen.scope.told()}}
    beaten = clock()
    intake.beat(detail=at_work)
    for part in _chunks(waiting.ids):
        sent: list[int] = []
        for row in rejected.read(intake.connection, part):
            if clock() - beaten >= _BEAT:
                beaten = clock()
                intake.beat(detail=at_work)
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
        reasons.update(rejected.settle(intake.connection, sent, newest=before, now=clock()).values())
        messages += len(sent)
    intake.beat()
    return Replayed(messages, stored, reasons.total(), dict(reasons), waiting.last)


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
