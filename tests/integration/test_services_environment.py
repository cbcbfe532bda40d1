"""`scripts/environment.sh`, which `make demo` and `make test` begin with, as far as no package is installed."""

from __future__ import annotations

import shutil
import stat
import subprocess
from pathlib import Path

import pytest

pytestmark = pytest.mark.integration

ROOT = Path(__file__).parents[2]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "a project"
    for name in ("scripts", "requirements"):
        shutil.copytree(ROOT / name, folder / name)
    shutil.copy(ROOT / "pyproject.toml", folder)
    return folder


def run(project: Path, kind: str = "run", **environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["/bin/sh", project / "scripts" / "environment.sh", kind],
        capture_output=True,
        text=True,
        env={"PATH": "/usr/bin:/bin", **environ},
        timeout=60,
    )


def make_environment(project: Path, *stamps: str) -> Path:
    """Put a .venv there whose interpreter writes down that it was used, and fails."""
    used = project / "used"
    python = project / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text(f'#!/bin/sh\necho "$@" >>"{used}"\ncase "$*" in *sys.version_info*) exit 0 ;; esac\nexit 1\n')
    python.chmod(stat.S_IRWXU)
    for kind in stamps:
        text = (ROOT / "scripts" / "environment.sh").read_text("utf-8")
        function = text[text.index("sum_of() {") : text.index("stamped() {")]
        done = subprocess.run(
            ["/bin/sh", "-c", f"{function}\nsum_of {kind}"], cwd=project, capture_output=True, text=True, check=True
        )
        (project / ".venv" / f".stamp-{kind}").write_text(done.stdout)
    return used


def test_interpreter_that_does_not_work_is_refused_in_one_sentence(project: Path) -> None:
    done = run(project, PYTHON="/bin/false")
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1
    assert "PYTHON=/bin/false" in done.stderr
    assert not (project / ".venv").exists()


def test_machine_without_a_fitting_python_is_told_so_in_one_sentence(project: Path, tmp_path: Path) -> None:
    tools = tmp_path / "tools"
    tools.mkdir()
    for name in ("dirname", "cksum", "cat"):
        found = shutil.which(name)
        assert found
        (tools / name).symlink_to(found)
    # A shim with no interpreter behind it.
    (tools / "python3").write_text("#!/bin/sh\nexit 127\n")
    (tools / "python3").chmod(stat.S_IRWXU)
    done = run(project, PATH=str(tools))
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1
    assert "no Python 3.11 to 3.13" in done.stderr


@pytest.mark.parametrize(
    ("stamps", "wanted"), [(("run",), "run"), (("test",), "test"), (("test",), "run"), (("run", "test"), "run")]
)
def test_finished_environment_is_left_alone(project: Path, stamps: tuple[str, ...], wanted: str) -> None:
    used = make_environment(project, *stamps)
    done = run(project, wanted)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert not used.exists()


def test_changed_lock_file_is_noticed(project: Path) -> None:
    used = make_environment(project, "run")
    with (project / "requirements" / "run.lock").open("a") as stream:
        stream.write("# another\n")
    done = run(project)
    assert done.returncode == 1
    assert "--require-hashes" in used.read_text()
    assert not (project / ".venv" / ".stamp-run").exists()


def test_run_environment_does_not_do_for_tests(project: Path) -> None:
    used = make_environment(project, "run")
    assert run(project, "test").returncode == 1
    assert used.exists()


def test_scripts_are_plain_shell(project: Path) -> None:
    for script in [*(project / "scripts").glob("*.sh"), ROOT / ".ci" / "run"]:
        assert script.read_text("utf-8").startswith("#!/bin/sh\n")
        subprocess.run(["/bin/sh", "-n", script], check=True)


def test_lock_files_have_hashes_and_no_addresses() -> None:
    for path in (ROOT / "requirements").glob("*.lock"):
        text = path.read_text("utf-8")
        pins = [line for line in text.splitlines() if "==" in line and not line.startswith((" ", "#"))]
        assert pins
        assert text.count("--hash=sha256:") >= len(pins)
        assert "://" not in text
        assert not [line for line in text.splitlines() if line.startswith("-")]
