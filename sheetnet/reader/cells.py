"""What the cells of a sheet hold: numbers as an array, all else and formulas beside."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sheetnet.concepts.arithmetic import Array
from sheetnet.regions import Region, address


@dataclass(frozen=True)
class Odd:
    """What stands in a cell that holds no number: error, text, boolean or blank."""

    kind: str
    text: str = ""

    def __str__(self) -> str:
        return (
            self.text if self.kind in ("error", "boolean") else f"{self.kind} {self.text}".strip()
        )


BLANK = Odd("blank")


@dataclass(frozen=True)
class Values:
    """The top left rows × columns of a sheet: ``numbers`` is nan where there is none.

    ``odd`` maps (row, column) from 1 to what stands there instead; a cell that is in
    neither is blank.
    """

    title: str
    numbers: Array
    odd: Mapping[tuple[int, int], Odd]

    def at(self, row: int, column: int) -> float | Odd:
        """The cell's number, or what stands there instead."""
        number = float(self.numbers[row - 1, column - 1])
        if not math.isnan(number):
            return number
        return self.odd.get((row, column), BLANK)

    def odd_in(self, region: Region, *, errors: bool) -> NDArray[np.bool_]:
        """Where a region holds error values, or (``errors`` false) texts and booleans."""
        mask = np.zeros((region.rows, region.columns), dtype=bool)
        for (row, column), odd in self.odd.items():
            r, c = row - region.row, column - region.column
            if 0 <= r < region.rows and 0 <= c < region.columns:
                mask[r, c] = (odd.kind == "error") == errors
        return mask

    def region(self, region: Region) -> Array:
        """The numbers of a region, nan where there is none: (rows, columns)."""
        return self.numbers[
            region.row - 1 : region.last_row, region.column - 1 : region.last_column
        ]


@dataclass(frozen=True)
class SharedFormula:
    """A formula that several cells share: its text as it reads in its first cell.

    ``rows`` and ``columns`` are the first and the last that it is for.
    """

    text: str
    row: int
    column: int
    rows: tuple[int, int]
    columns: tuple[int, int]

    def covers(self, row: int, column: int) -> bool:
        """Whether a cell lies in the range; applications fill no other."""
        return self.rows[0] <= row <= self.rows[1] and self.columns[0] <= column <= self.columns[1]


Formulas = NDArray[np.int32]

Held = str | SharedFormula | None
"""A formula: a text without ``=``, or one that cells share; None: there is none."""


@dataclass(frozen=True)
class Grid(Values):
    """Values as the file holds them, and its formulas.

    ``formulas`` (rows, columns) tells which of ``held`` stands in each cell; 0 is None.
    ``beyond`` is the first cell with content below the grid, in its columns.
    """

    formulas: Formulas
    held: Sequence[Held]
    beyond: tuple[int, int] | None = None

    def formula(self, row: int, column: int) -> Held:
        """The formula of a cell."""
        return self.held[int(self.formulas[row - 1, column - 1])]


def where(title: str, row: int, column: int) -> str:
    """``Config!B6``."""
    return f"{title}!{address(row, column)}"
