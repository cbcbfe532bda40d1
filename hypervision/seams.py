"""Seams: where a rule's version begins for readings that were received before it and committed after it."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from hypervision.batch import Int32, Int64
from hypervision.rules import LimitArrays, RuleSet

# Receipts are kept to the millisecond: what may be rounded over the edge is put down as well.
ROUNDED_US: Final = 1_000


class Seam(NamedTuple):
    """The first reading of a datastream that a version judged, although it was received before it."""

    rule_id: int
    version: int
    datastream_id: int
    since_us: int


def seams_of(
    rules: RuleSet, limits: LimitArrays, *, slot: Int32, datastream_id: Int32, time_us: Int64, received_us: Int64
) -> list[Seam]:
    """Find them among readings that are judged now.

    Parameters
    ----------
    slot, datastream_id, time_us, received_us : ndarray, shape (n,)
        Readings that may move an alarm.

    Notes
    -----
    Without an edit within the last moments, which is nearly always, this is one comparison.
    """
    found: list[Seam] = []
    if not len(slot) or not rules.edits or rules.edits[-1].at_us + ROUNDED_US <= received_us.min():
        return found
    for edit in reversed(rules.edits):
        before = received_us < edit.at_us + ROUNDED_US
        if not before.any():
            break
        for layer in range(limits.layers):
            rows = np.flatnonzero(before & (limits.rule_ids(layer, slot) == edit.rule_id))
            streams, place = np.unique(datastream_id[rows], return_inverse=True)
            first = np.full(len(streams), np.iinfo(np.int64).max)
            np.minimum.at(first, place.reshape(-1), time_us[rows])
            found += [
                Seam(edit.rule_id, edit.version, int(stream), int(since))
                for stream, since in zip(streams, first, strict=True)
            ]
    return found
