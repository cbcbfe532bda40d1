"""A Mosquitto without persistence, for comparison; only where the machine has it."""

from __future__ import annotations

import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hypervision.errors import ServiceError
from hypervision.services import ports

# As docs/deployment.md asks for: nothing waiting is dropped, and batches may be large.
_SETTINGS = """listener {port} 127.0.0.1
allow_anonymous true
persistence false
max_queued_messages 0
"""
_WINDOW = 20_000


@contextmanager
def mosquitto(program: Path, *, window: int | None = _WINDOW) -> Iterator[str]:
    """Run one, and end it; its URL.

    Parameters
    ----------
    window : int, optional
        Messages ahead of their acknowledgement; None for the 20 that it has by itself.

    Raises
    ------
    ServiceError
        It does not start.
    """
    with tempfile.TemporaryDirectory(prefix="hv-mosquitto-") as folder:
        port = ports.free()
        settings, log = Path(folder) / "mosquitto.conf", Path(folder) / "log"
        ahead = "" if window is None else f"max_inflight_messages {window}\n"
        settings.write_text(_SETTINGS.format(port=port) + ahead, "utf-8")
        with log.open("wb") as stream:
            process = subprocess.Popen([str(program), "-c", str(settings)], stdout=stream, stderr=stream)
        try:
            deadline = time.monotonic() + 10
            while not ports.answers(port):
                if process.poll() is not None or time.monotonic() > deadline:
                    raise ServiceError("Mosquitto does not start", remedy=log.read_text("utf-8", "replace")[-500:])
                time.sleep(0.02)
            yield f"mqtt://127.0.0.1:{port}"
        finally:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
