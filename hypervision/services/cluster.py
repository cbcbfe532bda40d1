"""One PostgreSQL data directory, and running PostgreSQL's programs on it."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

from hypervision.errors import ServiceError
from hypervision.services.unprivileged import Account


@dataclass(frozen=True, slots=True)
class Cluster:
    """One PostgreSQL data directory, the programs for it and the account that runs them.

    Parameters
    ----------
    folder : Path
        The cluster, `DATA_DIR/database`.
    install : Path
        PostgreSQL's programs.
    account : Account, optional
        Who runs them when we are root.
    """

    folder: Path
    install: Path
    account: Account | None

    def program(self, name: str) -> str:
        """Give the path of one of PostgreSQL's programs."""
        return str(self.install / "bin" / name)

    def run(self, argv: list[str], *, text: str = "") -> None:
        """Run one of them to its end.

        Raises
        ------
        ServiceError
            It failed; with its last line.
        """
        account = self.account
        done = subprocess.run(
            argv,
            check=False,
            input=text,
            capture_output=True,
            text=True,
            cwd="/",
            env={"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"},
            user=None if account is None else account.uid,
            group=None if account is None else account.gid,
            extra_groups=None if account is None else [],
        )
        failed = [line for line in done.stderr.splitlines() if "FATAL" in line or "error:" in line or "PANIC" in line]
        # The single-user mode ends with 0 after a failed statement.
        failed += [line for line in done.stderr.splitlines() if "ERROR:" in line]
        if done.returncode or failed:
            last = (failed or done.stderr.splitlines() or ["no message"])[0].strip()
            raise ServiceError(
                f"{Path(argv[0]).name} failed in {self.folder.parent} ({last})",
                remedy="mend that, or set HYPERVISION_DATABASE_URL to a server of your own",
            )
