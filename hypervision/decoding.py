"""What every payload decoder offers, so that MQTT, HTTP and replay share one way in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import entry_points
from typing import Protocol, cast

from hypervision.batch import Draft
from hypervision.clock import to_us
from hypervision.datastreams import StreamTable
from hypervision.errors import SettingError
from hypervision.settings import Settings


@dataclass(frozen=True, slots=True)
class Bounds:
    """Which phenomenon times a decoder takes.

    Attributes
    ----------
    earliest_us : int
        Before this, `time_too_old` [us].
    future_us : int
        Further ahead of receipt than this, `time_in_future` [us].
    assume : bool
        Whether a reading without a time of its own takes that of its receipt; otherwise `no_time`.
    """

    earliest_us: int
    future_us: int
    assume: bool = True


def bounds_of(settings: Settings) -> Bounds:
    """The times that are taken from a device, from the settings."""
    earliest = datetime(settings.ingest.earliest, 1, 1, tzinfo=UTC)
    return Bounds(
        earliest_us=to_us(earliest),
        future_us=int(settings.ingest.future_tolerance * 1e6),
        assume=settings.ingest.assume_time,
    )


class Decoder(Protocol):
    """Decode messages of one payload format into a draft."""

    def __call__(
        self,
        topics: Sequence[str],
        payloads: Sequence[bytes],
        *,
        received_us: int,
        draft: Draft,
        streams: StreamTable,
        bounds: Bounds,
    ) -> None:
        """Append every message (in order, one `Draft.message_of` each) and its readings or refusals."""


def decoder(name: str) -> Decoder:
    """Find a decoder by its entry point in the group `hypervision.decoders`."""
    for entry in entry_points(group="hypervision.decoders", name=name):
        return cast("Decoder", entry.load())
    raise SettingError(f"there is no decoder {name!r}", remedy="install the package that brings it")
