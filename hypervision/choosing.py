"""Whether filters of rejected messages can mean anything; a word that nothing has is not answered with nothing."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from hypervision.errors import UsageError
from hypervision.store import rejected
from hypervision.store.connection import Connection
from hypervision.store.rejected import Chosen

REASONS: Final = (
    "bad_topic", "bad_thing", "unknown_domain", "unknown_property", "unknown_thing", "malformed", "not_an_object",
    "empty",
    "not_a_number", "unknown_state", "unknown_unit", "incompatible_unit", "bad_time", "no_time", "time_without_offset",
    "time_in_future", "time_too_old", "bad_seq", "derived_property", "conflict", "bad_senml", "bad_status",
    "unexpected_ack", "too_many_refusals", "store_refused", "decoder_failed", "rate_limited",
)  # fmt: skip
"""Why the platform refuses; decoders of one's own may have others."""


def check(connection: Connection, chosen: Chosen, *, domains: Collection[str]) -> None:
    """Refuse filters that cannot be meant.

    Parameters
    ----------
    domains : collection of str
        Codes of the domains there are; what was sent to another one is rejected, and may be asked for.

    Raises
    ------
    UsageError
        The end is not behind the beginning; or a reason, a domain or a number is neither known nor that of any rejected
        message.
    """
    if chosen.since is not None and chosen.until is not None and chosen.since >= chosen.until:
        raise UsageError(
            f"the range from {chosen.since.isoformat()} to {chosen.until.isoformat()} is empty",
            remedy="its end lies behind its beginning",
        )
    if chosen.reason is not None and chosen.reason not in REASONS:
        asked = Chosen(reason=chosen.reason, scope=chosen.scope)
        _known(connection, asked, f"reason {chosen.reason!r}", remedy=f"use {', '.join(REASONS)}")
    if chosen.domain is not None and chosen.domain not in domains:
        asked = Chosen(domain=chosen.domain, scope=chosen.scope)
        _known(connection, asked, f"domain {chosen.domain!r}", remedy=f"use {', '.join(domains)}")
    for number in chosen.ids or ():
        if rejected.one(connection, number, scope=chosen.scope) is None:
            raise UsageError(f"there is no rejected message {number}", remedy="`hypervision rejected list` has numbers")


def _known(connection: Connection, chosen: Chosen, what: str, *, remedy: str) -> None:
    if not rejected.page(connection, chosen, limit=1, excerpt=0):
        raise UsageError(f"there is no {what}", remedy=remedy)
