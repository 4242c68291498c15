"""The structure holds: imports point down, packages are the checkout's own, and floors stay light."""

import ast
import importlib
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
MAY_IMPORT = {
    "shop": set(),
    "tools": {"shop"},
    "retrieval": {"shop"},
    "agent": {"tools", "retrieval", "shop"},
    "finetune": {"agent", "tools", "retrieval", "shop"},
    "ui": {"agent", "tools", "retrieval", "shop", "benchmarks"},
    "benchmarks": {"agent", "tools", "retrieval", "shop", "finetune", "ui"},
}
MODULES = [path for package in MAY_IMPORT for path in sorted((ROOT / package).rglob("*.py"))]


def imported_packages(source: str) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add(node.module or "")
    return {name.split(".")[0] for name in names}


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_point_down(path: Path) -> None:
    package = path.relative_to(ROOT).parts[0]
    upward = (imported_packages(path.read_text()) & set(MAY_IMPORT)) - MAY_IMPORT[package] - {package}
    assert not upward, f"{package} may not import {sorted(upward)}"


def test_floor_test_notices_an_upward_import() -> None:
    assert imported_packages("def f():\n    from agent.ledger import Ledger") & set(MAY_IMPORT) == {"agent"}


def test_packages_are_written_out_and_complete() -> None:
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"]
    present = {".".join(path.parent.relative_to(ROOT).parts) for path in MODULES}
    assert sorted(declared) == sorted(present)


@pytest.mark.parametrize("package", [name for name in MAY_IMPORT if (ROOT / name / "__init__.py").exists()])
def test_packages_come_from_this_checkout(package: str) -> None:
    # The names are ordinary words: another package on the path could stand in their place.
    assert Path(importlib.import_module(package).__file__ or "").is_relative_to(ROOT)


def test_tools_load_nothing_heavy() -> None:
    heavy = ("langchain", "langchain_core", "torch", "gradio", "sklearn", "lightgbm", "scipy.stats", "scipy.optimize")
    code = f"import sys, tools; print([m for m in {heavy} if m in sys.modules])"
    out = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"


def test_texts_name_no_machine_path() -> None:
    files = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    text_suffixes = {".py", ".md", ".toml", ".txt", ".json", ".yml", ""}
    marks = ("/" + "work/main", "/" + "root/", "pypi" + ".org", "file" + "://")
    hits = [
        f"{name}: {mark}"
        for name in files.split("\0")
        if name and (path := ROOT / name).is_file() and path.suffix in text_suffixes
        for mark in marks
        if mark in path.read_text(errors="ignore")
    ]
    assert not hits
