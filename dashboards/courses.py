"""The last day of each domain, one line per tile."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from dashboards.figures import leading_property
from dashboards.town import Course, Town
from hypervision.domains import Catalogue
from hypervision.store import screens

DAY: Final = 86_400.0
_NARROWEST: Final = 1_800.0
# A line over all Things would not show more than one over so many of them, and reading it would cost more.
_STREAMS: Final = 200


def read_courses(connection: screens.Database, town: Town, catalogue: Catalogue, *, now: datetime) -> dict[str, Course]:
    """The course of every domain that has readings.

    Parameters
    ----------
    town : Town
        Whose datastreams are read: for a scope its own part, `scoped.seen_by`.
    now : datetime
        End of the day that is drawn.
    """
    found = {}
    for domain in catalogue.values():
        prop = leading_property(town, domain)
        if prop is None:
            continue
        streams = [
            s.datastream_id for s in town.streams.values() if s.domain == domain.code and s.property == prop.name
        ][:_STREAMS]
        # A bucket holds two expected readings, so that the line has no holes of its own making.
        width = max(_NARROWEST, 2 * (prop.period or 0.0))
        rows = screens.read_course(
            connection, streams, since=now - timedelta(seconds=DAY + width), until=now, width=width
        )
        found[domain.code] = Course(prop.name, fill(rows, now=now, width=width))
    return found


def fill(rows: list[tuple[int, float]], *, now: datetime, width: float) -> tuple[float | None, ...]:
    """Put (bucket, mean) rows on the line of the last day, None where nothing was read.

    Parameters
    ----------
    width : float
        Of a bucket [s].

    Returns
    -------
    tuple, shape (86400 / width,)
        Without the bucket that is still filling: a few early readings are not its mean.

    Examples
    --------
    >>> from datetime import UTC
    >>> fill([(2, 5.0), (3, 6.0)], now=datetime.fromtimestamp(4 * 43_200, UTC), width=43_200.0)
    (5.0, 6.0)
    """
    last = int(now.timestamp() // width)
    by_bucket = dict(rows)
    return tuple(by_bucket.get(b) for b in range(last - int(DAY // width), last))
