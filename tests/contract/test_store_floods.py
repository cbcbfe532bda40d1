"""What one hostile message can do to the store: nothing that its neighbours feel."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from hypervision.batch import Batch
from hypervision.clock import to_us

pytestmark = pytest.mark.integration


def test_message_of_many_conflicting_values_is_stored_once_and_told_in_few_rows(world: Any) -> None:
    """10,000 values for one instant made a statement larger than the server takes, for ever."""
    intake, now_us = world.intake(), to_us(world.now)
    n = 10_000
    at_us = now_us - 5_000_000
    batch = Batch(
        topics=["urban/v1/water/cf1/up"],
        payloads=[json.dumps([{"time": 1, "flow": float(i)} for i in range(n)]).encode()],
        received_us=np.array([now_us], np.int64),
        message=np.zeros(n, np.int32),
        slot=np.full(n, intake.streams.slot("water", "cf1", "flow"), np.int32),
        time_us=np.full(n, at_us, np.int64),
        result=np.arange(n, dtype=np.float64),
        quality=np.full(n, 5, np.int8),
    )
    receipt = intake.commit(batch, now=world.now)
    assert (receipt.stored, receipt.rows) == (1, 1)
    rows = world.rows(
        "SELECT reason, partial, count, octet_length(payload), payload_bytes FROM rejected_messages ORDER BY id"
    )
    kept = len(batch.payloads[0])
    assert rows == [("conflict", True, n - 1, 65_536, kept)], "one row, and it holds the payload"
    (detail,) = world.rows("SELECT detail FROM rejected_messages")[0]
    assert "flow has 0.0 at this time already, 1.0 was refused" in detail
    assert detail.endswith(f"(and {n - 1 - 16} more)")
