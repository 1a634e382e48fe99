"""Reading back: a workbook gives the problem it was made from, whoever saved it."""

from __future__ import annotations

import math
import random
import re
from pathlib import Path

import numpy as np
import pytest
from faults import change, export_kinds
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openpyxl.formula import Tokenizer
from soffice import Job, edit_in_libreoffice
from support import WITHOUT_VIEWS, make_spec

import sheetnet
from sheetnet.formulas import data_formulas, ledger_formulas, statistic_formulas
from sheetnet.layout import layout_of
from sheetnet.problem import Problem, load_problem
from sheetnet.reader.normal import normal
from sheetnet.reader.package import open_package
from sheetnet.reader.workbook import read_book
from sheetnet.recalc import recalculate
from sheetnet.spec import Spec

HARD = [
    0.1 + 0.2,
    1 / 3,
    -2 / 3,
    5e-324,
    2.2250738585072014e-308,
    1.7976931348623157e308,
    -1.7976931348623157e308,
    9007199254740993.0,
    1e22,
    123456789.12345679,
    math.pi,
    1e-5,
    -0.0,
    100.0,
]
"""Numbers that need 17 digits, the ends of the range, and some in odd notations."""


def read(path: Path) -> Problem:
    package = open_package(path)
    with recalculate(package, "ironcalc") as values:
        return read_book(package, values).problem


def spec_of(numbers: list[float], folder: Path, rate: float) -> Spec:
    """The numbers as inputs, as targets, as weights and biases."""
    rows = [f"{n!r},{m!r}" for n, m in zip(numbers, reversed(numbers), strict=True)]
    (folder / "hard.csv").write_text("\n".join(["x,y", *rows]) + "\n", encoding="utf-8")
    units = len(numbers)
    return make_spec(
        source="hard.csv",
        data={"target": "y"},
        folder=folder,
        layers=[
            {
                "units": units,
                "activation": "tanh",
                "weights": [[n] for n in numbers],
                "bias": numbers[::-1],
            },
            {"activation": "linear", "weights": [numbers], "bias": numbers[:1]},
        ],
        epochs=1,
        learning_rate=rate,
    )


def bits(numbers: np.ndarray | list[float]) -> list[str]:
    """Equal only for the same floats; 0 has one sign in a sheet."""
    return [(float(n) + 0.0).hex() for n in np.ravel(numbers)]


def assert_same_numbers(made: Problem, found: Problem) -> None:
    assert bits(found.table.inputs) == bits(made.table.inputs)
    assert found.table.targets is not None and made.table.targets is not None
    assert bits(found.table.targets) == bits(made.table.targets)
    for here, there in zip(
        (*found.weights, *found.biases), (*made.weights, *made.biases), strict=True
    ):
        assert here.shape == there.shape
        assert bits(here) == bits(there)
    assert found.spec.training == made.spec.training


@pytest.mark.parametrize("rate", [0.1 + 0.2, 1 / 3, 5e-324, 1.7976931348623157e308, 0.0])
def test_every_bit_survives(tmp_path: Path, rate: float) -> None:
    spec = spec_of(HARD, tmp_path, rate)
    sheetnet.export(spec, tmp_path / "hard.xlsx", sheets=WITHOUT_VIEWS)
    found = read(tmp_path / "hard.xlsx")
    assert bits([found.spec.training.learning_rate]) == bits([rate])
    assert_same_numbers(load_problem(spec), found)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=3, max_size=6),
    st.floats(min_value=0, allow_nan=False, allow_infinity=False),
)
def test_every_bit_of_any_float_survives(tmp_path: Path, numbers: list[float], rate: float) -> None:
    spec = spec_of(numbers, tmp_path, rate)
    sheetnet.export(spec, tmp_path / "any.xlsx", sheets=[])
    assert_same_numbers(load_problem(spec), read(tmp_path / "any.xlsx"))


@pytest.fixture(scope="module")
def kinds(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return export_kinds(tmp_path_factory.mktemp("kinds"))


def assert_same_problem(here: Problem, there: Problem) -> None:
    """The same but for the last digits, which openpyxl and LibreOffice do not write."""
    assert here.network.label == there.network.label
    assert here.classes == there.classes
    assert here.table.labels == there.table.labels
    assert here.table.input_names == there.table.input_names
    assert here.table.target_names == there.table.target_names
    assert here.spec.training == there.spec.training
    assert here.spec.data.scale == there.spec.data.scale
    assert here.spec.name == there.spec.name
    for name in ("inputs", "targets"):
        np.testing.assert_allclose(
            getattr(here, name).values, getattr(there, name).values, rtol=1e-14, atol=1e-14
        )
    for a, b in zip((*here.weights, *here.biases), (*there.weights, *there.biases), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-14)


def test_files_saved_by_openpyxl(kinds: dict[str, Path], tmp_path: Path) -> None:
    for path in kinds.values():
        again = change(path, tmp_path / "again.xlsx", lambda book: None)
        assert_same_problem(read(again), read(path))


@pytest.mark.libreoffice
def test_files_saved_by_libreoffice(kinds: dict[str, Path], tmp_path: Path) -> None:
    jobs = [Job(path, tmp_path / path.name) for path in kinds.values()]
    edit_in_libreoffice(jobs, tmp_path)
    for job in jobs:
        assert open_package(job.target).application.startswith("LibreOffice")
        assert_same_problem(read(job.target), read(job.source))


# --- formulas in their normal form

EQUAL = [
    ("A1+B2", "a1+b2"),
    ("A1+B2", " A1 + B2 "),
    ("SUM(A1:B2)", "sum( a1:B2 )"),
    ("Data!B$6", "'Data'!B$6"),
    ("Data!B$6:B$9", "'Data'!b$6:b$9"),
    ("Data!B6", "data!B6"),
    ("TANH(A1)", "_xlfn.TANH(A1)"),
    ("TANH(A1)", "_xlfn._xlws.tanh(A1)"),
    ("-learning_rate*A1", "-LEARNING_RATE * A1"),
    ("0.5*A1", ".5*A1"),
    ("0.5*A1", "5E-1*A1"),
    ("0.01*A1", "1E-02*A1"),
    ("0.5*A1", "0.50*A1"),
    ("1*A1", "1.0*A1"),
    ("IF(A1>=0,1,0)", "if(A1 >= 0, 1, 0)"),
    ("IF(TRUE,1,0)", "IF(true,1,0)"),
    ('EXACT(A1,"x y")', 'exact( A1 , "x y" )'),
    ("INDEX(Data!B$6:B$9,$D5)", "INDEX('Data'!B$6:B$9, $D5)"),
]

DIFFERENT = [
    ("A1+B2", "A1-B2"),
    ("A1+B2", "B2+A1"),
    ("A1", "A2"),
    ("A1", "B1"),
    ("A1", "$A1"),
    ("A1", "A$1"),
    ("$A$1", "A1"),
    ("SUM(A1:B2)", "SUM(A1,B2)"),
    ("SUM(A1:B2)", "SUM(A1:B3)"),
    ("SUM(A1:B2)", "SUMSQ(A1:B2)"),
    ("Data!B6", "Init!B6"),
    ("Data!B6", "B6"),
    ("0.5*A1", "0.05*A1"),
    ("0.5*A1", "5*A1"),
    ("0.1*A1", "0.10000000000000002*A1"),
    ("-A1", "A1"),
    ("-A1", "--A1"),
    ("-(A1^2)", "-A1^2"),
    ("A1+B1*C1", "(A1+B1)*C1"),
    ("A1-(B1-C1)", "A1-B1-C1"),
    ("A1>0", "A1>=0"),
    ("learning_rate*A1", "momentum*A1"),
    ("learning_rate*A1", "0.1*A1"),
    ("IF(A1>0,1,0)", "IF(A1>0,0,1)"),
    ("IF(A1,TRUE,FALSE)", "IF(A1,FALSE,TRUE)"),
    ('EXACT(A1,"x y")', 'EXACT(A1,"xy")'),
    ('EXACT(A1,"x")', 'EXACT(A1,"X")'),
    ("A1", "A1%"),
    ("A1", '"A1"'),
    ("1", '"1"'),
    ("A1", ""),
    ("SUM(A1", "SUM(A1)"),
]


@pytest.mark.parametrize(("left", "right"), EQUAL)
def test_spellings_of_one_formula(left: str, right: str) -> None:
    assert normal(left, 7, 3) == normal(right, 7, 3)


@pytest.mark.parametrize(("left", "right"), DIFFERENT)
def test_different_formulas(left: str, right: str) -> None:
    assert normal(left, 7, 3) != normal(right, 7, 3)


def test_the_normal_form_is_relative_to_its_cell() -> None:
    """So that a column's formula is one and the same in all rows."""
    assert normal("A7+B$2", 7, 3) == normal("A8+B$2", 8, 3) == normal("B8+C$2", 8, 4)
    assert normal("A7", 7, 3) != normal("A7", 8, 3)
    assert normal("$A$7", 7, 3) == normal("$A$7", 8, 3)


def _respelled(formula: str, chance: random.Random) -> str:
    """Another spelling: spaces between tokens, case, digits, quoted sheets."""
    pieces = []
    for token in Tokenizer(f"={formula}").items:
        value = str(token.value)
        if token.type == "FUNC" and token.subtype == "OPEN":
            value = chance.choice((value, value.lower(), f"_xlfn.{value}"))
        elif token.subtype == "RANGE":
            value = re.sub(r"^(\w+)!", r"'\1'!", value) if chance.random() < 0.5 else value
            value = value if "!" in value else chance.choice((value, value.lower()))
        elif token.subtype == "NUMBER":
            value = chance.choice((value, f"{float(value)!r}0", f"{float(value):.3f}"))
        pieces.append(value + " " * chance.randint(0, 2))
    return "".join(pieces)


@pytest.mark.parametrize("kind", ["line", "xor", "softmax", "outputs"])
def test_every_exported_formula_in_other_spellings(kinds: dict[str, Path], kind: str) -> None:
    """And no two columns of a sheet are taken for each other."""
    chance = random.Random(kind)
    problem = read(kinds[kind])
    layout = layout_of(problem)
    texts = [f.at(9, 5) for f in ledger_formulas(problem, layout) if f is not None]
    texts += [f.at(9, 9) for f in data_formulas(layout.data, problem)]
    texts += [text for _, row in statistic_formulas(layout.data, problem) for text in row]
    for text in texts:
        for _ in range(3):
            other = _respelled(text, chance)
            assert normal(other, 9, 5) == normal(text, 9, 5), other
    assert len({normal(text, 9, 5) for text in texts}) == len(set(texts))
