"""What part of the town an account may know: one predicate here, and the values of its twin in `scope.sql`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final, Protocol


class Placed(Protocol):
    """Whatever has the three words by which a Thing is in a scope or not."""

    @property
    def organisation_id(self) -> int | None:
        """Who operates it."""

    @property
    def domain(self) -> str:
        """The domain that it is registered with."""

    @property
    def district(self) -> str:
        """Where it stands; empty: nobody said."""


@dataclass(frozen=True, slots=True)
class Scope:
    """A part of the town; what is None limits nothing.

    Attributes
    ----------
    organisation_id : int or None
        Only Things of this organisation.
    domains : tuple of str or None
        Only Things that are registered with one of these domains.
    districts : tuple of str or None
        Only Things that stand in one of these districts.

    Notes
    -----
    A Thing is in a scope as a whole, with everything that hangs on it: datastreams of other domains too, its alarms,
    gaps and rejected messages. What serves two services is registered as two Things, one the parent of the other.

    Examples
    --------
    >>> Scope.of(domains=["water", "waste"]) == Scope.of(domains=("waste", "water", "water"))
    True
    >>> Scope().is_whole, Scope.of(domains=["water"]).is_whole
    (True, False)
    """

    organisation_id: int | None = None
    domains: tuple[str, ...] | None = None
    districts: tuple[str, ...] | None = None

    @classmethod
    def of(
        cls,
        organisation_id: int | None = None,
        domains: Iterable[str] | None = None,
        districts: Iterable[str] | None = None,
    ) -> Scope:
        """A scope whose words stand in one order, so that equal ones are one."""
        return cls(
            organisation_id,
            None if domains is None else tuple(sorted(set(domains))),
            None if districts is None else tuple(sorted(set(districts))),
        )

    @property
    def is_whole(self) -> bool:
        """Whether it is the whole town, with the platform's own figures."""
        return self.organisation_id is None and self.domains is None and self.districts is None

    def holds(self, thing: Placed) -> bool:
        """Whether a Thing is in it; `in_scope` in `scope.sql` says the same.

        Parameters
        ----------
        thing : Placed
            With `organisation_id`, `domain` and `district`.
        """
        return (
            (self.organisation_id is None or thing.organisation_id == self.organisation_id)
            and (self.domains is None or thing.domain in self.domains)
            and (self.districts is None or thing.district in self.districts)
        )

    def holds_domain(self, domain: str) -> bool:
        """Whether every Thing of a domain is in it, those that are registered later too.

        Examples
        --------
        >>> Scope.of(domains=["water"]).holds_domain("water"), Scope.of(3, ["water"]).holds_domain("water")
        (True, False)
        """
        only = self.organisation_id is None and self.districts is None
        return self.is_whole or (only and domain in (self.domains or ()))

    def values(self) -> dict[str, Any]:
        """What a query with `in_scope` is given."""
        return {
            "scope_whole": self.is_whole,
            "scope_organisation": self.organisation_id,
            "scope_domains": None if self.domains is None else list(self.domains),
            "scope_districts": None if self.districts is None else list(self.districts),
        }

    def told(self) -> dict[str, Any]:
        """The same for a document, where `organisation` is the number."""
        return {
            "organisation": self.organisation_id,
            "domains": None if self.domains is None else list(self.domains),
            "districts": None if self.districts is None else list(self.districts),
        }


EVERYTHING: Final = Scope()
"""The whole town."""
