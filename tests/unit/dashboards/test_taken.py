"""What a caller of the API is told of a message."""

from __future__ import annotations

import numpy as np
import pytest

from dashboards.api import taken
from hypervision.batch import DUPLICATE, REJECTED, STORED, Receipt


@pytest.mark.parametrize(
    ("outcome", "refused", "said"),
    [
        (STORED, [("unknown_property", "x")], ("stored", ["unknown_property"])),
        (REJECTED, [("malformed", "x")], ("rejected", ["malformed"])),
        (DUPLICATE, [], ("duplicate", [])),
        # Counted in the row of another message.
        (REJECTED, [], ("rejected", ["rate_limited"])),
    ],
)
def test_what_became_of_a_message_has_its_reasons(
    outcome: int, refused: list[tuple[str, str]], said: tuple[str, list[str]]
) -> None:
    counts = [int(outcome == code) for code in (STORED, REJECTED, DUPLICATE)]
    receipt = Receipt(np.array([outcome], np.int8), *counts, 0, 0)
    told = taken(receipt, refused, thing="pump-1")
    assert (told.outcome, [each.reason for each in told.refused]) == said
