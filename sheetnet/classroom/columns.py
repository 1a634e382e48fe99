"""The columns of a workbook's formulas: where each stands, what it is called, how it is made."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from sheetnet.concepts.arithmetic import Array
from sheetnet.concepts.cells import Cells
from sheetnet.epoch_formulas import epochs_formulas
from sheetnet.formula import Formula, same
from sheetnet.formulas import ledger_formulas, statistic_formulas
from sheetnet.forward_formulas import cells_of
from sheetnet.layout import Layout
from sheetnet.ledger import Block, Ledger
from sheetnet.problem import Problem
from sheetnet.regions import DATA, EPOCHS, Region, address
from sheetnet.stretches import apart


@dataclass(frozen=True)
class Column:
    """One column of formulas: ``index`` is its place in its block, ``label`` its plain name."""

    sheet: str
    column: int
    first_row: int
    rows: int
    block: Block
    index: tuple[int, ...]
    label: str
    formula: Formula

    @property
    def position(self) -> int:
        """Its number in its block, from 0."""
        return self.block.labels.index(self.label)

    @property
    def place(self) -> tuple[str, int]:
        """Sheet and column; of the statistics on Data, each row is a column of its own."""
        return self.sheet, self.column

    @property
    def region(self) -> Region:
        """Its cells."""
        return Region(self.sheet, self.first_row, self.column, self.rows, 1)

    def address(self, offset: int) -> str:
        """The cell ``offset`` rows below its first."""
        return address(self.first_row + offset, self.column)


@dataclass(frozen=True)
class Setting:
    """What kinds of faults look at: the run, where its cells are, its right numbers.

    ``refs`` are the cells of ``Train`` in the row of a formula, ``matrix`` (visits, columns)
    the ledger.
    """

    problem: Problem
    layout: Layout
    refs: Mapping[str, Cells]
    matrix: Array

    @cached_property
    def after(self) -> dict[str, tuple[str, str]]:
        """Reference -> its quantity, and the reference to the next column of it."""
        return {
            ref: (name, after)
            for name, cells in self.refs.items()
            for ref, after in zip(cells.refs, cells.refs[1:], strict=False)
        }


def setting_of(problem: Problem, layout: Layout, matrix: Array) -> Setting:
    """The setting of a workbook whose ledger, with all formulas right, is ``matrix``."""
    refs = cells_of(layout.ledger)
    return Setting(problem, layout, apart(refs) if problem.network.stops else refs, matrix)


def columns_of(problem: Problem, layout: Layout) -> tuple[Column, ...]:
    """All columns of formulas that can be wrong: on Data, Train and Epochs."""
    found = [*_statistics(problem, layout)]
    found += _of_ledger(layout.train, layout.ledger, ledger_formulas(problem, layout))
    if EPOCHS in layout.sheets:
        found += _of_ledger(layout.epoch_rows, layout.ledgers.epochs, epochs_formulas(layout))
    return tuple(found)


def _of_ledger(
    region: Region, ledger: Ledger, formulas: tuple[Formula | None, ...]
) -> Iterator[Column]:
    for block in ledger.blocks:
        for i, (index, label) in enumerate(zip(block.indices, block.labels, strict=True)):
            formula, column = formulas[block.first + i], region.column + block.first + i
            if formula is not None:
                yield Column(
                    region.sheet, column, region.row, region.rows, block, index, label, formula
                )


def _statistics(problem: Problem, layout: Layout) -> Iterator[Column]:
    """The numbers that scaling goes by, each a single cell of ``Data``."""
    sides = {"input statistics": problem.inputs, "target statistics": problem.targets}
    names = {
        "input statistics": problem.table.input_names,
        "target statistics": problem.table.target_names,
    }
    for side, texts in statistic_formulas(layout.data, problem):
        region = layout.data.regions[side]
        for n, text in enumerate(texts):
            offset, c = divmod(n, region.columns)
            name = sides[side].scaling.statistics[offset].name
            row, column = region.row + offset, region.column + c
            block = Block(f"{name} of {names[side][c]}", name, "statistic", (), column - 1)
            yield Column(DATA, column, row, 1, block, (), block.name, same(text))


def right_statistics(problem: Problem, layout: Layout) -> dict[tuple[int, int], float]:
    """The right numbers of the statistics on ``Data``, by row and column."""
    found = {}
    for side, scaled in (
        ("input statistics", problem.inputs),
        ("target statistics", problem.targets),
    ):
        if side in layout.data.regions:
            region = layout.data.regions[side]
            for r, statistic in enumerate(scaled.scaling.statistics):
                for c, number in enumerate(np.asarray(scaled.statistics[statistic.name]).tolist()):
                    found[(region.row + r, region.column + c)] = float(number)
    return found
