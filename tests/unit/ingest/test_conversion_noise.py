"""A converted value has the digits a person expects."""

from __future__ import annotations

from hypervision.batch import Draft
from hypervision.datastreams import StreamTable
from hypervision.decoding import Bounds
from hypervision.domains import load
from ingest.decoders.urban import decode


def test_conversion_leaves_no_noise() -> None:
    draft = Draft()
    decode(
        ["urban/v1/waste/bin-1/up"],
        [b'{"time": "2026-11-22T11:59:00Z", "temperature": {"value": 68, "unit": "[degF]"}}'],
        received_us=1_795_348_800_000_000,
        draft=draft,
        streams=StreamTable(load()),
        bounds=Bounds(earliest_us=0, future_us=10**12),
    )
    assert draft.result == [20.0], draft.refusals
