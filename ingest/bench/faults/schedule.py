"""A random order of faults that the seed alone decides."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Span:
    """A kind of fault and how long it lasts.

    Parameters
    ----------
    shortest, longest : float
        Bounds [s]; 0 for what happens in an instant.
    weight : int
        How often it stands in one round.
    """

    kind: str
    shortest: float = 0.0
    longest: float = 0.0
    weight: int = 1


@dataclass(frozen=True, slots=True)
class Step:
    """One fault of a schedule.

    Attributes
    ----------
    seconds, pause : float
        How long it lasts, and how long the platform is left alone before it.
    draw : int
        For what the fault itself leaves to chance.
    """

    kind: str
    seconds: float
    pause: float
    draw: int


def schedule(spans: Sequence[Span], *, faults: int, seed: int, pauses: tuple[float, float] = (0.5, 4.0)) -> list[Step]:
    """Draw faults: every kind stands in each round, in an order of its own, until there are enough.

    Examples
    --------
    >>> spans = [Span("kill"), Span("cut", 1, 2)]
    >>> sorted(step.kind for step in schedule(spans, faults=4, seed=7))
    ['cut', 'cut', 'kill', 'kill']
    """
    chance = random.Random(seed)  # noqa: S311  (a schedule, not a secret)
    steps: list[Step] = []
    while spans and len(steps) < faults:
        members = [span for span in spans for _ in range(span.weight)]
        chance.shuffle(members)
        steps += [
            Step(
                span.kind,
                round(chance.uniform(span.shortest, span.longest), 2),
                round(chance.uniform(*pauses), 2),
                chance.randrange(1 << 30),
            )
            for span in members
        ]
    return steps[:faults]
