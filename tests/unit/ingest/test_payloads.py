"""Every folder of tests/payloads is a message and what becomes of it."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from hypervision.batch import Draft
from hypervision.clock import from_us, to_us
from hypervision.datastreams import StreamTable
from hypervision.decoding import Bounds, decoder
from hypervision.domains import load
from hypervision.quality import NAMES

CASES = sorted((Path(__file__).parents[2] / "payloads").iterdir())
RECEIVED = to_us(datetime(2026, 11, 22, 12, tzinfo=UTC))
BOUNDS = Bounds(earliest_us=to_us(datetime(2000, 1, 1, tzinfo=UTC)), future_us=600_000_000)


def decoded(topic: str, payload: bytes) -> tuple[Draft, StreamTable]:
    streams, draft = StreamTable(load()), Draft()
    decoder("urban")([topic], [payload], received_us=RECEIVED, draft=draft, streams=streams, bounds=BOUNDS)
    return draft, streams


@pytest.mark.parametrize("folder", CASES, ids=lambda folder: folder.name)
def test_payload_becomes_what_is_expected(folder: Path) -> None:
    payload = next(folder.glob("payload.*")).read_bytes()
    expected = json.loads((folder / "expected.json").read_text("utf-8"))
    draft, streams = decoded((folder / "topic.txt").read_text("utf-8").rstrip("\n"), payload)
    readings = [
        {"property": streams.keys[slot][2], "at": at, "result": result, "quality": NAMES[grade]}
        for slot, at, result, grade in zip(draft.slot, draft.time_us, draft.result, draft.quality, strict=True)
    ]
    wanted = [
        {
            "property": r["property"],
            "at": to_us(datetime.fromisoformat(r["time"])),
            "result": pytest.approx(r["result"], rel=1e-12),
            "quality": r["quality"],
        }
        for r in expected["readings"]
    ]
    key = lambda r: (r["at"], r["property"])  # noqa: E731
    assert sorted(readings, key=key) == sorted(wanted, key=key), [from_us(at) for at in draft.time_us]
    assert sorted(r.reason for r in draft.refusals) == sorted(expected["refusals"]), draft.refusals
    assert readings or draft.refusals
    for refusal in draft.refusals:
        assert refusal.detail.endswith("."), refusal
        assert refusal.detail.isprintable(), refusal
        assert len(refusal.detail) < 300, refusal
    identities = [{"thing": i.thing, "boot": i.boot, "seq": i.seq} for i in draft.identities]
    assert identities == ([expected["identity"]] if "identity" in expected else [])
    assert draft.payloads == [payload]
