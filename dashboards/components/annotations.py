"""What happened beside the readings: alarms, corrections, outages and notes, as marks in a chart and as lines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from dash.development.base_component import Component

from dashboards.comparing import Compared, Series
from dashboards.components.tables import table
from dashboards.ui import Node, button, div, el, hidden, link, span
from dashboards.views import Scene
from hypervision.store.screens import AlarmRow

# Lines of the list; in a chart so many marks, the newest, before they hide the line.
_LINES: Final = 200
_MARKS: Final = 60
KINDS: Final = ("note", "raised", "acknowledged", "correction", "outage")


@dataclass(frozen=True, slots=True)
class Annotation:
    """One thing that happened.

    Attributes
    ----------
    kind : str
        `note`, `raised`, `acknowledged`, `correction` or `outage`.
    thing_id, datastream_id : int or None
        What it concerns; None: everything.
    mine : int or None
        The number of a note that the reader may take away.
    """

    at: datetime
    kind: str
    text: str
    actor: str = ""
    until: datetime | None = None
    thing: str | None = None
    thing_id: int | None = None
    datastream_id: int | None = None
    mine: int | None = None


def happened_in(scene: Scene, found: Compared, *, reader: str = "", any_note: bool = False) -> list[Annotation]:
    """Everything that happened within the time, oldest first.

    Parameters
    ----------
    reader : str
        Whose notes can be taken away.
    any_note : bool
        Whether the reader may take away every note.
    """
    words = scene.words
    codes = {one.thing.thing_id: one.thing.code for one, _ in found.trends}
    numbers = {code: number for number, code in codes.items()}
    streams = {one.stream.datastream_id: one for one, _ in found.trends}
    happened = [
        Annotation(
            note.at, "note", note.text, note.author, thing=note.thing, thing_id=numbers.get(note.thing or ""),
            mine=note.note_id if any_note or note.author == reader else None,
        )
        for note in found.notes
    ]  # fmt: skip
    for number, alarms in found.alarms.items():
        for alarm in alarms:
            if alarm.datastream_id is None or alarm.datastream_id in streams:
                happened += _of_alarm(scene, alarm, number, codes[number])
    for one in found.corrections:
        series = streams[one.datastream_id]
        kind = words.t(f"journal.correction_{one.kind}")
        happened.append(
            Annotation(
                one.since,
                "correction",
                f"{kind} ({series.stream.property}){words.t('journal.comment', text=one.reason)}",
                one.author,
                until=one.until,
                thing=series.key.thing,
                thing_id=series.thing.thing_id,
                datastream_id=one.datastream_id,
            )
        )
    happened += [Annotation(gap.began, "outage", words.t(f"gap.{gap.cause}"), until=gap.ended) for gap in found.outages]
    within = [each for each in happened if (each.until or each.at) >= found.since and each.at <= found.until]
    return sorted(within, key=lambda each: (each.at, KINDS.index(each.kind)))


def _of_alarm(scene: Scene, alarm: AlarmRow, number: int, code: str) -> list[Annotation]:
    words = scene.words
    label = f"{words.t(f'priority.{alarm.priority}')} · {words.pick(alarm.label_fr, alarm.label_en)}"
    concerns: dict[str, Any] = {"thing": code, "thing_id": number, "datastream_id": alarm.datastream_id}
    told = [Annotation(alarm.raised_at, "raised", label, until=alarm.returned_at, **concerns)]
    if alarm.acknowledged_at is not None:
        told.append(Annotation(alarm.acknowledged_at, "acknowledged", label, alarm.acknowledged_by or "", **concerns))
    return told


def marks(
    scene: Scene, happened: Sequence[Annotation], series: Series, c: Mapping[str, str]
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The marks of one series: notes, acknowledgements and corrections as dotted lines, each with its letter.

    Alarms are drawn as spans and outages as hatched bands by the chart itself.

    Returns
    -------
    tuple of lists
        Plotly's shapes and annotations.
    """
    words = scene.words
    mine = [
        each
        for each in happened
        if each.kind in ("note", "acknowledged", "correction")
        and each.thing_id in (None, series.thing.thing_id)
        and each.datastream_id in (None, series.stream.datastream_id)
        # A note of a Thing that is not drawn has no number here.
        and not (each.kind == "note" and each.thing is not None and each.thing_id is None)
    ]
    shapes, letters = [], []
    for each in mine[-_MARKS:]:
        x = each.at.astimezone(words.zone).replace(tzinfo=None).isoformat()
        shapes.append(
            {
                "type": "line", "yref": "paper", "y0": 0, "y1": 1, "x0": x, "x1": x, "layer": "above",
                "line": {"color": c["edge"], "width": 1.2, "dash": "dot"},
            }
        )  # fmt: skip
        letters.append(
            {
                "xref": "x", "x": x, "xanchor": "center", "yref": "paper", "y": 0, "yanchor": "bottom",
                "showarrow": False, "text": words.t(f"trend.letter_{each.kind}"), "bgcolor": c["panel"],
                "borderpad": 1, "font": {"color": c["strong"], "size": 10, "weight": 700},
            }
        )  # fmt: skip
    return shapes, letters


def lines(scene: Scene, happened: Sequence[Annotation]) -> Component:
    """The same for the eye and for the ear: one line each, the newest first."""
    words = scene.words
    if not happened:
        return div(words.t("trend.nothing_happened"), cls="empty")
    rows: list[list[Node]] = []
    for each in list(reversed(happened))[:_LINES]:
        when = words.clock(each.at) + (f" – {words.clock(each.until)}" if each.until is not None else "")
        thing: Node = "—"
        if each.thing is not None:
            thing = link(each.thing, href=f"/asset/{each.thing}", cls="underlined")
        rows.append(
            [
                span(when, cls="num"),
                span(
                    span(words.t(f"trend.letter_{each.kind}"), cls="trend-letter", aria_hidden="true"),
                    span(words.t(f"trend.kind_{each.kind}"), cls="strong"),
                    cls="kpi-named",
                ),
                thing,
                span(el("Bdi", each.text), _remove(scene, each)),
                each.actor or "—",
            ]
        )
    heads = [words.t(f"trend.column_{key}") for key in ("when", "what", "asset", "text", "by")]
    return table(heads, rows)


def _remove(scene: Scene, each: Annotation) -> Component | None:
    if each.mine is None:
        return None
    return button(
        scene.words.t("trend.remove_note"), hidden(f" {each.text}"), cls="btn-small", data_note_remove=str(each.mine)
    )
