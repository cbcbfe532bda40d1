"""What an ordinary rule makes of a derived datastream: the platform's own alarm machine, run over a column."""

from __future__ import annotations

from typing import NamedTuple

from hypervision.alarms import Acknowledgement, Alarm, Delays, Reading, apply
from hypervision.domains import Catalogue, RuleTemplate
from models.detector import Detector, Scores


class Span(NamedTuple):
    """An interval of time [us], its end included."""

    start_us: int
    end_us: int


def rules_of(detector: Detector, catalogue: Catalogue) -> list[RuleTemplate]:
    """The default rules on what a detector writes that ring above a limit."""
    return [
        rule for rule in catalogue[detector.domain].rules if rule.property == detector.writes and rule.kind == "high"
    ]


def ring(scores: Scores, rule: RuleTemplate) -> list[Span]:
    """When a rule would have rung, every alarm acknowledged at once.

    Parameters
    ----------
    scores : Scores
        The column.
    rule : RuleTemplate
        A rule of kind `high`, with its limit, deadband and delays.

    Returns
    -------
    list of Span
        From ringing to return; an alarm still on ends with the column.
    """
    delays = Delays(int(rule.on_delay * 1e6), int(rule.off_delay * 1e6))
    alarm = Alarm()
    spans: list[Span] = []
    began: int | None = None
    for at_us, value in zip(scores.times_us.tolist(), scores.excess.tolist(), strict=True):
        violates, clears = value > rule.limit, value <= rule.limit - rule.deadband
        alarm, steps = apply(alarm, Reading(at_us, violates, clears, value), delays)
        for step in steps:
            if step.to_state == "UNACK":
                began = step.at_us
                alarm, _ = apply(alarm, Acknowledgement(step.at_us, "walk"), delays)
            elif began is not None:
                spans.append(Span(began, step.at_us))
                began = None
    if began is not None:
        spans.append(Span(began, int(scores.times_us[-1])))
    return spans
