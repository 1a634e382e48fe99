"""The verifier's own tests: one fault in a workbook must be found, and found where it is."""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from pathlib import Path

import openpyxl
import pytest
from faults import (
    assert_first,
    change,
    columns,
    export_kinds,
    failing,
    ledger_cell,
    replace,
    visit_of,
    visits,
)
from openpyxl.cell.cell import Cell
from openpyxl.workbook import Workbook
from support import WITHOUT_VIEWS, make_spec

import sheetnet
from sheetnet import verify

Kinds = dict[str, Path]

PLACES = [
    ("line", "x[1]", 1),
    ("line", "W1[1,1]", 1),
    ("line", "W1[1,1]", 2),
    ("line", "loss", 5),
    ("line", "ub1[1]", -1),
    ("xor", "y[1]", 2),
    ("xor", "a2[1]", 4),
    ("xor", "delta1[3]", -1),
    ("xor", "ub2[1]", 1),
    ("softmax", "y[3]", 1),
    ("softmax", "zmax2", 2),
    ("softmax", "a2[2]", 7),
    ("softmax", "ub2[3]", -1),
    ("outputs", "x[1]", -1),
    ("outputs", "a1[1]", 2),
    ("outputs", "delta2[2]", 4),
    ("outputs", "b2[2]", 1),
]
"""First, second, middle and last rows; first and last columns; every kind of quantity."""


def _typed(cell: Cell, right: float) -> None:
    cell.value = right


def _edited(cell: Cell, right: float) -> None:
    cell.value = f"{cell.value}+1"


def _negated(cell: Cell, right: float) -> None:
    cell.value = f"=-({str(cell.value)[1:]})"


def _put(content: object) -> Callable[[Cell, float], None]:
    def fault(cell: Cell, right: float) -> None:
        cell.value = content

    return fault


FAULTS: dict[str, Callable[[Cell, float], None]] = {
    "right value pasted": _typed,
    "wrong value pasted": lambda cell, right: _typed(cell, right + 1),
    "blank": _put(None),
    "text": _put("0.5 or so"),
    "error": _put("#N/A"),
    "formula edited": _edited,
    "sign changed": _negated,
}


@pytest.fixture(scope="module")
def kinds(tmp_path_factory: pytest.TempPathFactory) -> Kinds:
    return export_kinds(tmp_path_factory.mktemp("kinds"))


@pytest.mark.parametrize("kind", ["line", "xor", "softmax", "outputs"])
def test_a_workbook_without_fault_agrees(kinds: Kinds, tmp_path: Path, kind: str) -> None:
    """Else the tests below would pass for a verifier that always says no."""
    untouched = verify(kinds[kind])
    assert untouched.agree
    assert all(check.first_failure is None for check in untouched.checks.values())
    assert all(c.identical in (None, c.cells) for c in untouched.checks.values())
    again = verify(change(kinds[kind], tmp_path / "again.xlsx", lambda book: None))
    assert again.agree
    assert (untouched.checks["saved"].cells > 0, again.checks["saved"].cells) == (True, 0)


@pytest.mark.parametrize("rows", [1, 2, 3])
def test_the_shortest_runs_agree(tmp_path: Path, rows: int) -> None:
    """One, two and three visits: formulas are shared from the first or the second row on."""
    spec = make_spec(source="toy:line", data={"rows": rows}, layers=[{}], epochs=1)
    sheetnet.export(spec, tmp_path / "short.xlsx", sheets=WITHOUT_VIEWS)
    assert verify(tmp_path / "short.xlsx").agree


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize(("kind", "quantity", "visit"), PLACES)
def test_one_cell_of_the_ledger(
    kinds: Kinds, tmp_path: Path, kind: str, quantity: str, visit: int, fault: str
) -> None:
    cell = ledger_cell(openpyxl.load_workbook(kinds[kind], data_only=True), quantity, visit)
    right = float(str(cell.value))
    report = verify(
        change(
            kinds[kind],
            tmp_path / "fault.xlsx",
            lambda book: FAULTS[fault](ledger_cell(book, quantity, visit), right),
        )
    )
    where = ("Train", cell.coordinate, quantity, visit_of(cell))
    assert_first(report, "formulas", *where)
    assert report.checks["formulas"].failures == 1
    first = report.checks["formulas"].first_failure
    assert first is not None and str(first.python_value).startswith("formula =")
    # IronCalc gives 0 for a blank cell.
    harmless = {"right value pasted"} | ({"sign changed", "blank"} if right == 0 else set())
    if fault in harmless:
        # The numbers are right: only the formula check can know.
        assert failing(report) == {"formulas"}
    else:
        assert_first(report, "local", *where)
        assert_first(report, "trajectory", *where)


def test_local_finds_the_cell_trajectory_what_follows(kinds: Kinds, tmp_path: Path) -> None:
    def fault(book: Workbook) -> None:
        ledger_cell(book, "W1[1,1]", 2).value = 1.5

    checks = verify(change(kinds["xor"], tmp_path / "fault.xlsx", fault)).checks
    assert checks["formulas"].failures == checks["local"].failures == 1
    assert checks["trajectory"].failures > 50
    growth = checks["trajectory"].growth
    assert growth[0] == (1, 0.0) and growth[-1][0] == 8 and growth[-1][1] > 0.1


def test_the_first_of_two_faults_is_that_of_the_earlier_visit(kinds: Kinds, tmp_path: Path) -> None:
    """Even where the other one stands in a column further left."""

    def fault(book: Workbook) -> None:
        ledger_cell(book, "W1[1,1]", 5).value = 1.5
        ledger_cell(book, "loss", 3).value = 1.5

    report = verify(change(kinds["xor"], tmp_path / "fault.xlsx", fault))
    for check in ("formulas", "local", "trajectory"):
        assert_first(report, check, "Train", "AC7", "loss", 3)
    assert report.checks["formulas"].failures == report.checks["local"].failures == 2


EDITS = [
    # (kind, quantity, visit, piece, instead, whether its value changes)
    ("outputs", "a1[2]", 2, "0.01", "0.011", None),
    ("outputs", "delta1[1]", -1, "0.01", "0.02", None),
    ("outputs", "loss", 1, "/2", "/3", True),
    ("outputs", "delta2[1]", -1, "/2", "", True),
    ("outputs", "delta2[1]", 4, "2*", "3*", True),
    ("xor", "a2[1]", 2, ">=0", ">=1", False),
    ("xor", "delta1[2]", 4, "1-", "2-", True),
    ("xor", "uW2[1,1]", 5, "-learning_rate", "learning_rate", True),
    ("xor", "uW2[1,1]", -1, "learning_rate", "0.5", False),
    ("line", "loss", 2, "-", "+", True),
    ("line", "z1[1]", 1, "H5+G5*E5", "G5*E5+H5", False),
    ("softmax", "loss", 1, "LN(", "LOG(", None),
    ("softmax", "esum2", 2, "AG6+", "", True),
    # References shifted by a row or a column, in the row and on other sheets.
    ("xor", "W1[1,1]", 2, "AU5", "AU4", True),
    ("xor", "W1[1,2]", 4, "I7", "I6", True),
    ("xor", "z1[1]", -1, "H12", "I12", True),
    ("line", "z1[1]", -1, "E12", "E11", True),
    ("line", "W1[1,1]", 1, "Init!B6", "Init!C6", True),
    ("line", "b1[1]", 1, "Init!C6", "0", False),
    ("softmax", "e2[1]", 2, "AC6", "AD6", True),
    ("softmax", "zmax2", 1, "AC5:AE5", "AC5:AD5", None),
    ("line", "y[1]", 2, "Data!C$6:C$9", "Data!B$6:B$9", True),
    ("line", "y[1]", 2, "C$9", "C$8", False),
    # Absolute and relative references: the same cell, but not the same when filled down.
    ("xor", "x[1]", 1, "$D5", "D5", False),
    ("xor", "x[1]", 4, "B$6:B$9", "B6:B9", False),
    ("xor", "z1[1]", 2, "N6", "$N6", False),
    ("xor", "z1[1]", -1, "N12", "N$12", False),
]


@pytest.mark.parametrize(("kind", "quantity", "visit", "old", "new", "changes"), EDITS)
def test_a_piece_of_a_formula(
    kinds: Kinds,
    tmp_path: Path,
    kind: str,
    quantity: str,
    visit: int,
    old: str,
    new: str,
    changes: bool | None,
) -> None:
    cells: list[Cell] = []

    def fault(book: Workbook) -> None:
        cells.append(ledger_cell(book, quantity, visit))
        replace(cells[0], old, new)

    report = verify(change(kinds[kind], tmp_path / "fault.xlsx", fault))
    where = ("Train", cells[0].coordinate, quantity, visit_of(cells[0]))
    assert_first(report, "formulas", *where)
    first = report.checks["formulas"].first_failure
    assert first is not None and first.formula == cells[0].value
    if changes is not None:
        assert ("local" in failing(report)) == changes
    if "local" in failing(report):
        assert_first(report, "local", *where)


@pytest.mark.parametrize("visit", [1, 4, -1])
@pytest.mark.parametrize("quantity", ["visit", "epoch", "update", "sample"])
def test_a_constant_of_the_ledger(kinds: Kinds, tmp_path: Path, quantity: str, visit: int) -> None:
    """The columns in front hold no formulas, so only their values can tell."""
    for content in (7, None, "one", True, "=1+1"):
        path = change(
            kinds["softmax"],
            tmp_path / "fault.xlsx",
            lambda book, content=content: setattr(  # type: ignore[misc]
                ledger_cell(book, quantity, visit), "value", content
            ),
        )
        cell = ledger_cell(openpyxl.load_workbook(path), quantity, visit)
        where = ("Train", cell.coordinate, quantity, visit_of(cell))
        report = verify(path)
        if content == "=1+1":
            assert_first(report, "formulas", *where)
        else:
            assert report.checks["formulas"].ok
            assert_first(report, "local", *where)
            assert_first(report, "trajectory", *where)


# --- a seeded sweep: whatever the formula is, whatever is done to it

_OPERATOR = re.compile(r"(?<=[\w)])[-+*/](?=[\w(])")
_REFERENCE = re.compile(r"(?<![\w$])(\$?)([A-Z]{1,2})(\$?)(\d+)(?![\w(])")
_NUMBER = re.compile(r"(?<![\w.$])\d+(?:\.\d+)?(?![\w.])")


def _mutations(formula: str, chance: random.Random) -> list[tuple[str, object]]:
    """One change of each sort that the formula has room for."""

    def swap(pattern: re.Pattern[str], new: Callable[[re.Match[str]], str]) -> str | None:
        found = list(pattern.finditer(formula))
        if not found:
            return None
        one = chance.choice(found)
        return formula[: one.start()] + new(one) + formula[one.end() :]

    def row(one: re.Match[str]) -> str:
        return f"{one[1]}{one[2]}{one[3]}{int(one[4]) + chance.choice((-1, 1))}"

    def column(one: re.Match[str]) -> str:
        letters = one[2][:-1] + chr((ord(one[2][-1]) - 64) % 26 + 65)
        return f"{one[1]}{letters}{one[3]}{one[4]}"

    def operator(one: re.Match[str]) -> str:
        return chance.choice([sign for sign in "+-*/" if sign != one[0]])

    made = {
        "operator": swap(_OPERATOR, operator),
        "row": swap(_REFERENCE, row),
        "column": swap(_REFERENCE, column),
        "number": swap(_NUMBER, lambda one: f"{float(one[0]) + chance.choice((0.5, 1.5))!r}"),
        "pasted": round(chance.uniform(-3, 3), 3),
    }
    return [(name, content) for name, content in made.items() if content is not None]


@pytest.mark.parametrize("kind", ["line", "xor", "softmax", "outputs"])
def test_sweep_of_single_faults(kinds: Kinds, tmp_path: Path, kind: str) -> None:
    """16 faults in each of four workbooks; the local check may only ever name that cell."""
    chance = random.Random(f"sheetnet {kind}")
    book = openpyxl.load_workbook(kinds[kind])
    quantities = list(columns(book))[4:]
    path = tmp_path / "fault.xlsx"
    seen_locally = 0
    for _ in range(16):
        cell = ledger_cell(book, chance.choice(quantities), chance.randint(1, visits(book)))
        quantity, exported = str(book["Train"].cell(4, cell.column).value), cell.value
        sort, content = chance.choice(_mutations(str(exported), chance))
        cell.value = content  # type: ignore[assignment]
        book.save(path)
        cell.value = exported
        report = verify(path)
        where = ("Train", cell.coordinate, quantity, visit_of(cell))
        what = f"{cell.coordinate}: {exported} -> {content} ({sort})"
        assert not report.agree, what
        assert_first(report, "formulas", *where)
        assert report.checks["formulas"].failures == 1, what
        if not report.checks["local"].ok:
            seen_locally += 1
            assert_first(report, "local", *where)
    # The rest changes no number: a 0 times something, a shorter range around the same row.
    assert seen_locally >= 9
