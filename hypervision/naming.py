"""What people call things: text that fits on a screen and shows what it is."""

from __future__ import annotations

from typing import Final

from hypervision.errors import SettingError

LONGEST: Final = 200


def name_of(text: str, *, of: str) -> str:
    """Give the name itself when people can read it.

    Parameters
    ----------
    text : str
        The name.
    of : str
        What is called so, for the error.

    Raises
    ------
    SettingError
        It is empty or longer than 200 characters, or holds what no screen shows: control characters, half
        characters, marks that turn the direction of the text around.

    Examples
    --------
    >>> name_of("Pump 7", of="p-7")
    'Pump 7'
    """
    # A space that does not break stands before French punctuation.
    strange = next((c for c in text if not (c.isprintable() or c in "\u00a0\u202f")), None)
    if strange is not None:
        what = f"it holds the unprintable character U+{ord(strange):04X}"
    elif len(text) > LONGEST:
        what = f"it has {len(text)} characters"
    elif not text.strip():
        what = "it is empty"
    else:
        return text
    shown = text[:40] + ("…" if len(text) > 40 else "")
    raise SettingError(
        f"the name {shown!a} of {of} cannot be taken ({what})", remedy=f"give 1 to {LONGEST} printable characters"
    )
