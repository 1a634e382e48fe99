"""Faults put into ``Compare``: verify finds and locates them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import openpyxl
import pytest
from comparing import HEAD, Said, edited, heads, inputs, place
from faults import assert_first, failing, in_cell, rewrite_sheet, saved_value
from openpyxl.workbook import Workbook
from support import make_spec

import sheetnet
from sheetnet.spec import load_spec

EXAMPLES = Path(__file__).parent.parent / "examples"
UPDATES = 12


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("book") / "xor.xlsx"
    sheetnet.export(make_spec(), path, sheets=["Compare"])
    return path


def put(cell: str, value: object) -> Callable[[Workbook], None]:
    def fault(book: Workbook) -> None:
        assert book["Compare"][cell].value not in (None, value)
        book["Compare"][cell].value = value

    return fault


def where(book: Path, quantity: str, update: int) -> str:
    return place(openpyxl.load_workbook(book)["Compare"], quantity, update)


@pytest.mark.parametrize(
    "quantity", ["python_loss", "python_a2[1]", "python_W1[3,2]", "python_b2[1]"]
)
@pytest.mark.parametrize("update", [1, UPDATES])
@pytest.mark.parametrize("value", [0.123, None, "text", "#NUM!"])
def test_constants(quantity: str, update: int, value: object, book: Path, tmp_path: Path) -> None:
    cell = where(book, quantity, update)
    path = edited(book, tmp_path / "fault.xlsx", put(cell, value))
    report = sheetnet.verify(path)
    if value is None:
        # IronCalc counts an empty cell as a number: what follows from it differs, too.
        assert_first(report, "local", "Compare", cell, quantity, None)
    else:
        assert_first(report, "trajectory", "Compare", cell, quantity, None)
        assert report.checks["trajectory"].failures == 1
    assert Said.by(path).status.startswith("Differ")


def test_constants_after_an_input_has_changed(book: Path, tmp_path: Path) -> None:
    """Python is trained on the inputs at export as well."""
    cell = where(book, "python_W1[1,1]", 3)

    def fault(book: Workbook) -> None:
        book["Config"]["B6"].value = 0.25
        book["Init"]["B6"].value = 0.75
        book["Compare"][cell].value += 1e-4

    report = sheetnet.verify(edited(book, tmp_path / "fault.xlsx", fault))
    assert_first(report, "trajectory", "Compare", cell, "python_W1[1,1]", None)
    assert failing(report) == {"trajectory"}


def test_a_formula_in_place_of_a_constant(book: Path, tmp_path: Path) -> None:
    cell, live = where(book, "python_loss", 4), where(book, "loss", 4)
    report = sheetnet.verify(edited(book, tmp_path / "fault.xlsx", put(cell, f"={live}")))
    assert_first(report, "formulas", "Compare", cell, "python_loss", None)


def test_sizes(book: Path, tmp_path: Path) -> None:
    """A size too large would hide all differences."""
    for value in (1e9, None, "big"):
        report = sheetnet.verify(edited(book, tmp_path / "fault.xlsx", put("I6", value)))
        assert_first(report, "trajectory", "Compare", "I6", "size of python_W1[1,1]", None)


@pytest.mark.parametrize("quantity", ["loss", "a2[1]", "W1[2,1]", "diff_loss", "diff_W2[1,3]",
                                      "largest", "beyond", "worst"])  # fmt: skip
@pytest.mark.parametrize("update", [2, UPDATES])
def test_formulas(quantity: str, update: int, book: Path, tmp_path: Path) -> None:
    cell = where(book, quantity, update)
    old = openpyxl.load_workbook(book)["Compare"][cell].value
    for value in (0.0, None, f"{old}+0"):
        report = sheetnet.verify(edited(book, tmp_path / "fault.xlsx", put(cell, value)))
        assert_first(report, "formulas", "Compare", cell, quantity, None)


def test_a_row_of_another_visit(book: Path, tmp_path: Path) -> None:
    """Each live cell names its own row of Train."""
    cell, other = where(book, "loss", 5), where(book, "loss", 6)

    def fault(book: Workbook) -> None:
        book["Compare"][cell].value = book["Compare"][other].value

    report = sheetnet.verify(edited(book, tmp_path / "fault.xlsx", fault))
    assert_first(report, "formulas", "Compare", cell, "loss", None)
    assert_first(report, "local", "Compare", cell, "loss", None)


TOP = {"A3": "status", "D5": "largest difference", "E5": "update of the largest difference",
       "F5": "quantity of the largest difference", "G5": "first update beyond the tolerance",
       "H5": "updates beyond the tolerance", "J5": "inputs that have changed"}  # fmt: skip


@pytest.mark.parametrize("cell", TOP)
def test_cells_of_the_top(cell: str, book: Path, tmp_path: Path) -> None:
    for value in ("Match", None, "=0"):
        report = sheetnet.verify(edited(book, tmp_path / "fault.xlsx", put(cell, value)))
        assert_first(report, "formulas", "Compare", cell, TOP[cell], None)
    fault = in_cell(cell, "<f>.*</f>", "<f>1+1</f>")
    report = sheetnet.verify(rewrite_sheet(book, tmp_path / "fault.xlsx", "Compare", fault))
    assert_first(report, "formulas", "Compare", cell, TOP[cell], None)


def test_cells_of_the_list(book: Path, tmp_path: Path) -> None:
    row = inputs(openpyxl.load_workbook(book)["Compare"])["x2"]
    names = {"E": "x2, numbers", "F": "x2, how far apart", "G": "x2 changed",
             "H": "names of what has changed"}  # fmt: skip
    for column, quantity in names.items():
        fault = put(f"{column}{row}", 0.0)
        report = sheetnet.verify(edited(book, tmp_path / "fault.xlsx", fault))
        assert_first(report, "formulas", "Compare", f"{column}{row}", quantity, None)


def test_inputs_as_they_were_at_export(book: Path, tmp_path: Path) -> None:
    """Another number than Python was trained on: its numbers are of the inputs as they are."""
    sheet = openpyxl.load_workbook(book)["Compare"]
    rate = f"D{inputs(sheet)['learning_rate']}"
    titles = {str(c.value): c.row for c in sheet["D"] if isinstance(c.value, str)}
    weight = f"E{titles['Init, layer 1, at export'] + 2}"
    point = f"D{titles['Data at export'] + 3}"
    for cell, name in ((rate, "learning_rate"), (weight, "weights of layer 1"), (point, "x1")):
        path = edited(book, tmp_path / "fault.xlsx", put(cell, 0.375))
        assert Said.by(path).changed == [name]
        report = sheetnet.verify(path)
        assert failing(report) == {"trajectory"}
        first = report.checks["trajectory"].first_failure
        assert first is not None and (first.sheet, first.cell) == ("Compare", cell)
        for value in (None, "text"):
            report = sheetnet.verify(edited(book, tmp_path / "fault.xlsx", put(cell, value)))
            first = report.checks["local"].first_failure
            assert first is not None and (first.sheet, first.cell) == ("Compare", cell)


def test_a_head(book: Path, tmp_path: Path) -> None:
    column = heads(openpyxl.load_workbook(book)["Compare"])["diff_loss"]
    cell = openpyxl.utils.get_column_letter(column) + str(HEAD)
    report = sheetnet.verify(edited(book, tmp_path / "fault.xlsx", put(cell, "loss")))
    assert_first(report, "formulas", "Compare", cell, "column name", None)


def test_a_wrong_saved_value(book: Path, tmp_path: Path) -> None:
    for cell, quantity in ((where(book, "W1[1,2]", 3), "W1[1,2]"), ("D5", "largest difference")):
        fault = saved_value(cell, lambda value: value + 0.5)
        report = sheetnet.verify(rewrite_sheet(book, tmp_path / "fault.xlsx", "Compare", fault))
        named = f"{quantity}, value saved in the file"
        assert_first(report, "saved", "Compare", cell, named, None)
    fault = in_cell("A3", "<v>Not .*</v>", "<v>Match: all is well</v>")
    report = sheetnet.verify(rewrite_sheet(book, tmp_path / "fault.xlsx", "Compare", fault))
    assert_first(report, "saved", "Compare", "A3", "status, value saved in the file", None)


def test_errors_of_a_run_that_diverges(tmp_path: Path) -> None:
    path = tmp_path / "b.xlsx"
    sheetnet.export(load_spec(EXAMPLES / "exploding_relu.toml").override(epochs=1), path)
    cell = where(path, "python_b1[2]", 20)
    assert openpyxl.load_workbook(path)["Compare"][cell].value == "#NUM!"
    for value in (0.0, None, "text"):
        fault = edited(path, tmp_path / "fault.xlsx", put(cell, value))
        report = sheetnet.verify(fault)
        check = "local" if value is None else "trajectory"
        assert_first(report, check, "Compare", cell, "python_b1[2]", None)
        if value == 0.0:
            assert Said.by(fault).status.startswith("Differ")
