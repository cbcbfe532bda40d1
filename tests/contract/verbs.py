"""Verbs run as a person runs them, against a database."""

from __future__ import annotations

import io
import logging
import os
import subprocess
import sys
from pathlib import Path
from typing import Protocol

import pytest

from hypervision import cli


class Says(Protocol):
    """Run `hypervision WORDS` against a database; give what it said."""

    def __call__(self, url: str, *words: str, given: str = ..., expect: int = ..., registration: str = ...) -> str: ...


def environment(url: str, folder: Path, registration: str) -> dict[str, str]:
    return {
        "HYPERVISION_DATABASE_URL": url,
        "HYPERVISION_DATA_DIR": str(folder),
        "HYPERVISION_LANGUAGE": "en",
        "HYPERVISION_REGISTRATION": registration,
    }


@pytest.fixture
def started(tmp_path: Path) -> Says:
    """A verb in a process of its own, as a person starts it."""

    def run(url: str, *words: str, given: str = "", expect: int = 0, registration: str = "closed") -> str:
        environ = {key: value for key, value in os.environ.items() if not key.startswith("HYPERVISION_")}
        done = subprocess.run(
            [sys.executable, "-m", "hypervision", *words],
            env=environ | environment(url, tmp_path, registration),
            capture_output=True, text=True, cwd=tmp_path, input=given, check=False, timeout=120,
        )  # fmt: skip
        assert done.returncode == expect, done.stdout + done.stderr
        assert "Traceback" not in done.stderr
        return done.stdout + done.stderr

    return run


@pytest.fixture
def verb(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> Says:
    """A verb in this process, which is put back as it was: a new Python takes longer to start than the verb to run."""
    root = logging.getLogger()

    def run(url: str, *words: str, given: str = "", expect: int = 0, registration: str = "closed") -> str:
        capfd.readouterr()
        handlers, level = root.handlers[:], root.level
        with pytest.MonkeyPatch.context() as patch:
            for name in [name for name in os.environ if name.startswith("HYPERVISION_")]:
                patch.delenv(name)
            for name, value in environment(url, tmp_path, registration).items():
                patch.setenv(name, value)
            patch.setattr(sys, "stdin", io.StringIO(given))
            patch.chdir(tmp_path)
            # Where there is a handler, pytest's, a verb sets up none of its own and its lines are not seen.
            root.handlers[:] = []
            try:
                code = cli.main(words)
            finally:
                root.handlers[:] = handlers
                root.setLevel(level)
        said = capfd.readouterr()
        assert code == expect, said.out + said.err
        return said.out + said.err

    return run
