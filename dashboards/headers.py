"""What every answer tells the browser about what it may do with it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

# Said over https alone: from then on the browser asks in no other way, for a year (RFC 6797).
SECURE: Final = (b"strict-transport-security", b"max-age=31536000")
# Nothing here needs any of them; sound and a screen that stays awake a control room does need.
_REFUSED: Final = (
    "accelerometer", "camera", "display-capture", "geolocation", "gyroscope", "hid", "magnetometer", "microphone",
    "midi", "payment", "serial", "usb",
)  # fmt: skip


def security_headers(script_hashes: Sequence[str]) -> list[tuple[bytes, bytes]]:
    """What every answer carries.

    Parameters
    ----------
    script_hashes : sequence of str
        Hashes of the inline scripts that Dash cannot do without, as the policy writes them.

    Notes
    -----
    Styles may stand inline: Dash and plotly write them; a style cannot run anything. Whatever a directive
    does not name falls to `default-src 'none'`: objects, frames, workers, media.
    """
    policy = "; ".join(
        (
            "default-src 'none'",
            " ".join(("script-src 'self'", *script_hashes)),
            "script-src-attr 'none'",
            "style-src 'self' 'unsafe-inline'",
            "img-src 'self' data: blob:",
            "font-src 'self' data:",
            "connect-src 'self'",
            "manifest-src 'self'",
            "object-src 'none'",
            "base-uri 'none'",
            "form-action 'self'",
            "frame-ancestors 'none'",
        )
    )
    return [
        (b"content-security-policy", policy.encode()),
        (b"x-content-type-options", b"nosniff"),
        (b"x-frame-options", b"DENY"),
        (b"referrer-policy", b"same-origin"),
        (b"cross-origin-opener-policy", b"same-origin"),
        (b"cross-origin-resource-policy", b"same-origin"),
        (b"x-permitted-cross-domain-policies", b"none"),
        (b"x-dns-prefetch-control", b"off"),
        (b"permissions-policy", ", ".join(f"{name}=()" for name in _REFUSED).encode()),
    ]
