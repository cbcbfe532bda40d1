"""Runs the whole suite in groups, with the time of each against its budget.

The last line is `N passed, N failed, N skipped`, summed over all groups; any failure makes the exit code 1.
"""  # noqa: INP001

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TESTS = ROOT / "tests"
# Minutes. Whatever is in none of the named folders runs in `rest`, so no new folder is forgotten.
BUDGETS = {"unit": 3, "integration": 6, "browser": 6, "faults": 5, "rest": 3}
FOLDERS = {
    # The simulated water town has no I/O, only much to compute.
    "unit": ("unit", "scenarios/test_simulated_water.py"),
    # The verbs against a database and the simulated town belong here: they start processes. What packs and drops waits
    # for locks.
    "integration": (
        "integration",
        "contract/test_store_backup.py",
        "contract/test_store_backup_folder.py",
        "contract/test_store_fence.py",
        "contract/test_store_import_verbs.py",
        "contract/test_store_late.py",
        "contract/test_store_migrate.py",
        "contract/test_store_packing.py",
        "contract/test_store_retention.py",
        "contract/test_store_verbs.py",
        "contract/test_store_years.py",
        "scenarios/test_simulated_leak.py",
        "scenarios/test_simulated_town.py",
    ),
    "browser": ("browser",),
    "faults": ("faults",),
}
NOTHING_COLLECTED = 5
# These wait for databases, processes and browsers most of their time: two at once. A file keeps its services, an
# engine its tests. The others have a core's worth of work of their own, or measure how long a thing takes. Files of
# the browser come by name, not by their number of tests: the longest has few of them, and would be begun last.
SPREAD = {
    "integration": ("loadfile",),
    "browser": ("loadfile", "--no-loadscope-reorder"),
    "rest": ("loadgroup",),
}

_COUNT = re.compile(r"(\d+) (passed|failed|skipped|errors?|xfailed|xpassed)\b")


@dataclass(slots=True)
class Counts:
    """How many tests ended how."""

    passed: int = 0
    failed: int = 0
    skipped: int = 0

    def add(self, other: Counts) -> None:
        """Sum up."""
        self.passed += other.passed
        self.failed += other.failed
        self.skipped += other.skipped

    def __str__(self) -> str:
        return f"{self.passed} passed, {self.failed} failed, {self.skipped} skipped"


@dataclass(slots=True)
class Outcome:
    """One group's end."""

    name: str
    seconds: float
    failed: bool
    counts: Counts = field(default_factory=Counts)


def counts_in(line: str) -> Counts | None:
    """Read pytest's closing line; None for any other line.

    Examples
    --------
    >>> str(counts_in("=== 1 failed, 12 passed, 2 skipped, 1 error in 3.21s ==="))
    '12 passed, 2 failed, 2 skipped'
    >>> counts_in("12 passed the gate") is None
    True
    """
    if not re.search(r" in [\d.]+s\b", line):
        return None
    found = Counts()
    for number, word in _COUNT.findall(line):
        if word == "passed":
            found.passed += int(number)
        elif word in ("skipped", "xfailed"):
            found.skipped += int(number)
        else:
            found.failed += int(number)
    return found


def paths_of(group: str) -> list[str]:
    """List what pytest is given for one group."""
    if group in FOLDERS:
        places = [TESTS / place for place in FOLDERS[group]]
        return [str(place) for place in places if place.is_file() or any(place.rglob("test_*.py"))]
    named = {place for places in FOLDERS.values() for place in places}
    others = [path for path in sorted(TESTS.iterdir()) if path.name not in named]
    found = [str(path) for path in others if path.is_dir() and any(path.rglob("test_*.py"))]
    found += [str(path) for path in others if path.match("test_*.py")]
    elsewhere = [f"--ignore={TESTS / place}" for place in sorted(named) if place.endswith(".py")]
    return [*found, *elsewhere]


def stream(argv: Sequence[str]) -> tuple[int, str]:
    """Run a command, show its lines as they come, keep the last that counts tests."""
    closing = ""
    with subprocess.Popen(
        argv, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace"
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            sys.stdout.write(line)
            sys.stdout.flush()
            if counts_in(line) is not None:
                closing = line
        return process.wait(), closing


def check(name: str, argv: Sequence[str]) -> Outcome:
    """Run a check that has no tests of its own; it counts as one."""
    began = time.monotonic()
    code, _ = stream(argv)
    counts = Counts(passed=int(code == 0), failed=int(code != 0))
    return Outcome(name, time.monotonic() - began, code != 0, counts)


def run_group(group: str, extra: Sequence[str]) -> Outcome:
    """Run one group of tests."""
    began = time.monotonic()
    paths = paths_of(group)
    if not paths:
        return Outcome(group, 0.0, failed=False)
    spread = ["-n", "2", "--dist", *SPREAD[group]] if group in SPREAD else []
    argv = [sys.executable, "-m", "pytest", *paths, *spread, *extra]
    code, closing = stream(argv)
    counts = counts_in(closing) or Counts()
    failed = code not in (0, NOTHING_COLLECTED)
    if failed and not counts.failed:
        # pytest itself could not run: that is a failure too.
        counts.failed = 1
    return Outcome(group, time.monotonic() - began, failed, counts)


def provide_browser() -> None:
    """Let Playwright fetch its own Chromium where the machine has none; without it the tests skip."""
    import shutil

    if any(shutil.which(name) for name in ("chromium", "chromium-browser", "google-chrome", "chrome")):
        return
    print("no Chromium here: asking Playwright for its own", flush=True)  # noqa: T201
    try:
        done = subprocess.run(
            [sys.executable, "-m", "playwright", "install", "chromium"], check=False, timeout=300, cwd=ROOT
        )
        code = done.returncode
    except subprocess.TimeoutExpired:
        code = -1
    if code:
        print("Playwright could not get it: browser tests will be skipped", flush=True)  # noqa: T201


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the groups named on the command line, all by default."""
    parser = argparse.ArgumentParser(description="Run the suite in groups; what follows -- goes to pytest.")
    parser.add_argument("groups", nargs="*", choices=["lint", *BUDGETS, []], help="default: all")
    argv = list(sys.argv[1:] if arguments is None else arguments)
    extra = argv[argv.index("--") + 1 :] if "--" in argv else []
    wanted = parser.parse_args(argv[: argv.index("--")] if "--" in argv else argv).groups or ["lint", *BUDGETS]
    os.environ.setdefault("PYTHONDONTWRITEBYTECODE", "1")
    outcomes: list[Outcome] = []
    for name in wanted:
        print(f"\n===== {name} =====", flush=True)  # noqa: T201
        if name == "lint":
            tools = (("ruff", "check", "."), ("ruff", "format", "--check", "."), ("mypy",))
            outcomes += [check(" ".join(tool[:2]), [sys.executable, "-m", *tool]) for tool in tools]
            continue
        if name == "browser" and paths_of(name):
            provide_browser()
        outcomes.append(run_group(name, extra))
    return report(outcomes)


def report(outcomes: Sequence[Outcome]) -> int:
    """Print the summary; the sums stand alone on the last line."""
    total = Counts()
    print("\n===== summary =====")  # noqa: T201
    for outcome in outcomes:
        total.add(outcome.counts)
        minutes = BUDGETS.get(outcome.name)
        budget = f" of {minutes * 60} s" if minutes else ""
        over = "  OVER ITS BUDGET" if minutes and outcome.seconds > minutes * 60 else ""
        state = "FAILED" if outcome.failed else "ok"
        print(f"{outcome.name:<12}{state:<8}{outcome.seconds:6.0f} s{budget}   {outcome.counts}{over}")  # noqa: T201
    print(total, flush=True)  # noqa: T201
    return int(any(outcome.failed for outcome in outcomes))


if __name__ == "__main__":
    raise SystemExit(main())
