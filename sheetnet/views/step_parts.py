"""What ``Step`` is drawn with: the cells of a quantity, groups of columns, a layer's block."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from sheetnet.concepts.cells import Cells
from sheetnet.network import Layer
from sheetnet.regions import address, letter


@dataclass(frozen=True)
class Box:
    """The cells of one quantity, unit after unit: a matrix, a column, a row or one cell."""

    name: str
    kind: str
    row: int
    column: int
    rows: int = 1
    columns: int = 1

    @property
    def places(self) -> Iterator[tuple[int, int]]:
        """Its cells, row by row."""
        for row in range(self.row, self.row + self.rows):
            for column in range(self.column, self.column + self.columns):
                yield row, column

    @cached_property
    def cells(self) -> Cells:
        """References to them."""
        return Cells(tuple(address(*place) for place in self.places))

    def at(self, row: str, column: str) -> str:
        """Its cell in a row and a column, from 1; Gnumeric's INDEX takes no single cell."""
        if self.rows == self.columns == 1:
            return f"${letter(self.column)}${self.row}"
        return f"INDEX({self.span},{row},{column})"

    @property
    def span(self) -> str:
        """All of it, with dollar signs."""
        ends = (0, 0), (self.rows - 1, self.columns - 1)
        return ":".join(f"${letter(self.column + c)}${self.row + r}" for r, c in ends)


@dataclass(frozen=True)
class Group:
    """Neighbouring columns of a layer's block, by what they are about."""

    title: str
    kind: str
    column: int
    columns: int


@dataclass(frozen=True)
class Block:
    """A layer's rows: a title, titles of groups, heads of columns, inputs, units."""

    layer: Layer
    row: int
    mark: str
    groups: tuple[Group, ...]
    boxes: tuple[Box, ...]

    @property
    def input_row(self) -> int:
        """The row of the inputs, above the units."""
        return self.row + 3

    @property
    def last_row(self) -> int:
        """The last unit."""
        return self.input_row + self.layer.units
