"""What became of each message of a batch, and the rows of the quarantine."""

from __future__ import annotations

import numpy as np

from hypervision.batch import DUPLICATE, REJECTED, STORED, Batch, Bool, Int8, Refusal
from hypervision.plan import Plan, unknown_thing
from hypervision.store.writer import RejectedRow
from hypervision.topics import thing_of

# A refused message names at most this many of its faults.
_TOLD = 5
# A stored message has at most this many rows of refused values; what is beyond is counted in the last one.
# Without a bound one message of 10,000 conflicting values made a statement larger than the server takes.
_ROWS = 16
# Only the first row of a message keeps a payload longer than this [bytes].
_SMALL = 1024


def outcomes(batch: Batch, planned: Plan, *, new: Bool, newer: set[str], refusals: list[Refusal]) -> Int8:
    """Stored (at least one new row, or a newer status), else rejected, else duplicate; shape (n_messages,).

    Parameters
    ----------
    new : ndarray of bool, shape (n_readings,)
        Readings that were written.
    newer : set of str
        Things whose status was written.
    """
    outcome = np.full(batch.messages, DUPLICATE, np.int8)
    outcome[[refusal.message for refusal in refusals]] = REJECTED
    outcome[planned.message[new]] = STORED
    outcome[[status.message for status in batch.statuses if status.thing in newer]] = STORED
    return outcome


def unknown_things(batch: Batch, known: set[str]) -> list[Refusal]:
    """Refusals of statuses of Things that are not registered."""
    return [
        Refusal(status.message, "unknown_thing", unknown_thing(status.thing, status.domain))
        for status in batch.statuses
        if status.thing not in known
    ]


def rejected_rows(batch: Batch, refusals: list[Refusal], outcome: Int8) -> list[RejectedRow]:
    """One row for a message that was refused whole, one per refused value (at most 16) of a stored one."""
    of_message: dict[int, list[Refusal]] = {}
    for refusal in refusals:
        of_message.setdefault(refusal.message, []).append(refusal)
    rows: list[RejectedRow] = []
    for message, found in of_message.items():
        if outcome[message] != STORED:
            rows.append(_row(batch, _merged(found), partial=False))
            continue
        shown = found if len(found) <= _ROWS else found[: _ROWS - 1]
        rows += [_row(batch, refusal, partial=True, first=place == 0) for place, refusal in enumerate(shown)]
        if len(found) > _ROWS:
            rest = found[_ROWS - 1 :]
            rows.append(_row(batch, _merged(rest), partial=True, first=False, count=len(rest)))
    return rows


def _merged(found: list[Refusal]) -> Refusal:
    """Several refusals of one message as one."""
    details = list(dict.fromkeys(refusal.detail for refusal in found))
    if len(details) == 1:
        return found[0]
    more = f" (and {len(details) - _TOLD} more)" if len(details) > _TOLD else ""
    text = "; ".join(detail.rstrip(".") for detail in details[:_TOLD]) + more
    return Refusal(found[0].message, found[0].reason, text)


def _row(batch: Batch, refusal: Refusal, *, partial: bool, first: bool = True, count: int = 1) -> RejectedRow:
    topic, payload = batch.topics[refusal.message], batch.payloads[refusal.message]
    return RejectedRow(
        received_us=int(batch.received_us[refusal.message]),
        topic=topic,
        thing=thing_of(topic),
        payload=payload if first or len(payload) <= _SMALL else b"",
        payload_bytes=len(payload),
        reason=refusal.reason,
        detail=refusal.detail,
        partial=partial,
        number=count,
    )
