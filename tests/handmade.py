"""Training sheets as people make them by hand, built cell by cell, to put faults into.

Layouts follow what is publicly described of such sheets (one row a sample, as in lectures
on gradient descent; one block of rows a step, after published walk-throughs of a 2-2-2
network); the formulas are our own. Each builder returns a workbook whose formulas are
right, with headings, inputs, totals and first rows as one finds them.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import openpyxl
from openpyxl.utils import get_column_letter as letter
from openpyxl.workbook import Workbook
from openpyxl.worksheet.worksheet import Worksheet

SAMPLES = [
    (0.2, 1.1, 0), (0.9, -0.3, 1), (-0.5, 0.4, 0), (1.2, 0.8, 1), (0.1, -0.9, 1),
    (0.7, 0.6, 1), (-0.8, 0.2, 0), (0.3, 0.5, 1), (1.0, -1.0, 1), (-0.2, 0.9, 0),
]  # fmt: skip


def rows() -> Workbook:
    """A perceptron, one row a sample: weights in use, sums, δ, gradients, totals below."""
    book = openpyxl.Workbook()
    sheet = _first(book, "perceptron")
    sheet.append(["learning rate", 0.5])
    sheet.append([])
    sheet.append(
        ["n", "x1", "x2", "y", "w1", "w2", "b", "z", "a", "loss", "delta", "dw1", "dw2", "db"]
    )
    for n, (x1, x2, y) in enumerate(SAMPLES):
        r = n + 4
        weights = [0.1, -0.2, 0.0] if n == 0 else [
            f"=E{r - 1}-$B$1*L{r - 1}", f"=F{r - 1}-$B$1*M{r - 1}", f"=G{r - 1}-$B$1*N{r - 1}",
        ]  # fmt: skip
        sheet.append([n + 1, x1, x2, y, *weights,
                      f"=E{r}*B{r}+F{r}*C{r}+G{r}", f"=1/(1+EXP(-H{r}))",
                      f"=(D{r}-I{r})^2", f"=2*(I{r}-D{r})*I{r}*(1-I{r})",
                      f"=K{r}*B{r}", f"=K{r}*C{r}", f"=K{r}"])  # fmt: skip
    last = len(SAMPLES) + 3
    sheet.append(["mean", None, None, None, None, None, None, None, None, f"=AVERAGE(J4:J{last})"])
    return book


def epochs() -> Workbook:
    """A line fitted: epochs one below the other with a heading each, finite differences beside."""
    book = openpyxl.Workbook()
    sheet = _first(book, "basic SGD")
    sheet["A1"], sheet["B1"] = "learn", 0.01
    sheet["A2"], sheet["B2"] = "h", 0.01
    r = 4
    previous = None
    for epoch in range(3):
        sheet.cell(r, 1, f"epoch {epoch + 1}")
        heads = ["x", "y", "a", "b", "pred", "err", "err a+h", "de/da", "err b+h", "de/db",
                 "exact da", "exact db", "new a", "new b"]  # fmt: skip
        for c, head in enumerate(heads, 1):
            sheet.cell(r + 1, c, head)
        for n in range(6):
            row = r + 2 + n
            a, b = ("=$D$1", "=$D$2") if previous is None else (f"=M{previous}", f"=N{previous}")
            for c, value in enumerate(
                [n + 1, 3 * n + 5 + n % 2, a, b, f"=C{row}*A{row}+D{row}", f"=(E{row}-B{row})^2",
                 f"=((C{row}+$B$2)*A{row}+D{row}-B{row})^2", f"=(G{row}-F{row})/$B$2",
                 f"=(C{row}*A{row}+D{row}+$B$2-B{row})^2", f"=(I{row}-F{row})/$B$2",
                 f"=2*A{row}*(E{row}-B{row})", f"=2*(E{row}-B{row})",
                 f"=C{row}-K{row}*$B$1", f"=D{row}-L{row}*$B$1"], 1):  # fmt: skip
                sheet.cell(row, c, value)
            previous = row
        sheet.cell(r + 8, 5, "RMSE")
        sheet.cell(r + 8, 6, f"=SQRT(AVERAGE(F{r + 2}:F{r + 7}))")
        r += 10
    sheet["C1"], sheet["D1"] = "a", 1
    sheet["C2"], sheet["D2"] = "b", 1
    return book


STEP = 11
"""Rows of a step in :func:`steps`."""


def steps(count: int = 6) -> Workbook:
    """A 2-2-2 network, one block of rows a step, samples looked up on another sheet."""
    book = openpyxl.Workbook()
    data = _first(book, "data")
    data.append(["x1", "x2", "t1", "t2"])
    for n in range(count):
        data.append([0.05 + n / 50, 0.1 - n / 80, 0.01, 0.99])
    sheet = book.create_sheet("steps")
    sheet["A1"], sheet["B1"] = "rate", 0.5
    for n in range(count):
        _step(sheet, 3 + n * STEP, n)
    return book


def _step(sheet: Worksheet, r: int, n: int) -> None:
    """Rows of one step: two units a layer, weights and bias before them, δ and update behind."""
    last = r - STEP
    sheet.cell(r, 1, f"step {n + 1}")
    for c, head in enumerate(["", "w1", "w2", "b", "z", "a", "delta", "dw1", "dw2", "db", "new w1",
                              "new w2", "new b"], 1):  # fmt: skip
        sheet.cell(r + 1, c, head)
    sheet.cell(r + 2, 1, "x")
    sheet.cell(r + 2, 2, f"=data!A{n + 2}")
    sheet.cell(r + 2, 3, f"=data!B{n + 2}")
    for unit in range(2):
        own = r + 3 + unit
        sheet.cell(own, 1, f"h{unit + 1}")
        inputs = f"$B${r + 2}", f"$C${r + 2}"
        back = f"(G{r + 6}*{letter(2 + unit)}{r + 6}+G{r + 7}*{letter(2 + unit)}{r + 7})"
        _unit(sheet, own, last + 3 + unit, n, inputs, f"={back}*F{own}*(1-F{own})")
    for unit in range(2):
        own = r + 6 + unit
        sheet.cell(own, 1, f"o{unit + 1}")
        inputs = f"$F${r + 3}", f"$F${r + 4}"
        target = f"data!{letter(3 + unit)}{n + 2}"
        _unit(sheet, own, last + 6 + unit, n, inputs, f"=(F{own}-{target})*F{own}*(1-F{own})")
        sheet.cell(own, 14, f"=0.5*({target}-F{own})^2")
    sheet.cell(r + 8, 13, "loss")
    sheet.cell(r + 8, 14, f"=SUM(N{r + 6}:N{r + 7})")


def _unit(
    sheet: Worksheet, own: int, before: int, n: int, inputs: tuple[str, str], delta: str
) -> None:
    for c in (2, 3, 4):
        sheet.cell(own, c, 0.1 * c + own % 7 / 10 if n == 0 else f"={letter(c + 9)}{before}")
    sheet.cell(own, 5, f"=B{own}*{inputs[0]}+C{own}*{inputs[1]}+D{own}")
    sheet.cell(own, 6, f"=1/(1+EXP(-E{own}))")
    sheet.cell(own, 7, delta)
    sheet.cell(own, 8, f"=G{own}*{inputs[0]}")
    sheet.cell(own, 9, f"=G{own}*{inputs[1]}")
    sheet.cell(own, 10, f"=G{own}")
    for c in (11, 12, 13):
        sheet.cell(own, c, f"={letter(c - 9)}{own}-$B$1*{letter(c - 3)}{own}")


WALK = 12
"""Rows of a step in :func:`walk`."""


def walk(count: int = 5) -> Workbook:
    """A 2-2-2 network with its cells where a published walk-through has them, steps stacked.

    Units stand four rows apart, each with its weights and bias below one another on its
    left: sums in F and L, activations in G and M. The formulas of the way back are ours.
    """
    book = openpyxl.Workbook()
    sheet = _first(book, "network")
    sheet["C1"], sheet["D1"] = "learning rate", 0.5
    for n in range(count):
        r = 3 + n * WALK
        for c, head in ((1, "input"), (2, "weight"), (6, "net"), (7, "out"), (8, "weight"),
                        (12, "net"), (13, "out"), (14, "target")):  # fmt: skip
            sheet.cell(r - 1, c, head)
        for unit in range(2):
            own = r + 4 * unit
            sheet[f"A{own}"] = (0.05, 0.1)[unit]
            sheet[f"N{own}"] = (0.01, 0.99)[unit]
            for i in range(3):
                for weights, new in (("B", "E"), ("H", "Q")):
                    first = 0.15 + 0.05 * (2 * unit + i) + 0.25 * (weights == "H")
                    value = first if n == 0 else f"={new}{own - WALK + i}"
                    sheet[f"{weights}{own + i}"] = value
            for net, out, given, w in (("F", "G", "A", "B"), ("L", "M", "G", "H")):
                terms = f"{given}{r}*{w}{own}+{given}{r + 4}*{w}{own + 1}+{w}{own + 2}"
                sheet[f"{net}{own}"] = f"={terms}"
                sheet[f"{out}{own}"] = f"=1/(1+EXP(-{net}{own}))"
            sheet[f"O{own}"] = f"=(M{own}-N{own})*M{own}*(1-M{own})"
            sheet[f"P{own}"] = f"=H{r + unit}*O{r}+H{r + 4 + unit}*O{r + 4}"
            sheet[f"D{own}"] = f"=P{own}*G{own}*(1-G{own})"
            for i in range(3):
                for new, w, delta, given in (("E", "B", "D", "A"), ("Q", "H", "O", "G")):
                    factor = f"*{given}{r + 4 * i}" if i < 2 else ""
                    sheet[f"{new}{own + i}"] = f"={w}{own + i}-$D$1*{delta}{own}{factor}"
    return book


def columns() -> Workbook:
    """The perceptron of :func:`rows` lying on its side: one column a sample, names in front."""
    upright = rows()
    source = upright["perceptron"]
    book = openpyxl.Workbook()
    sheet = _first(book, "perceptron")
    for cells in source.iter_rows():
        for cell in cells:
            value = cell.value
            if isinstance(value, str) and value.startswith("="):
                value = _turned(value)
            sheet.cell(cell.column, cell.row, value)
    return book


def _turned(text: str) -> str:
    """A formula whose references have rows and columns exchanged."""

    def turn(match: re.Match[str]) -> str:
        fixed_column, name, fixed_row, row = match.groups()
        column = openpyxl.utils.column_index_from_string(name)
        return f"{fixed_row}{letter(int(row))}{fixed_column}{column}"

    return re.sub(r"(\$?)\b([A-Z]{1,2})(\$?)([0-9]+)\b", turn, text)


LAYOUTS: dict[str, Callable[[], Workbook]] = {
    "rows": rows,
    "epochs": epochs,
    "steps": steps,
    "walk": walk,
    "columns": columns,
}


def saved(book: Workbook, folder: Path) -> Path:
    """The workbook as a file."""
    path = folder / "handmade.xlsx"
    book.save(path)
    return path


def _first(book: Workbook, title: str) -> Worksheet:
    sheet = book.active
    assert isinstance(sheet, Worksheet)
    sheet.title = title
    return sheet
