"""Which columns of the ledger stand on which sheet: on ``Train``, or on several by layer.

``Train`` has what belongs to no layer, ``Train L1`` what belongs to the first one (``Train
L1b`` what does not fit there), each with the same rows and the visits in front.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from sheetnet.concepts.arithmetic import Array
from sheetnet.concepts.cells import Cells
from sheetnet.ledger import PLACE, Block, Ledger
from sheetnet.regions import TRAIN, letter, quoted

LAYER_SHEET = f"{TRAIN} L"
"""How the titles of the sheets of layers begin."""

MAX_SHEETS = 60
"""Sheets of a ledger; more than that nobody can open."""


@dataclass(frozen=True)
class TrainSheet:
    """One of the sheets: ``ledger`` are its own columns, ``columns`` where the matrix has them."""

    title: str
    ledger: Ledger
    columns: NDArray[np.int64]

    @property
    def own(self) -> tuple[Block, ...]:
        """Its blocks, but for the visits that stand on ``Train`` already."""
        return self.ledger.blocks if self.title == TRAIN else self.ledger.blocks[1:]

    def of(self, matrix: Array) -> Array:
        """Its columns of the ledger's rows (rows, columns); of a single sheet a view."""
        whole = len(self.columns) == matrix.shape[1]
        return matrix if whole else matrix[:, self.columns]


@dataclass(frozen=True)
class TrainSheets:
    """All of them."""

    sheets: tuple[TrainSheet, ...]

    @property
    def width(self) -> int:
        """Columns of the ledger that stand on them."""
        return sum(block.size for sheet in self.sheets for block in sheet.own)

    @cached_property
    def places(self) -> dict[str, tuple[str, int]]:
        """Quantity -> its sheet and its first column there, from 1."""
        return {
            block.name: (sheet.title, block.first + 1)
            for sheet in self.sheets
            for block in sheet.own
        }

    def place(self, name: str, i: int = 0) -> tuple[str, str]:
        """The sheet of a column (from 0) of a quantity, as formulas name it, and its letters."""
        title, first = self.places[name]
        return quoted(title), letter(first + i)

    def refs_on(self, title: str) -> dict[str, Cells]:
        """The cells of each quantity in the row of a formula that stands on one of the sheets."""
        found = {}
        for sheet in self.sheets:
            prefix = "" if sheet.title == title else f"{quoted(sheet.title)}!"
            for block in sheet.own:
                columns = range(block.first + 1, block.first + block.size + 1)
                found[block.name] = Cells(tuple(f"{prefix}{letter(c)}{{r}}" for c in columns))
        return found


def train_sheets(ledger: Ledger, room: int, folded: frozenset[str] = frozenset()) -> TrainSheets:
    """Lay the ledger out on sheets of ``room`` columns, without the quantities ``folded``."""
    all_blocks = [block for block in ledger.blocks if block.name not in folded]
    width = sum(block.size for block in all_blocks)
    if width <= room:
        return TrainSheets((_sheet(TRAIN, all_blocks),))
    shared = [block for block in all_blocks if block.layer is None]
    sheets = [_sheet(TRAIN, shared)]
    by_layer: dict[int, list[Block]] = defaultdict(list)
    for block in all_blocks:
        if block.layer is not None:
            by_layer[block.layer].append(block)
    for layer, own in sorted(by_layer.items()):
        for n, blocks in enumerate(_filled(own, room)):
            more = "" if n == 0 else _letters(n)
            sheets.append(_sheet(f"{LAYER_SHEET}{layer}{more}", [ledger[PLACE[0]], *blocks]))
    return TrainSheets(tuple(sheets))


def _letters(n: int) -> str:
    """b, c … z, then aa: after the name of a layer's first sheet."""
    return letter(n + 1).lower()


def _sheet(title: str, blocks: Sequence[Block]) -> TrainSheet:
    columns = [np.arange(block.first, block.first + block.size) for block in blocks]
    moved, first = [], 0
    for block in blocks:
        moved.append(replace(block, first=first))
        first += block.size
    return TrainSheet(title, Ledger(tuple(moved)), np.concatenate(columns))


def _filled(blocks: Sequence[Block], room: int) -> Iterator[list[Block]]:
    """A layer's blocks, sheet by sheet: of weights and of their biases together."""
    pairs: list[list[Block]] = []
    for block in blocks:
        beside = pairs[-1][-1].base if pairs else ""
        if beside.endswith("W") and block.base == f"{beside[:-1]}b":
            pairs[-1].append(block)
        else:
            pairs.append([block])
    sheet: list[Block] = []
    width = 1
    for pair in pairs:
        size = sum(block.size for block in pair)
        if sheet and width + size > room:
            yield sheet
            sheet, width = [], 1
        sheet += pair
        width += size
    yield sheet
