"""The figures of the desk as text, Markdown and JSON; pure functions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from dashboards.bench.desk.bars import CHANGED, CHANGES, SCREENS, Sizes
from hypervision.bars import Figure, bound, runs, shown

_HEAD = ("", "median", "held to", "", "runs")


class About(NamedTuple):
    """What a measurement was made with, and when."""

    command: str
    date: str
    commit: str
    machine: str
    took: float


def rows(figures: Sequence[Figure]) -> list[tuple[str, ...]]:
    """The cells of the table, one row a figure."""
    return [
        (
            f"{figure.bar.what} [{figure.bar.unit}]",
            shown(figure.median, figure.bar.digits),
            bound(figure.bar),
            figure.verdict,
            runs(figure.values[:10], figure.bar.digits) + (", …" if len(figure.values) > 10 else ""),
        )
        for figure in figures
    ]


def text(figures: Sequence[Figure]) -> list[str]:
    """The table for a terminal: one figure on two lines."""
    lines = []
    for figure, (what, median, held, verdict, _) in zip(figures, rows(figures), strict=True):
        lines.append(what)
        lines.append(f"  {median:>10}   {verdict:<13}{held}")
        if figure.why_not:
            lines.append(f"  NOT MEASURED: {figure.why_not}")
    return lines


def markdown(figures: Sequence[Figure], about: About, sizes: Sizes) -> str:
    """The report."""
    commit = f", commit {about.commit}" if about.commit else ""
    lines = [
        "# Benchmark of the alarm desk",
        "",
        f"`{about.command}`, {about.date}{commit}, {about.took / 60:.1f} minutes.",
        "",
        f"{about.machine}.",
        "",
        "| " + " | ".join(_HEAD) + " |",
        "|---|---:|---|---|---|",
        *("| " + " | ".join(row) + " |" for row in rows(figures)),
        "",
    ]
    missing = [figure for figure in figures if figure.why_not]
    if missing:
        lines += [*(f"- **Not measured**: {figure.bar.what}: {figure.why_not}" for figure in missing), ""]
    return "\n".join([*lines, *(f"- {note}" for note in notes(sizes))]) + "\n"


def document(figures: Sequence[Figure], about: About, sizes: Sizes, raw: dict[str, Any]) -> dict[str, Any]:
    """The same for programs, with everything that was measured."""
    return {
        **about._asdict(),
        "sizes": {name: getattr(sizes, name) for name in sizes.__slots__},
        "figures": [figure.document() for figure in figures],
        "measured": raw,
    }


def notes(sizes: Sizes) -> list[str]:
    """How it was measured, a sentence each."""
    town = (
        f"A town of {sizes.things:,} Things with {sizes.alarms:,} active alarms; {sizes.rate:,.0f} messages a second "
        "of two readings each are committed all the while by the collector's own way in, without a broker; `serve` and "
        "`watch` run as under `up`; browser, server and database share the cores."
    )
    usable = (
        "Usable: the page's own parts are drawn (of the alarm list its first rows), the banner stands, the link is "
        "alive, nothing on the page is loading, and the frame that shows it has been handed to the screen."
    )
    visible = (
        f"Committed to visible: {sizes.raised} critical alarms, one after the other, on {SCREENS} screens with "
        "different pages; from the return of the commit to the painted frame after the row or the banner with that "
        "alarm's number stood in the document (a MutationObserver in the page); browser and writer read one clock."
    )
    acknowledged = (
        "Clicks and keys: on every page of an operator a real pointer and a real keyboard acknowledge the alarm of the "
        "banner, and the database is asked whether it is."
    )
    live = (
        f"Bytes: what the WebSocket brings to one screen in {sizes.seconds:.0f} s at {CHANGED:,.0f} readings a second, "
        f"before the browser's decompression is undone, page after page. Memory: {sizes.minutes:.0f} minutes with the "
        "overview, the list and the map open, while alarms come and go; each screen has a process of its own."
    )
    drawn = (
        f"The map: from the address to the last mark, with nothing in the cache but what the list had fetched; then up "
        f"to {CHANGES} Things change in one commit, from the message that tells it to the painted frame."
    )
    power = (
        "The power cut: every cabinet tells 0 V and all its lamps fall silent; when half of them are found, an "
        "unrelated container burns. A ring is an alarm that the list was told of as one that waits, however briefly."
    )
    return [town, usable, visible, acknowledged, live, drawn, power]
