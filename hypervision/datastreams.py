"""The datastreams one process knows: a dense slot each, so that everything about them is an array."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, Final, TypeVar

import numpy as np
from numpy.typing import NDArray

from hypervision.batch import Bool, Float64, Int32, Int64
from hypervision.domains import Catalogue, ObservedProperty

UNRESOLVED: Final = -1
UNKNOWN: Final = -2
NEVER: Final = -(2**62)

Made = TypeVar("Made")
Key = tuple[str, str, str]
"""(domain, thing, property)"""


class StreamTable:
    """Slots of datastreams, with arrays beside them.

    Attributes
    ----------
    datastream_id : ndarray of int32
        The store's id per slot; `UNRESOLVED` before the registry was asked, `UNKNOWN` when it refused.
    thing_id : ndarray of int32
        The store's Thing per slot.
    prop : ndarray of int16
        Index into `properties` per slot.
    newest_us : ndarray of int64
        Newest phenomenon time committed per slot [us], `NEVER` when there is none.

    Notes
    -----
    `slot` may be called from any thread. The arrays belong to the thread that commits: it calls `extend`
    first, and only then do they cover the slots made meanwhile.
    """

    def __init__(self, catalogue: Catalogue) -> None:
        self.catalogue = catalogue
        self.properties: list[ObservedProperty] = catalogue.properties
        self._property_index = {(p.domain, p.name): i for i, p in enumerate(self.properties)}
        self.valid_low: Float64 = np.array([p.valid[0] for p in self.properties], np.float64)
        self.valid_high: Float64 = np.array([p.valid[1] for p in self.properties], np.float64)
        self._slots: dict[Key, int] = {}
        self._lock = threading.Lock()
        self.keys: list[Key] = []
        self._props: list[int] = []
        self._count = 0
        self._beside: dict[Callable[[StreamTable], Any], Any] = {}
        self._allocate(1024)

    def _allocate(self, size: int) -> None:
        self.datastream_id: Int32 = np.full(size, UNRESOLVED, np.int32)
        self.thing_id: Int32 = np.full(size, UNRESOLVED, np.int32)
        self.prop: NDArray[np.int16] = np.zeros(size, np.int16)
        self.newest_us: Int64 = np.full(size, NEVER, np.int64)

    def __len__(self) -> int:
        """How many slots the arrays cover."""
        return self._count

    def slot(self, domain: str, thing: str, name: str) -> int:
        """The slot of a datastream, made when it is new.

        Raises
        ------
        KeyError
            The domain does not know the property; ask the catalogue first.
        """
        key = (domain, thing, name)
        found = self._slots.get(key)
        if found is not None:
            return found
        index = self._property_index[domain, name]
        with self._lock:
            if (found := self._slots.get(key)) is not None:
                return found
            slot = len(self.keys)
            self._props.append(index)
            self.keys.append(key)
            self._slots[key] = slot
        return slot

    def beside(self, make: Callable[[StreamTable], Made]) -> Made:
        """What is worked out about this table and goes with it, made when it is asked for first.

        Parameters
        ----------
        make : callable
            Makes it. It must hold the table weakly: otherwise neither goes when its process needs it no more.
        """
        found: Made | None = self._beside.get(make)
        return self._beside.setdefault(make, make(self)) if found is None else found

    def extend(self) -> None:
        """Let the arrays cover every slot; for the committing thread."""
        with self._lock:
            wanted = len(self.keys)
            fresh = self._props[self._count : wanted]
        while wanted > len(self.datastream_id):
            self._grow()
        self.prop[self._count : wanted] = fresh
        self._count = wanted

    def forget(self) -> None:
        """Take nothing for known any more: another connection may lead to another state."""
        self.datastream_id[:] = UNRESOLVED
        self.thing_id[:] = UNRESOLVED
        self.newest_us[:] = NEVER

    def _grow(self) -> None:
        names = ("datastream_id", "thing_id", "prop", "newest_us")
        old = {name: getattr(self, name) for name in names}
        n = len(self.datastream_id)
        self._allocate(2 * n)
        for name, before in old.items():
            getattr(self, name)[:n] = before

    def property_of(self, slot: int) -> ObservedProperty:
        """The observed property of a slot."""
        return self.properties[self._props[slot]]

    def in_range(self, slot: Int32, result: Float64) -> Bool:
        """Whether each result lies in the valid range of its property, shape (n,)."""
        prop = self.prop[slot]
        inside: Bool = (result >= self.valid_low[prop]) & (result <= self.valid_high[prop])
        return inside
