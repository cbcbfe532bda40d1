"""The embedded PostgreSQL: created once, run under guard."""

from __future__ import annotations

import logging
import os
import shutil
import signal
import socket
import struct
import tempfile
import time
from pathlib import Path

import psutil

from hypervision.errors import ServiceError
from hypervision.services import binaries, roles, stale
from hypervision.services.cluster import Cluster
from hypervision.services.guard import Service
from hypervision.services.plan import Plan, secret
from hypervision.services.secrets import password, write_private
from hypervision.services.unprivileged import Account, choose
from hypervision.settings import Settings
from hypervision.store.provision import DATABASE, ROLE, bootstrap_sql

_log = logging.getLogger(__name__)


def account_for(data_dir: Path) -> Account | None:
    """Choose who runs the database: the owner of an existing cluster, else an unprivileged account.

    Returns
    -------
    Account or None
        None when we are not root.
    """
    chosen = choose()
    if chosen is None:
        return None
    try:
        owner = (data_dir / "database").stat()
    except OSError:
        return chosen
    if owner.st_uid in (0, chosen.uid):
        return chosen
    return Account(str(owner.st_uid), owner.st_uid, owner.st_gid)


def prepare(data_dir: Path, *, account: Account | None) -> Cluster:
    """Create the cluster at the first start; check it at every other.

    Raises
    ------
    ServiceError
        The directory is of another major version or of somebody else, or PostgreSQL's programs fail;
        nothing half-created stays.
    """
    folder = data_dir / "database"
    check_version(data_dir)
    install = binaries.executable_by(account, binaries.postgres(), data_dir / "programs")
    cluster = Cluster(folder, install, account)
    for left in data_dir.glob(".new-*"):
        shutil.rmtree(left, ignore_errors=True)
    if not folder.exists():
        _create(data_dir, cluster)
    if account is None and folder.stat().st_uid != os.geteuid():
        raise ServiceError(
            f"the database in {folder} belongs to the account {folder.stat().st_uid}",
            remedy="start as the user who created it, or choose another --data-dir",
        )
    return cluster


def check_version(data_dir: Path) -> None:
    """Look whether an existing cluster is of the embedded version.

    Raises
    ------
    ServiceError
        It is of another, cannot be read, or one of its passwords is lost.
    """
    folder = data_dir / "database"
    if not folder.exists():
        return
    try:
        found = (folder / "PG_VERSION").read_bytes()[:100].decode("latin-1").strip()
    except OSError as error:
        raise ServiceError(
            f"{folder} is no database this user can read ({error.strerror}: PG_VERSION)",
            remedy="start as the user who created it, restore a backup, or choose another --data-dir",
        ) from None
    if not found.isdigit():
        raise ServiceError(
            f"{folder / 'PG_VERSION'} is damaged (it holds {found[:20]!r}, not a version of PostgreSQL)",
            remedy="restore the data directory from a backup, or choose another --data-dir",
        )
    if found != binaries.MAJOR:
        raise ServiceError(
            f"the database in {folder} is of PostgreSQL {found}, the embedded one is {binaries.MAJOR}",
            remedy="run the version of the platform that made it, or dump it there and restore it here",
        )
    # The first start alone uses the superuser's; emptied, it would be missed on the day of a repair.
    for name in ("database-superuser", "database-application", *roles.SECRETS):
        if secret(data_dir, name).exists():
            password(secret(data_dir, name))


def _create(data_dir: Path, cluster: Cluster) -> None:
    """Create under a temporary name, rename when all is done: a cluster exists wholly or not at all."""
    superuser = password(secret(data_dir, "database-superuser"))
    application = password(secret(data_dir, "database-application"))
    fresh = Path(tempfile.mkdtemp(prefix=".new-", dir=data_dir))
    try:
        target = fresh / "database"
        target.mkdir(mode=0o700)
        given = fresh / "password"
        write_private(given, superuser + "\n")
        if cluster.account is not None:
            for path in (fresh, target, given):
                os.chown(path, cluster.account.uid, cluster.account.gid)
        cluster.run(
            [
                cluster.program("initdb"), "-D", str(target), "-U", "postgres", f"--pwfile={given}",
                "--auth=scram-sha-256", "--encoding=UTF8", "--locale=C", "--locale-provider=builtin",
                "--builtin-locale=C.UTF-8", "--data-checksums", "--no-instructions",
            ]
        )  # fmt: skip
        cluster.run(
            [cluster.program("postgres"), "--single", "-D", str(target), "template1"],
            text=bootstrap_sql(application) + roles.statements(data_dir),
        )
        roles.note(data_dir, Cluster(target, cluster.install, cluster.account))
        with (target / "postgresql.conf").open("a", encoding="utf-8") as stream:
            stream.write("\ninclude_if_exists = 'hypervision.conf'\n")
        target.rename(cluster.folder)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def configuration(port: int, *, memory: int) -> str:
    """Write the settings of the server.

    Parameters
    ----------
    port : int
        On loopback.
    memory : int
        Of the machine [byte].
    """
    # A quarter of memory is PostgreSQL's own advice for a machine of its own; here seven processes share it.
    buffers = max(64, min(256, memory // 16 // 1_048_576))
    lines = {
        "listen_addresses": "127.0.0.1",
        "port": str(port),
        "unix_socket_directories": "",
        "max_connections": "80",
        "shared_buffers": f"{buffers}MB",
        "work_mem": "8MB",
        "maintenance_work_mem": "64MB",
        "synchronous_commit": "on",
        "fsync": "on",
        "full_page_writes": "on",
        "wal_compression": "on",
        "max_wal_size": "2GB",
        "checkpoint_completion_target": "0.9",
        # Queries here are short; compiling them costs more than it saves.
        "jit": "off",
        "random_page_cost": "1.1",
        "io_workers": "2",
        "timezone": "UTC",
        "log_timezone": "UTC",
        "log_checkpoints": "off",
        "log_line_prefix": "%m [%p] ",
        "log_destination": "stderr",
        "logging_collector": "off",
        "cluster_name": "hypervision",
        # A client that vanished without a word must not hold locks for hours.
        "tcp_keepalives_idle": "30",
        "client_connection_check_interval": "5s",
    }
    return "# Written at every start.\n" + "".join(f"{key} = '{value}'\n" for key, value in lines.items())


def url(data_dir: Path, port: int) -> str:
    """Give the libpq URL of the platform's role, the owner."""
    return f"postgresql://{ROLE}:{password(secret(data_dir, 'database-application'))}@127.0.0.1:{port}/{DATABASE}"


def service(data_dir: Path, cluster: Cluster) -> Service:
    """Describe the server as a service under guard."""
    return Service(
        name="the database",
        argv=(cluster.program("postgres"), "-D", str(cluster.folder)),
        record=data_dir / "run" / "database.json",
        # SIGINT is PostgreSQL's fast shutdown, SIGQUIT its immediate one: nothing committed is lost, the next
        # start replays the log.
        stop=signal.SIGINT,
        hurry=signal.SIGQUIT,
        account=cluster.account,
        cwd=Path("/"),
    )


def clear(data_dir: Path, cluster: Cluster) -> None:
    """Stop what an earlier start left behind in this cluster, and wait for its last processes."""

    def ours(process: psutil.Process) -> bool:
        return str(cluster.folder) in process.cmdline()

    stale.clear(data_dir / "run" / "database.json", name="the database", ours=ours, hurry=signal.SIGQUIT)
    main = _lock_pid(cluster.folder)
    if main:
        process = _process(main)
        if process is not None and _is_server(process, cluster.folder):
            if process.ppid() != 1 and process.ppid() != os.getpid():
                raise ServiceError(
                    f"a database server already runs in {cluster.folder} as process {main}",
                    remedy="stop it first, or choose another --data-dir",
                )
            stale.end(process, signal.SIGQUIT)
    _wait_for_backends(cluster.folder)
    # Its number may meanwhile belong to another process of the same account; PostgreSQL would not start.
    process = _process(_lock_pid(cluster.folder))
    if process is not None and not _is_server(process, cluster.folder):
        (cluster.folder / "postmaster.pid").unlink(missing_ok=True)


def _lock_pid(folder: Path) -> int:
    try:
        return int((folder / "postmaster.pid").read_text("utf-8").split("\n", 1)[0])
    except (OSError, ValueError):
        return 0


def _process(pid: int) -> psutil.Process | None:
    try:
        return psutil.Process(pid) if pid > 0 else None
    except psutil.Error:
        return None


def _is_server(process: psutil.Process, folder: Path) -> bool:
    try:
        return "postgres" in process.name() and str(folder) in process.cmdline()
    except psutil.Error:
        return False


def _wait_for_backends(folder: Path, *, seconds: float = 0.5) -> None:
    """Wait for the children of a killed server: while one lives, a new server refuses the shared memory.

    Most see by themselves that it is gone. One that computes sees it when it has done, which may take many seconds: it
    is ended as a server ends its children when one of them crashed.
    """
    deadline = time.monotonic() + seconds
    while backends := _backends(folder):
        if time.monotonic() > deadline:
            for process in backends:
                stale.end(process, signal.SIGQUIT)
            return
        time.sleep(0.1)


def _backends(folder: Path) -> list[psutil.Process]:
    found = []
    for process in psutil.process_iter(["name"]):
        try:
            if "postgres" in (process.info["name"] or "") and Path(process.cwd()) == folder:
                found.append(process)
        except psutil.Error:
            continue
    return found


def accepts(port: int) -> bool:
    """Tell whether the server takes log-ins: its port opens before it has replayed its log."""
    body = b"user\0" + ROLE.encode() + b"\0database\0" + DATABASE.encode() + b"\0\0"
    # PostgreSQL's startup message, protocol 3.0: length, version, pairs of names and values.
    packet = struct.pack("!II", len(body) + 8, 196_608) + body
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=2.0) as connection:
            connection.sendall(packet)
            # 'R' asks for the password, 'E' says why not (as 57P03, "the database system is starting up").
            # Its whole answer is read: closing with bytes unread resets the connection, which the server logs.
            return connection.recv(4096)[:1] == b"R"
    except OSError:
        return False


def guard(settings: Settings) -> int:
    """Run the database until asked to stop or until the parent is gone; the verb `database`."""
    data_dir = settings.data_dir
    plan = Plan.read(data_dir)
    cluster = prepare(data_dir, account=account_for(data_dir))
    clear(data_dir, cluster)
    roles.provide(data_dir, cluster)
    written = cluster.folder / "hypervision.conf"
    write_private(written, configuration(plan.database_port, memory=psutil.virtual_memory().total))
    if cluster.account is not None:
        os.chown(written, cluster.account.uid, cluster.account.gid)
    return service(data_dir, cluster).run()
