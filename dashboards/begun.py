"""A log-in by a provider that has begun, and how it can end badly."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from hypervision.errors import AccessError


class ProviderError(AccessError):
    """A log-in by the provider came to nothing; `reason` is a word of `log_in.REFUSALS`."""


@dataclass(frozen=True, slots=True)
class Begun:
    """What a browser keeps while its owner is at the provider.

    Attributes
    ----------
    state : str
        Comes back in the address: an answer that this browser did not ask for has another one.
    nonce : str
        Comes back in the signed token: one that was made for another log-in has another one.
    verifier : str
        Proves to the provider that who brings the code is who asked (RFC 7636).
    """

    state: str
    nonce: str
    verifier: str

    @classmethod
    def new(cls) -> Begun:
        """Three secrets of 256 bits."""
        return cls(*(secrets.token_urlsafe(32) for _ in range(3)))
