"""Second factors: time-based one-time codes (RFC 6238), and recovery codes for who has lost the telephone."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from typing import Final
from urllib.parse import quote

# RFC 6238, section 4.1, and what every authenticator assumes: 30 s, six digits, SHA-1.
STEP: Final = 30
_DIGITS: Final = 6
# RFC 4226, section 4: 160 bits.
_SECRET_BYTES: Final = 20
# A clock that is half a minute off, and the time that typing takes: one step before and after (RFC 6238, section 5.2).
_DRIFT: Final = 1

RECOVERY_CODES: Final = 10
# Crockford's base 32 without the letters that are taken for digits; ten of them are 50 bits, guessed under back-off.
_LETTERS: Final = "0123456789abcdefghjkmnpqrstvwxyz"
_LENGTH: Final = 10


def new_secret() -> bytes:
    """A secret of 160 random bits."""
    return secrets.token_bytes(_SECRET_BYTES)


def code_at(secret: bytes, step: int) -> str:
    """The code of one step of time (RFC 4226, section 5.3).

    Examples
    --------
    The test vectors of RFC 6238, appendix B, end in these digits:

    >>> [code_at(b"12345678901234567890", seconds // 30) for seconds in (59, 1111111109, 20000000000)]
    ['287082', '081804', '353130']
    """
    digest = hmac.digest(secret, step.to_bytes(8, "big"), "sha1")
    start = digest[-1] & 15
    number = int.from_bytes(digest[start : start + 4], "big") & 0x7FFF_FFFF
    return f"{number % 10**_DIGITS:0{_DIGITS}d}"


def step_of(secret: bytes, code: str, *, seconds: float, after: int) -> int | None:
    """The step of time that a code belongs to; None where it is wrong, of another time, or was used before.

    Parameters
    ----------
    seconds : float
        Now, since the Unix epoch [s].
    after : int
        The newest step of which a code was used: that one and all before it are refused (RFC 6238, section 5.2).

    Examples
    --------
    >>> secret = b"12345678901234567890"
    >>> step_of(secret, "287082", seconds=59, after=0), step_of(secret, "287082", seconds=59, after=1)
    (1, None)
    """
    given = "".join(code.split())
    if len(given) != _DIGITS or not given.isascii() or not given.isdigit():
        return None
    now = int(seconds // STEP)
    found = None
    # All are compared, so that the time it takes tells nothing.
    for step in range(now - _DRIFT, now + _DRIFT + 1):
        if hmac.compare_digest(code_at(secret, step), given) and step > after:
            found = step
    return found


def address_of(secret: bytes, *, account: str, issuer: str) -> str:
    """What the QR code says: an `otpauth` address that authenticators read.

    Examples
    --------
    >>> address_of(b"12345678901234567890", account="ana", issuer="Hypervision")
    'otpauth://totp/Hypervision:ana?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Hypervision'
    """
    name = f"{quote(issuer, safe='')}:{quote(account, safe='@')}"
    return f"otpauth://totp/{name}?secret={written(secret)}&issuer={quote(issuer, safe='')}"


def written(secret: bytes) -> str:
    """The secret as people type it: base 32."""
    return base64.b32encode(secret).decode().rstrip("=")


def new_recovery_codes() -> list[str]:
    """Codes for the day when the telephone is gone, in two groups of five."""
    made = ["".join(secrets.choice(_LETTERS) for _ in range(_LENGTH)) for _ in range(RECOVERY_CODES)]
    return [f"{code[:5]}-{code[5:]}" for code in made]


def recovery_hash(code: str) -> bytes | None:
    """What the database keeps of a recovery code; None for what is none.

    Notes
    -----
    Capitals, spaces and hyphens do not count, and letters that look like digits are these digits.

    Examples
    --------
    >>> recovery_hash("ABCDE-FGH1O") == recovery_hash("abcde fghi0"), recovery_hash("123456")
    (True, None)
    """
    given = "".join(code.lower().replace("-", " ").split()).translate(str.maketrans("ilo", "110"))
    if len(given) != _LENGTH or not set(given) <= set(_LETTERS):
        return None
    return hashlib.sha256(given.encode()).digest()
