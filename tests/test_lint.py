"""Lint on sheets made by hand: each kind of fault is found where it is, and nothing else."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from handmade import LAYOUTS, rows, saved, steps
from openpyxl.worksheet.formula import ArrayFormula
from openpyxl.worksheet.worksheet import Worksheet
from support import run

import sheetnet
from sheetnet.errors import WorkbookError
from sheetnet.linting import Finding


def findings(path: Path) -> list[Finding]:
    return list(sheetnet.lint(path).findings)


# --- training sheets


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_right_sheet_has_no_findings(layout: str, tmp_path: Path) -> None:
    report = sheetnet.lint(saved(LAYOUTS[layout](), tmp_path))
    assert report.clean, report.to_text()
    assert report.formulas >= 90


FAULTS = [
    # A missing activation derivative.
    ("rows", "K9", "=2*(I9-D9)", "formula", "=2*(I9-D9)*I9*(1-I9)"),
    ("columns", "I11", "=2*(I9-I4)", "formula", "=2*(I9-I4)*I9*(1-I9)"),
    ("steps", "G39", "=(G42*B42+G43*B43)", "formula", "=(G42*B42+G43*B43)*F39*(1-F39)"),
    ("steps", "G31", "=(F31-data!C4)", "formula", "=(F31-data!C4)*F31*(1-F31)"),
    # A weight read from the wrong row.
    ("rows", "E8", "=E6-$B$1*L7", "formula", "=E7-$B$1*L7"),
    ("rows", "E5", "=E4-$B$1*L5", "formula", "=E4-$B$1*L4"),
    ("epochs", "C19", "=M17", "formula", "=M18"),
    ("steps", "C39", "=L29", "formula", "=L28"),
    ("steps", "E17", "=B18*$B$16+C17*$C$16+D17", "formula", "=B17*$B$16+C17*$C$16+D17"),
    ("columns", "G5", "=F5-$A$2*F11", "formula", "=F5-$A$2*F12"),
    # An absolute reference gone relative, harmless yet and moved away.
    ("rows", "F7", "=F6-B1*M6", "dollar", "=F6-$B$1*M6"),
    ("rows", "F7", "=F6-B4*M6", "formula", "=F6-$B$1*M6"),
    ("epochs", "M20", "=C20-K20*B1", "dollar", "=C20-K20*$B$1"),
    ("steps", "K50", "=B50-B1*H50", "dollar", "=B50-$B$1*H50"),
    ("steps", "H61", "=G61*B60", "dollar", "=G61*$B$60"),
    # A step that reads an empty cell.
    ("rows", "H8", "=E8*B8+F8*C8+O8", "empty", "=E8*B8+F8*C8+G8"),
    ("epochs", "K18", "=2*A18*(E18-O18)", "empty", "=2*A18*(E18-B18)"),
    ("steps", "B42", "=K33", "empty", "=K31"),
    ("steps", "I28", "=G28*$D$27", "empty", "=G28*$C$27"),
    # The same in a published layout, steps stacked.
    ("walk", "F31", "=A27*B31+A31*B28+B33", "formula", "=A27*B31+A31*B32+B33"),
    ("walk", "G27", "=TANH(F27)", "formula", "=1/(1+EXP(-F27))"),
    ("walk", "O31", "=(M31-N31)", "formula", "=(M31-N31)*M31*(1-M31)"),
    ("walk", "H28", "=Q15", "formula", "=Q16"),
    ("walk", "Q40", "=H40-D1*O39*G43", "dollar", "=H40-$D$1*O39*G43"),
    ("walk", "P27", "=H30*O27+H31*O31", "empty", "=H27*O27+H31*O31"),
    # A sample from the wrong row of another sheet.
    ("steps", "B27", "=data!A3", "formula", "=data!A4"),
    # Pasted numbers, texts, nothing.
    ("rows", "I9", 0.52, "number", "=1/(1+EXP(-H9))"),
    ("rows", "E5", 0.1, "number", "=E4-$B$1*L4"),
    ("steps", "D39", 0.3, "number", "=M28"),
    ("columns", "F8", 0.3, "number", "=F5*F2+F6*F3+F7"),
    ("rows", "J9", "?", "text", "=(D9-I9)^2"),
    ("rows", "J13", None, "missing", "=(D13-I13)^2"),
    ("epochs", "J18", None, "missing", "=(I18-F18)/$B$2"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("layout", "cell", "fault", "kind", "pattern"), FAULTS, ids=lambda value: str(value)[:30]
)
def test_a_fault_is_found_where_it_is(
    layout: str, cell: str, fault: Any, kind: str, pattern: str, tmp_path: Path
) -> None:
    book = LAYOUTS[layout]()
    sheet = book.worksheets[-1]
    assert sheet[cell].value != fault
    sheet[cell].value = fault
    found = findings(saved(book, tmp_path))
    assert [(f.sheet, f.cells, f.kind, f.pattern) for f in found] == [
        (sheet.title, cell, kind, pattern)
    ], [str(f) for f in found]


def test_two_faults_side_by_side_are_two_findings(tmp_path: Path) -> None:
    book = rows()
    book["perceptron"]["I8"], book["perceptron"]["I9"] = "=1/(1+EXP(H8))", "=TANH(H9)"
    assert [(f.cells, f.holds) for f in findings(saved(book, tmp_path))] == [
        ("I8", "=1/(1+EXP(H8))"),
        ("I9", "=TANH(H9)"),
    ]


def test_a_run_of_pasted_numbers_is_one_finding(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    assert isinstance(sheet, Worksheet)
    sheet.append(["n", "square", "root"])
    for r in range(2, 102):
        pasted = 5 <= r <= 44
        sheet.append([r, r * r if pasted else f"=A{r}*A{r}", f"=SQRT(A{r})"])
    (found,) = findings(saved(book, tmp_path))
    assert (found.cells, found.count, found.kind) == ("B5:B44", 40, "number")
    assert (found.holds, found.pattern, found.along) == ("25", "=A5*A5", "column")


def test_a_pasted_row_is_one_finding(tmp_path: Path) -> None:
    book = rows()
    for cell in book["perceptron"][9][7:14]:
        cell.value = 0.25
    (found,) = findings(saved(book, tmp_path))
    assert (found.cells, found.kind, found.count) == ("H9:N9", "number", 7)


def test_readers_of_a_missing_cell_are_not_reported_again(tmp_path: Path) -> None:
    book = rows()
    book["perceptron"]["H9"] = None
    assert [(f.cells, f.kind) for f in findings(saved(book, tmp_path))] == [("H9", "missing")]


def test_an_empty_input_is_told_by_its_readers(tmp_path: Path) -> None:
    book = steps()
    book["data"]["B4"] = None
    (found,) = findings(saved(book, tmp_path))
    assert (found.sheet, found.cells, found.kind) == ("steps", "C27", "empty")
    assert "reads empty data!B4" in str(found)


def test_a_text_as_an_operand(tmp_path: Path) -> None:
    book = rows()
    book["perceptron"]["B1"] = "0.5"
    found = findings(saved(book, tmp_path))
    assert [(f.cells, f.kind) for f in found] == [("E5:G13", "operand")]
    assert "calculates with text B1" in str(found[0])


# --- sheets that are right


def _first(book: openpyxl.Workbook) -> Worksheet:
    sheet = book.active
    assert isinstance(sheet, Worksheet)
    return sheet


def budget(sheet: Worksheet) -> None:
    """Months across, subtotals and totals, shares, a note below."""
    sheet.append(["", *[f"month {m}" for m in range(1, 7)], "sum", "share"])
    for r in range(2, 6):
        sheet.append([f"cost {r}", *[r * m for m in range(1, 7)], f"=SUM(B{r}:G{r})", f"=H{r}/H$6"])
    sheet.append(["total", *[f"=SUM({c}2:{c}5)" for c in "BCDEFGH"]])
    sheet.append(["tax", *[f"={c}6*0.2" for c in "BCDEFGH"]])


def balance(sheet: Worksheet) -> None:
    """A first row that has nothing above it."""
    sheet.append(["in", "out", "balance", "change"])
    sheet.append([100, 0, "=A2-B2"])
    for r in range(3, 20):
        sheet.append([r, r / 2, f"=C{r - 1}+A{r}-B{r}", f"=C{r}-C{r - 1}"])


def alternating(sheet: Worksheet) -> None:
    """Forward and backward rows by turns."""
    for r in range(1, 21, 2):
        sheet.append([r, f"=A{r}*2", f"=B{r}+1"])
        sheet.append([r, f"=A{r + 1}/2", f"=B{r + 1}-1"])


def subtotals(sheet: Worksheet) -> None:
    """Blocks of uneven length, each with its sum below."""
    r = 1
    for length in (4, 3, 5, 2):
        first = r
        for _ in range(length):
            sheet.append([r, f"=A{r}*1.19", f"=B{r}-A{r}"])
            r += 1
        sheet.append([f"=SUM(A{first}:A{r - 1})", f"=SUM(B{first}:B{r - 1})", f"=B{r}-A{r}"])
        r += 1


def forecast(sheet: Worksheet) -> None:
    """Numbers that were measured, then formulas that go on from them."""
    for r in range(1, 7):
        sheet.append([2000 + r, 3.5 * r])
    for r in range(7, 20):
        sheet.append([f"=A{r - 1}+1", f"=B{r - 1}*1.05"])


def moving(sheet: Worksheet) -> None:
    """An average over five rows begins in the fifth."""
    sheet.append(["x", "mean of 5"])
    for r in range(2, 30):
        sheet.append([r, f"=AVERAGE(A{r - 4}:A{r})" if r >= 6 else None])


def product_table(sheet: Worksheet) -> None:
    """Filled right and down with mixed references."""
    sheet.append([None, *range(1, 8)])
    for r in range(2, 10):
        sheet.append([r, *[f"=$A{r}*{c}$1" for c in "BCDEFGH"]])


def matrices(sheet: Worksheet) -> None:
    """Array formulas fill cells that hold values only."""
    for r in range(1, 5):
        sheet.append([r, r + 1, None, None])
    sheet["C1"] = ArrayFormula("C1:D4", "=A1:B4*2")
    for r in range(1, 5):
        for c in "CD":
            if (c, r) != ("C", 1):
                sheet[f"{c}{r}"] = 2.0 * r
    for r in range(1, 5):
        sheet[f"E{r}"] = f"=C{r}+D{r}"


def optional(sheet: Worksheet) -> None:
    """A form prepared for more rows than are filled in."""
    for r in range(1, 30):
        sheet.append([r if r < 12 else None, f'=IF(A{r}="","",A{r}*2)'])


def schedule(sheet: Worksheet) -> None:
    """Inputs of a different kind beside each other; a parameter table in front."""
    sheet.append(["rate", 0.1, None, "epoch", "rate now", "loss"])
    sheet.append(["decay", 0.9, None, 1, "=B1", "=1/(1+D2)"])
    sheet.append(["rate after 3", "=B1*B2^3", None, 2, "=E2*$B$2", "=1/(1+D3)"])
    for r in range(4, 16):
        sheet.append([None, None, None, r - 1, f"=E{r - 1}*$B$2", f"=1/(1+D{r})"])
    sheet.append([None, None, None, "best", None, "=MIN(F2:F15)"])


def copies(sheet: Worksheet) -> None:
    """Results that are set beside once more, and calculated with there."""
    sheet.append(["x", "square", "error", "again", "step"])
    for r in range(2, 10):
        sheet.append([r, f"=A{r}*A{r}", f"=B{r}-1", f"=C{r}", f"=D{r}*0.1"])


def blocks(sheet: Worksheet) -> None:
    """Each block of rows reads its own rate from a short list."""
    for r in range(1, 33):
        rate = f"=$F${1 + (r - 1) // 8}"
        sheet.append([r, rate, f"=A{r}*B{r}", None, None, 1 / r if r <= 4 else None])


RIGHT: list[Callable[[Worksheet], None]] = [
    budget, balance, alternating, subtotals, forecast, moving, product_table, matrices, optional,
    schedule, copies, blocks,
]  # fmt: skip


@pytest.mark.parametrize("fill", RIGHT, ids=lambda fill: fill.__name__)
def test_reasonable_sheets_have_no_findings(
    fill: Callable[[Worksheet], None], tmp_path: Path
) -> None:
    book = openpyxl.Workbook()
    fill(_first(book))
    report = sheetnet.lint(saved(book, tmp_path))
    assert report.clean, report.to_text()


@pytest.mark.parametrize(
    ("fill", "cell", "fault", "kind"),
    [
        (budget, "D6", "=SUM(D2:D4)", "formula"),
        (budget, "I4", "=H4/H$5", "formula"),
        (balance, "C3", "=C1+A3-B3", "operand"),
        (alternating, "B7", "=A6*2", "formula"),
        (alternating, "B8", "=A8*2", "formula"),
        (subtotals, "C7", "=B7+A7", "formula"),
        (forecast, "B12", 17.5, "number"),
        (moving, "B15", None, "missing"),
        (moving, "B12", "=AVERAGE(A8:A11)", "formula"),
        (product_table, "D5", "=$A5*D$2", "formula"),
        (product_table, "D5", "=A5*D$1", "dollar"),
        (matrices, "E3", "=C3-D3", "formula"),
        (copies, "D9", "=C8", "formula"),
        (copies, "D2", "=C3", "formula"),
        (blocks, "B32", 0.125, "number"),
        (blocks, "B24", 0.125, "number"),
        (blocks, "B1", 0.125, "number"),
    ],
    ids=lambda value: getattr(value, "__name__", None) or str(value),
)
def test_and_a_fault_in_them_is_found(
    fill: Callable[[Worksheet], None], cell: str, fault: Any, kind: str, tmp_path: Path
) -> None:
    book = openpyxl.Workbook()
    sheet = _first(book)
    fill(sheet)
    sheet[cell] = fault
    found = findings(saved(book, tmp_path))
    assert [(f.cells, f.kind) for f in found] == [(cell, kind)], [str(f) for f in found]


def test_a_sum_that_stops_too_early(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    sheet = _first(book)
    for r in range(1, 10):
        sheet.append([r])
    sheet["A10"] = "=SUM(A1:A7)"
    sheet["C1"], sheet["D1"], sheet["E1"], sheet["F1"] = 1, 2, 3, "=SUM(C1:D1)"
    found = findings(saved(book, tmp_path))
    assert [(f.cells, f.kind, f.pattern) for f in found] == [
        ("F1", "skips", "=SUM(C1:E1)"),
        ("A10", "skips", "=SUM(A1:A9)"),
    ]


# --- the command


def test_command(tmp_path: Path) -> None:
    clean = run("lint", saved(rows(), tmp_path))
    assert clean.exit_code == 0
    assert "no findings, 98 formulas in 1 sheet" in clean.stdout
    book = rows()
    book["perceptron"]["I9"] = 0.5
    path = saved(book, tmp_path)
    text = run("lint", path)
    assert text.exit_code == 1
    line, summary = text.stdout.splitlines()
    assert line == "perceptron!I9  number: 0.5; its column has =1/(1+EXP(-H9))"
    assert summary.endswith("1 finding (1 number), 97 formulas in 1 sheet")
    as_json = run("lint", path, "--json")
    assert as_json.exit_code == 1
    document = json.loads(as_json.stdout)
    assert document["clean"] is False
    assert document["findings"] == [
        {
            "sheet": "perceptron",
            "cells": "I9",
            "count": 1,
            "kind": "number",
            "holds": "0.5",
            "pattern": "=1/(1+EXP(-H9))",
            "along": "column",
            "note": None,
        }
    ]


def test_one_sheet_only(tmp_path: Path) -> None:
    book = steps()
    book["steps"]["F17"] = 0.5
    path = saved(book, tmp_path)
    assert sheetnet.lint(path, sheet="data").clean
    assert not sheetnet.lint(path, sheet="steps").clean
    with pytest.raises(WorkbookError, match=r"no sheet 'step' \(did you mean 'steps'\?\)"):
        sheetnet.lint(path, sheet="step")
    assert run("lint", path, "--sheet", "none").exit_code == 2


def test_saved_errors_are_reported_where_they_begin(tmp_path: Path) -> None:
    from faults import rewrite_sheet

    book = openpyxl.Workbook()
    sheet = _first(book)
    for r in range(1, 8):
        sheet.append([r - 4, f"=1/A{r}", f"=B{r}+1"])
    path = saved(book, tmp_path)

    def errors(xml: str) -> str:
        for cell in ("B4", "C4"):
            start = xml.index(f'<c r="{cell}"')
            end = xml.index("</c>", start)
            value = xml[start:end].replace("<v></v>", "").replace("<v />", "").replace("<v/>", "")
            value = value.replace(f'<c r="{cell}"', f'<c r="{cell}" t="e"')
            xml = xml[:start] + value + "<v>#DIV/0!</v>" + xml[end:]
        return xml

    (found,) = findings(rewrite_sheet(path, tmp_path / "errors.xlsx", sheet.title, errors))
    assert (found.cells, found.kind, found.note) == ("B4", "error", "saved value #DIV/0!")
