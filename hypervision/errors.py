"""One tree of errors; each is one sentence with what failed, the value and the remedy."""

from __future__ import annotations

from reprlib import Repr
from typing import Final

# Whatever somebody wrote: neither deep nor long.
_SHORT: Final = Repr()
_SHORT.maxlevel, _SHORT.maxstring, _SHORT.maxother = 3, 80, 80


class HypervisionError(Exception):
    """Something failed that a person can mend.

    Parameters
    ----------
    what : str
        What failed, with the key or file and the value.
    remedy : str
        What to do about it; empty when nothing can be done from outside.

    Examples
    --------
    >>> str(HypervisionError("port 1883 is busy", remedy="choose another with --mqtt-port"))
    'port 1883 is busy: choose another with --mqtt-port'
    """

    def __init__(self, what: str, *, remedy: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.what}: {self.remedy}" if self.remedy else self.what


class SettingError(HypervisionError):
    """A setting is missing, unreadable or has a wrong value."""


class UsageError(SettingError):
    """What a person typed or asked for cannot be meant; the command line ends with 2."""


class ServiceError(HypervisionError):
    """An embedded service (database, broker) cannot be prepared or started."""


class DomainError(HypervisionError):
    """A domain file is wrong."""


class RuleError(UsageError):
    """A field of a rule is wrong.

    Parameters
    ----------
    field : str
        Which one, as it stands in the rule's document, such as `schedule.0.from`.
    value : object
        What was given.
    remedy : str
        What to write instead.

    Examples
    --------
    >>> str(RuleError("limit", 70, "give one below 60"))
    'the rule has limit = 70: give one below 60'
    """

    def __init__(self, field: str, value: object, remedy: str) -> None:
        super().__init__(f"the rule has {field} = {_SHORT.repr(value)}", remedy=remedy)
        self.field = field


class TransitionError(HypervisionError):
    """An alarm was asked for a transition that does not exist."""


class AccessError(HypervisionError):
    """The account may not do this, or cannot be made so.

    Attributes
    ----------
    field : str
        Which word of a form or a call is wrong, empty when it is none of them.
    reason : str
        Why, as one word, for who tells it in another language; empty when there is none.
    """

    def __init__(self, what: str, *, remedy: str = "", field: str = "", reason: str = "") -> None:
        super().__init__(what, remedy=remedy)
        self.field = field
        self.reason = reason


class ConflictError(HypervisionError):
    """Somebody else was faster.

    Attributes
    ----------
    by : str or None
        Who; None: somebody without a name.
    """

    def __init__(self, what: str, *, remedy: str = "", by: str | None = None) -> None:
        super().__init__(what, remedy=remedy)
        self.by = by


class StoreError(HypervisionError):
    """The database refused or is away.

    Attributes
    ----------
    sqlstate : str
        The SQLSTATE of the failure, empty when the server gave none.
    """

    def __init__(self, what: str, *, remedy: str = "", sqlstate: str = "") -> None:
        super().__init__(what, remedy=remedy)
        self.sqlstate = sqlstate


class TemporaryStoreError(StoreError):
    """Trying again later can succeed: connection, lock, resources, restart.

    Attributes
    ----------
    midway : bool
        It struck a transaction at work, which is certainly not committed; false when nobody answered at all.
    """

    midway = False


class PermanentStoreError(StoreError):
    """Trying again cannot succeed; the row at fault must be isolated."""

    @property
    def of_data(self) -> bool:
        """Whether values are to blame: out of range, a division by zero (SQLSTATE class 22)."""
        return self.sqlstate.startswith("22")
