"""When the store refuses a batch for good: halve it until the message at fault stands alone, and refuse that one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from hypervision.batch import Batch, Refusal
from hypervision.errors import TemporaryStoreError

_BLOWS: Final = 3
"""So often in a row a batch may break its transaction before it is halved."""
_LAST_BLOWS: Final = 8
"""So often a single message may make the server hang up before it is refused."""
# The server hung up (none, 08, 57P02) or ran out of memory: possibly what is in the message.
_HANGS_UP: Final = ("08", "57P02", "53200")
# It took too long (statement, lock, idle in transaction): a smaller batch passes, and no message is at fault.
_TOO_LONG: Final = ("57014", "55P03", "25P03")


def suspected(batch: Batch, blows: Sequence[TemporaryStoreError]) -> bool:
    """Whether a batch that broke its transaction again and again had better be taken apart.

    Parameters
    ----------
    batch : Batch
        What was to be committed.
    blows : sequence of TemporaryStoreError
        What happened, one after the other; a database that was away tells nothing about the batch.
    """
    midway = [blow.sqlstate for blow in blows if blow.midway]
    hung_up = sum(not state or state.startswith(_HANGS_UP) for state in midway)
    if batch.messages == 1:
        return hung_up >= _LAST_BLOWS
    return hung_up + sum(state in _TOO_LONG for state in midway) >= _BLOWS


def isolate(batch: Batch, error: Exception) -> list[Batch]:
    """What to commit instead of a batch that was refused.

    Parameters
    ----------
    batch : Batch
        Of at least one message.
    error : Exception
        Why it was refused.

    Returns
    -------
    list of Batch
        Two halves; or, of a single message, the message without its readings and with a refusal.

    Raises
    ------
    Exception
        `error` itself when even a message without readings is refused: then it is not the message's fault.
    """
    if batch.messages > 1:
        middle = batch.messages // 2
        return [part(batch, 0, middle), part(batch, middle, batch.messages)]
    if not len(batch) and not batch.statuses and not batch.identities:
        raise error
    nothing = part(batch, 0, 1, readings=False)
    text = " ".join(str(error).split())[:200]
    nothing.refusals.append(Refusal(0, "store_refused", f"the database refuses this message: {text}"))
    return [nothing]


def part(batch: Batch, first: int, last: int, *, readings: bool = True) -> Batch:
    """The messages `first` to `last` of a batch, the last one left out, with or without their readings."""
    keep = (batch.message >= first) & (batch.message < last) & readings
    statuses = batch.statuses if readings else []
    identities = batch.identities if readings else []
    numbers = batch.numbers if readings else []
    return Batch(
        topics=batch.topics[first:last],
        payloads=batch.payloads[first:last],
        received_us=batch.received_us[first:last],
        message=(batch.message[keep] - first).astype(np.int32),
        slot=batch.slot[keep],
        time_us=batch.time_us[keep],
        result=batch.result[keep],
        quality=batch.quality[keep],
        refusals=[r._replace(message=r.message - first) for r in batch.refusals if first <= r.message < last],
        identities=[i._replace(message=i.message - first) for i in identities if first <= i.message < last],
        statuses=[s._replace(message=s.message - first) for s in statuses if first <= s.message < last],
        imported=batch.imported,
        numbers=[(n[0] - first, *n[1:]) for n in numbers if first <= n[0] < last],
        again=[message - first for message in batch.again if first <= message < last],
        moments=[(message - first, time_us) for message, time_us in batch.moments if first <= message < last],
    )
