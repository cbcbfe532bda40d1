"""The devices of a demo are a part of it: they prove on the health page that they go on."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from hypervision.errors import StoreError
from hypervision.intake import Intake
from hypervision.pulse import Heart, Pulse
from hypervision.settings import Settings

log = logging.getLogger(__name__)

# Another name than that of the history, whose beat keeps the timers waiting.
WRITER: Final = "devices"


@contextmanager
def presence(settings: Settings) -> Iterator[Pulse]:
    """Beat while the devices of a demo publish; a run beside the platform is no part of it.

    Yields
    ------
    Pulse
        To be told that the run goes on.
    """
    pulse = Pulse()
    if not settings.demo or settings.database_url is None:
        yield pulse
        return
    try:
        intake = Intake.open(settings, writer=WRITER, wait=5.0)
    except StoreError as error:
        log.warning("the health page will not tell of these devices: %s", error)
        yield pulse
        return
    with intake, Heart(lambda age: intake.beat(age=age), pulse):
        yield pulse
