"""What topics mean: worked out once per topic and kept."""

from __future__ import annotations

from typing import Final
from weakref import proxy

from hypervision import topics
from hypervision.datastreams import StreamTable
from ingest.decoders.values import Meaning, RefusedError, Target
from ingest.decoders.wording import shown

# A city has tens of thousands of topics; beyond this somebody makes them up.
_MOST_ROUTES: Final = 200_000
_MOST_SHAPES: Final = 4


class Route:
    """What one topic means.

    Attributes
    ----------
    plain : dict
        Slot by property, for properties of which a number is a result as it stands; filled as they come.
    targets : dict
        All properties seen so far.
    shapes : dict
        Slots by the properties of an object, in their order, for objects of such properties alone.
    assigned_us : int
        The last time of receipt given to a reading without a time of its own [us].
    """

    __slots__ = ("assigned_us", "domain", "plain", "shapes", "targets", "thing")

    def __init__(self, domain: str, thing: str, assigned_us: int) -> None:
        self.domain = domain
        self.thing = thing
        self.plain: dict[str, int] = {}
        self.shapes: dict[tuple[str, ...], tuple[int, ...]] = {}
        self.targets: dict[str, Target] = {}
        self.assigned_us = assigned_us

    def shape(self, names: tuple[str, ...]) -> tuple[int, ...]:
        """Slots of an object's properties; none where one of them is not known as plain (yet)."""
        found = tuple([self.plain.get(name, -1) for name in names])
        if -1 in found:
            return ()
        if len(self.shapes) >= _MOST_SHAPES:
            # A device that sends its properties in ever new combinations is remembered by none of them.
            self.shapes.clear()
        self.shapes[names] = found
        return found

    def assign(self, wanted_us: int) -> int:
        """A time of receipt [us], later than any given to this topic before."""
        self.assigned_us = time_us = max(wanted_us, self.assigned_us + 1)
        return time_us


class Routes:
    """The topics of one process; kept by its stream table (`StreamTable.beside`), which it must not keep in turn."""

    def __init__(self, streams: StreamTable) -> None:
        self._streams: StreamTable = proxy(streams)
        self.known: dict[str, Route] = {}
        self._floor_us = 0
        self._meanings: dict[tuple[str, str], Meaning] = {}

    def make(self, topic: str) -> Route:
        """The route of a topic that is not yet known.

        Raises
        ------
        RefusedError
            The topic leads nowhere.
        """
        place = topics.parse(topic)
        if place is None or place.leaf != "up":
            raise RefusedError(
                "bad_topic",
                f"the topic {shown(topic)} is not urban/v1/{{domain}}/{{thing}}/up with a Thing code of"
                " letters, digits and . _ : - (64 at most).",
            )
        domain, thing = place.domain, place.thing
        if domain not in self._streams.catalogue:
            known = ", ".join(self._streams.catalogue)
            raise RefusedError("unknown_domain", f"there is no domain {shown(domain)}; there are {known}.")
        if len(self.known) >= _MOST_ROUTES:
            # Times of receipt must go on increasing for topics that are forgotten here.
            self._floor_us = max(route.assigned_us for route in self.known.values())
            self.known.clear()
        route = self.known[topic] = Route(domain, thing, self._floor_us)
        return route

    def target(self, route: Route, name: str) -> Target:
        """The target of a property, found once per topic.

        Raises
        ------
        RefusedError
            The domain has no such property, or a device may not write it.
        """
        found = route.targets.get(name)
        if found is not None:
            return found
        meaning = self._meanings.get((route.domain, name)) or self._meaning(route.domain, name)
        found = route.targets[name] = Target(meaning, self._streams.slot(route.domain, route.thing, name))
        if meaning.plain:
            route.plain[name] = found.slot
        return found

    def _meaning(self, domain: str, name: str) -> Meaning:
        catalogue = self._streams.catalogue
        prop = catalogue.find(domain, name)
        if prop is None:
            known = ", ".join(p.name for p in catalogue[domain].properties.values() if not p.derived)
            raise RefusedError("unknown_property", f"{domain} has no property {shown(name)}; it has {known}.")
        if prop.derived:
            raise RefusedError("derived_property", f"{prop.name} is computed by the platform; no device may send it.")
        made = self._meanings[domain, name] = Meaning(prop)
        return made
