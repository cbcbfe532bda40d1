"""An embedded database alone, in a temporary folder, gone at the end: for programs that measure."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from hypervision.domains import load
from hypervision.errors import ServiceError, TemporaryStoreError
from hypervision.services import database, datadir, guard, ports
from hypervision.services.plan import Plan
from hypervision.store.connection import wait_for_server
from hypervision.store.migrate import migrate

_START: Final = 60.0


@contextmanager
def alone(url: str | None = None) -> Iterator[str]:
    """A database with this version's schema and nothing in it.

    Parameters
    ----------
    url : str, optional
        A server's of one's own; then none is started, and what is there stays.

    Yields
    ------
    str
        Its libpq URL.
    """
    if url is not None:
        _migrate(url)
        yield url
        return
    folder = Path(tempfile.mkdtemp(prefix="hv-alone-"))
    try:
        account = database.account_for(folder)
        with datadir.prepare(folder, kind="up", account=account):
            database.prepare(folder, account=account)
            plan = Plan(http_port=0, mqtt_port=0, nats_port=0, database_port=ports.free())
            plan.write(folder)
            with _running(folder):
                url = database.url(folder, plan.database_port)
                try:
                    _migrate(url)
                except TemporaryStoreError as error:
                    log = (folder / "logs" / "alone.log").read_text("utf-8", "replace")
                    raise ServiceError(f"the database does not start ({error})", remedy=log[-2000:]) from None
                yield url
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _migrate(url: str) -> None:
    with wait_for_server(url, application="migrate", wait=_START) as connection:
        migrate(connection, load(), now=datetime.now(UTC))


@contextmanager
def _running(folder: Path) -> Iterator[None]:
    own = {key: value for key, value in os.environ.items() if not key.startswith("HYPERVISION_")}
    own |= {"HYPERVISION_DATA_DIR": str(folder), guard.VARIABLE: "stdin", "PYTHONSAFEPATH": "1"}
    with (folder / "logs" / "alone.log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "hypervision", "database"],
            stdin=subprocess.PIPE, stdout=log, stderr=log, env=own, cwd=folder,
        )  # fmt: skip
    try:
        yield
    finally:
        # The guard of the process ends it with its server when this pipe closes.
        assert process.stdin is not None
        process.stdin.close()
        try:
            process.wait(timeout=60)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
