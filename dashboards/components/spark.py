"""A line of a day, drawn as a mask so that it takes the colour of the theme."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import quote

from dash.development.base_component import Component

from dashboards.ui import div, span

WIDTH, HEIGHT = 240.0, 40.0


def path(values: Sequence[float | None], *, width: float = WIDTH, height: float = HEIGHT) -> str:
    """The SVG path of a line, broken where nothing was read.

    Parameters
    ----------
    values : sequence of float or None, shape (n,)
        At equal distances.

    Examples
    --------
    >>> path([0.0, 1.0, None, 1.0, 0.0], width=4, height=2)
    'M0.0 1.9L1.0 0.1M3.0 0.1L4.0 1.9'
    """
    known = [v for v in values if v is not None]
    if not known:
        return ""
    low, high = min(known), max(known)
    step = width / max(len(values) - 1, 1)
    margin = 0.05 * height
    spread = (high - low) or 1.0
    parts: list[str] = []
    pen = "M"
    for i, value in enumerate(values):
        if value is None:
            pen = "M"
            continue
        y = height / 2 if high == low else margin + (height - 2 * margin) * (high - value) / spread
        parts.append(f"{pen}{i * step:.1f} {y:.1f}")
        pen = "L"
    return "".join(parts)


def mask(svg: str) -> dict[str, str]:
    """A style that draws an SVG in the text's colour."""
    url = f'url("data:image/svg+xml,{quote(svg, safe="")}")'
    return {"maskImage": url, "WebkitMaskImage": url}


def sparkline(values: Sequence[float | None], label: str) -> Component:
    """The line with its label; a flat grey line when there is nothing yet."""
    drawn = path(values)
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH:g} {HEIGHT:g}" preserveAspectRatio="none">'
        f'<path d="{drawn or f"M0 {HEIGHT / 2:g}H{WIDTH:g}"}" fill="none" stroke="#000" stroke-width="1.5" '
        f'vector-effect="non-scaling-stroke" stroke-linejoin="round"/></svg>'
    )
    cls = "spark-line" if drawn else "spark-line spark-empty"
    return div(div(cls=cls, style=mask(svg), role="img", aria_label=label), span(label, cls="spark-label"), cls="spark")
