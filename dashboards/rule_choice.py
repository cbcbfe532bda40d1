"""What the address of the page of rules chooses: read from it, and written into its links."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from typing import Final
from urllib.parse import parse_qs, urlencode

from hypervision.store.rulebook import Standing

SHOWS: Final[Mapping[str, Callable[[Standing], bool]]] = {
    "all": lambda _rule: True,
    "active": lambda rule: rule.active > 0,
    "waiting": lambda rule: rule.waiting is not None,
    "wrong": lambda rule: bool(rule.wrong),
    "off": lambda rule: not rule.document["enabled"],
}
_LONGEST: Final = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleChoice:
    """The filters of the page, as text; empty is no filter.

    Attributes
    ----------
    rule : str
        The one that is shown alone.
    show : str
        Of `SHOWS`.
    q : str
        What somebody looks for in codes and names.
    draft : str
        `1`: the reader's own draft fills the form.
    """

    rule: str = ""
    show: str = "all"
    domain: str = ""
    q: str = ""
    draft: str = ""

    @classmethod
    def of(cls, search: str) -> RuleChoice:
        """The choice of an address; what makes no sense is left out.

        Examples
        --------
        >>> RuleChoice.of("?rule=water.pressure.low&show=nonsense") == RuleChoice(rule="water.pressure.low")
        True
        """
        asked = parse_qs(search.removeprefix("?")[:2_000], max_num_fields=50)
        given = {
            name: plain
            for name in (each.name for each in fields(cls))
            if (plain := _plain(next(iter(asked.get(name, ())), "")))
        }
        if given.get("show") not in SHOWS:
            given.pop("show", None)
        return cls(**given)

    def href(self, **changes: str) -> str:
        """The address of the page with another choice."""
        wanted = replace(self, **changes)
        given = {each.name: getattr(wanted, each.name) for each in fields(self)}
        query = urlencode({name: value for name, value in given.items() if value != getattr(_PLAIN, name)})
        return f"/rules?{query}" if query else "/rules"

    def chooses(self, rule: Standing) -> bool:
        """Whether a rule is in the list."""
        document = rule.document
        text = f"{rule.code} {document['fr']} {document['en']}".casefold()
        return (
            SHOWS[self.show](rule)
            and self.domain in ("", document["domain"])
            and all(word in text for word in self.q.casefold().split())
        )


_PLAIN: Final = RuleChoice()


def _plain(text: str) -> str:
    """Text that the database can be asked for."""
    return text.replace("\0", "").encode("utf-8", "ignore").decode("utf-8").strip()[:_LONGEST]
