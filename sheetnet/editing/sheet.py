"""The input sheets of an edited workbook: cells with what a person may have typed into them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from sheetnet.errors import WorkbookError
from sheetnet.reader.cells import where
from sheetnet.reader.grid import read_grid
from sheetnet.reader.inputs import InputSheet, Recalculate
from sheetnet.reader.package import Package
from sheetnet.reader.scan import date_styles, scan
from sheetnet.regions import Region

MAX_NOTED = 5
"""Formulas in input cells that notes name one by one."""


@dataclass(frozen=True)
class Source:
    """The workbook, what calculates its formulas, and which of its styles are dates."""

    package: Package
    recalculate: Recalculate
    dates: frozenset[int]

    @classmethod
    def of(cls, package: Package, recalculate: Recalculate) -> Source:
        """Look its styles up."""
        return cls(package, recalculate, date_styles(package))

    def look(self, title: str, see: Callable[[int, int, float | str], None]) -> Look:
        """Show each cell of a sheet to ``see``, which need not keep it."""
        look = Look()

        def met(row: int, column: int, content: float | str, style: int) -> bool:
            if style in self.dates and isinstance(content, float):
                look.dates[row, column] = content
            see(row, column, content)
            return True

        scan(self.package, title, met)
        return look

    def sheet(self, title: str, rows: int, columns: int) -> InputSheet:
        """Its top left cells."""
        grid = read_grid(self.package, title, rows, columns)
        return InputSheet(self.package, grid, self.recalculate)


@dataclass(frozen=True)
class Look:
    """Numbers of a sheet that are shown as dates, by row and column."""

    dates: dict[tuple[int, int], float] = field(default_factory=dict)

    def refuse_dates(self, sheet: InputSheet, region: Region) -> None:
        """Raise :class:`WorkbookError` for a date where a number is needed.

        What is typed as ``3/4`` becomes one, and a number nobody meant.
        """
        for (row, column), number in sorted(self.dates.items()):
            inside = region.row <= row <= region.last_row
            if inside and region.column <= column <= region.last_column:
                raise WorkbookError(
                    f"{sheet.package.path.name}: {where(region.sheet, row, column)} holds a date "
                    f"or a time (day {number:g}): a number is needed, in a cell of another format"
                )


def formula_notes(sheet: InputSheet, region: Region) -> list[str]:
    """What is said of input cells that hold formulas."""
    title = region.sheet
    rows, columns = (
        slice(region.row - 1, region.last_row),
        slice(region.column - 1, region.last_column),
    )
    there = np.argwhere(sheet.grid.formulas[rows, columns] != None)  # noqa: E711 - elementwise
    found = [(region.row + r, region.column + c) for r, c in there.tolist()]
    notes = [
        f"{where(title, row, column)} holds a formula: its value {_said(sheet, row, column)} counts"
        for row, column in found[:MAX_NOTED]
    ]
    if len(found) > MAX_NOTED:
        notes.append(f"so do {len(found) - MAX_NOTED} more cells of {title}")
    return notes


def _said(sheet: InputSheet, row: int, column: int) -> str:
    value = sheet.at(row, column)
    return repr(value) if isinstance(value, float) else str(value)
