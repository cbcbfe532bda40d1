"""Whether readings flow, and what holds the timers while they do not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple, Self

from hypervision.collecting import Seen, service

KEY: Final = "held"
"""Where the beat of `watch` tells what holds its timers."""
PATIENCE: Final = 5.0
"""A collector whose last beat is older holds the timers [s]: an expiry that is written is not taken back."""
# One more than theirs after the last beat: what they wrote is not judged before it is whole.
_FILLING_PATIENCE: Final = 15.0
_FILLING: Final = ("import", "simulate")


class Flow(NamedTuple):
    """A writer as the timers see it: `age` is that of its last beat [s], `in_flight` what it holds."""

    name: str
    age: float
    retired: bool
    link: str
    in_flight: int


@dataclass(frozen=True, slots=True)
class Held:
    """What holds the timers.

    Attributes
    ----------
    cause : str
        `none` (there is no collector), `stopped` (collectors that do not beat), `untaken` (parts that nobody takes),
        `unlinked` (collectors without the broker), `backlog` (collectors that hold much) or `filling` (an import, or
        history that is generated: on purpose).
    names : tuple of str
        Of the writers.
    seconds : float
        For how long [s].
    """

    cause: str
    names: tuple[str, ...]
    seconds: float = 0.0

    @property
    def on_purpose(self) -> bool:
        """Whether somebody wanted it so."""
        return self.cause == "filling"

    def told(self) -> dict[str, object]:
        """What the beat tells."""
        return {"cause": self.cause, "names": list(self.names), "seconds": round(self.seconds, 1)}

    @classmethod
    def of(cls, detail: Mapping[str, Any] | None) -> Self | None:
        """Read it in the detail of a beat; None when nothing holds them, or a version tells nothing of it.

        Examples
        --------
        >>> Held.of({"held": Held("none", (), 3.0).told()})
        Held(cause='none', names=(), seconds=3.0)
        >>> Held.of({"flowing": False}) is None
        True
        """
        told = (detail or {}).get(KEY)
        if not isinstance(told, dict):
            return None
        names, seconds = told.get("names"), told.get("seconds")
        return cls(
            str(told.get("cause")),
            tuple(map(str, names)) if isinstance(names, list) else (),
            float(seconds) if isinstance(seconds, int | float) else 0.0,
        )


def holding(writers: Sequence[Flow], *, most: int) -> Held | None:
    """What holds the timers now; None while readings flow.

    Parameters
    ----------
    most : int
        A collector that holds more messages has a backlog.
    """
    known = service((Seen(w.name, w.age, w.retired) for w in writers), patience=PATIENCE)
    at_work = [writer for writer in writers if writer.name in known.at_work]
    causes = {
        "stopped": known.stopped,
        "untaken": tuple(part.writer for part in known.untaken),
        "unlinked": tuple(w.name for w in at_work if w.link != "connected"),
        "backlog": tuple(w.name for w in at_work if w.in_flight > most),
        "filling": tuple(w.name for w in writers if w.name in _FILLING and w.age <= _FILLING_PATIENCE),
    }
    if not known.at_work and not known.stopped:
        return Held("none", ())
    return next((Held(cause, names) for cause, names in causes.items() if names), None)
