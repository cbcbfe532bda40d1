"""Log lines that anybody can cause are written seldom."""

from __future__ import annotations

import logging
from collections.abc import Callable

from dashboards.quiet import SeldomFilter


class Kept(logging.Handler):
    """Remembers what was written."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage())


def logger(name: str, clock: Callable[[], float]) -> tuple[logging.Logger, Kept]:
    made, kept = logging.getLogger(f"{__name__}.{name}"), Kept()
    made.addHandler(kept)
    made.addFilter(SeldomFilter(clock=clock))
    return made, kept


def test_each_kind_of_line_is_written_once_in_a_while_with_the_number_left_out() -> None:
    now = [0.0]
    log, kept = logger("one", lambda: now[0])
    for number in range(500):
        log.warning("broken request %d, 100 %%", number)
    log.warning("another")
    assert kept.lines == ["broken request 0, 100 %", "another"]
    now[0] = 10.0
    log.warning("broken request %d, 100 %%", 7)
    now[0] = 20.0
    log.warning("broken request %d, 100 %%", 8)
    assert kept.lines[2:] == ["broken request 7, 100 % (and 499 times before)", "broken request 8, 100 %"]


def test_text_that_is_different_each_time_is_one_kind_in_the_end() -> None:
    log, kept = logger("many", lambda: 0.0)
    for number in range(500):
        log.warning(f"broken {number}")  # noqa: G004
    assert len(kept.lines) == 51
