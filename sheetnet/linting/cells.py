"""Sheets as lines of tokens, down their columns and along their rows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from sheetnet.limits import MAX_COLUMNS, MAX_ROWS
from sheetnet.linting.forms import Forms
from sheetnet.reader.sparse import BLANK, ERROR, NUMBER, TEXT, Ints, SparseSheet

CONSTANT_NUMBER, CONSTANT_TEXT, OTHER, NOTHING = -2, -3, -4, -5
"""Tokens of cells without a formula; that of a formula is the number of its form."""

SEPARATORS = NOTHING, CONSTANT_TEXT
"""What stands between blocks."""

OUTSIDE = -1
"""The kind of a cell that no sheet has."""


@dataclass(frozen=True)
class Axis:
    """A direction. Lines run along it: columns, where ``down``, or rows."""

    name: str
    down: bool

    def place(self, line: int, position: int) -> tuple[int, int]:
        """Line and position of a cell as row and column."""
        return (position, line) if self.down else (line, position)

    def turn(self, row: int, column: int) -> tuple[int, int]:
        """Row and column of a cell as line and position."""
        return (column, row) if self.down else (row, column)


DOWN, ACROSS = Axis("column", True), Axis("row", False)


@dataclass(frozen=True)
class Lines:
    """The cells of a sheet by line, and by position in it: ``starts`` are the lines' first."""

    axis: Axis
    lines: Ints
    positions: Ints
    tokens: Ints

    @cached_property
    def starts(self) -> NDArray[np.intp]:
        """Where each line begins, and where the last one ends."""
        changes = np.flatnonzero(np.diff(self.lines)) + 1
        return (
            np.concatenate(([0], changes, [len(self.lines)]))
            if len(self.lines)
            else np.zeros(1, np.intp)
        )

    def each(self) -> Iterator[tuple[int, Ints, Ints]]:
        """Every line: its number, positions and tokens."""
        for first, end in zip(self.starts[:-1].tolist(), self.starts[1:].tolist(), strict=True):
            yield int(self.lines[first]), self.positions[first:end], self.tokens[first:end]

    def window(self, line: int, low: int, high: int) -> dict[int, int]:
        """Position -> token of the cells of a line from ``low`` to ``high``."""
        names = self.lines[self.starts[:-1]]
        at = int(np.searchsorted(names, line))
        if at == len(names) or names[at] != line:
            return {}
        first, end = int(self.starts[at]), int(self.starts[at + 1])
        positions = self.positions[first:end]
        i, j = np.searchsorted(positions, [low, high + 1]).tolist()
        found = positions[i:j].tolist()
        return dict(zip(found, self.tokens[first + i : first + j].tolist(), strict=True))

    @cached_property
    def lengths(self) -> Ints:
        """Of each cell, the length of the run of equal tokens that it stands in."""
        if not len(self.lines):
            return np.zeros(0, np.int32)
        breaks = (
            (np.diff(self.lines) != 0)
            | (np.diff(self.positions) != 1)
            | (np.diff(self.tokens) != 0)
        )
        edges = np.concatenate(([0], np.flatnonzero(breaks) + 1, [len(self.lines)]))
        return np.repeat(np.diff(edges), np.diff(edges)).astype(np.int32)


@dataclass(frozen=True)
class SheetCells:
    """A sheet with its tokens: ``down`` and ``across`` are its lines."""

    sheet: SparseSheet
    tokens: Ints

    @cached_property
    def keys(self) -> NDArray[np.int64]:
        """The cells as sorted numbers, row by row."""
        return self.sheet.rows.astype(np.int64) * (MAX_COLUMNS + 1) + self.sheet.columns

    @cached_property
    def by_column(self) -> NDArray[np.int64]:
        """The cells as sorted numbers, column by column."""
        keys = self.sheet.columns.astype(np.int64) * (MAX_ROWS + 1) + self.sheet.rows
        return np.sort(keys[self.filled])

    @cached_property
    def by_row(self) -> NDArray[np.int64]:
        """The cells that hold something as sorted numbers, row by row."""
        return self.keys[self.filled]

    @cached_property
    def filled(self) -> NDArray[np.bool_]:
        """Which cells hold something."""
        filled: NDArray[np.bool_] = self.tokens != NOTHING
        return filled

    @cached_property
    def across(self) -> Lines:
        """The rows."""
        return Lines(ACROSS, self.sheet.rows, self.sheet.columns, self.tokens)

    @cached_property
    def order_down(self) -> NDArray[np.intp]:
        """The order of the cells by column and then by row."""
        return np.lexsort((self.sheet.rows, self.sheet.columns))

    @cached_property
    def down(self) -> Lines:
        """The columns."""
        order = self.order_down
        return Lines(DOWN, self.sheet.columns[order], self.sheet.rows[order], self.tokens[order])

    def index(self, row: int, column: int) -> int | None:
        """Where a cell stands among the sheet's, None where it is not there."""
        key = row * (MAX_COLUMNS + 1) + column
        at = int(np.searchsorted(self.keys, key))
        return at if at < len(self.keys) and self.keys[at] == key else None

    def token(self, row: int, column: int) -> int:
        """The token of a cell."""
        at = self.index(row, column)
        return NOTHING if at is None else int(self.tokens[at])

    def kind(self, row: int, column: int) -> int:
        """What a cell would give to a formula; a formula without a saved value a number."""
        if not (1 <= row <= MAX_ROWS and 1 <= column <= MAX_COLUMNS):
            return OUTSIDE
        at = self.index(row, column)
        if at is None or self.tokens[at] == NOTHING:
            return BLANK
        kind = int(self.sheet.kinds[at])
        return NUMBER if kind == BLANK else kind

    def holds(self, row: int, column: int, forms: Forms) -> str:
        """What stands in a cell, in a few words."""
        at = self.index(row, column)
        if at is None or self.tokens[at] == NOTHING:
            return "nothing"
        if self.sheet.forms[at] >= 0:
            return forms.text_at(int(self.sheet.forms[at]), row, column)
        if self.sheet.kinds[at] == NUMBER:
            return f"{float(self.sheet.numbers[at]):.12g}"
        text = self.sheet.texts.get(at, "")
        return repr(text) if self.sheet.kinds[at] == TEXT else text


def sheet_cells(sheet: SparseSheet) -> SheetCells:
    """Give each cell its token."""
    kinds = sheet.kinds
    constants = np.select(
        [kinds == NUMBER, kinds == TEXT, kinds == BLANK],
        [CONSTANT_NUMBER, CONSTANT_TEXT, NOTHING],
        OTHER,
    )
    tokens = np.where(sheet.forms >= 0, sheet.forms, constants).astype(np.int32)
    for top, left, bottom, right in sheet.arrays:
        # What an array formula fills is neither a constant nor a formula of its own.
        first, end = np.searchsorted(sheet.rows, [top, bottom + 1])
        columns = sheet.columns[first:end]
        tokens[first:end][(columns >= left) & (columns <= right)] = OTHER
    return SheetCells(sheet, tokens)


@dataclass(frozen=True)
class Workbook:
    """All sheets, by title, and the forms of their formulas."""

    sheets: Mapping[str, SheetCells]
    forms: Forms

    @cached_property
    def folded(self) -> Mapping[str, SheetCells]:
        """The sheets by title in small letters."""
        return {title.casefold(): cells for title, cells in self.sheets.items()}

    def find(self, own: SheetCells, title: str | None) -> SheetCells | None:
        """The sheet that a reference means: None where it is not in this workbook."""
        return own if title is None else self.folded.get(title.casefold())

    def reads(self, own: SheetCells, form: int, targets: Sequence[tuple[int, int]]) -> list[int]:
        """The kinds of the cells that a form would read; ERROR where nobody knows."""
        found = []
        for use, (row, column) in zip(self.forms.uses(form), targets, strict=True):
            sheet = self.find(own, use.sheet)
            found.append(ERROR if sheet is None or use.whole else sheet.kind(row, column))
        return found
