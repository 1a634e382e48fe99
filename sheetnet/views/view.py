"""What the sheets beside the training are made of: cells, tables, choices and values."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from sheetnet.concepts.arithmetic import Array
from sheetnet.formula import Formula
from sheetnet.ledger import Ledger
from sheetnet.regions import Region, letter


@dataclass(frozen=True)
class Live:
    """A formula cell that stands by itself: ``text`` without ``=``, and what it is called."""

    row: int
    column: int
    text: str
    quantity: str


@dataclass(frozen=True)
class Table:
    """Rows like those of ``Train``: one formula per column, None for constants.

    The ledger's first column stands in the region's first. ``headed``: the plain names of
    the columns stand right above it.
    """

    region: Region
    ledger: Ledger
    formulas: tuple[Formula | None, ...]
    headed: bool = True


@dataclass(frozen=True)
class Choice:
    """An input cell of the sheet itself: what is looked at, not what is trained.

    ``defined``: its name is a defined name of the workbook. ``low`` and ``high`` are
    inclusive, None: no bound.
    """

    name: str
    row: int
    column: int
    default: float
    meaning: str
    low: float | None = None
    high: float | None = None
    whole: bool = False
    defined: bool = True

    @property
    def place(self) -> str:
        """The cell, with dollar signs."""
        return f"${letter(self.column)}${self.row}"

    @property
    def wanted(self) -> str:
        """What may stand there, in words: ``a whole number from 1 to 800``."""
        text = "a whole number" if self.whole else "a number"
        low = "" if self.low is None else f" from {self.low:g}"
        return text + low + ("" if self.high is None else f" to {self.high:.17g}")


Chosen = Mapping[str, float]
"""What stands in the choices of a sheet, by name."""

Content = float | str
"""The value of a cell: nan for an error."""


@dataclass(frozen=True)
class Source:
    """What the values of a view are made from.

    Attributes
    ----------
    train: the row of ``Train`` of a visit (from 1): (columns,), nan for errors; Python's or,
        to check a sheet by itself, the sheet's own.
    python: the same of the training in Python.
    x, y: the data as the network sees it, (rows, inputs) and (rows, outputs).
    held: the numbers that a sheet holds in a region (rows, columns), nan where there is
        none; None where the sheet is yet to be written.
    by_itself: whether ``train`` is the sheet's own: what it holds as constants is then taken
        as it stands.

    """

    train: Callable[[int], Array]
    python: Callable[[int], Array]
    x: Array
    y: Array
    held: Callable[[Region], Array] | None = None
    by_itself: bool = False

    def seen(self, region: Region, made: Array) -> Array:
        """What later cells see in a region: ``made``, or what a sheet checked by itself has."""
        return self.held(region) if self.held is not None and self.by_itself else made


@dataclass(frozen=True)
class Filled:
    """The values of a view: of each table (rows, columns), and of each cell.

    ``sizes`` are magnitudes that differences of cells are measured by, where that is not
    the cell's own; ``unread`` texts that stand in cells until something recalculates them.
    ``table_sizes`` are those of columns, where a table's own numbers do not tell (None: they
    do; left out: those of all tables do).
    """

    tables: tuple[Array, ...]
    cells: Mapping[tuple[int, int], Content]
    sizes: Mapping[tuple[int, int], float] = field(default_factory=dict)
    unread: Mapping[tuple[int, int], str] = field(default_factory=dict)
    table_sizes: tuple[Array | None, ...] = ()


@dataclass(frozen=True)
class View:
    """One sheet.

    Attributes
    ----------
    visits: the rows of ``Train`` that its values are made from, for these choices.
    values: the NumPy form of all its formulas.

    """

    title: str
    choices: tuple[Choice, ...]
    tables: tuple[Table, ...]
    cells: tuple[Live, ...]
    visits: Callable[[Chosen], frozenset[int]]
    values: Callable[[Source, Chosen], Filled]

    @property
    def defaults(self) -> dict[str, float]:
        """The choices as they are exported."""
        return {choice.name: choice.default for choice in self.choices}

    @property
    def extent(self) -> tuple[int, int]:
        """The last row and column that it uses."""
        places = [(cell.row, cell.column) for cell in self.cells]
        places += [(choice.row, choice.column) for choice in self.choices]
        places += [(t.region.last_row, t.region.last_column) for t in self.tables]
        return max(row for row, _ in places), max(column for _, column in places)
