"""The limits in force, found by datastream, and when values of a Thing are late."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from hypervision.store.screens import LimitRow, StreamRow


@dataclass(frozen=True, slots=True)
class Periods:
    """After how many expected periods a value is late, and stale."""

    late: float = 2.0
    stale: float = 4.0


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits in force, found by datastream."""

    general: Mapping[tuple[str, str], tuple[LimitRow, ...]] = field(default_factory=dict)
    own: Mapping[tuple[str, str, str, int], LimitRow] = field(default_factory=dict)

    @classmethod
    def of(cls, rows: Iterable[LimitRow]) -> Limits:
        """Sort the store's rows."""
        general: dict[tuple[str, str], list[LimitRow]] = {}
        own = {}
        for row in rows:
            if row.thing_id is None:
                general.setdefault((row.domain, row.property), []).append(row)
            else:
                own[row.domain, row.property, row.kind, row.thing_id] = row
        return cls({key: tuple(found) for key, found in general.items()}, own)

    def of_stream(self, stream: StreamRow) -> list[LimitRow]:
        """The enabled limits of one datastream, overrides applied."""
        found = []
        for row in self.general.get((stream.domain, stream.property), ()):
            key = (stream.domain, stream.property, row.kind, stream.thing_id)
            applied = self.own.get(key, row)
            if applied.enabled:
                found.append(applied)
        return found

    def periods(self, domain: str, thing_id: int | None = None, *, stale: float) -> Periods:
        """When values of a Thing, or of a domain's Things, are late: when its silence rule rings.

        Parameters
        ----------
        stale : float
            After how many expected periods they are stale; never before they are late.
        """
        rows = [self.own.get((domain, "", "silence", thing_id)) if thing_id is not None else None]
        rows += [row for row in self.general.get((domain, ""), ()) if row.kind == "silence"]
        late = next((row.limit for row in rows if row is not None), Periods().late)
        return Periods(late, max(late, stale))
