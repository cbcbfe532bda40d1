"""Quality of one reading; the worst reason wins, so the codes are ordered from worst to best."""

from __future__ import annotations

from typing import Final

BAD: Final = 0
CORRECTED: Final = 1
SUSPECT: Final = 2
OUT_OF_RANGE: Final = 3
TIME_ASSUMED: Final = 4
GOOD: Final = 5

NAMES: Final = ("bad", "corrected", "suspect", "out_of_range", "time_assumed", "good")
