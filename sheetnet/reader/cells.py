"""The cells of a sheet, parsed once from its XML: numbers as an array, formulas beside."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sheetnet.concepts.arithmetic import Array
from sheetnet.errors import WorkbookError
from sheetnet.limits import MAX_COLUMNS, MAX_ROWS
from sheetnet.reader.package import Package, parse_part
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


Formulas = NDArray[np.object_]


@dataclass(frozen=True)
class Grid(Values):
    """Values as the file holds them, and its formulas.

    ``formulas`` (rows, columns) holds None, a text without ``=``, or a SharedFormula.
    ``beyond`` is the first cell with content below the grid, in its columns.
    """

    formulas: Formulas
    beyond: tuple[int, int] | None = None

    def formula(self, row: int, column: int) -> str | SharedFormula | None:
        """The formula of a cell."""
        found: str | SharedFormula | None = self.formulas[row - 1, column - 1]
        return found


def read_grid(package: Package, title: str, rows: int, columns: int) -> Grid:
    """Parse the top left ``rows`` × ``columns`` cells of a sheet."""
    if title not in package.sheets:
        raise WorkbookError(f"{package.path.name} has no sheet {title!r}")
    parser = _Parser(package.strings, rows, columns)
    handlers = {
        "StartElementHandler": parser.start,
        "EndElementHandler": parser.end,
        "CharacterDataHandler": parser.text,
    }
    parse_part(package, package.sheets[title], handlers)
    return Grid(title, parser.numbers, parser.odd, parser.formulas, parser.beyond)


@dataclass
class _Parser:
    """Expat handlers that fill the arrays; the state of the cell being read."""

    strings: tuple[str, ...]
    rows: int
    columns: int
    numbers: Array = field(init=False)
    formulas: Formulas = field(init=False)
    odd: dict[tuple[int, int], Odd] = field(default_factory=dict)
    beyond: tuple[int, int] | None = None

    def __post_init__(self) -> None:
        self.numbers = np.full((self.rows, self.columns), np.nan)
        self.formulas = np.full((self.rows, self.columns), None, dtype=object)
        self.shared: dict[str, SharedFormula] = {}
        self.seen = np.zeros((self.rows, self.columns), dtype=bool)
        self.letters: dict[str, int] = {}
        self.tags: dict[str, str] = {}
        self.row = self.column = 0
        self.kind = ""
        self.value: list[str] = []
        self.formula: list[str] | None = None
        self.formula_attributes: dict[str, str] = {}
        self.into: list[str] | None = None

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        name = self.tags.get(tag) or self.tags.setdefault(tag, tag.rpartition("|")[2])
        if name == "c":
            reference = attributes.get("r")
            if reference is None:
                self.column += 1
            else:
                self._place(reference)
            self.kind = attributes.get("t", "n")
            self.value, self.formula, self.into = [], None, None
        elif name in ("v", "t"):
            self.into = self.value
        elif name == "f":
            self.formula = self.into = []
            self.formula_attributes = attributes
        elif name == "row":
            self.row = int(attributes.get("r", self.row + 1))
            self.column = 0
            if not 1 <= self.row <= MAX_ROWS:
                raise ValueError(f"row {attributes.get('r')!r}")

    def text(self, data: str) -> None:
        if self.into is not None:
            self.into.append(data)

    def end(self, tag: str) -> None:
        name = self.tags[tag]
        if name == "c":
            if self.row <= self.rows and self.column <= self.columns:
                self._keep()
            elif self._is_beyond():
                self.beyond = (self.row, self.column)
        elif name in ("v", "t", "f"):
            self.into = None

    def _is_beyond(self) -> bool:
        below = self.row > self.rows and self.column <= self.columns
        return self.beyond is None and below and bool(self.value or self.formula is not None)

    def _place(self, reference: str) -> None:
        letters = reference.rstrip("0123456789")
        column = self.letters.get(letters)
        if column is None:
            column = 0
            for character in letters.upper():
                if not "A" <= character <= "Z":
                    raise ValueError(f"cell reference {reference!r}")
                column = column * 26 + ord(character) - 64
            if not 1 <= column <= MAX_COLUMNS:
                raise ValueError(f"cell reference {reference!r}")
            self.letters[letters] = column
        self.column = column
        self.row = self._row_number(reference[len(letters) :], reference)

    @staticmethod
    def _row_number(digits: str, reference: str) -> int:
        if not (digits.isascii() and digits.isdigit() and 1 <= int(digits) <= MAX_ROWS):
            raise ValueError(f"cell reference {reference!r}")
        return int(digits)

    def _keep(self) -> None:
        row, column = self.row, self.column
        if self.seen[row - 1, column - 1]:
            raise ValueError(f"cell {address(row, column)} is there twice")
        self.seen[row - 1, column - 1] = True
        if self.formula is not None:
            self.formulas[row - 1, column - 1] = self._formula("".join(self.formula))
        if not self.value:
            if self.kind in ("inlineStr", "str"):
                self.odd[(row, column)] = Odd("text")
            return
        text = "".join(self.value)
        kind = self.kind
        if kind == "n":
            number = float(text if "_" not in text else "no number")
            if math.isfinite(number):
                self.numbers[row - 1, column - 1] = number
            else:
                self.odd[(row, column)] = Odd("error", text)
        elif kind == "s":
            index = int(text)
            if not 0 <= index < len(self.strings):
                raise ValueError(f"shared text {index} is not there")
            self.odd[(row, column)] = Odd("text", self.strings[index])
        elif kind == "b":
            self.odd[(row, column)] = Odd("boolean", "TRUE" if text.strip() == "1" else "FALSE")
        elif kind == "e":
            self.odd[(row, column)] = Odd("error", text)
        else:
            self.odd[(row, column)] = Odd("text", text)

    def _formula(self, text: str) -> Any:
        attributes = self.formula_attributes
        kind = attributes.get("t", "normal")
        if kind == "normal":
            return text
        if kind == "shared":
            index = attributes.get("si", "")
            if text or index not in self.shared:
                self.shared[index] = self._new_shared(text)
            shared = self.shared[index]
            # Outside of its range a shared formula is none: nothing is calculated there.
            return shared if shared.covers(self.row, self.column) else "#REF!"
        # An array formula or a data table is never what sheetnet writes.
        return f"{{{text}}}"

    def _new_shared(self, text: str) -> SharedFormula:
        row, column = self.row, self.column
        corners = self.formula_attributes.get("ref", address(row, column)).split(":")
        rows, columns = [], []
        for corner in (corners[0], corners[-1]):
            self._place(corner)
            rows.append(self.row)
            columns.append(self.column)
        self.row, self.column = row, column
        return SharedFormula(text, row, column, (rows[0], rows[1]), (columns[0], columns[1]))


def where(title: str, row: int, column: int) -> str:
    """``Config!B6``."""
    return f"{title}!{address(row, column)}"
