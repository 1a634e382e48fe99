"""The rows of long sheets: their columns, and the blocks of numbers that fill them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from sheetnet.concepts.arithmetic import Array
from sheetnet.formula import Formula
from sheetnet.progress import Progress

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
    def cells(self) -> int:
        """How many cells."""
        return self.rows * len(self.columns)

    @property
    def last_row(self) -> int:
        """The bottom row."""
        return self.first_row + self.rows - 1

    @property
    def last_column(self) -> int:
        """The rightmost column."""
        return self.columns[-1].column


def counted(
    streams: Mapping[str, Sequence[Stream]], before: int, progress: Progress
) -> dict[str, list[Stream]]:
    """The same streams, which tell how many of all their cells are made; ``before`` are already."""
    total = before + sum(stream.cells for found in streams.values() for stream in found)
    done = before

    def told(blocks: Iterable[Array]) -> Iterator[Array]:
        nonlocal done
        for block in blocks:
            yield block
            done += block.size
            progress(done, total)

    return {
        title: [replace(stream, blocks=told(stream.blocks)) for stream in found]
        for title, found in streams.items()
    }


@dataclass(frozen=True)
class Beside:
    """What else a row has: attributes, and cells left of the stream's, as XML."""

    attributes: str
    cells: str
