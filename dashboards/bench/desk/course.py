"""The parts of `bench desk` in their order; each fills in its figures."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from playwright.sync_api import Error as BrowserError

from dashboards.bench.desk import cut, lasting, opening, ringing
from dashboards.bench.desk.bars import BARS, PARTS, Sizes
from dashboards.bench.desk.browser import Screens
from dashboards.bench.desk.counting import foreign
from dashboards.bench.desk.opening import Found
from dashboards.bench.desk.place import Place
from hypervision.bars import Figure, bound, shown
from hypervision.errors import HypervisionError

Part = Callable[[Place, Screens, Sizes, dict[str, Any]], Found]

_MEASURES: Final[Mapping[str, Part]] = {
    "log-in": opening.log_in,
    "pages": opening.pages,
    "alarms": ringing.alarms,
    "acknowledge": ringing.acknowledge,
    "bytes": lasting.socket,
    "memory": lasting.memory,
    "map": opening.town_map,
    "cut": cut.power,
}


@dataclass(slots=True)
class Course:
    """What is measured, and what was found.

    Parameters
    ----------
    say : callable
        Told every figure.

    Attributes
    ----------
    raw : dict
        Everything measured, by part.
    """

    sizes: Sizes
    say: Callable[[str], None]
    parts: Sequence[str] = tuple(PARTS)
    figures: dict[str, Figure] = field(default_factory=lambda: {bar.key: Figure(bar) for bar in BARS})
    raw: dict[str, Any] = field(default_factory=dict)

    @property
    def wanted(self) -> list[Figure]:
        """The figures of the parts that were asked for."""
        keys = [key for name in self.parts for key in PARTS[name]]
        return [self.figures[key] for key in [*keys, "foreign"]]

    def run(self, place: Place, screens: Screens) -> None:
        """Measure every part; one that fails is said, and the others go on."""
        for name in self.parts:
            began = time.monotonic()
            told = self.raw[name] = dict[str, Any]()
            try:
                found = _MEASURES[name](place, screens, self.sizes, told)
            except (HypervisionError, BrowserError) as error:
                self._missing(name, (str(error).splitlines() or [type(error).__name__])[0][:300])
            else:
                for key, values in found.items():
                    self.figures[key].values += values
                    self._tell(key)
            told["seconds"] = time.monotonic() - began
            self._note_addresses(screens, told)
        self.figures["foreign"].values = [float(len(self.raw.get("foreign", ())))]
        self._tell("foreign")

    def _note_addresses(self, screens: Screens, told: dict[str, Any]) -> None:
        addresses, errors = screens.take()
        self.raw.setdefault("foreign", []).extend(foreign(addresses, host=screens.host))
        told["page_errors"] = errors[:20]

    def _missing(self, name: str, why: str) -> None:
        self.say(f"NOT MEASURED: {name}: {why}")
        for key in PARTS[name]:
            self.figures[key].why_not = why

    def _tell(self, key: str) -> None:
        figure = self.figures[key]
        bar, middle = figure.bar, shown(figure.median, figure.bar.digits)
        self.say(f"{bar.what}: {middle} {bar.unit} ({bound(bar)}): {figure.verdict}")
