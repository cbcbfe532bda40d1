"""What became of each message of a batch, and the rows of the quarantine."""

from __future__ import annotations

import numpy as np

from hypervision.batch import DUPLICATE, REJECTED, STORED, Batch, Bool, Int8, Refusal
from hypervision.plan import Plan, unknown_thing
from hypervision.store.writer import RejectedRow
from hypervision.topics import thing_of

# A refused message names at most this many of its faults.
_TOLD = 5


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
    """One row for a message that was refused whole, one per refused value of a stored one."""
    rows: list[RejectedRow] = []
    whole: dict[int, list[Refusal]] = {}
    for refusal in refusals:
        if outcome[refusal.message] == STORED:
            rows.append(_row(batch, refusal, partial=True))
        else:
            whole.setdefault(refusal.message, []).append(refusal)
    for message, found in whole.items():
        details = list(dict.fromkeys(refusal.detail for refusal in found))
        more = f" (and {len(details) - _TOLD} more)" if len(details) > _TOLD else ""
        rows.append(_row(batch, Refusal(message, found[0].reason, "; ".join(details[:_TOLD]) + more), partial=False))
    return rows


def _row(batch: Batch, refusal: Refusal, *, partial: bool) -> RejectedRow:
    topic = batch.topics[refusal.message]
    return RejectedRow(
        received_us=int(batch.received_us[refusal.message]),
        topic=topic,
        thing=thing_of(topic),
        payload=batch.payloads[refusal.message],
        reason=refusal.reason,
        detail=refusal.detail,
        partial=partial,
    )
