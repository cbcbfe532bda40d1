"""What machine a measurement was made with, in a few words; no name of the machine, no paths."""

from __future__ import annotations

import os
import platform
import re
import subprocess
import sys
from typing import Final, NamedTuple

import psutil

_SECONDS: Final = 10.0


class Machine(NamedTuple):
    """A machine; memory in GiB."""

    cpu: str
    cores: int
    memory_gb: float
    system: str
    python: str

    def __str__(self) -> str:
        """All of it on one line."""
        return f"{self.cores} cores {self.cpu}, {self.memory_gb:.0f} GB, {self.system}; Python {self.python}"


def machine() -> Machine:
    """Look at this machine."""
    return Machine(
        cpu=_cpu(),
        cores=os.cpu_count() or 1,
        memory_gb=psutil.virtual_memory().total / 2**30,
        system=f"{platform.system()} {platform.release()} {platform.machine()}",
        python=platform.python_version(),
    )


def commit(folder: str) -> str:
    """The commit of a checkout, with a word where files were changed since; empty where there is none."""
    found = said("git", "-C", folder, "rev-parse", "--short=10", "HEAD").strip()
    changed = found and said("git", "-C", folder, "status", "--porcelain", "--untracked-files=no").strip()
    return f"{found} with changes" if changed else found


def said(*words: str) -> str:
    """What a program says; nothing where it is not there."""
    try:
        done = subprocess.run(
            words, capture_output=True, text=True, timeout=_SECONDS, check=False, env=os.environ | {"LC_ALL": "C"}
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout


def _cpu() -> str:
    """The name the processor gives itself."""
    if sys.platform == "darwin":
        return said("sysctl", "-n", "machdep.cpu.brand_string").strip() or platform.machine()
    found = re.search(r"^Model name:\s*(.+)$", said("lscpu"), re.MULTILINE)
    return found[1].strip() if found else platform.machine()
