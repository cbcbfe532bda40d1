"""One message decoded with care: every key looked at, everything refused with a sentence."""

from __future__ import annotations

from hashlib import blake2b
from typing import Any, Final

from hypervision.batch import Draft, Identity, Refusal
from hypervision.decoding import Bounds
from hypervision.quality import GOOD, TIME_ASSUMED
from hypervision.topics import RESERVED
from ingest.decoders import document, senml, times
from ingest.decoders.routes import Route, Routes
from ingest.decoders.values import MOST_REFUSALS, RefusedError
from ingest.decoders.wording import shown

_MOST_SEQ: Final = 2**63
_LONGEST_BOOT: Final = 64


class Message:
    """One message of the draft.

    Parameters
    ----------
    index : int
        Its index in the draft.
    received_us : int
        When it was received [us].
    """

    __slots__ = (
        "_assigned", "_bounds", "_draft", "_identified", "_index", "_moment_us", "_received_us", "_refused", "_route",
        "_routes",
    )  # fmt: skip

    def __init__(
        self, index: int, *, route: Route, routes: Routes, received_us: int, draft: Draft, bounds: Bounds
    ) -> None:
        self._index = index
        self._route = route
        self._routes = routes
        self._received_us = received_us
        self._draft = draft
        self._bounds = bounds
        self._refused = 0
        self._identified = False
        self._assigned = False
        self._moment_us: int | None = None

    def decode(self) -> None:
        """Take everything in the payload that can be taken, and refuse the rest."""
        try:
            content = document.parse(self._draft.payloads[self._index])
        except document.MalformedError as error:
            self.refuse("malformed", str(error))
            return
        if isinstance(content, dict):
            self._item(content)
        elif not isinstance(content, list):
            self.refuse("not_an_object", f"the payload is {shown(content)}, not an object with readings.")
        elif senml.is_pack(content):
            self._senml(content)
        else:
            self._array(content)
        self.finish()

    def refuse(self, reason: str, detail: str) -> None:
        """Note a refusal; a message of a million wrong values writes no million of them."""
        self._refused += 1
        if self._refused <= MOST_REFUSALS:
            self._draft.refusals.append(Refusal(self._index, reason, detail))

    def finish(self) -> None:
        """Make sure that the message ends with at least a reading or a refusal."""
        draft = self._draft
        unread = not draft.message or draft.message[-1] != self._index
        more = self._refused - MOST_REFUSALS
        if more > 0:
            draft.refuse(self._index, "too_many_refusals", f"{more} more values of this message were refused.")
        elif not self._refused and unread:
            draft.refuse(self._index, "empty", "the message holds no reading.")
        if unread and self._moment_us is not None:
            draft.moments.append((self._index, self._moment_us))

    def _array(self, content: list[Any]) -> None:
        for item in content:
            if isinstance(item, dict):
                self._item(item)
            else:
                self.refuse("not_an_object", f"the array holds {shown(item)}, not an object with readings.")

    def _item(self, item: dict[str, Any]) -> None:
        moment = self._moment(item)
        if "seq" in item:
            # Whatever is refused of it: a numbered message was received.
            at, quality = moment or (self._received_us, TIME_ASSUMED)
            assumed = quality == TIME_ASSUMED
            self._draft.numbers.append((self._index, item.get("boot", ""), item["seq"], at, assumed))
        if moment is not None:
            self.values(item, *moment)

    def _moment(self, item: dict[str, Any]) -> tuple[int, int] | None:
        """Time [us] and quality of an object's readings; None when its time is refused."""
        time = item.pop("time", None)
        if time is not None:
            checked = self._timed(time)
            return None if checked is None else (checked, GOOD)
        self._identify(item)
        if not self._bounds.assume:
            self.refuse("no_time", "the readings have no time, and this platform assumes none: send `time`.")
            return None
        return self._assign(), TIME_ASSUMED

    def _assign(self) -> int:
        """A time of receipt [us] for readings without one; the first becomes that of the message.

        Sent through again with it, the message gives its readings the same times.
        """
        time_us = self._route.assign(self._received_us)
        if not self._assigned:
            self._assigned = True
            self._draft.received_us[self._index] = time_us
        return time_us

    def _timed(self, time: object) -> int | None:
        try:
            time_us = times.parse(time)
        except times.BadTimeError as error:
            self.refuse(error.reason, str(error))
            return None
        return time_us if self._in_bounds(time_us, time) else None

    def _in_bounds(self, time_us: int, time: object) -> bool:
        if time_us < self._bounds.earliest_us:
            self.refuse("time_too_old", f"time {shown(time)} is before what the platform takes.")
            return False
        ahead = time_us - self._received_us
        if ahead > self._bounds.future_us:
            limit = self._bounds.future_us // 60_000_000
            self.refuse(
                "time_in_future",
                f"time {shown(time)} is {ahead / 1e6:.0f} s ahead of its receipt; {limit} min are taken.",
            )
            return False
        return True

    def _identify(self, item: dict[str, Any]) -> None:
        if "seq" not in item or self._identified:
            return
        seq, boot = item["seq"], item.get("boot", "")
        if isinstance(seq, bool) or not isinstance(seq, int) or not 0 <= seq < _MOST_SEQ:
            self.refuse("bad_seq", f"seq is {shown(seq)}, not a whole number from 0.")
            return
        if not _is_boot(boot):
            self.refuse("bad_seq", f"boot is {shown(boot)}, not a number or a short text.")
            return
        # One message has one payload, so its first identity stands for all of it.
        self._identified = True
        name = str(boot).encode("utf-8", "backslashreplace").decode().replace("\0", "\\0")
        self._draft.identities.append(
            Identity(
                self._index,
                self._route.thing,
                name,
                seq,
                payload_hash(self._draft.topics[self._index], self._draft.payloads[self._index]),
            )
        )

    def values(self, item: dict[str, Any], time_us: int, quality: int) -> None:
        """Append the readings of an object, each on its own."""
        self._note(time_us, quality)
        for name, value in item.items():
            if name not in RESERVED:
                self._value(name, value, time_us, quality)

    def _note(self, time_us: int, quality: int) -> None:
        """The first time that a device gave and that is taken is that of its message, should nothing else be."""
        if self._moment_us is None and quality == GOOD:
            self._moment_us = time_us

    def _value(self, name: str, value: object, time_us: int, quality: int) -> None:
        try:
            target = self._routes.target(self._route, name)
            result = target.meaning.result(value)
        except RefusedError as error:
            self.refuse(error.reason, str(error))
            return
        self._draft.reading(self._index, slot=target.slot, time_us=time_us, result=result, quality=quality)

    def _senml(self, pack: list[Any]) -> None:
        for record in senml.records(pack, received_us=self._assign()):
            if isinstance(record, senml.BadRecord):
                self.refuse(record.reason, record.detail)
            elif record.relative and not self._bounds.assume:
                self.refuse("no_time", f"{shown(record.name)} has no time of its own, and this platform assumes none.")
            elif self._in_bounds(record.time_us, record.time_us / 1e6):
                self._record(record)

    def _record(self, record: senml.Record) -> None:
        quality = TIME_ASSUMED if record.relative else GOOD
        self._note(record.time_us, quality)
        try:
            target = self._routes.target(self._route, senml.property_name(record.name, self._route.thing))
            result = target.meaning.in_unit(record.value, record.unit)
        except RefusedError as error:
            self.refuse(error.reason, str(error))
            return
        self._draft.reading(self._index, slot=target.slot, time_us=record.time_us, result=result, quality=quality)


def payload_hash(topic: str, payload: bytes) -> int:
    """A stable 64-bit number of a message, signed so that it fits a bigint.

    The topic belongs to it: a pole that counts its messages of each domain apart may send the same payload twice.

    Notes
    -----
    BLAKE2b, RFC 7693, with a digest of 8 bytes.
    """
    told = blake2b(topic.encode("utf-8", "replace"), digest_size=8)
    told.update(b"\0" + payload)
    return int.from_bytes(told.digest(), "big", signed=True)


def _is_boot(boot: object) -> bool:
    """Whether a restart counter is one: it becomes part of a key in the database, so it is short."""
    if isinstance(boot, str):
        return len(boot) <= _LONGEST_BOOT
    return isinstance(boot, int) and not isinstance(boot, bool) and 0 <= boot < _MOST_SEQ
