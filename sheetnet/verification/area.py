"""Computed cells of a workbook with what Python has for each: rectangles, and single cells."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from sheetnet.concepts.arithmetic import Array
from sheetnet.formula import Formula
from sheetnet.limits import unescaped
from sheetnet.reader.cells import BLANK, Grid, Odd, Values
from sheetnet.regions import Region

Mask = NDArray[np.bool_]

EXPLODED = 1e6
"""Beside numbers beyond it, faults in what comes before them would not be seen."""


@dataclass(frozen=True)
class Area:
    """A rectangle of computed cells.

    Attributes
    ----------
    names: the quantity of each column; formulas: its formula, None for constants.
    file: what the workbook holds; values: what the engine calculated.
    local: what NumPy makes of the sheet's own inputs; python: the training in Python;
        both (rows, columns), nan where a sheet would show an error.
    visits: whether its rows are visits, the first of them ``first_visit``.
    size: magnitudes (columns,) that differences are measured by at least.

    """

    region: Region
    names: tuple[str, ...]
    formulas: tuple[Formula | None, ...]
    file: Grid
    values: Values
    local: Array
    python: Array
    visits: bool = False
    size: Array | None = None
    first_visit: int = 1

    @property
    def cells(self) -> int:
        """How many cells."""
        return self.region.rows * self.region.columns

    @property
    def computed(self) -> Mask:
        """Which of its columns are formulas: (columns,)."""
        return np.array([formula is not None for formula in self.formulas])

    def numbers(self, values: Values) -> Array:
        """What a sheet has there, nan where it is no number: (rows, columns).

        A constant that is not in the file is none, though engines give 0 for a blank cell.
        """
        found, region = values.region(self.region), self.region
        missing = np.isnan(self.file.region(region)) & ~self.computed
        for r, c in np.argwhere(missing):
            if self.file.at(region.row + int(r), region.column + int(c)) == BLANK:
                found = found.copy() if found.base is not None else found
                found[r, c] = np.nan
        return found

    def odd(self, values: Values, *, errors: bool) -> Mask:
        """Where a sheet has error values, or texts and booleans: (rows, columns)."""
        return values.odd_in(self.region, errors=errors)

    def told(self, values: Values, *, saved: bool = False) -> Mask:
        """Where a text is the one that is wanted: (rows, columns); none is."""
        return np.zeros((self.region.rows, self.region.columns), dtype=bool)

    def same_texts(self) -> Mask:
        """Where the file holds the text just calculated; none is: only constants are texts."""
        return np.zeros((self.region.rows, self.region.columns), dtype=bool)

    @property
    def text_wanted(self) -> Mask:
        """Which of its columns are to hold texts: (columns,); none is."""
        return np.zeros(self.region.columns, dtype=bool)

    def sizes(self, python: Array) -> Array:
        """The magnitude that differences are measured by: of the column's largest number.

        Where numbers explode, it is that of the largest up to the row: (rows, columns).
        """
        numbers = np.abs(np.where(np.isfinite(python), python, 0.0))
        own: Array = np.max(numbers, axis=0, initial=0.0)
        if (own > EXPLODED).any():
            own = np.maximum(np.maximum.accumulate(numbers, axis=0), np.minimum(own, EXPLODED))
        return own if self.size is None else np.maximum(self.size, own)

    def place(self, r: int, c: int) -> tuple[int, int]:
        """Row and column of a cell, from its place in the arrays."""
        return self.region.row + r, self.region.column + c

    def wanted(self, r: int, c: int) -> str | None:
        """The formula that a cell is to hold, without ``=``; None for constants."""
        formula = self.formulas[c]
        return None if formula is None else formula.at(self.region.row + r, self.region.row)

    def visit(self, r: int) -> int | None:
        """The visit of a row."""
        return self.first_visit + r if self.visits else None


@dataclass(frozen=True)
class Single:
    """Cells that stand by themselves, each with a formula of its own.

    Arrays are (1, cells), nan where a sheet would show an error or a text; ``texts`` holds
    the wanted texts by the cell's number (local and python have the same), ``unread`` those
    that stand there until something has recalculated the file, ``size`` (cells,) the
    magnitudes that differences are measured by.
    """

    sheet: str
    places: tuple[tuple[int, int], ...]
    names: tuple[str, ...]
    expected: tuple[str, ...]
    file: Grid
    values: Values
    local: Array
    python: Array
    size: Array
    texts: Mapping[int, str] = field(default_factory=dict)
    unread: Mapping[int, str] = field(default_factory=dict)

    @property
    def cells(self) -> int:
        """How many cells."""
        return len(self.places)

    @property
    def computed(self) -> Mask:
        """All of them are formulas."""
        return np.ones(self.cells, dtype=bool)

    def numbers(self, values: Values) -> Array:
        """What a sheet has there, nan where it is no number: (1, cells)."""
        rows, columns = np.array(self.places).T
        return np.asarray(values.numbers[rows - 1, columns - 1])[None, :]

    def odd(self, values: Values, *, errors: bool) -> Mask:
        """Where a sheet has error values, or texts and booleans: (1, cells)."""
        found = [values.at(*place) for place in self.places]
        return np.array(
            [
                [
                    isinstance(cell, Odd) and cell != BLANK and (cell.kind == "error") == errors
                    for cell in found
                ]
            ]
        )

    def told(self, values: Values, *, saved: bool = False) -> Mask:
        """Where a text is the one that is wanted, or was saved unread: (1, cells)."""
        mask = np.zeros((1, self.cells), dtype=bool)
        for n, wanted in self.texts.items():
            found = values.at(*self.places[n])
            text = "" if found == BLANK else found.text if isinstance(found, Odd) else None
            allowed = [wanted, *([self.unread[n]] if saved and n in self.unread else [])]
            mask[0, n] = text is not None and _spelt(text) in map(_spelt, allowed)
        return mask

    def same_texts(self) -> Mask:
        """Where the file holds the text just calculated, whatever is wanted: (1, cells)."""
        pairs = ((self.file.at(*place), self.values.at(*place)) for place in self.places)
        return np.array([[isinstance(a, Odd) and a.kind == "text" and a == b for a, b in pairs]])

    @property
    def text_wanted(self) -> Mask:
        """Which of them are to hold texts: (cells,)."""
        return np.array([n in self.texts for n in range(self.cells)])

    def sizes(self, python: Array) -> Array:
        """The magnitude that differences are measured by: (cells,)."""
        own = np.abs(np.where(np.isfinite(python), python, 0.0))[0]
        larger: Array = np.maximum(self.size, own)
        return larger

    def place(self, r: int, c: int) -> tuple[int, int]:
        """Row and column of a cell, from its place in the arrays."""
        return self.places[c]

    def wanted(self, r: int, c: int) -> str | None:
        """The formula that a cell is to hold, without ``=``."""
        return self.expected[c]

    def visit(self, r: int) -> int | None:
        """They belong to no visit."""
        return None


def _spelt(text: str) -> str:
    """The text with all escapes resolved: of ``_x0041_`` some applications make A, others not."""
    while (found := unescaped(text)) != text:
        text = found
    return text


def sheet_of(area: Area | Single) -> str:
    """The title of its sheet."""
    return area.sheet if isinstance(area, Single) else area.region.sheet


def plain(value: float | Odd) -> float | str | None:
    """A value for a report: a number, or what stands there instead; None where nothing does."""
    if isinstance(value, float):
        return value
    return None if value == BLANK else str(value)
