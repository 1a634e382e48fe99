"""Where things stand on ``Compare``, and which updates are compared.

On top a status and what it follows from; below, a row per update: Python's numbers as they
were at export, the same cells of the workbook, live, and how far they are apart. Below that
the inputs, and copies of them as they were at export.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from sheetnet.layout import TRAIN_FIRST_ROW, Layout
from sheetnet.ledger import Block, Ledger
from sheetnet.problem import Problem
from sheetnet.regions import COMPARE, Region

STATUS_ROW, LABEL_ROW, VALUE_ROW, SIZE_ROW, LARGEST_ROW, GROUP_ROW, WORDS_ROW, NAME_ROW = range(
    3, 11
)
FIRST_ROW = NAME_ROW + 1

LARGEST, AT_UPDATE, QUANTITY, FIRST_BEYOND, BEYOND, TOLERANCE, CHANGED = range(4, 11)
"""Columns of what stands in ``VALUE_ROW``."""

PYTHON, DIFFERENCE = "python_", "diff_"
"""Prefixes of the names of columns; the live ones are called as on ``Epochs``."""

FRONT = {
    "update": "place",
    "epoch": "place",
    "visit": "place",
    "largest": "summary",
    "beyond": "flag",
    "worst": "flag",
}
"""The columns before the sections, and their kinds."""

MAX_CELLS = 200_000
"""Cells of the table of updates; of longer runs it shows each second update, each third …"""


@dataclass(frozen=True)
class CompareLayout:
    """The sheet of one problem.

    Attributes
    ----------
    every: each so many updates have a row; the last one always has.
    numbers, epochs, visits: of each row, the update, its epoch, and the visit that makes it.

    """

    train: Layout
    ledger: Ledger
    every: int
    numbers: NDArray[np.int64]
    epochs: NDArray[np.int64]
    visits: NDArray[np.int64]

    @property
    def quantities(self) -> tuple[Block, ...]:
        """What is compared, as blocks of ``Train``."""
        return quantities_of(self.train)

    @property
    def main(self) -> Region:
        """The table of updates."""
        return Region(COMPARE, FIRST_ROW, 1, len(self.numbers), self.ledger.width)

    @cached_property
    def width(self) -> int:
        """Columns of each of its three sections."""
        return sum(block.size for block in self.quantities)

    @property
    def weights(self) -> int:
        """The first column (from 0) of a section that holds a weight."""
        return self.quantities[0].size + self.quantities[1].size

    def section(self, prefix: str) -> int:
        """The first column of the section whose names have this prefix."""
        return self.ledger[prefix + self.quantities[0].name].first + 1

    @property
    def sizes(self) -> Region:
        """The largest magnitude of each column of Python's numbers."""
        return Region(COMPARE, SIZE_ROW, self.section(PYTHON), 1, self.width)

    @property
    def flag_row(self) -> int:
        """Below the table: which columns hold the largest difference of all."""
        return self.main.last_row + 1

    @property
    def train_rows(self) -> tuple[int, ...]:
        """The row of ``Train`` of each row."""
        return tuple((self.visits + (TRAIN_FIRST_ROW - 1)).tolist())

    def part(self, prefix: str) -> Region:
        """The cells of a section."""
        return Region(COMPARE, FIRST_ROW, self.section(prefix), self.main.rows, self.width)

    def column(self, name: str) -> Region:
        """A column of the table, by the name of its quantity."""
        return Region(COMPARE, FIRST_ROW, self.ledger[name].first + 1, self.main.rows, 1)


def quantities_of(layout: Layout) -> tuple[Block, ...]:
    """Loss, prediction and all weights, as blocks of ``Train``."""
    layers = layout.network.layers
    weights = (f"{base}{layer.index}" for layer in layers for base in "Wb")
    return tuple(layout.ledger[name] for name in ("loss", f"a{len(layers)}", *weights))


def compare_layout(problem: Problem, layout: Layout) -> CompareLayout:
    """Lay the sheet out."""
    ledger = Ledger(tuple(_blocks(layout)))
    batch = problem.spec.training.batch_size
    each = -(-problem.rows // batch)
    updates = each * layout.epochs
    every = math.ceil(updates / max(1, MAX_CELLS // ledger.width))
    numbers = np.minimum(np.arange(every, updates + every, every), updates)
    epoch, within = np.divmod(numbers - 1, each)
    visits = epoch * problem.rows + np.minimum((within + 1) * batch, problem.rows)
    return CompareLayout(layout, ledger, every, numbers, epoch + 1, visits)


def _blocks(layout: Layout) -> Iterator[Block]:
    quantities = quantities_of(layout)
    for column, (name, kind) in enumerate(FRONT.items()):
        yield Block(name, name, kind, (), column)
    first = len(FRONT)
    for prefix in (PYTHON, "", DIFFERENCE):
        for block in quantities:
            yield replace(block, name=prefix + block.name, first=first)
            first += block.size
