"""One fault on Epochs or Validation, or in what stops the training, is found where it is."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import openpyxl
import pytest
from faults import assert_first, change, failing, replace, rewrite_sheet, saved_value, without_row
from ledgers import Ledger, ledgers_in_python
from openpyxl.cell.cell import Cell
from openpyxl.workbook import Workbook
from stopping import stopping
from support import run
from test_verify_faults import FAULTS, _mutations

import sheetnet
from sheetnet import verify
from sheetnet.errors import WorkbookError
from sheetnet.layout import EPOCHS_BEST_ROW
from sheetnet.layout import EPOCHS_FIRST_ROW as FIRST
from sheetnet.regions import address

KINDS = ("threshold", "classes", "numbers")

Place = tuple[str, str, str, int | None]
"""Sheet, cell, quantity and visit, as a report says them."""


class Exported:
    """A workbook, and where its quantities stand."""

    def __init__(self, kind: str, folder: Path) -> None:
        small = {"optimizer": "sgd", "momentum": None, "clip_norm": None, "epochs": 5}
        spec = stopping(kind, folder, **small)
        self.path = folder / f"{kind}.xlsx"
        sheetnet.export(spec, self.path, sheets=["Epochs"])
        self.ledgers = ledgers_in_python(spec)
        self.book = openpyxl.load_workbook(self.path)

    def faulty(self, where: Place, target: Path, fault: Callable[[Cell], object]) -> Path:
        """A copy with a fault in one cell."""
        cell = self.cell(where)
        exported = cell.value
        try:
            fault(cell)
            self.book.save(target)
        finally:
            cell.value = exported
        return target

    def cell(self, where: Place) -> Cell:
        """The cell of the workbook as it was exported."""
        cell = self.book[where[0]][where[1]]
        assert isinstance(cell, Cell)
        return cell

    def where(self, name: str, quantity: str, row: int) -> Place:
        """Sheet, cell, quantity and visit, as a report says them."""
        ledger = self.ledgers[name]
        number = row if row > 0 else ledger.region.rows + 1 + row
        said = f"{quantity} of the best epoch" if name == "best" else quantity
        visit = number if name == "train" else None
        return ledger.region.sheet, ledger.address(quantity, row), said, visit

    def right(self, name: str, quantity: str, row: int) -> float:
        """The value that Python has."""
        values = self.ledgers[name].get(quantity)
        return float(values[row - 1 if row > 0 else row])


@pytest.fixture(scope="module")
def books(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Exported]:
    folder = tmp_path_factory.mktemp("books")
    return {kind: Exported(kind, folder) for kind in KINDS}


PLACES = [
    ("threshold", "train", "stopped", 1),
    ("threshold", "train", "stopped", 9),
    ("threshold", "train", "stopped", -1),
    ("threshold", "epochs", "loss", 1),
    ("threshold", "epochs", "accuracy", 3),
    ("classes", "epochs", "hits[2]", 2),
    ("classes", "epochs", "accuracy", -1),
    ("threshold", "epochs", "grad_norm[1]", 2),
    ("numbers", "epochs", "grad_norm[2]", -1),
    ("numbers", "epochs", "rmse", 2),
    ("threshold", "epochs", "val_loss", 1),
    ("classes", "epochs", "val_hits[3]", -1),
    ("classes", "epochs", "val_accuracy", 2),
    ("numbers", "epochs", "val_rmse", -1),
    ("threshold", "epochs", "improved", 1),
    ("threshold", "epochs", "improved", 3),
    ("numbers", "epochs", "best_loss", 1),
    ("threshold", "epochs", "best_loss", -1),
    ("threshold", "epochs", "best_epoch", 3),
    ("threshold", "epochs", "wait", 2),
    ("numbers", "epochs", "wait", 1),
    ("threshold", "epochs", "stopped", 2),
    ("numbers", "epochs", "stopped", -1),
    ("threshold", "epochs", "W1[2,1]", 1),
    ("numbers", "epochs", "W2[2,9]", 3),
    ("classes", "epochs", "b2[3]", -1),
    ("threshold", "best", "epoch", 1),
    ("threshold", "best", "val_loss", 1),
    ("classes", "best", "hits[1]", 1),
    ("numbers", "best", "b2[2]", 1),
    ("threshold", "validation", "stopped", 1),
    ("threshold", "validation", "stopped", -1),
    ("numbers", "validation", "x[1]", 2),
    ("classes", "validation", "y[3]", -1),
    ("threshold", "validation", "z1[2]", 4),
    ("numbers", "validation", "z2[1]", 5),
    ("numbers", "validation", "a1[9]", -1),
    ("classes", "validation", "a2[1]", 3),
    ("threshold", "validation", "loss", 1),
]
"""Every kind of column; first, middle and last rows."""


def test_every_kind_of_column_is_here(books: dict[str, Exported]) -> None:
    tried = {(name, quantity.split("[")[0]) for _, name, quantity, _ in PLACES}
    for book in books.values():
        for label in book.ledgers["epochs"].labels[1:]:
            base = label.split("[")[0]
            assert ("epochs", base) in tried or base in ("W2", "b1"), label


def harmless(fault: str, right: float) -> bool:
    """Whether the numbers stay as they are: IronCalc gives 0 for a blank cell."""
    return fault == "right value pasted" or (right == 0 and fault in ("blank", "sign changed"))


@pytest.mark.parametrize(("kind", "name", "quantity", "row"), PLACES)
def test_one_cell(
    books: dict[str, Exported], tmp_path: Path, kind: str, name: str, quantity: str, row: int
) -> None:
    """The right value pasted, and another fault drawn for each cell."""
    exported = books[kind]
    where, right = exported.where(name, quantity, row), exported.right(name, quantity, row)
    pasted, *others = FAULTS
    another = random.Random(f"{kind} {name} {quantity} {row}").choice(others)
    for fault in (pasted, another):
        put = FAULTS[fault]
        path = exported.faulty(
            where, tmp_path / "fault.xlsx", lambda cell, put=put: put(cell, right)
        )  # type: ignore[misc]
        report = verify(path)
        assert_first(report, "formulas", *where)
        assert report.checks["formulas"].failures == 1
        if harmless(fault, right):
            assert failing(report) == {"formulas"}, fault
            continue
        assert not report.checks["trajectory"].ok and not report.checks["local"].ok, fault
        assert_first(report, "local", *where)


@pytest.mark.parametrize(
    ("kind", "quantity", "row", "fault"),
    [
        ("threshold", "wait", 2, "error"),
        ("threshold", "stopped", 2, "error"),
        ("numbers", "W2[2,9]", 3, "text"),
    ],
)
def test_what_flows_back_is_found_where_it_is(
    books: dict[str, Exported], tmp_path: Path, kind: str, quantity: str, row: int, fault: str
) -> None:
    exported = books[kind]
    where = exported.where("epochs", quantity, row)
    report = verify(
        exported.faulty(where, tmp_path / "fault.xlsx", lambda cell: FAULTS[fault](cell, 0.0))
    )
    assert_first(report, "local", *where)


EDITS = [
    # (kind, ledger, quantity, row, piece, instead)
    ("threshold", "train", "stopped", 9, f"${FIRST}", f"${FIRST + 1}"),
    ("threshold", "train", "stopped", -1, "Epochs!$", "Epochs!"),
    ("threshold", "epochs", "loss", 2, "Train!", "Validation!"),
    ("threshold", "epochs", "accuracy", 1, ">=", ">"),
    ("threshold", "epochs", "accuracy", 1, "0.5", "0.4"),
    ("classes", "epochs", "hits[1]", 3, ">=", ">"),
    ("classes", "epochs", "hits[2]", 3, "8E+307>0", "8E+307<0"),
    ("classes", "epochs", "val_accuracy", 1, "Validation!", "Train!"),
    ("numbers", "epochs", "rmse", 1, "*2", "*3"),
    ("numbers", "epochs", "grad_norm[1]", 2, "SUMSQ", "SUM"),
    ("threshold", "epochs", "improved", 2, "-min_delta", "+min_delta"),
    ("threshold", "epochs", "improved", 3, ">0", ">=0"),
    ("threshold", "epochs", "wait", -1, "+1", "+2"),
    ("threshold", "epochs", "stopped", -1, "patience", "min_delta"),
    ("threshold", "epochs", "stopped", 1, ">=", ">"),
    ("threshold", "epochs", "b1[1]", 2, "+", "-"),
    ("threshold", "best", "val_loss", 1, f"$A${EPOCHS_BEST_ROW}", f"$A${FIRST}"),
    ("threshold", "best", "val_loss", 1, f"{FIRST}:", f"{FIRST + 1}:"),
    ("threshold", "validation", "x[1]", 2, "$B6", "B6"),
    ("threshold", "validation", "z1[1]", 4, f"${FIRST + 1}", f"${FIRST}"),
    ("numbers", "validation", "z1[1]", 4, "Epochs!$", "Epochs!"),
    ("numbers", "validation", "z2[2]", 3, "SUMPRODUCT", "SUM"),
    (
        "threshold",
        "validation",
        "stopped",
        -1,
        f"${FIRST + 3}",
        f"${FIRST + 4}",
    ),
]


@pytest.mark.parametrize(("kind", "name", "quantity", "row", "old", "new"), EDITS)
def test_a_piece_of_a_formula(
    books: dict[str, Exported],
    tmp_path: Path,
    kind: str,
    name: str,
    quantity: str,
    row: int,
    old: str,
    new: str,
) -> None:
    exported = books[kind]
    where = exported.where(name, quantity, row)
    report = verify(
        exported.faulty(where, tmp_path / "fault.xlsx", lambda cell: replace(cell, old, new))
    )
    assert_first(report, "formulas", *where)
    assert report.checks["formulas"].failures == 1
    if "local" in failing(report):
        first = report.checks["local"].first_failure
        assert first is not None and (first.sheet, first.cell) == where[:2]


@pytest.mark.parametrize("row", [1, -1])
@pytest.mark.parametrize(
    ("name", "quantity"), [("epochs", "epoch"), ("validation", "epoch"), ("validation", "sample")]
)
def test_a_constant_in_front(
    books: dict[str, Exported], tmp_path: Path, name: str, quantity: str, row: int
) -> None:
    exported = books["threshold"]
    where = exported.where(name, quantity, row)
    for content in (77 if row == 1 else "one", "=1+1"):

        def put(cell: Cell, content: object = content) -> None:
            cell.value = content  # type: ignore[assignment]

        report = verify(exported.faulty(where, tmp_path / "fault.xlsx", put))
        if content == "=1+1":
            assert_first(report, "formulas", *where)
        else:
            assert report.checks["formulas"].ok
            assert_first(report, "local", *where)


@pytest.mark.parametrize("name", ["train", "validation", "epochs", "best"])
def test_sweep_of_single_faults(books: dict[str, Exported], tmp_path: Path, name: str) -> None:
    """Whatever the formula is, whatever is done to it."""
    chance, exported = random.Random(f"epochs {name}"), books["threshold"]
    ledger: Ledger = exported.ledgers[name]
    sheet, region = exported.book[ledger.region.sheet], ledger.region
    columns = [i for i, label in enumerate(ledger.labels) if name != "train" or label == "stopped"]
    tried = 0
    while tried < 8:
        row, column = chance.randrange(region.rows), chance.choice(columns)
        text = str(sheet.cell(region.row + row, region.column + column).value)
        if not text.startswith("="):
            continue
        tried += 1
        where = exported.where(name, ledger.labels[column], row + 1)
        sort, content = chance.choice(_mutations(text, chance))

        def put(cell: Cell, content: object = content) -> None:
            cell.value = content  # type: ignore[assignment]

        report = verify(exported.faulty(where, tmp_path / "fault.xlsx", put))
        what = f"{where}: {text} -> {content} ({sort})"
        assert not report.agree, what
        assert_first(report, "formulas", *where)
        assert report.checks["formulas"].failures == 1, what


# --- heads, rows, sheets, saved values


@pytest.mark.parametrize("name", ["epochs", "validation"])
def test_rows_too_many_or_too_few(books: dict[str, Exported], tmp_path: Path, name: str) -> None:
    exported = books["threshold"]
    region = exported.ledgers[name].region

    def more(book: Workbook) -> None:
        book[region.sheet].cell(region.last_row + 1, 3).value = 0

    report = verify(change(exported.path, tmp_path / "more.xlsx", more))
    assert failing(report) == {"formulas"}
    assert_first(
        report,
        "formulas",
        region.sheet,
        address(region.last_row + 1, 3),
        "row below the last",
        None,
    )
    for row in (region.row, region.row + 1, region.last_row):
        path = rewrite_sheet(exported.path, tmp_path / "fewer.xlsx", region.sheet, without_row(row))
        if row == region.last_row:
            report = verify(path)
            assert not report.agree
            first = report.checks["formulas"].first_failure
            assert first is not None
            assert (first.sheet, int(first.cell.lstrip("ABCDEFGH"))) == (region.sheet, row)
        else:
            assert run("verify", path).exit_code in (1, 2)


@pytest.mark.parametrize("name", ["epochs", "validation"])
def test_a_column_name(books: dict[str, Exported], tmp_path: Path, name: str) -> None:
    exported = books["threshold"]
    region = exported.ledgers[name].region
    label = exported.ledgers[name].labels[4]

    def rename(book: Workbook) -> None:
        book[region.sheet].cell(region.row - 1, 5).value = "mine"

    report = verify(change(exported.path, tmp_path / "named.xlsx", rename))
    assert failing(report) == {"formulas"}
    where = (region.sheet, address(region.row - 1, 5), "column name", None)
    assert_first(report, "formulas", *where)
    first = report.checks["formulas"].first_failure
    assert first is not None and (first.sheet_value, first.python_value) == ("text mine", label)


def rename_sheet(title: str) -> Callable[[Workbook], None]:
    return lambda book: setattr(book[title], "title", "Mine")


@pytest.mark.parametrize("how", ["deleted", "renamed"])
@pytest.mark.parametrize("title", ["Epochs", "Validation"])
def test_a_sheet_that_is_not_there(
    books: dict[str, Exported], tmp_path: Path, title: str, how: str
) -> None:
    """One line, status 2; the engine may be the first to miss it."""
    fault = rename_sheet(title) if how == "renamed" else lambda book: book.remove(book[title])
    path = change(books["threshold"].path, tmp_path / "gone.xlsx", fault)
    done = run("verify", path)
    assert (done.exit_code, done.stdout) == (2, ""), done.output
    assert done.stderr.startswith("Error: ") and done.stderr.count("\n") == 1
    assert title in done.stderr
    with pytest.raises(WorkbookError, match=title):
        verify(path)


SAVED = [
    ("train", "stopped", -1),
    ("validation", "z1[1]", 2),
    ("validation", "loss", -1),
    ("epochs", "loss", 1),
    ("epochs", "accuracy", 2),
    ("epochs", "stopped", -1),
    ("epochs", "W1[1,1]", 3),
    ("best", "epoch", 1),
    ("best", "val_loss", 1),
]


@pytest.mark.parametrize(("name", "quantity", "row"), SAVED)
def test_a_wrong_saved_value(
    books: dict[str, Exported], tmp_path: Path, name: str, quantity: str, row: int
) -> None:
    exported = books["threshold"]
    sheet, cell, said, visit = exported.where(name, quantity, row)
    wrong = saved_value(cell, lambda value: value + 1)
    report = verify(rewrite_sheet(exported.path, tmp_path / "saved.xlsx", sheet, wrong))
    assert failing(report) == {"saved"}
    assert_first(report, "saved", sheet, cell, f"{said}, value saved in the file", visit)
    assert report.checks["saved"].failures == 1


def test_patience_means_its_cell(books: dict[str, Exported], tmp_path: Path) -> None:
    """A name that means another number moves all that follows from it."""

    def elsewhere(book: Workbook) -> None:
        book.defined_names["patience"].attr_text = book.defined_names["learning_rate"].attr_text

    report = verify(change(books["threshold"].path, tmp_path / "name.xlsx", elsewhere))
    assert not report.checks["formulas"].ok
    first = report.checks["formulas"].first_failure
    assert first is not None and first.quantity == "defined name patience"
