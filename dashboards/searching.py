"""The search of the control room: Things by an index of their words, and beside them all that has a name.

Every word of the question must begin a word of what is found, in any order; accents and capitals count nothing.
"""

from __future__ import annotations

import heapq
import re
import unicodedata
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from dashboards.components.alarms import platform_text
from dashboards.components.readings import property_label
from dashboards.rule_choice import RuleChoice
from dashboards.town import urgency
from dashboards.views import Scene
from hypervision.store.screens import ThingRow

MOST: Final = 50
"""Hits of one question."""
LONGEST: Final = 100
"""Characters of a question."""
# So many of each kind but the Things, which take the rest.
_FEW: Final = 5
_ALARMS: Final = 12
_RULES: Final = 12
_WORD: Final = re.compile(r"[^\W_]+")
_LAST: Final = "\U0010ffff"


def folded(text: str) -> str:
    """Text without accents and capitals.

    Examples
    --------
    >>> folded("Éclairage ŒUVRE")
    'eclairage œuvre'
    """
    if text.isascii():
        return text.lower()
    apart = unicodedata.normalize("NFKD", text)
    return "".join(c for c in apart if not unicodedata.combining(c)).casefold()


def words_of(text: str) -> list[str]:
    """The words of a text, folded.

    Examples
    --------
    >>> words_of("water-001, Rue de l’Église")
    ['water', '001', 'rue', 'de', 'l', 'eglise']
    """
    return _WORD.findall(folded(text))


def fits(tokens: Sequence[str], text: str) -> bool:
    """Whether every token begins a word of a text."""
    words = words_of(text)
    return all(any(word.startswith(token) for word in words) for token in tokens)


def in_order(code: str) -> tuple[tuple[int, int, str], ...]:
    """Codes in the order in which people count: 2 before 10.

    Examples
    --------
    >>> sorted(["w-10", "w-2", "w"], key=in_order)
    ['w', 'w-2', 'w-10']
    """
    parts = re.findall(r"[0-9]+|[^0-9]+", folded(code))
    return tuple((0, int(part), "") if part.isdecimal() else (1, 0, part) for part in parts)


class Index:
    """The words of all Things, sorted, so that those which begin alike stand together.

    Parameters
    ----------
    things : iterable of ThingRow
        What can be found.
    """

    def __init__(self, things: Iterable[ThingRow]) -> None:
        rows = list(things)
        pairs = sorted(
            {(word, t.thing_id) for t in rows for word in (*words_of(f"{t.code} {t.name} {t.place}"), folded(t.code))}
        )
        self._words = [word for word, _ in pairs]
        self._ids = [number for _, number in pairs]
        # Where each stands when nothing else decides.
        ordered = sorted(rows, key=lambda t: in_order(t.code))
        self.rank: Mapping[int, int] = {t.thing_id: place for place, t in enumerate(ordered)}
        self.codes: Mapping[int, tuple[str, str]] = {t.thing_id: (folded(t.code), folded(t.name)) for t in rows}

    def begins(self, token: str) -> set[int]:
        """The Things that have a word which begins so."""
        return set(self._ids[bisect_left(self._words, token) : bisect_left(self._words, token + _LAST)])

    def find(self, tokens: Sequence[str]) -> set[int]:
        """The Things that every token fits."""
        found = sorted((self.begins(token) for token in tokens), key=len)
        return set.intersection(*found) if found else set()

    def best(self, numbers: Iterable[int], question: str, limit: int) -> list[int]:
        """The best of some: whose code is the question, then begins so, then whose name does; then by code."""

        def place(number: int) -> tuple[int, int]:
            code, name = self.codes[number]
            how = 0 if code == question else 1 if code.startswith(question) else 2 if name.startswith(question) else 3
            return how, self.rank[number]

        return heapq.nsmallest(limit, numbers, key=place)


@dataclass(frozen=True, slots=True)
class Hit:
    """One line of an answer: what it is, how it is called, where it leads; `value` is what a form takes of it."""

    kind: str
    label: str
    detail: str
    href: str = ""
    value: str = ""


def search(
    scene: Scene, index: Index, question: str, *, pages: Mapping[str, str], limit: int = MOST
) -> tuple[list[Hit], bool]:
    """What a question finds in the part of the town that a scene shows.

    Parameters
    ----------
    index : Index
        Of all Things; what the scene does not show is left out.
    pages : mapping
        Names by path of the pages that the caller may see.

    Returns
    -------
    hits : list of Hit
        `limit` at most.
    more : bool
        Whether there were more.
    """
    words, town = scene.words, scene.town
    tokens = words_of(question[:LONGEST])
    if not tokens:
        return [], False
    hits = [Hit("page", name, "", path) for path, name in pages.items() if fits(tokens, name)][:_FEW]
    for code, domain in scene.catalogue.items():
        if fits(tokens, f"{domain.label(words.language)} {code}"):
            hits.append(Hit("domain", domain.label(words.language), "", f"/map?map-domain={code}&map-filter=all"))
    found = [number for number in index.find(tokens) if number in town.things]
    everywhere = Counter(town.things[n].place for n in found)
    places = Counter({place: n for place, n in everywhere.items() if fits(tokens, place)})
    hits += [Hit("place", place, words.n("room.assets", n), value=place) for place, n in places.most_common(_FEW)]
    alarms = []
    for alarm in sorted(town.alarms.values(), key=urgency):
        thing = town.thing_of(alarm)
        label = words.pick(alarm.label_fr, alarm.label_en)
        name = platform_text(words, alarm.part) if thing is None else thing.name or thing.code
        if fits(tokens, f"{label} {name} {'' if thing is None else f'{thing.code} {thing.place}'}"):
            detail = f"{name} · {words.t(f'priority.{alarm.priority}')} · {words.t(f'state.{alarm.state}')}"
            alarms.append(Hit("alarm", label, detail, "/health" if thing is None else f"/asset/{thing.code}"))
            if len(alarms) > _ALARMS:
                break
    hits += alarms[:_ALARMS]
    if "/rules" in pages:
        hits += _rules(scene, tokens)[:_RULES]
    room = max(limit - len(hits), 0)
    asked = folded(question.strip())
    things = [_thing(town.things[n]) for n in index.best(found, asked, room)]
    # Who knows the code wants its Thing.
    known = [hit for hit in things[:1] if folded(hit.value) == asked]
    return [*known, *hits, *things[len(known) :]][:limit], len(found) > room or len(alarms) > _ALARMS


def _rules(scene: Scene, tokens: Sequence[str]) -> list[Hit]:
    """The rules that every token fits; the word `rule` itself is one, for who wants no alarms of it."""
    words = scene.words
    return [
        Hit(
            "rule",
            words.pick(rule.fr, rule.en),
            f"{domain.label(words.language)} · {rule.code}",
            RuleChoice(rule=rule.code).href(),
        )
        for domain in scene.catalogue.ruled.values()
        for rule in domain.rules
        if fits(tokens, f"{words.t('room.kind_rule')} {words.pick(rule.fr, rule.en)} {domain.label(words.language)}")
        or fits(tokens, rule.code)
    ]


def _thing(thing: ThingRow) -> Hit:
    detail = " · ".join(part for part in (thing.code, thing.place) if part)
    return Hit("thing", thing.name or thing.code, detail, f"/asset/{thing.code}", thing.code)


def search_series(scene: Scene, index: Index, question: str, *, limit: int = MOST) -> tuple[list[Hit], bool]:
    """Datastreams: every token fits the Thing, or what is observed of it."""
    town = scene.town
    tokens = words_of(question[:LONGEST])
    if not tokens:
        return [], False
    of_token = [index.begins(token) for token in tokens]
    labels: dict[tuple[str, str], list[bool]] = {}
    found: list[tuple[int, int]] = []
    for number in town.things:
        own = [number in things for things in of_token]
        for stream_id in town.streams_of.get(number, ()):
            stream = town.streams[stream_id]
            known = (stream.domain, stream.property)
            if known not in labels:
                text = f"{property_label(scene, stream)} {stream.property} {stream.domain}"
                labels[known] = [fits([token], text) for token in tokens]
            if all(a or b for a, b in zip(own, labels[known], strict=True)):
                found.append((index.rank.get(number, 0), stream_id))
    hits = []
    for _, stream_id in heapq.nsmallest(limit, found):
        stream = town.streams[stream_id]
        thing = town.things[stream.thing_id]
        detail = " · ".join(part for part in (thing.name, thing.code, thing.place) if part)
        value = f"{thing.code}/{stream.domain}/{stream.property}"
        hits.append(Hit("datastream", property_label(scene, stream), detail, f"/asset/{thing.code}", value))
    return hits, len(found) > limit
