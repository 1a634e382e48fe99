"""A sheet's cells as inputs: constants from the file, formulas from an engine."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from sheetnet.concepts.arithmetic import Array
from sheetnet.data import Label
from sheetnet.errors import WorkbookError
from sheetnet.reader.cells import BLANK, Grid, Odd, Values, where
from sheetnet.reader.package import Package
from sheetnet.regions import Region

Recalculate = Callable[[str, int, int], Values]
"""(sheet, rows, columns) -> the values that an engine has just calculated."""


@dataclass(frozen=True)
class InputSheet:
    """One sheet; every reader raises WorkbookError that names the cell."""

    package: Package
    grid: Grid
    recalculate: Recalculate

    def at(self, row: int, column: int) -> float | Odd:
        """What stands in a cell now."""
        if self.grid.formula(row, column) is None:
            return self.grid.at(row, column)
        rows, columns = self.grid.numbers.shape
        return self.recalculate(self.grid.title, rows, columns).at(row, column)

    def number(self, row: int, column: int, what: str) -> float:
        """The number of a cell."""
        value = self.at(row, column)
        if isinstance(value, Odd):
            raise WorkbookError(
                f"{self.package.path.name}: {where(self.grid.title, row, column)} ({what}) "
                f"{holds(value)}: a number is needed"
            )
        return value

    def text(self, row: int, column: int, what: str) -> str:
        """The text of a cell."""
        value = self.at(row, column)
        if isinstance(value, Odd) and value.kind == "text" and value.text:
            return value.text
        raise WorkbookError(
            f"{self.package.path.name}: {where(self.grid.title, row, column)} ({what}) "
            f"{holds(value)}: a text is needed"
        )

    def label(self, row: int, column: int, what: str) -> Label:
        """The class in a cell: a number or a text."""
        value = self.at(row, column)
        if isinstance(value, float):
            return value
        return self.text(row, column, what)

    def matrix(self, region: Region, what: Callable[[int, int], str]) -> Array:
        """All numbers of a region (rows, columns); an error names the first other cell."""
        numbers = self.grid.region(region).copy()
        formulas = self.grid.formulas[
            region.row - 1 : region.last_row, region.column - 1 : region.last_column
        ]
        for r, c in np.argwhere(np.isnan(numbers) | (formulas != 0)):
            row, column = region.row + int(r), region.column + int(c)
            numbers[r, c] = self.number(row, column, what(int(r), int(c)))
        return numbers


def holds(value: float | Odd) -> str:
    """What a cell holds, for a message."""
    if value == BLANK:
        return "is empty"
    if isinstance(value, Odd) and value.kind == "text":
        return f"holds the text {value.text[:40]!r}"
    return f"holds {value}"
