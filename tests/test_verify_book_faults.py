"""Faults around the ledger's cells: rows, headers, names, shared formulas, Data."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import openpyxl
import pytest
from faults import (
    DATA_CELLS,
    assert_first,
    change,
    copy_row,
    export_kinds,
    failing,
    in_cell,
    saved_value,
    without_row,
)
from faults import rewrite_sheet as rewritten
from openpyxl.workbook import Workbook
from openpyxl.workbook.defined_name import DefinedName
from support import run

from sheetnet import verify

Kinds = dict[str, Path]


@pytest.fixture(scope="module")
def kinds(tmp_path_factory: pytest.TempPathFactory) -> Kinds:
    return export_kinds(tmp_path_factory.mktemp("kinds"))


# --- rows, headers, names


def _swap_rows(book: Workbook) -> None:
    sheet = book["Train"]
    for upper, lower in zip(list(sheet[6]), list(sheet[9]), strict=True):
        upper.value, lower.value = lower.value, upper.value


def _swap_samples(book: Workbook) -> None:
    sheet = book["Train"]
    sheet["D6"].value, sheet["D9"].value = sheet["D9"].value, sheet["D6"].value


ROWS = [
    # (fault, first cell of the formula check, of the local check; A and E begin a row)
    (lambda book: book["Train"].delete_rows(12), "E12", "A12"),
    (lambda book: book["Train"].delete_rows(8), "E8", "A8"),
    (lambda book: book["Train"].insert_rows(8), "E8", "A8"),
    (_swap_rows, "E6", "A6"),
    (_swap_samples, None, "D6"),
    (lambda book: copy_row(book["Train"], 12, 13), "A13", None),
    (lambda book: setattr(book["Train"]["C40"], "value", 1), "C40", None),
    (lambda book: setattr(book["Train"]["BG13"], "value", "=BG12"), "BG13", None),
]


@pytest.mark.parametrize(("fault", "formulas", "local"), ROWS)
def test_rows_of_the_ledger(
    kinds: Kinds,
    tmp_path: Path,
    fault: Callable[[Workbook], object],
    formulas: str | None,
    local: str | None,
) -> None:
    report = verify(change(kinds["xor"], tmp_path / "fault.xlsx", fault))
    assert not report.agree
    for check, cell in (("formulas", formulas), ("local", local)):
        first = report.checks[check].first_failure
        assert (first.cell if first else None) == cell, check
        if first is not None:
            row = int(re.sub("[A-Z]", "", first.cell))
            assert first.visit == (row - 4 if row <= 12 else None)


@pytest.mark.parametrize("row", [5, 6, 8, 12])
def test_a_row_missing_in_the_xml(kinds: Kinds, tmp_path: Path, row: int) -> None:
    """Rows 5 and 6 hold the texts of the shared formulas: all below lose theirs too."""
    report = verify(rewritten(kinds["xor"], tmp_path / "fault.xlsx", "Train", without_row(row)))
    assert_first(report, "formulas", "Train", f"E{row}", "x[1]", row - 4)
    assert_first(report, "local", "Train", f"A{row}", "visit", row - 4)
    assert_first(report, "trajectory", "Train", f"A{row}", "visit", row - 4)


@pytest.mark.parametrize(("cell", "content"), [("A4", "step"), ("H4", None), ("BG4", "ub2[2]")])
def test_a_header(kinds: Kinds, tmp_path: Path, cell: str, content: str | None) -> None:
    def fault(book: Workbook) -> None:
        book["Train"][cell].value = content

    report = verify(change(kinds["xor"], tmp_path / "fault.xlsx", fault))
    assert_first(report, "formulas", "Train", cell, "column name", None)
    assert failing(report) == {"formulas"}


def _shadow(sheet: str, target: str) -> Callable[[Workbook], None]:
    def fault(book: Workbook) -> None:
        name = DefinedName("learning_rate", attr_text=target)
        book[sheet].defined_names["learning_rate"] = name

    return fault


def _redirect(target: str) -> Callable[[Workbook], None]:
    def fault(book: Workbook) -> None:
        book.defined_names["learning_rate"].attr_text = target

    return fault


@pytest.mark.parametrize(
    ("fault", "changes"),
    [
        (_redirect("Config!$B$7"), True),
        (_redirect("Init!$B$6"), True),
        (_redirect("Config!B6"), None),
        (_redirect("0.5"), None),
        (lambda book: book.defined_names.pop("learning_rate"), True),
        (_shadow("Train", "Init!$B$6"), None),
        (_shadow("Train", "Config!$B$6"), False),
        (_shadow("Config", "Init!$B$6"), None),
    ],
)
def test_the_name_of_a_hyperparameter(
    kinds: Kinds, tmp_path: Path, fault: Callable[[Workbook], object], changes: bool | None
) -> None:
    """The formulas stay the same texts; only what the name means changes."""
    report = verify(change(kinds["line"], tmp_path / "fault.xlsx", fault))
    assert_first(report, "formulas", "Config", "B6", "defined name learning_rate", None)
    if changes is not None:
        assert ("local" in failing(report)) == changes
    if "local" in failing(report):
        assert_first(report, "local", "Train", "O5", "uW1[1,1]", 1)


# --- shared formulas: one text stands for a whole column


@pytest.mark.parametrize(
    ("fault", "cells"),
    [
        # The text of all eight rows.
        (in_cell("Q5", ">N5", ">O5"), ("Q5", 8)),
        (in_cell("H6", ">H5", ">H4"), ("H6", 7)),
        # A text that LibreOffice and Excel would shift as well: one absolute row.
        (in_cell("Q5", ">N5", ">N$5"), ("Q5", 8)),
        # The text is gone.
        (in_cell("Q5", "(<f [^>]*)>[^<]*</f>", r"\1/>"), ("Q5", 8)),
        # One cell uses its neighbour's formula, or one that there is not.
        (in_cell("Q7", 'si="9"', 'si="10"'), ("Q7", 1)),
        (in_cell("Q12", 'si="9"', 'si="99"'), ("Q12", 1)),
        # One cell has lost its formula and kept its value.
        (in_cell("Q9", "<f [^>]*/>", ""), ("Q9", 1)),
        # The range ends too early, or lies elsewhere: Excel fills the range alone.
        (in_cell("Q5", 'ref="[^"]*"', 'ref="Q5:Q7"'), ("Q8", 5)),
        (in_cell("Q5", 'ref="[^"]*"', 'ref="R5:R12"'), ("Q5", 8)),
    ],
    ids=["text", "row", "absolute", "gone", "si", "nosi", "value", "short", "elsewhere"],
)
def test_a_shared_formula(
    kinds: Kinds, tmp_path: Path, fault: Callable[[str], str], cells: tuple[str, int]
) -> None:
    report = verify(rewritten(kinds["xor"], tmp_path / "fault.xlsx", "Train", fault))
    first, failures = cells
    quantity = "W1[1,1]" if first.startswith("H") else "z1[1]"
    assert_first(report, "formulas", "Train", first, quantity, int(first[1:]) - 4)
    assert report.checks["formulas"].failures == failures


# --- Data: scaling and coding


@pytest.mark.parametrize(("kind", "cell", "quantity"), DATA_CELLS)
def test_a_formula_of_data(
    kinds: Kinds, tmp_path: Path, kind: str, cell: str, quantity: str
) -> None:
    right = openpyxl.load_workbook(kinds[kind], data_only=True)["Data"][cell].value
    formula = openpyxl.load_workbook(kinds[kind])["Data"][cell].value
    assert str(formula).startswith("=")
    for content in (right, right + 1, None, "text", "#N/A", f"{formula}+1", f"=-({formula[1:]})"):

        def fault(book: Workbook, content: object = content) -> None:
            book["Data"][cell].value = content

        report = verify(change(kinds[kind], tmp_path / "fault.xlsx", fault))
        assert_first(report, "formulas", "Data", cell, quantity, None)
        assert report.checks["formulas"].failures == 1
        if content == right:
            assert failing(report) == {"formulas"}
        elif right != 0:
            assert_first(report, "local", "Data", cell, quantity, None)
            assert_first(report, "trajectory", "Data", cell, quantity, None)


# --- the command


@pytest.mark.parametrize(
    ("title", "fault", "cell"),
    [
        ("Train", in_cell("J7", "<f[ >].*</f>|<f [^>]*/>", ""), "Train!J7"),
        ("Train", without_row(12), "Train!E12"),
        ("Train", saved_value("J7", lambda value: value + 1), "Train!J7"),
        ("Train", in_cell("D6", "<v>2</v>", "<v>3</v>"), "Train!D6"),
        ("Train", in_cell("H4", "b1", "B1"), "Train!H4"),
    ],
)
def test_exit_status_1_and_the_cell_in_the_text(
    kinds: Kinds, tmp_path: Path, title: str, fault: Callable[[str], str], cell: str
) -> None:
    path = rewritten(kinds["line"], tmp_path / "fault.xlsx", title, fault)
    result = run("verify", path)
    assert result.exit_code == 1
    assert f"first: {cell} (" in result.output
    assert result.output.endswith("They DISAGREE.\n")
    assert run("verify", path, "--json").exit_code == 1
