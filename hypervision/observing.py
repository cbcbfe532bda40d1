"""The figures of a batch: counted once it is committed, on its columns."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Final

from hypervision.batch import Batch, Bool, Receipt
from hypervision.clock import to_us
from hypervision.metrics import Metrics
from hypervision.plan import Plan
from hypervision.store.writer import RejectedRow

_SECOND_US: Final = 1e6


class Observing:
    """Counts what an intake commits.

    Parameters
    ----------
    metrics : Metrics
        Of its process.
    """

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics

    def committed(
        self,
        batch: Batch,
        planned: Plan,
        new: Bool,
        refused: Sequence[RejectedRow],
        receipt: Receipt,
        *,
        limited: int,
        now: datetime,
        began: float,
    ) -> None:
        """Count a batch.

        Parameters
        ----------
        new : ndarray of bool, shape (n_planned,)
            Readings that were written.
        limited : int
            Messages beyond the pace of their Thing.
        now : datetime
            When the commit was begun; `began` is the same on the monotonic clock [s].
        """
        metrics = self._metrics
        took = time.monotonic() - began
        metrics.observe("commit_seconds", [took])
        metrics.observe("batch_messages", [batch.messages])
        metrics.count("readings", receipt.rows)
        metrics.count("readings_late", int((new & planned.late).sum()))
        metrics.count("alarm_transitions", receipt.transitions)
        reasons: Counter[str] = Counter()
        for row in refused:
            reasons[row.reason] += row.number
        if limited:
            reasons["rate_limited"] += limited
        for reason, number in reasons.items():
            metrics.count("rejects", number, label=reason)
        if not batch.imported:
            done_us = to_us(now) + took * _SECOND_US
            metrics.observe("phenomenon_lag_seconds", (done_us - planned.time_us[new]) / _SECOND_US)
            metrics.observe("receipt_lag_seconds", (done_us - batch.received_us) / _SECOND_US)

    def stepped(self, transitions: int) -> None:
        """Count alarm transitions without readings."""
        if transitions:
            self._metrics.count("alarm_transitions", transitions)
