"""Sums that stop before the cells next to them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from sheetnet.linting.cells import CONSTANT_NUMBER, SheetCells, Workbook
from sheetnet.linting.forms import CELL
from sheetnet.linting.grouping import Mark

FEW = 20
"""Cells between a range and its sum that are still taken for forgotten."""

_SUM = re.compile(rf"(SUM|AVERAGE|MIN|MAX|SUBTOTAL|COUNT)\((?:[0-9.]+,)?{CELL}:{CELL}\)")


def short_sums(book: Workbook, cells: SheetCells) -> Iterator[tuple[tuple[int, int], Mark]]:
    """Formulas that sum up a part of their own column or row, and leave out its last cells.

    Cells are forgotten where only numbers and formulas stand between the range and the sum.
    """
    forms = book.forms
    sums: dict[int, bool] = {}
    sheet = cells.sheet
    for index in (cells.tokens >= 0).nonzero()[0].tolist():
        number = int(cells.tokens[index])
        if number not in sums:
            sums[number] = _SUM.fullmatch(forms.form(number).skeleton) is not None
        if not sums[number]:
            continue
        row, column = int(sheet.rows[index]), int(sheet.columns[index])
        form = forms.form(number)
        (top, left), (bottom, right) = form.targets(row, column)
        if left == right == column and top < bottom < row:
            between = [(r, column) for r in range(bottom + 1, min(row, bottom + FEW + 2))]
            end = (row - 1, right)
        elif top == bottom == row and left < right < column:
            between = [(row, c) for c in range(right + 1, min(column, right + FEW + 2))]
            end = (bottom, column - 1)
        else:
            continue
        tokens = [cells.token(*place) for place in between]
        if 0 < len(tokens) <= FEW and all(t == CONSTANT_NUMBER or t >= 0 for t in tokens):
            yield (row, column), Mark("skips", form=number, targets=((top, left), end))
