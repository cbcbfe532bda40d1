"""What became of each message of a batch, and the rows of the quarantine."""

from __future__ import annotations

import numpy as np

from hypervision.batch import DUPLICATE, REJECTED, STORED, Batch, Bool, Int8, Int32, Refusal
from hypervision.plan import Plan, unknown_thing
from hypervision.store.writer import RejectedRow
from hypervision.topics import thing_of

# A row of the quarantine names at most this many faults of its message; what is beyond is counted.
_TOLD = 16
# So many Things of a part of a file have rows of their own.
_THINGS = 1_000
# Of such a topic no Thing can be let in: what is wrong with it stays the reason.
_LEADS_NOWHERE = frozenset(("bad_topic", "unknown_domain"))


def outcomes(
    batch: Batch, planned: Plan, *, new: Bool, newer: set[str], refusals: list[Refusal], limited: Int32
) -> Int8:
    """Stored (at least one new row, or a newer status), else rejected, else duplicate; shape (n_messages,).

    Parameters
    ----------
    new : ndarray of bool, shape (n_readings,)
        Readings that were written.
    newer : set of str
        Things whose status was written.
    limited : ndarray of int32
        Messages beyond the pace of their Thing.
    """
    outcome = np.full(batch.messages, DUPLICATE, np.int8)
    outcome[[refusal.message for refusal in refusals]] = REJECTED
    outcome[planned.message[new]] = STORED
    outcome[[status.message for status in batch.statuses if status.thing in newer]] = STORED
    outcome[limited] = REJECTED
    return outcome


def unknown_things(batch: Batch, known: set[str], limited: Int32) -> list[Refusal]:
    """Refusals of statuses of Things that are not registered, but of those beyond their pace."""
    beyond = set(limited.tolist())
    return [
        Refusal(status.message, "unknown_thing", unknown_thing(status.thing, status.domain))
        for status in batch.statuses
        if status.thing not in known and status.message not in beyond
    ]


def senders(batch: Batch, refusals: list[Refusal]) -> set[str]:
    """Things whose messages were refused for another reason than their topic."""
    return {_thing(batch, refusal) for refusal in refusals if refusal.reason not in _LEADS_NOWHERE} - {""}


def strangers(batch: Batch, refusals: list[Refusal], known: set[str]) -> list[Refusal]:
    """Refusals of messages that could not be read, of Things that are not registered: they wait for an admission too.

    Parameters
    ----------
    refusals : list of Refusal
        All that are known.
    known : set of str
        Which of `senders` are registered.
    """
    told = {refusal.message for refusal in refusals if refusal.reason == "unknown_thing"}
    found = []
    for refusal in refusals:
        thing = _thing(batch, refusal)
        if thing and thing not in known and refusal.reason not in _LEADS_NOWHERE and refusal.message not in told:
            told.add(refusal.message)
            domain = batch.topics[refusal.message].split("/")[2]
            found.append(Refusal(refusal.message, "unknown_thing", unknown_thing(thing, domain)))
    return found


def rejected_rows(batch: Batch, refusals: list[Refusal], outcome: Int8) -> list[RejectedRow]:
    """One row for a message that was refused whole, one per reason for refused values of a stored one.

    Of a file, one per reason and Thing.

    Notes
    -----
    Each row holds the payload (the store keeps its beginning). There are some twenty reasons, so that what a
    message writes stays bounded, however many of its values are refused.
    """
    of_message: dict[int, list[Refusal]] = {}
    for refusal in refusals:
        of_message.setdefault(refusal.message, []).append(refusal)
    rows: list[RejectedRow] = []
    for message, found in of_message.items():
        # An import is a file of many readings, each with a fault of its own, whether any other was stored or not.
        if outcome[message] != STORED and not batch.imported:
            rows.append(_row(batch, found, partial=False))
            continue
        of_reason: dict[tuple[str, str], list[Refusal]] = {}
        things: set[str] = set()
        for refusal in found:
            # Beyond so many Things of a part of a file the lines of the others are told together.
            if len(things) < _THINGS:
                things.add(refusal.thing)
            thing = refusal.thing if refusal.thing in things else ""
            of_reason.setdefault((refusal.reason, thing), []).append(refusal)
        rows += [_row(batch, same, partial=True, thing=thing) for (_, thing), same in of_reason.items()]
    return rows


def _row(batch: Batch, found: list[Refusal], *, partial: bool, thing: str = "") -> RejectedRow:
    """Several refusals of one message as one row; of a file, those of one Thing."""
    message = found[0].message
    topic, payload = batch.topics[message], batch.payloads[message]
    thing = thing_of(topic) or thing
    # Whatever else is wrong with the message of a Thing that waits: it can only be seen to after its admission.
    if thing:
        found = sorted(found, key=lambda refusal: refusal.reason != "unknown_thing")
    return RejectedRow(
        received_us=int(batch.received_us[message]),
        topic=topic,
        thing=thing,
        payload=payload,
        payload_bytes=len(payload),
        reason=found[0].reason,
        detail=_details(found),
        partial=partial,
        number=len(found) if partial else 1,
    )


def _details(found: list[Refusal]) -> str:
    details = list(dict.fromkeys(refusal.detail for refusal in found))
    if len(details) == 1:
        return details[0]
    more = f" (and {len(details) - _TOLD} more)" if len(details) > _TOLD else ""
    return "; ".join(detail.rstrip(".") for detail in details[:_TOLD]) + more


def _thing(batch: Batch, refusal: Refusal) -> str:
    return thing_of(batch.topics[refusal.message])
