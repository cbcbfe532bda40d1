"""The report of a campaign, in Markdown."""

from __future__ import annotations

import statistics
from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime

from ingest.bench.faults.campaign import Done, Result


def markdown(result: Result, *, command: str, machine: str) -> str:
    """Write the report.

    Parameters
    ----------
    command : str
        What made it, so that it can be made again.
    machine : str
        What it was made with.
    """
    order, health = result.order, result.health
    total = {
        key: sum(getattr(each, key) for each in result.findings if each.lane != "alarms")
        for key in ("attempted", "acknowledged", "stored", "lost", "doubled", "invented", "misfiled")
    }
    took = f"{(result.ended - result.began) / 60:.1f} minutes, seed {order.seed}"
    summed = ", ".join(f"{total[key]} {key}" for key in ("lost", "doubled", "invented", "misfiled"))
    lines = [
        "# Fault report",
        "",
        f"`{command}`, {datetime.fromtimestamp(result.began, UTC):%Y-%m-%d %H:%M} UTC, {took}; {machine}.",
        "",
        f"**{len(result.done)} faults, {total['attempted']:,} messages: {summed}.",
        f"{'FAILED' if result.wrong else 'Passed'}.**",
        "",
        "Every attempted and every acknowledged message was written to a ledger before and after; what the broker",
        "answered for must be stored once, with its Thing and its time, and nothing else.",
        "",
        "| publishers | attempted | acknowledged | readings stored | lost | doubled | invented | misfiled |",
        "|---|---:|---:|---:|---:|---:|---:|---:|",
        *(
            f"| {e.lane} | {e.attempted:,} | {e.acknowledged:,} | {e.stored:,} | {e.lost} | {e.doubled} | {e.invented}"
            f" | {e.misfiled} |"
            for e in result.findings
        ),
        "",
        *(f"- {each.lane}: {example}" for each in result.findings for example in each.examples),
        "",
        "## Recovery",
        "",
        "From the kill, or from the end of a fault that lasts: until the first new reading was committed, and until",
        "the last one from before was, which may have to be delivered again. Median and worst, in seconds.",
        "",
        "| fault | times | new: median | worst | all: median | worst | what it showed |",
        "|---|---:|---:|---:|---:|---:|---|",
        *_table(result.done),
        "",
        "## Health",
        "",
        f"- `/api/health` was asked {health.samples} times and answered {health.answered} times.",
        f"- Its counters did not add up or went back {len(health.broken)} times.",
        f"- Memory of the collector [MB]: {health.early:.0f} in the first quarter, {health.late:.0f} in the last.",
        f"- At most {health.peak:.0f} MB.",
        "- Rejected: "
        + ("; ".join(f"{reason}{' (parts)' if part else ''} {n:,}" for reason, part, n in result.reasons) or "nothing"),
    ]
    told = "; ".join(f"{cause} {n:,} ({missing:,} missing)" for cause, n, missing in result.gaps)
    lines.append(f"- Gaps: {told or 'none'}")
    if result.skipped:
        lines += ["", "## Skipped", "", *(f"- **{kind}**: {why}" for kind, why in result.skipped.items())]
    if result.wrong:
        lines += ["", "## Wrong", "", *(f"- {text}" for text in result.wrong)]
    return "\n".join(lines) + "\n"


def _table(done: Sequence[Done]) -> list[str]:
    kinds: dict[str, list[Done]] = defaultdict(list)
    for each in done:
        kinds[each.step.kind].append(each)
    rows = []
    for kind, members in sorted(kinds.items()):
        new = [each.new for each in members if each.new is not None]
        old = [each.old for each in members if each.old is not None]
        notes = [each.note for each in members if each.note]
        rows.append(f"| {kind} | {len(members)} | {_two(new)} | {_two(old)} | {notes[0] if notes else ''} |")
    return rows


def _two(values: Sequence[float]) -> str:
    return f"{statistics.median(values):.1f} | {max(values):.1f}" if values else "- | -"
