"""Sheets, rows, columns and rectangles of cells, counted from 1 as spreadsheets do."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

GUIDE, CONFIG, DATA, INIT, TRAIN = "Guide", "Config", "Data", "Init", "Train"
VALIDATION, EPOCHS = "Validation", "Epochs"
STEP, PREDICT, COMPARE = "Step", "Predict", "Compare"

SHEETS = (GUIDE, CONFIG, DATA, INIT, TRAIN, VALIDATION, EPOCHS, STEP, PREDICT, COMPARE)
"""All sheets, in the order of the workbook."""

EXERCISE, CHECKS = "Exercise", "Checks"
"""Sheets of an exercise: what to do, and (hidden from the eye) what its checks know."""


@cache
def letter(column: int) -> str:
    """The letters of a column: 1 -> A, 27 -> AA."""
    text = ""
    while column:
        column, rest = divmod(column - 1, 26)
        text = chr(65 + rest) + text
    return text


def column_number(letters: str) -> int:
    """The column of letters, in capitals or not: A -> 1; raises ValueError for others."""
    column = 0
    for character in letters.upper():
        if not "A" <= character <= "Z":
            raise ValueError(f"column {letters!r}")
        column = column * 26 + ord(character) - 64
    return column


def quoted(title: str) -> str:
    """A sheet as formulas name it."""
    return f"'{title}'" if " " in title else title


def address(row: int, column: int) -> str:
    """``C5`` for row 5, column 3."""
    return f"{letter(column)}{row}"


@dataclass(frozen=True)
class Region:
    """A rectangle of cells on one sheet."""

    sheet: str
    row: int
    column: int
    rows: int
    columns: int

    @property
    def last_row(self) -> int:
        """The bottom row."""
        return self.row + self.rows - 1

    @property
    def last_column(self) -> int:
        """The rightmost column."""
        return self.column + self.columns - 1

    def overlaps(self, other: Region) -> bool:
        """Whether both share a cell."""
        return (
            self.sheet == other.sheet
            and self.row <= other.last_row
            and other.row <= self.last_row
            and self.column <= other.last_column
            and other.column <= self.last_column
        )
