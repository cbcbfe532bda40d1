"""Which datastreams the slots of a process are: asked of the registry once, known from then on."""

from __future__ import annotations

from datetime import datetime

import numpy as np

from hypervision import quality
from hypervision.batch import Batch
from hypervision.clock import EPOCH, to_us
from hypervision.datastreams import UNKNOWN, UNRESOLVED, StreamTable
from hypervision.evaluation import Evaluator
from hypervision.store import registry
from hypervision.store.connection import Connection

# Unknown Things are asked for anew, at most this often [s]; one may have been admitted meanwhile.
_ASK_AGAIN = 1.0


class Resolver:
    """Fills the stream table from the registry.

    Parameters
    ----------
    register : bool
        Whether a Thing that nobody announced may be made (open registration).
    """

    def __init__(self, streams: StreamTable, evaluator: Evaluator, *, register: bool) -> None:
        self._streams = streams
        self._evaluator = evaluator
        self._register = register
        self._asked = 0.0

    def resolve(self, batch: Batch, connection: Connection, *, now: datetime) -> None:
        """Ask for the slots of a batch that have no name yet; commits."""
        streams = self._streams
        streams.extend()
        if batch.statuses and self._register:
            registry.register_unknown(connection, {(s.thing, s.domain) for s in batch.statuses}, now=now)
            connection.commit()
        ids = streams.datastream_id[batch.slot]
        missing = ids == UNRESOLVED
        seconds = (now - EPOCH).total_seconds()
        if abs(seconds - self._asked) >= _ASK_AGAIN:
            missing |= ids == UNKNOWN
        if not missing.any():
            return
        self._asked = seconds
        slots = [int(s) for s in np.unique(batch.slot[missing])]
        keys = [streams.keys[s] for s in slots]
        found = registry.resolve(connection, keys, streams.catalogue, register=self._register, now=now)
        for slot, key in zip(slots, keys, strict=True):
            known = found.get(key)
            if known is None:
                streams.datastream_id[slot] = UNKNOWN
            else:
                self._know(slot, known)
        self._evaluator.use_rules(self._evaluator.rules)

    def resolve_all(self, connection: Connection) -> None:
        """Give every datastream of the database a slot, with its newest reading."""
        for key, known in registry.all_datastreams(connection).items():
            if self._streams.catalogue.find(key[0], key[2]) is None:
                continue  # a domain file that was taken away
            slot = self._streams.slot(*key)
            self._streams.extend()
            self._know(slot, known)
        connection.rollback()
        self._evaluator.use_rules(self._evaluator.rules)

    def _know(self, slot: int, known: registry.Resolved) -> None:
        """Take over what the database knows of a datastream, where this process does not know it better."""
        streams = self._streams
        fresh = streams.datastream_id[slot] < 0
        streams.datastream_id[slot], streams.thing_id[slot] = known.datastream_id, known.thing_id
        if fresh and known.newest is not None:
            streams.newest_us[slot] = to_us(known.newest)
            if known.quality > quality.OUT_OF_RANGE:
                self._evaluator.know(slot, to_us(known.newest), known.result)
