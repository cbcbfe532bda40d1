"""Text and instants from outside that the database can hold; everything else is refused at the door."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated, Final, TypeVar

from pydantic import AfterValidator, AwareDatetime, BeforeValidator

_Text = TypeVar("_Text", str, str | None)

# A day more or less of either must still be a date.
_MARGIN: Final = timedelta(days=2)
# Nobody asks for the years around 1970: so few seconds are a year, or a slip.
_SECONDS: Final = 1e8
_EARLIEST: Final = datetime.min.replace(tzinfo=UTC) + _MARGIN
_LATEST: Final = datetime.max.replace(tzinfo=UTC) - _MARGIN


def plain(text: _Text) -> _Text:
    """The text itself; where none is needed, None is none.

    Raises
    ------
    ValueError
        It holds NUL or half a surrogate pair, which PostgreSQL keeps in no text.
    """
    if text is not None and ("\x00" in text or not _is_unicode(text)):
        raise ValueError("the text holds a NUL or half a character: leave it out")
    return text


def within(at: datetime) -> datetime:
    """The instant itself.

    Raises
    ------
    ValueError
        It lies at the very edge of the calendar, where nothing can be reckoned from it.
    """
    if not _EARLIEST <= at <= _LATEST:
        raise ValueError("the instant is at the edge of the calendar: give one of our time")
    return at


def no_number(given: object) -> object:
    """What was given for an instant.

    Raises
    ------
    ValueError
        It is a number of few digits, a year perhaps, which would be taken for seconds after 1970.
    """
    try:
        seconds = float(given) if isinstance(given, str | int | float) else _SECONDS
    except ValueError:
        return given
    if abs(seconds) < _SECONDS:
        raise ValueError("a number is no instant: write 2026-11-22T10:00:00Z")
    return given


def mended(text: str) -> str:
    """The text as it can be sent: half characters become question marks.

    Examples
    --------
    >>> mended("a" + chr(0xD800))
    'a?'
    """
    return text.encode("utf-8", "replace").decode("utf-8")


def _is_unicode(text: str) -> bool:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


Plain = AfterValidator(plain)
Instant = Annotated[AwareDatetime, BeforeValidator(no_number), AfterValidator(within)]
