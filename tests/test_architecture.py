"""The structure of the package: floors, docstrings, sizes, and no concept outside its record."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from sheetnet.concepts.activations import ACTIVATIONS
from sheetnet.concepts.initializers import INITIALIZERS
from sheetnet.concepts.losses import LOSSES
from sheetnet.concepts.optimizers import OPTIMIZERS
from sheetnet.concepts.scaling import SCALINGS

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "sheetnet"
SOURCES = sorted(PACKAGE.rglob("*.py"))
LONGEST = 320

sources = pytest.mark.parametrize(
    "path", SOURCES, ids=lambda path: str(path.relative_to(PACKAGE).with_suffix(""))
)


def test_imports_go_down_the_floors() -> None:
    """The contracts of pyproject.toml."""
    program = Path(sys.executable).with_name("lint-imports")
    command = [program, "--config", ROOT / "pyproject.toml", "--no-cache"]
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"Contracts: [1-9]\d* kept, 0 broken", done.stdout), done.stdout


def test_every_module_stands_on_a_floor() -> None:
    """A module that no contract names would escape them all."""
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    named = set(re.findall(r"sheetnet\.(\w+)", text))
    there = {path.stem for path in PACKAGE.iterdir() if path.suffix == ".py"}
    there |= {path.parent.name for path in PACKAGE.glob("*/__init__.py")}
    assert there - {"__init__"} <= named


@sources
def test_module_has_a_docstring(path: Path) -> None:
    assert ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))


@sources
def test_file_can_be_read_in_a_sitting(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= LONGEST


def docstrings(tree: ast.AST) -> set[int]:
    """The constants that are docstrings, or texts standing alone."""
    return {
        id(node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }


def words(path: Path) -> Iterator[tuple[int, str]]:
    """(line, text) of what a program acts on: identifiers and texts, no comments."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    told = docstrings(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in told:
            yield node.lineno, node.value
        elif isinstance(node, ast.Name):
            yield node.lineno, node.id
        elif isinstance(node, ast.Attribute):
            yield node.lineno, node.attr
        elif isinstance(node, ast.FunctionDef | ast.ClassDef):
            yield node.lineno, node.name


def mentions(path: Path, names: set[str]) -> list[tuple[int, str]]:
    """Where a file speaks of a record: as a word of a text, or as part of an identifier."""
    pattern = re.compile(rf"(?<![a-z])({'|'.join(sorted(names))})(?![a-z])", re.IGNORECASE)
    return [(line, text) for line, text in words(path) if pattern.search(text)]


KNOWN_OPTIMIZERS = {"sgd", "nesterov", "adagrad", "rmsprop", "adam"} | set(OPTIMIZERS)


@pytest.mark.parametrize(
    "path",
    [path for path in SOURCES if path.parent.name != "concepts"],
    ids=lambda path: str(path.relative_to(PACKAGE).with_suffix("")),
)
def test_optimizers_are_named_in_their_records_only(path: Path) -> None:
    """No ``if optimizer == "adam"``: what an optimizer does stands in its record."""
    found = mentions(path, KNOWN_OPTIMIZERS)
    if path.name == "spec.py":  # the default
        found = [(line, text) for line, text in found if text != "sgd"]
    assert not found


def test_engine_and_sheets_name_no_concept() -> None:
    """Whatever is computed or laid out goes by the tables."""
    names = {*ACTIVATIONS, *LOSSES, *INITIALIZERS, *SCALINGS}
    names -= {"none", "uniform", "standard", "zeros"}  # common words, and NumPy's zeros
    blind = ["engine", "formulas", "ledger", "layout", "workbook/*", "reader/*", "verification/*"]
    blind += ["codegen/*"]
    for pattern in blind:
        found = list(PACKAGE.glob(f"{pattern}.py"))
        assert found, f"nothing is called {pattern} any more"
        for path in found:
            spoken = [text for _, text in mentions(path, names) if "nn.Linear(" not in text]
            assert not spoken, path.name  # PyTorch's layer is none of our activations


def test_the_search_for_names_finds_them(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text(
        '"""Not adam here."""\n# nor adam\nif x.kind == "adam":\n    pass\n'
    )
    assert mentions(tmp_path / "a.py", {"adam"}) == [(3, "adam")]
    (tmp_path / "b.py").write_text("def adam_step(q): ...\nmadam = f'{q} use Adam'\n")
    assert sorted(mentions(tmp_path / "b.py", {"adam"})) == [(1, "adam_step"), (2, " use Adam")]
