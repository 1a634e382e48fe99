"""The rows of long sheets: their columns, and the blocks of numbers that fill them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sheetnet.concepts.arithmetic import Array
from sheetnet.formula import Formula

ERROR = "#NUM!"
"""What a sheet shows for a number it cannot hold."""


@dataclass(frozen=True)
class StreamColumn:
    """One column: ``style`` is the index that the saved styles give its cells.

    ``first_style`` is that of the rows with the formula's ``first`` text, where they look
    different. ``texts`` (one per row) makes it a column of texts; ``whole`` of whole numbers.
    """

    column: int
    style: int
    formula: Formula | None = None
    texts: tuple[str, ...] | None = None
    whole: bool = False
    first_style: int | None = None

    def style_at(self, offset: int) -> int:
        """The style ``offset`` rows below the first."""
        if self.first_style is None or self.formula is None or offset >= self.formula.first_rows:
            return self.style
        return self.first_style


@dataclass(frozen=True)
class Stream:
    """Rows to be written from ``first_row`` on.

    ``blocks`` yields arrays (rows, columns) in the order of ``columns``, nan for an
    error; the numbers of a text column are not used.
    """

    first_row: int
    rows: int
    columns: tuple[StreamColumn, ...]
    blocks: Iterable[Array]

    @property
    def last_row(self) -> int:
        """The bottom row."""
        return self.first_row + self.rows - 1

    @property
    def last_column(self) -> int:
        """The rightmost column."""
        return self.columns[-1].column


@dataclass(frozen=True)
class Beside:
    """What else a row has: attributes, and cells left of the stream's, as XML."""

    attributes: str
    cells: str
