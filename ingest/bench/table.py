"""The figures as text, Markdown and JSON; pure functions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from hypervision.bars import Figure, bound, runs, shown
from ingest.bench.rig import Rig

SCALE: Final = (
    "For scale, 2 cores, from Mosquitto: Node-RED as people use it 4,000/s; Node-RED tuned 22,000/s (and 116,000 of "
    "200,000 messages lost when killed); a Rust bridge 27,900/s, its best run 30,300; one Python process with paho "
    "32,800/s (about 25,000/s from the embedded broker); without an MQTT library 84,600/s."
)
OTHERS: Final = (
    "Measured by others: bytes a reading by `hypervision bench storage`, the newest values and a year by `hypervision "
    "bench queries`, faults and the recovery from them by `make faults`."
)
_HEAD: Final = ("", "median", "held to", "", "bare path", "runs", "runs of the bare path")


def rows(figures: Sequence[Figure]) -> list[tuple[str, ...]]:
    """The cells of the table, one row a figure."""
    found: list[tuple[str, ...]] = []
    for figure in figures:
        bar, digits = figure.bar, figure.bar.digits
        found.append(
            (
                f"{bar.what} [{bar.unit}]",
                shown(figure.median, digits),
                bound(bar),
                figure.verdict,
                shown(figure.bare_median, digits),
                runs(figure.values, digits),
                runs(figure.bare, digits),
            )
        )
    return found


def text(figures: Sequence[Figure]) -> list[str]:
    """The table for a terminal: one figure on two lines."""
    lines = []
    for figure, (what, median, held, verdict, bare, *_) in zip(figures, rows(figures), strict=True):
        lines.append(what)
        lines.append(f"  {median:>10}   {verdict:<13}{held:<32}{'' if bare == '–' else f'bare path {bare}'}".rstrip())
        if figure.why_not:
            lines.append(f"  NOT MEASURED: {figure.why_not}")
    return lines


def markdown(
    figures: Sequence[Figure], about: Rig, *, command: str, date: str, notes: Sequence[str], took: float
) -> str:
    """The report.

    Parameters
    ----------
    command : str
        What made it, so that it can be made again.
    date : str
        When.
    notes : sequence of str
        How it was measured, a sentence each.
    took : float
        How long all of it took [s].
    """
    commit = f", commit {about.commit}" if about.commit else ""
    lines = [
        "# Benchmark of the way in",
        "",
        f"`{command}`, {date}{commit}, {took / 60:.1f} minutes.",
        "",
        f"{about.sentence()}.",
        "",
        "| " + " | ".join(_HEAD) + " |",
        "|---|---:|---|---|---:|---|---|",
        *("| " + " | ".join(row) + " |" for row in rows(figures)),
        "",
    ]
    missing = [figure for figure in figures if figure.why_not]
    if missing:
        lines += [*(f"- **Not measured**: {f.bar.what}: {f.why_not}" for f in missing), ""]
    lines += [*(f"- {note}" for note in notes), "", SCALE, "", OTHERS]
    return "\n".join(lines) + "\n"


def document(
    figures: Sequence[Figure], about: Rig, *, command: str, date: str, took: float, raw: dict[str, Any]
) -> dict[str, Any]:
    """The same for programs, with everything that was measured."""
    return {
        "command": command,
        "date": date,
        "seconds": took,
        "machine": about.document(),
        "figures": [figure.document() for figure in figures],
        "measured": raw,
    }
