"""The house's rules, read from the source itself."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from importlib.metadata import distribution, distributions, packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("hypervision", "ingest", "models", "dashboards", "simulators")
LONGEST = 400

# Where a library may be imported; everything else may be imported anywhere.
ROOMS = {
    "psycopg": ("hypervision/store/",),
    "psycopg_pool": ("hypervision/store/",),
    "paho": ("ingest/", "simulators/"),
    "sklearn": ("models/",),
    "dash": ("dashboards/",),
    "plotly": ("dashboards/",),
    "fastapi": ("dashboards/",),
    "starlette": ("dashboards/",),
    "uvicorn": ("dashboards/",),
    "wntr": ("simulators/", "models/"),
    "astral": ("simulators/",),
    "supervisor": ("hypervision/services/",),
    "ucumvert": ("hypervision/units.py",),
    "argon2": ("hypervision/accounts.py",),
    "authlib": ("dashboards/provider.py",),
    "joserfc": ("dashboards/provider.py",),
    "requests": ("dashboards/provider.py",),
    "segno": ("dashboards/account.py",),
    "playwright": ("dashboards/bench/desk/",),
}


def sources(*folders: str) -> Iterator[tuple[str, str]]:
    for folder in folders or PACKAGES:
        for path in sorted((ROOT / folder).rglob("*.py")):
            yield path.relative_to(ROOT).as_posix(), path.read_text("utf-8")


def imports(name: str, text: str) -> Iterator[tuple[int, str]]:
    """(line, module) of every import, those inside functions too."""
    for node in ast.walk(ast.parse(text, name)):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name}:{node.lineno} imports relatively"
            yield node.lineno, node.module or ""


def at_run_time(node: ast.AST) -> Iterator[ast.AST]:
    """Every node below, but for what only a type checker sees."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and ast.unparse(child.test) in ("TYPE_CHECKING", "typing.TYPE_CHECKING"):
            for other in child.orelse:
                yield other
                yield from at_run_time(other)
        else:
            yield child
            yield from at_run_time(child)


def import_graph(files: Iterable[tuple[str, str]]) -> dict[str, set[str]]:
    """The modules that each module imports, at its top or within a function.

    Parameters
    ----------
    files : iterable of (str, str)
        Path and text.
    """
    texts = {name.removesuffix(".py").removesuffix("/__init__").replace("/", "."): text for name, text in files}
    graph: dict[str, set[str]] = {}
    for module, text in texts.items():
        wanted: set[str] = set()
        for node in at_run_time(ast.parse(text, module)):
            if isinstance(node, ast.Import):
                wanted |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                inner = {f"{node.module}.{alias.name}" for alias in node.names}
                wanted |= inner & texts.keys()
                # A name that is no module is defined by the package itself.
                wanted |= {node.module or ""} if inner - texts.keys() else set()
        graph[module] = wanted & texts.keys()
    return graph


def circles(graph: Mapping[str, set[str]]) -> list[str]:
    """Every import circle, as its shortest way round from its first module."""
    found = set()
    for start in sorted(graph):
        ways = [[start]]
        seen: set[str] = set()
        while ways:
            way = ways.pop(0)
            if start in graph[way[-1]]:
                first = way.index(min(way))
                found.add(" -> ".join([*way[first:], *way[:first], min(way)]))
                break
            ways += [[*way, module] for module in sorted(graph[way[-1]] - seen)]
            seen |= graph[way[-1]]
    return sorted(found)


def tracked() -> list[Path]:
    """Files of the project, as git knows them; without git, everything that is no cache."""
    try:
        told = subprocess.run(
            ["git", "-C", str(ROOT), "ls-files", "-z"], capture_output=True, check=True, timeout=60
        ).stdout
    except (OSError, subprocess.CalledProcessError):
        skipped = {".git", ".venv", "node_modules", "__pycache__", ".mypy_cache", ".ruff_cache", ".pytest_cache"}
        return [path for path in ROOT.rglob("*") if path.is_file() and not skipped & set(path.parts)]
    return [path for line in told.decode().split("\0") if line and (path := ROOT / line).is_file()]


@pytest.mark.parametrize("package", PACKAGES)
def test_package_imports_the_core_only(package: str) -> None:
    others = {other for other in PACKAGES if other not in ("hypervision", package)}
    wrong = [
        f"{name}:{line} imports {module}"
        for name, text in sources(package)
        for line, module in imports(name, text)
        if module.split(".")[0] in others
    ]
    assert wrong == []


def test_modules_import_in_no_circle() -> None:
    """An import within a function counts: it hides a circle, and does not open it."""
    assert circles(import_graph(sources())) == []


def test_circle_is_found_wherever_the_import_stands() -> None:
    files = {
        "a/__init__.py": "",
        "a/one.py": "from a import two\nfrom a.alone import thing",
        "a/two.py": "def late():\n    import a.deep.three",
        "a/deep/__init__.py": "from a.deep.three import name",
        "a/deep/three.py": "from a.one import name",
        "a/self.py": "from a.self import name",
        "a/alone.py": "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from a.one import name\nelse:\n    import b",
        "b.py": "",
    }
    graph = import_graph(files.items())
    assert graph["a.alone"] == {"b"}
    assert graph["a.deep"] == {"a.deep.three"}
    assert circles(graph) == ["a.deep.three -> a.one -> a.two -> a.deep.three", "a.self -> a.self"]


def test_library_is_imported_in_its_room_only() -> None:
    wrong = [
        f"{name}:{line} imports {module}"
        for name, text in sources()
        for line, module in imports(name, text)
        if (rooms := ROOMS.get(module.split(".")[0])) and not name.startswith(rooms)
    ]
    assert wrong == []


def test_sql_stands_in_the_store_only() -> None:
    # Read from string constants, so that a comment or a variable may speak of a selection.
    statement = re.compile(
        r"\b(SELECT\s.+\sFROM\s|INSERT\s+INTO\s|UPDATE\s+\w[\w.]*\s+SET\s|DELETE\s+FROM\s|"
        r"(CREATE|ALTER|DROP)\s+(TABLE|VIEW|SCHEMA|INDEX|ROLE|DATABASE)\s|\bCOPY\s+\w[\w.]*\s*\()",
        re.DOTALL,
    )
    wrong = []
    for name, text in sources():
        if name.startswith("hypervision/store/"):
            continue
        wrong += [
            f"{name}:{node.lineno}"
            for node in ast.walk(ast.parse(text, name))
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and statement.search(node.value)
        ]
    assert wrong == []


def test_named_queries_are_known_used_and_explained() -> None:
    from hypervision.store.sql import names, query

    used = {
        node.args[0].value
        for name, text in sources()
        for node in ast.walk(ast.parse(text, name))
        if isinstance(node, ast.Call)
        and (getattr(node.func, "id", "") or getattr(node.func, "attr", "")) in ("query", "rows", "_copy")
        and node.args
        and isinstance(node.args[0], ast.Constant)
        and isinstance(node.args[0].value, str)
    }
    known = set(names())
    assert {name for name in used if re.fullmatch(r"[a-z]+(_[a-z0-9]+)+", name)} <= known
    unexplained = [name for name in known if not query(name).startswith("-- ")]
    assert unexplained == []
    text = "\n".join(text for _, text in sources())
    assert [name for name in sorted(known) if f'"{name}"' not in text] == []


@pytest.mark.parametrize("name", [name for name, _ in sources(*PACKAGES, "scripts", "tests")])
def test_module_is_short(name: str) -> None:
    lines = (ROOT / name).read_text("utf-8").count("\n")
    assert lines <= LONGEST, f"{name} has {lines} lines; split it by its nouns"


def test_library_does_not_print() -> None:
    """Verbs may; a module that serves one says so at each line (`noqa: T201`), which ruff asks for."""
    wrong = []
    for name, text in sources():
        if "/verb/" in name or name.endswith("commands.py"):
            continue
        lines = text.splitlines()
        wrong += [
            f"{name}:{node.lineno}"
            for node in ast.walk(ast.parse(text, name))
            if isinstance(node, ast.Call)
            and isinstance(node.func, ast.Name)
            and node.func.id == "print"
            and not any("noqa: T201" in line for line in lines[node.lineno - 1 : node.end_lineno])
        ]
    assert wrong == []


def test_module_has_a_docstring_and_postponed_annotations() -> None:
    wrong = []
    for name, text in sources():
        tree = ast.parse(text, name)
        if ast.get_docstring(tree) is None:
            wrong.append(f"{name} has no docstring")
        if len(tree.body) > 1 and "from __future__ import annotations" not in text:
            wrong.append(f"{name} lacks `from __future__ import annotations`")
    assert wrong == []


def test_environment_is_read_in_few_places_only() -> None:
    """Settings are read in one place; the others hand the environment to children or to the terminal."""
    allowed = {
        "hypervision/settings.py",
        "hypervision/cli.py",
        "hypervision/launch.py",
        "hypervision/services/",
        "simulators/",
        "ingest/bench/",
    }
    wrong = [
        f"{name}:{node.lineno}"
        for name, text in sources()
        if not name.startswith(tuple(allowed))
        for node in ast.walk(ast.parse(text, name))
        if isinstance(node, ast.Attribute)
        and node.attr in ("environ", "getenv")
        and getattr(node.value, "id", "") == "os"
    ]
    assert wrong == []


def test_no_file_names_a_machine() -> None:
    home = re.compile(r"(?<![\w.])/(?:home|Users|root|work)/[A-Za-z0-9_.-]+")
    address = re.compile(
        r"https?://(?:[\w-]+\.)*(?:pypi\.org|pythonhosted\.org|npmjs\.(?:org|com)|yarnpkg\.com)", re.IGNORECASE
    )
    wrong = []
    for path in tracked():
        if path == Path(__file__) or path.suffix in (".png", ".woff2", ".gz", ".parquet", ".npz", ".ico"):
            continue
        try:
            text = path.read_text("utf-8")
        except UnicodeDecodeError:
            continue
        for pattern in (home, address):
            wrong += [f"{path.relative_to(ROOT)}: {found[0]}" for found in pattern.finditer(text)]
    assert wrong == []


@pytest.mark.parametrize("name", ["build.lock", "run.lock", "test.lock"])
def test_lock_file_has_hashes_and_no_addresses(name: str) -> None:
    text = (ROOT / "requirements" / name).read_text("utf-8")
    assert "://" not in text
    assert "--index-url" not in text
    requirements = re.split(r"\n(?=[A-Za-z0-9])", re.sub(r"^#.*\n", "", text, flags=re.MULTILINE).strip())
    assert len(requirements) > 3
    for requirement in requirements:
        assert re.match(r"[A-Za-z0-9._\[\]-]+==", requirement), requirement[:80]
        assert re.search(r"--hash=sha256:[0-9a-f]{64}", requirement), requirement[:80]


def test_node_lock_has_hashes_and_no_addresses() -> None:
    import json

    text = (ROOT / "tests" / "contract" / "timescale" / "package-lock.json").read_text("utf-8")
    assert "://" not in text
    packages = {name: entry for name, entry in json.loads(text)["packages"].items() if name}
    assert packages
    assert all(entry["integrity"].startswith("sha512-") for entry in packages.values())
    given = json.loads((ROOT / "tests" / "contract" / "timescale" / "package.json").read_text("utf-8"))
    assert all(re.fullmatch(r"(npm:@[\w-]+/[\w-]+@)?\d[\w.-]+", wanted) for wanted in given["dependencies"].values())


def test_no_dependency_owns_one_of_our_names() -> None:
    owners = packages_distributions()
    for package in PACKAGES:
        assert set(owners.get(package, [])) <= {"hypervision"}, f"{package} is also {owners[package]}"
    for found in distributions():
        if found.metadata["Name"] == "hypervision":
            continue
        tops = {path.parts[0] for path in found.files or [] if len(path.parts) > 1}
        assert not tops & {*PACKAGES, "tests"}, found.metadata["Name"]


def test_our_packages_are_the_ones_imported() -> None:
    for package in PACKAGES:
        told = subprocess.run(
            [sys.executable, "-P", "-c", f"import {package}; print({package}.__file__)"],
            capture_output=True, text=True, check=True, cwd="/", timeout=60,
        ).stdout  # fmt: skip
        assert Path(told.strip()).resolve() == ROOT / package / "__init__.py"


def test_wheel_holds_the_five_packages_and_no_tests() -> None:
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    assert project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"] == list(PACKAGES)
    assert "--import-mode=importlib" in project["tool"]["pytest"]["ini_options"]["addopts"]
    assert distribution("hypervision").metadata["License-Expression"] == "Apache-2.0"
