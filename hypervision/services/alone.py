"""The embedded database alone, for as long as a piece of work needs it; nothing of the platform runs beside."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from hypervision.domains import load
from hypervision.errors import ServiceError
from hypervision.services import database, datadir, guard, ports, why
from hypervision.services.plan import Plan, log_file
from hypervision.store.connection import wait_for_server
from hypervision.store.migrate import migrate

_PATIENCE = 60.0


@contextmanager
def embedded(data_dir: Path) -> Iterator[str]:
    """Run the embedded database of a data directory, which is made where there is none, and stop it in order.

    Yields
    ------
    str
        Its URL.

    Raises
    ------
    ServiceError
        A platform runs there, the directory cannot be used, or the server does not start.
    """
    account = database.account_for(data_dir)
    database.check_version(data_dir)
    with datadir.prepare(data_dir, kind="up", account=account):
        datadir.wait_for_children(data_dir)
        database.clear(data_dir, database.prepare(data_dir, account=account))
        port = ports.free()
        Plan(http_port=0, mqtt_port=0, nats_port=0, database_port=port).write(data_dir)
        log = log_file(data_dir, "database")
        known = why.sizes([log])
        environ = {key: value for key, value in os.environ.items() if not key.startswith("HYPERVISION_")}
        # It goes when we go: its standard input ends with us.
        environ |= {"HYPERVISION_DATA_DIR": str(data_dir), guard.VARIABLE: "stdin", "PYTHONSAFEPATH": "1"}
        with log.open("ab") as stream:
            process = subprocess.Popen(
                [sys.executable, "-m", "hypervision", "database"],
                stdin=subprocess.PIPE,
                stdout=stream,
                stderr=stream,
                env=environ,
                cwd=data_dir,
            )
        try:
            deadline = time.monotonic() + _PATIENCE
            while not database.accepts(port):
                if process.poll() is not None or time.monotonic() > deadline:
                    raise ServiceError(
                        f"the database in {data_dir} does not start ({why.since(known) or 'it logged nothing'})",
                        remedy=f"mend that; {log} has all it said",
                    )
                time.sleep(0.05)
            yield database.url(data_dir, port)
        finally:
            process.terminate()
            process.wait()
            assert process.stdin is not None
            process.stdin.close()


@contextmanager
def scratch() -> Iterator[str]:
    """Run an embedded database of its own in a temporary folder, gone at the end."""
    with tempfile.TemporaryDirectory(prefix="hv-drill-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        # Root's database runs under another account, which has to come in.
        folder.chmod(0o711)
        with embedded(folder) as url:
            yield url


@contextmanager
def migrated(url: str | None = None) -> Iterator[str]:
    """Give a database with this version's schema.

    Parameters
    ----------
    url : str, optional
        A server's of one's own; then none is started, and what is there stays.

    Yields
    ------
    str
        Its libpq URL.
    """
    if url is None:
        with scratch() as found:
            _migrate(found)
            yield found
    else:
        _migrate(url)
        yield url


def _migrate(url: str) -> None:
    with wait_for_server(url, application="migrate", wait=_PATIENCE) as connection:
        migrate(connection, load(), now=datetime.now(UTC))
