"""Expat handlers that follow a sheet from cell to cell."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, ClassVar

from sheetnet.limits import MAX_COLUMNS, MAX_FORMULA, MAX_ROWS, MAX_TEXT
from sheetnet.regions import address, column_number


class CellHandlers:
    """The cell being read; :meth:`cell` is called at the end of each.

    ``kind`` is its type, ``value`` the pieces of its value or text, ``formula`` those of
    its formula (None: it has none), whose element has ``formula_attributes``.
    """

    reference: ClassVar[re.Pattern[str]] = re.compile(r"([A-Za-z]+)([0-9]+)")
    """Letters and digits of a cell's place."""

    def __init__(self) -> None:
        self.tags: dict[str, str] = {}
        self.letters: dict[str, int] = {}
        self.row = self.column = 0
        self.kind = "n"
        self.value: list[str] = []
        self.formula: list[str] | None = None
        self.formula_attributes: dict[str, str] = {}
        self.into: list[str] | None = None

    @property
    def handlers(self) -> Mapping[str, Any]:
        """As the parser wants them."""
        return {
            "StartElementHandler": self.start,
            "EndElementHandler": self.end,
            "CharacterDataHandler": self.text,
        }

    def cell(self) -> None:
        """Take the cell that has been read."""
        raise NotImplementedError

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        """Begin an element."""
        name = self.tags.get(tag) or self.tags.setdefault(tag, tag.rpartition("|")[2])
        if name == "c":
            reference = attributes.get("r")
            if reference is None:
                self.column += 1
            else:
                self.row, self.column = self.place(reference)
            self.kind = attributes.get("t", "n")
            self.value, self.formula, self.into = [], None, None
        elif name in ("v", "t"):
            self.into = self.value
        elif name == "f":
            self.formula = self.into = []
            self.formula_attributes = attributes
        elif name == "row":
            self.row, self.column = int(attributes.get("r", self.row + 1)), 0
            if not 1 <= self.row <= MAX_ROWS:
                raise ValueError(f"row {attributes.get('r')!r}")

    def text(self, data: str) -> None:
        """Take a piece of text."""
        if self.into is not None:
            self.into.append(data)

    def end(self, tag: str) -> None:
        """End an element."""
        name = self.tags[tag]
        if name == "c":
            self.cell()
        elif name in ("v", "t", "f"):
            if self.into and self._too_long():
                what, most = ("formula", MAX_FORMULA) if name == "f" else ("text", MAX_TEXT)
                cell = address(self.row, self.column)
                raise ValueError(f"the {what} of cell {cell} has more than {most} characters")
            self.into = None

    def _too_long(self) -> bool:
        """Whether the formula, or the value, is longer than the format allows."""
        assert self.into is not None
        most = MAX_FORMULA if self.into is self.formula else MAX_TEXT
        return sum(map(len, self.into)) > most

    def place(self, reference: str) -> tuple[int, int]:
        """Row and column of a reference; raises ValueError where a sheet has no such cell."""
        found = self.reference.fullmatch(reference)
        row = int(found[2]) if found else 0
        if found is None or not 1 <= row <= MAX_ROWS:
            raise ValueError(f"cell reference {reference!r}")
        column = self.letters.get(found[1])
        if column is None:
            column = column_number(found[1])
            if column > MAX_COLUMNS:
                raise ValueError(f"cell reference {reference!r}")
            self.letters[found[1]] = column
        return row, column

    def span(self, reference: str) -> tuple[tuple[int, int], tuple[int, int]]:
        """The first and the last row, and the first and the last column, of a range."""
        corners = reference.split(":")
        (top, left), (bottom, right) = self.place(corners[0]), self.place(corners[-1])
        return (top, bottom), (left, right)
