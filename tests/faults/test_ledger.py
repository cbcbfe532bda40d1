"""A short campaign of faults against the whole platform; the full one is `make faults`."""

from __future__ import annotations

import pytest

from hypervision.services.machine import machine
from ingest.bench.faults.campaign import FAULTS, Order, run
from ingest.bench.faults.report import markdown

pytestmark = [pytest.mark.faults, pytest.mark.timeout(300)]

# A long cut is a cut here: nothing lasts longer than `longest`.
SPANS = {fault.span.kind: fault.span for fault in FAULTS if not fault.span.kind.startswith("long ")}


def test_seeded_faults_lose_double_and_misfile_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    order = Order(
        seed=20,
        faults=sum(span.weight for span in SPANS.values()),
        seconds=180.0,
        messages=60_000,
        scale=0.1,
        longest=2.0,
        pauses=(0.1, 0.6),
        kinds=tuple(SPANS),
        # The broker delivers again after this time what a killed collector had taken; short, to be waited for.
        settings={"BROKER__ACK_WAIT": "3"},
        lamp_every=50,
    )
    result = run(order, say=print)
    report = markdown(result, command="tests/faults/test_ledger.py", machine=str(machine()))
    print(report)
    for kind, why in result.skipped.items():
        with capsys.disabled():
            print(f"SKIPPED the fault {kind!r}: {why}")
    assert result.wrong == [], report
    main, alarms = (next(each for each in result.findings if each.lane == name) for name in ("main", "alarms"))
    assert main.acknowledged >= 55_000, report
    assert alarms.stored > 1_000, report
    left = SPANS.keys() - {each.step.kind for each in result.done} - result.skipped.keys()
    if left:
        with capsys.disabled():
            print(f"LEFT OUT, for this machine is slow: {', '.join(sorted(left))}")
    assert len(left) < 10, report
