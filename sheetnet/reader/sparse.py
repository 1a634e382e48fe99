"""The cells of a sheet of unknown size: what stands in each, in compact columns.

Nothing is allocated for cells that are not there, whatever the sheet says of its size.
"""

from __future__ import annotations

import math
import re
from array import array
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sheetnet.errors import LimitError, WorkbookError
from sheetnet.limits import MAX_COLUMNS, MAX_FORMULA, MAX_ROWS
from sheetnet.reader.cells import SharedFormula
from sheetnet.reader.handlers import CellHandlers
from sheetnet.reader.package import Package, parse_part
from sheetnet.regions import address

MAX_CELLS = 10_000_000
"""Cells of a workbook that are read: 25 bytes each, and three times that when they are sorted."""

BLANK, NUMBER, TEXT, BOOLEAN, ERROR = range(5)
"""What a cell's value is; of a formula, the value that the file holds with it."""

NO_FORMULA = -1

Ints = NDArray[np.int32]

_KINDS = {"n": NUMBER, "s": TEXT, "str": TEXT, "inlineStr": TEXT, "b": BOOLEAN, "e": ERROR}


@dataclass(frozen=True)
class SparseSheet:
    """The cells of a sheet, each an entry of these columns, by row and then by column.

    Attributes
    ----------
    forms: what ``formula`` of :func:`read_sparse` made of its formula, or NO_FORMULA.
    kinds: what its value is; numbers: the value, nan where it is none.
    texts: index of a cell -> its text or error, shortened.
    arrays: rectangles (first row, first column, last row, last column) of array formulas.

    """

    title: str
    rows: Ints
    columns: Ints
    forms: Ints
    kinds: NDArray[np.int8]
    numbers: NDArray[np.float64]
    texts: dict[int, str]
    arrays: tuple[tuple[int, int, int, int], ...]


def read_sparse(
    package: Package, title: str, formula: Callable[[str, int, int], int], limit: int = MAX_CELLS
) -> SparseSheet:
    """Read all cells of a sheet.

    ``formula(text, row, column)`` gives a number for a formula as it reads in a cell; of
    formulas that cells share it is asked once. Raises :class:`WorkbookError` for a broken
    sheet, :class:`LimitError` for more than ``limit`` cells.
    """
    parser = _Parser(package.path.name, package.strings, formula, limit)
    parse_part(package, package.sheets[title], parser.handlers)
    return parser.sheet(title)


class _Parser(CellHandlers):
    """Appends each cell."""

    reference = re.compile(r"\$?([A-Za-z]{1,3})\$?([0-9]{1,7})")

    def __init__(
        self,
        book: str,
        strings: tuple[str, ...],
        formula_of: Callable[[str, int, int], int],
        limit: int,
    ) -> None:
        super().__init__()
        self.book, self.strings, self.formula_of, self.limit = book, strings, formula_of, limit
        self.rows, self.columns, self.forms = array("i"), array("i"), array("i")
        self.kinds, self.numbers = array("b"), array("d")
        self.texts: dict[int, str] = {}
        self.arrays: list[tuple[int, int, int, int]] = []
        self.shared: dict[str, tuple[SharedFormula, int]] = {}

    def cell(self) -> None:
        if self.value or self.formula is not None:
            self._keep()

    def _keep(self) -> None:
        if len(self.rows) >= self.limit:
            raise LimitError(f"{self.book} holds more than {self.limit:,} cells")
        if not 1 <= self.column <= MAX_COLUMNS or not 1 <= self.row <= MAX_ROWS:
            raise ValueError(f"a cell in row {self.row}, column {self.column}")
        form = NO_FORMULA if self.formula is None else self._form("".join(self.formula))
        kind, number = self._read("".join(self.value))
        self.rows.append(self.row)
        self.columns.append(self.column)
        self.forms.append(form)
        self.kinds.append(kind)
        self.numbers.append(number)

    def _read(self, text: str) -> tuple[int, float]:
        kind = _KINDS.get(self.kind, TEXT)
        if kind == NUMBER:
            if not text.strip():
                return BLANK, math.nan
            number = float(text if "_" not in text else "no number")
            return (NUMBER, number) if math.isfinite(number) else (ERROR, math.nan)
        if self.kind == "s":
            index = int(text)
            if not 0 <= index < len(self.strings):
                raise ValueError(f"shared text {index} is not there")
            text = self.strings[index]
        elif kind == BOOLEAN:
            text = "TRUE" if text.strip() == "1" else "FALSE"
        self.texts[len(self.rows)] = text[:60]
        return kind, math.nan

    def _form(self, text: str) -> int:
        kind = self.formula_attributes.get("t", "normal")
        if len(text) > MAX_FORMULA:
            where = address(self.row, self.column)
            raise ValueError(f"the formula in {where} has more than {MAX_FORMULA} characters")
        if kind == "shared":
            index = self.formula_attributes.get("si", "")
            if text or index not in self.shared:
                shared = SharedFormula(text, self.row, self.column, *self._reference())
                self.shared[index] = shared, self.formula_of(text, self.row, self.column)
            shared, form = self.shared[index]
            # Outside of its range a shared formula is none: nothing is calculated there.
            covered = shared.covers(self.row, self.column)
            return form if covered else self.formula_of("#REF!", self.row, self.column)
        if kind != "normal":
            rows, columns = self._reference()
            self.arrays.append((rows[0], columns[0], rows[1], columns[1]))
            text = f"{{{text}}}"
        return self.formula_of(text, self.row, self.column)

    def _reference(self) -> tuple[tuple[int, int], tuple[int, int]]:
        """The rows and the columns that a shared or an array formula is for."""
        return self.span(self.formula_attributes.get("ref", address(self.row, self.column)))

    def sheet(self, title: str) -> SparseSheet:
        rows, columns = np.array(self.rows, np.int32), np.array(self.columns, np.int32)
        order = np.lexsort((columns, rows))
        rows, columns = rows[order], columns[order]
        twice = np.flatnonzero((np.diff(rows) == 0) & (np.diff(columns) == 0))
        if len(twice):
            cell = address(int(rows[twice[0]]), int(columns[twice[0]]))
            raise WorkbookError(f"{self.book} is damaged: cell {cell} is there twice")
        texts = self.texts
        if len(order) and not np.all(order[1:] > order[:-1]):
            places = np.empty(len(order), np.int64)
            places[order] = np.arange(len(order))
            texts = {int(places[i]): text for i, text in texts.items()}
        return SparseSheet(
            title,
            rows,
            columns,
            np.array(self.forms, np.int32)[order],
            np.array(self.kinds, np.int8)[order],
            np.array(self.numbers, np.float64)[order],
            texts,
            tuple(self.arrays),
        )
