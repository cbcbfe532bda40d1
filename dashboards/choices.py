"""What the address of the page of rejected messages chooses: read from it, and written into its links."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime, timedelta, tzinfo
from typing import Final
from urllib.parse import parse_qs, urlencode

from hypervision.scope import Scope
from hypervision.store.rejected import Chosen

SPANS: Final[Mapping[str, timedelta | None]] = {
    "1h": timedelta(hours=1),
    "24h": timedelta(days=1),
    "7d": timedelta(days=7),
    "30d": timedelta(days=30),
    "all": None,
}
STATES: Final = ("waiting", "replayed", "all")
PARTS: Final = ("all", "whole", "values")
_LONGEST: Final = 300
_FORMATS: Final = ("%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M:%S", "%Y-%m-%d")


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """The filters of the page, as text; empty is no filter.

    Attributes
    ----------
    span : str
        Of `SPANS`; counts nothing where `since` or `until` is given.
    state, part : str
        Of `STATES` and `PARTS`.
    since, until : str
        As somebody typed them, local time.
    before : str
        The last row of the page before.
    """

    span: str = "7d"
    state: str = "waiting"
    part: str = "all"
    reason: str = ""
    thing: str = ""
    topic: str = ""
    since: str = ""
    until: str = ""
    before: str = ""

    @classmethod
    def of(cls, search: str) -> Choice:
        """The choice of an address; what makes no sense is left out.

        Examples
        --------
        >>> Choice.of("?reason=bad_time&span=1h&state=nonsense") == Choice(reason="bad_time", span="1h")
        True
        """
        asked = parse_qs(search.removeprefix("?")[:2_000], max_num_fields=50)
        given = {
            name: plain
            for name in (each.name for each in fields(cls))
            if (plain := _plain(next(iter(asked.get(name, ())), "")))
        }
        for name, known in (("span", SPANS), ("state", STATES), ("part", PARTS)):
            if given.get(name) not in known:
                given.pop(name, None)
        if not (given.get("before", "").isascii() and given.get("before", "").isdigit() and len(given["before"]) < 19):
            given.pop("before", None)
        return cls(**given)

    def href(self, **changes: str) -> str:
        """The address of the page with another choice; a page of a list begins anew."""
        wanted = replace(self, **{"before": "", **changes})
        query = urlencode({name: value for name, value in wanted.given().items() if value != getattr(_PLAIN, name)})
        return f"/rejected?{query}" if query else "/rejected"

    def given(self) -> dict[str, str]:
        """Every filter by its name in the address."""
        return {each.name: getattr(self, each.name) for each in fields(self)}

    @property
    def is_timed(self) -> bool:
        """Whether somebody typed a time."""
        return bool(self.since or self.until)

    def wrong(self, zone: tzinfo) -> list[str]:
        """What was typed as a time and is none."""
        return [text for text in (self.since, self.until) if text and instant(text, zone) is None]

    def chosen(self, *, scope: Scope, zone: tzinfo, now: datetime) -> Chosen:
        """The same for the store."""
        span = SPANS[self.span]
        return Chosen(
            reason=self.reason or None,
            thing=self.thing or None,
            topic=self.topic or None,
            since=instant(self.since, zone) if self.is_timed else None if span is None else now - span,
            until=instant(self.until, zone) if self.is_timed else None,
            replayed={"waiting": False, "replayed": True}.get(self.state),
            partial={"whole": False, "values": True}.get(self.part),
            scope=scope,
        )


_PLAIN: Final = Choice()


def _plain(text: str) -> str:
    """Text that the database can be asked for."""
    return text.replace("\0", "").encode("utf-8", "ignore").decode("utf-8").strip()[:_LONGEST]


def instant(text: str, zone: tzinfo) -> datetime | None:
    """An instant as somebody types it, in local time where it has no offset; None when it is none.

    Examples
    --------
    >>> from zoneinfo import ZoneInfo
    >>> instant("2026-11-22 10:00", ZoneInfo("Europe/Paris")).isoformat()
    '2026-11-22T10:00:00+01:00'
    >>> instant("soon", ZoneInfo("Europe/Paris")) is None
    True
    """
    for form in _FORMATS:
        try:
            return _within(datetime.strptime(text, form).replace(tzinfo=zone))
        except ValueError:
            continue
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return _within(found if found.tzinfo is not None else found.replace(tzinfo=zone))


def _within(at: datetime) -> datetime | None:
    return at if 1971 <= at.year <= 9000 else None


def kept(choice: Choice, without: Sequence[str]) -> dict[str, str]:
    """What a form must carry besides its own fields."""
    return {
        name: value
        for name, value in choice.given().items()
        if name not in (*without, "before") and value != getattr(_PLAIN, name)
    }
