"""A workbook with faults, recalculated: which of them can be seen, and what else they do.

Right numbers are Python's: of each cell on Train and Epochs what the right formula makes of
the sheet's own numbers, so that a fault is told from the consequences of the others.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from sheetnet.classroom.columns import right_statistics
from sheetnet.classroom.rewriting import Edit
from sheetnet.concepts.arithmetic import Array
from sheetnet.layout import Layout
from sheetnet.local import Sheets, local_epochs, local_train
from sheetnet.problem import Problem
from sheetnet.reader.cells import Values
from sheetnet.reader.package import open_package
from sheetnet.recalc import recalculate
from sheetnet.regions import DATA, EPOCHS, TRAIN

VISIBLE = 1e-3
"""A fault can be seen where it changes a number by this share of its column's largest."""

LARGE = 1e6
"""No number may grow beyond this many times the largest of the right workbook."""


@dataclass(frozen=True)
class Seen:
    """The first cell in which a fault shows: its row (from 0), its number and the right one."""

    edit: Edit
    offset: int
    number: float
    right: float


@dataclass(frozen=True)
class Trial:
    """The numbers of a recalculated workbook beside the right ones of its cells.

    ``held`` and ``right`` map a sheet to its region's numbers, nan for errors;
    ``statistics`` are the right ones of Data by row and column.
    """

    layout: Layout
    values: Callable[[str, int, int], Values]
    held: Mapping[str, Array]
    right: Mapping[str, Array]
    statistics: Mapping[tuple[int, int], float]

    @property
    def errors(self) -> int:
        """Cells of Train and Epochs that hold no number."""
        return sum(int((~np.isfinite(numbers)).sum()) for numbers in self.held.values())

    @property
    def largest(self) -> float:
        """The largest number's size."""
        return max(float(np.nanmax(np.abs(n), initial=0.0)) for n in self.held.values())

    def seen(self, edit: Edit) -> Seen | None:
        """Where an edit can be seen first; None: nowhere."""
        column = edit.column
        if column.sheet == DATA:
            at = column.first_row, column.column
            number = self.values(DATA, *at).at(*at)
            wanted = self.statistics[at]
            found = number if isinstance(number, float) else float("nan")
            visible = abs(found - wanted) > VISIBLE * abs(wanted)
            return Seen(edit, 0, found, wanted) if visible else None
        region = next(r for r, _ in self.layout.ledger_sheets if r.sheet == column.sheet)
        c, rows = column.column - region.column, slice(edit.first, edit.last + 1)
        right, held = self.right[column.sheet][:, c], self.held[column.sheet][rows, c]
        numbers = right[np.isfinite(right)]
        bound = VISIBLE * float(np.max(np.abs(numbers), initial=0.0))
        differs = np.abs(held - right[rows]) > bound
        if not differs.any():
            return None
        offset = edit.first + int(np.argmax(differs))
        return Seen(edit, offset, float(held[offset - edit.first]), float(right[offset]))


@contextmanager
def tried(problem: Problem, layout: Layout, path: Path) -> Iterator[Trial]:
    """Recalculate a workbook, which is that of a problem or has faults."""
    with recalculate(open_package(path), "ironcalc") as values:
        held = {
            region.sheet: values(region.sheet, region.last_row, region.last_column).region(region)
            for region, _ in layout.ledger_sheets
        }
        data = layout.data

        def body(column: int, columns: int) -> Array:
            region = data.body(column, columns)
            return values(DATA, data.last_row, data.last_column).region(region)

        x = body(data.x_column, problem.network.inputs)
        y = body(data.y_column, data.outputs)
        epochs = held.get(EPOCHS, np.empty((0, 0)))
        sheets = Sheets(held[TRAIN], epochs, _validation(layout, held), x, y)
        right = {TRAIN: local_train(problem, layout.ledgers, sheets)}
        if EPOCHS in held:
            right[EPOCHS] = local_epochs(problem, layout.ledgers, sheets)
        yield Trial(layout, values, held, right, right_statistics(problem, layout))


def _validation(layout: Layout, held: Mapping[str, Array]) -> Array | None:
    region = layout.validation
    return held.get(region.sheet) if region is not None else None
