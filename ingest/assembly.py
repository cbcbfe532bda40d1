"""From messages to batches: decode, gather, and know what each batch must acknowledge."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np

from hypervision import topics
from hypervision.batch import Batch, Draft, Status
from hypervision.clock import to_us
from hypervision.datastreams import StreamTable
from hypervision.decoding import Bounds, Decoder
from hypervision.quality import TIME_ASSUMED
from ingest.decoders.wording import shown
from ingest.held import Held, contents, digest
from ingest.quiet import Quiet
from ingest.reader import Chunk

_quiet = Quiet(__name__)

# One batch holds at most this much payload [bytes] and this many readings, however few its messages are.
_MOST_BYTES = 8_000_000
_MOST_READINGS = 100_000
_MOST_TOPICS = 200_000
_LONGEST_TOPIC = 1024


@dataclass(frozen=True, slots=True)
class Load:
    """A batch on its way to the store, and what to acknowledge for it.

    Attributes
    ----------
    ids : list of int
        Packet id of each message, 0 of one that wants no answer.
    anonymous : list of (mid, digest)
        Messages that nothing but their content tells from others when they come again: those without time and number
        and, once they are committed, those that were refused.
    epoch : int
        The connection it came over.
    """

    batch: Batch
    ids: list[int]
    anonymous: list[tuple[int, bytes]]
    epoch: int

    @property
    def mids(self) -> list[int]:
        """Packet ids to answer, in order of arrival."""
        return [mid for mid in self.ids if mid]

    @property
    def told(self) -> list[int]:
        """The contents of what is to be answered."""
        found = contents(self.batch.topics, self.batch.payloads)
        return found if all(self.ids) else [told for told, mid in zip(found, self.ids, strict=True) if mid]

    def refused(self, messages: Iterable[int]) -> None:
        """Note messages that were refused: what cannot be read has no key either."""
        self.anonymous.extend(sorted(set(self._contents(messages)).difference(self.anonymous)))

    def _contents(self, messages: Iterable[int]) -> Iterator[tuple[int, bytes]]:
        batch = self.batch
        return ((mid, digest(batch.topics[m], batch.payloads[m])) for m in messages if (mid := self.ids[m]))


@dataclass(slots=True)
class Assembly:
    """The batch under construction.

    Parameters
    ----------
    decode : Decoder
        Of the payload format.
    held : Held
        Tells redeliveries.
    """

    decode: Decoder
    streams: StreamTable
    bounds: Bounds
    held: Held
    draft: Draft = field(default_factory=Draft)
    mids: list[int] = field(default_factory=list)
    readings: set[str] = field(default_factory=set)
    known: list[int] = field(default_factory=list)
    payload_bytes: int = 0
    opened: float | None = None

    def __len__(self) -> int:
        return len(self.mids)

    @property
    def full(self) -> bool:
        """Whether it must not grow, whatever its number of messages."""
        return self.payload_bytes >= _MOST_BYTES or len(self.draft.slot) >= _MOST_READINGS

    def add(self, chunk: Chunk, *, now: datetime, monotonic: float) -> int:
        """Decode what was read; messages that are held already are skipped.

        Parameters
        ----------
        now : datetime
            Time of receipt.
        monotonic : float
            The monotonic clock [s].

        Returns
        -------
        int
            How many messages are new.
        """
        # By place, not by packet id: within one chunk a broker may use an id again.
        again = set(chunk.again)
        answers = self._answers(chunk, now=monotonic) if again else chunk.mids
        new = self.held.take(answers, chunk.again)
        if new is not None:
            chunk = Chunk(
                [chunk.topics[i] for i in new], [chunk.payloads[i] for i in new], [chunk.mids[i] for i in new]
            )
            answers = [answers[i] for i in new]
            again = {place for place, i in enumerate(new) if i in again} if again else again
        if not chunk.mids:
            return 0
        if self.opened is None:
            self.opened = monotonic
        self.mids += answers
        self.payload_bytes += sum(map(len, chunk.payloads))
        received_us = to_us(now)
        # Nearly every chunk holds readings only, none of them delivered before: it is decoded at once.
        if again or not (self.readings.issuperset(chunk.topics) or self._learn(chunk.topics)):
            self._one_by_one(chunk, again, received_us, monotonic)
        else:
            self._decode(chunk.topics, chunk.payloads, received_us)
        return len(chunk.mids)

    def _answers(self, chunk: Chunk, *, now: float) -> Sequence[int]:
        def told(index: int) -> int:
            return contents([_kept(chunk.topics[index])], [chunk.payloads[index]])[0]

        return self.held.answerable(chunk.mids, chunk.again, told, now=now)

    def _learn(self, names: list[str]) -> bool:
        """Whether all of these topics bring readings; those that do are known at once the next time."""
        if len(self.readings) > _MOST_TOPICS:
            self.readings.clear()
        self.readings.update(name for name in names if name.endswith("/up"))
        return self.readings.issuperset(names)

    def close(self, *, epoch: int) -> Load:
        """Close the batch; the assembly starts anew."""
        batch = self.draft.close()
        load = Load(batch, self.mids, self._anonymous(batch), epoch)
        self.clear()
        return load

    def clear(self) -> None:
        """Throw away what was gathered."""
        self.draft, self.mids, self.known, self.payload_bytes, self.opened = Draft(), [], [], 0, None

    def _decode(self, names: list[str], payloads: list[bytes], received_us: int) -> None:
        before = len(self.draft.topics)
        try:
            self.decode(
                names, payloads, received_us=received_us, draft=self.draft, streams=self.streams, bounds=self.bounds
            )
        except Exception as error:  # noqa: BLE001
            # A decoder that fails has met what nobody thought of: that one message is refused, its neighbours are not.
            self.draft.rewind(before)
            if len(names) > 1:
                for name, payload in zip(names, payloads, strict=True):
                    self._decode([name], [payload], received_us)
                return
            _quiet.warning("a decoder failed on a message of %s (%r)", shown(names[0]), error)
            message = self.draft.message_of(_kept(names[0]), payloads[0], received_us=received_us)
            self.draft.refuse(message, "decoder_failed", f"no decoder reads this message ({type(error).__name__}).")

    def _one_by_one(self, chunk: Chunk, again: set[int], received_us: int, monotonic: float) -> None:
        for index, (topic, payload, mid) in enumerate(zip(chunk.topics, chunk.payloads, chunk.mids, strict=True)):
            marked = index in again
            if marked:
                self.draft.again.append(len(self.draft.topics))
            if marked and self.held.is_redelivery(mid, topic, payload, now=monotonic):
                # Without readings and without refusals a message ends as a duplicate; it may come once more.
                self.known.append(self.draft.message_of(topic, payload, received_us=received_us))
            elif topic.endswith(("/status", "/ack")):
                self._other(topic, payload, received_us)
            else:
                self._decode([topic], [payload], received_us)

    def _other(self, topic: str, payload: bytes, received_us: int) -> None:
        """A status or a command acknowledgement."""
        message = self.draft.message_of(_kept(topic), payload, received_us=received_us)
        parts = topics.parse(topic)
        if parts is None or parts.domain not in self.streams.catalogue:
            self.draft.refuse(message, "bad_topic", f"the topic {shown(topic)} names no domain and Thing.")
        elif parts.leaf == "ack":
            self.draft.refuse(message, "unexpected_ack", f"no command to {parts.thing} waits for an answer.")
        elif payload in (b"online", b"offline"):
            self.draft.statuses.append(Status(message, parts.domain, parts.thing, payload.decode("ascii"), received_us))
        else:
            said = shown(payload[:128].decode("utf-8", "backslashreplace"))
            self.draft.refuse(message, "bad_status", f"the status is {said}, not online or offline.")

    def _anonymous(self, batch: Batch) -> list[tuple[int, bytes]]:
        assumed = batch.message[batch.quality == TIME_ASSUMED]
        if not len(assumed) and not self.known:
            return []
        named = {identity.message for identity in batch.identities}
        return [
            (self.mids[index], digest(batch.topics[index], batch.payloads[index]))
            for index in (*self.known, *map(int, np.unique(assumed)))
            if index not in named and self.mids[index]
        ]


def _kept(topic: str) -> str:
    """A topic as a batch keeps it, for the database has its limits."""
    return topic[:_LONGEST_TOPIC].replace("\0", "\\0")
