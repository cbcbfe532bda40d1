"""What was made from the same things is not made again: a look of the reader replaces only what has changed."""

from __future__ import annotations

import operator
from collections.abc import Callable, Hashable
from typing import Any, Final, TypeVar

_T = TypeVar("_T")
# Kept at most, the least recently asked for goes: each language and each scope has its own.
_MOST: Final = 256
_kept: dict[Hashable, tuple[tuple[object, ...], Any]] = {}


def kept(what: Hashable, made_of: tuple[object, ...], make: Callable[[], _T]) -> _T:
    """Make something, unless the last one with this name was made of the very same things.

    Parameters
    ----------
    what : hashable
        Its name, with whatever is compared by value: a language, a scope, a second.
    made_of : tuple
        What it is made of, compared by identity; never changed in place.
    make : callable
        Makes it.

    Examples
    --------
    >>> town = {"a": 1}
    >>> first = kept("sum", (town,), lambda: [sum(town.values())])
    >>> kept("sum", (town,), lambda: [0]) is first, kept("sum", (dict(town),), lambda: [0])
    (True, [0])
    """
    found = _kept.pop(what, None)
    if found is None or len(found[0]) != len(made_of) or not all(map(operator.is_, found[0], made_of)):
        found = (made_of, make())
    _kept[what] = found
    while len(_kept) > _MOST:
        # Another thread may have taken it.
        _kept.pop(next(iter(_kept)), None)
    value: _T = found[1]
    return value
