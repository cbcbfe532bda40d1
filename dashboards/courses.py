"""The last day of each domain, one line per tile."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from dashboards.figures import leading_property
from dashboards.town import Course, Town
from hypervision.domains import Catalogue
from hypervision.store import screens

WIDTH: Final = 1_800.0
BUCKETS: Final = 48
# A line over all Things would not show more than one over so many of them, and reading it would cost more.
_STREAMS: Final = 200


def read_courses(connection: screens.Database, town: Town, catalogue: Catalogue, *, now: datetime) -> dict[str, Course]:
    """The course of every domain that has readings.

    Parameters
    ----------
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
        rows = screens.read_course(
            connection, streams, since=now - timedelta(seconds=WIDTH * BUCKETS), until=now, width=WIDTH
        )
        found[domain.code] = Course(prop.name, fill(rows, now=now))
    return found


def fill(rows: list[tuple[int, float]], *, now: datetime) -> tuple[float | None, ...]:
    """Put (bucket, mean) rows on the line of the last day, None where nothing was read.

    Returns
    -------
    tuple, shape (BUCKETS,)
    """
    last = int(now.timestamp() // WIDTH)
    by_bucket = dict(rows)
    return tuple(by_bucket.get(b) for b in range(last - BUCKETS + 1, last + 1))
