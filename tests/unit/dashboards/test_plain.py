from __future__ import annotations

import pytest
from pydantic import TypeAdapter, ValidationError

from dashboards.plain import Instant
from dashboards.words import catalogue
from hypervision.choosing import REASONS

INSTANT = TypeAdapter(Instant)


@pytest.mark.parametrize("given", ["2026", 2026, "0", "-5", "2026.5", 1e3])
def test_number_that_is_surely_no_instant_is_refused(given: object) -> None:
    with pytest.raises(ValidationError, match="a number is no instant: write 2026-11-22T10:00:00Z"):
        INSTANT.validate_python(given)


def test_instant_with_an_offset_is_taken() -> None:
    assert INSTANT.validate_python("2026-11-22T10:00:00+01:00").isoformat() == "2026-11-22T10:00:00+01:00"


def test_every_reason_that_can_be_asked_for_has_words() -> None:
    assert {f"reason.{reason}" for reason in REASONS} == {key for key in catalogue("en") if key.startswith("reason.")}
