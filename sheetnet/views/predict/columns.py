"""What the tables of ``Predict`` have in common: columns, references, their values."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from sheetnet.concepts.arithmetic import Array, errors_to_nan
from sheetnet.concepts.cells import Cells
from sheetnet.concepts.parts import Quantities, References
from sheetnet.concepts.scaling import Scaling
from sheetnet.data_layout import DataLayout
from sheetnet.formula import Formula, same
from sheetnet.forward_formulas import (
    cells_of,
    forward_columns,
    prediction_columns,
)
from sheetnet.ledger import Ledger
from sheetnet.regions import DATA, Region, letter
from sheetnet.rules import forward_rules, prediction_rules
from sheetnet.stretches import apart, signed
from sheetnet.views.predict import told
from sheetnet.views.predict.plan import FIRST, VISIT_ROW, Plan

AT_UPDATE = "at_update"


VISIT = f"${letter(FIRST)}${VISIT_ROW}"
"""The cell of the last visit of the update."""


@dataclass(frozen=True)
class Column:
    """One quantity of a table: the formulas of its columns (None: constants), its NumPy form.

    ``value`` takes what is known and the quantities before it: (rows, *shape) each.
    """

    name: str
    texts: Sequence[str | Formula | None]
    value: Callable[[Quantities], Array]


def formulas_of(ledger: Ledger, columns: Sequence[Column]) -> tuple[Formula | None, ...]:
    """The formulas in the order of the ledger."""
    assert [column.name for column in columns] == [block.name for block in ledger.blocks]
    made = [
        same(text) if isinstance(text, str) else text for column in columns for text in column.texts
    ]
    assert len(made) == ledger.width
    found = {str(i): [formula] for i, formula in enumerate(made) if formula is not None}
    written = signed(found)
    return tuple(written[str(i)][0] if str(i) in written else None for i in range(len(made)))


def filled(ledger: Ledger, columns: Sequence[Column], rows: int, known: Quantities) -> Array:
    """The values of a table: (rows, columns)."""
    matrix = np.empty((rows, ledger.width))
    have = ledger.views(matrix)
    q = dict(known)
    with np.errstate(all="ignore"):
        for column in columns:
            have[column.name][...] = errors_to_nan(np.asarray(column.value(q)))
            q[column.name] = have[column.name]
    return matrix


def references(plan: Plan, ledger: Ledger, region: Region) -> dict[str, Cells]:
    """The cells of a table's own row."""
    refs = cells_of(ledger, region.column)
    return apart(refs) if plan.task.network.stops else refs


def weights_in(plan: Plan) -> dict[str, Cells]:
    """The weights and biases of the update, in the row of what is typed."""
    row = plan.typed_region.row
    return {
        block.name: Cells(
            tuple(
                f"${letter(plan.typed_region.column + block.first + i)}${row}"
                for i in range(block.size)
            )
        )
        for block in plan.typed.blocks
        if block.kind in ("weight", "bias")
    }


def statistics_in(data: DataLayout, scaling: Scaling, column: int) -> dict[str, str]:
    """The cells of the statistics of a raw column of ``Data``."""
    return {
        s.name: f"{DATA}!${letter(column)}${data.STATISTICS_ROW + i}"
        for i, s in enumerate(scaling.statistics)
    }


def scaled(plan: Plan, texts: Sequence[str]) -> list[str]:
    """Raw inputs as the network sees them."""
    data, scaling = plan.layout.data, plan.problem.inputs.scaling
    return [
        scaling.cell(text, statistics_in(data, scaling, data.raw_column + i))
        for i, text in enumerate(texts)
    ]


def seen(plan: Plan, raw: Array) -> Array:
    """Raw inputs (rows, inputs) as the network sees them."""
    inputs = plan.problem.inputs
    return inputs.scaling.value(raw, inputs.statistics)


def in_units(plan: Plan, texts: Sequence[str]) -> list[str]:
    """Outputs in the units of the data."""
    data, scaling = plan.layout.data, plan.problem.targets.scaling
    return [
        scaling.inverse_cell(text, statistics_in(data, scaling, data.target_column + k))
        for k, text in enumerate(texts)
    ]


def rescaled(plan: Plan, a: Array) -> Array:
    """The same for outputs (rows, targets)."""
    targets = plan.problem.targets
    known = {name: held[: a.shape[-1]] for name, held in targets.statistics.items()}
    return targets.scaling.inverse(a, known)


def last_outputs(plan: Plan) -> str:
    """The name of the outputs of the last layer."""
    return f"a{len(plan.task.network.layers)}"


def known(name: str) -> Callable[[Quantities], Array]:
    """A quantity that is there already."""
    return lambda q: q[name]


def forward_pass(plan: Plan, refs: References, *, loss: bool = False) -> Iterator[Column]:
    """The forward pass; ``refs`` knows the weights too."""
    network, numbers = plan.task.network, plan.problem.hyperparameters
    texts = (forward_columns if loss else prediction_columns)(network, refs)
    rules = (forward_rules if loss else prediction_rules)(network, numbers)
    for (name, own), rule in zip(texts, rules, strict=True):
        assert name == rule.name
        yield Column(name, own, rule.value)


def classes_told(plan: Plan, refs: References) -> Iterator[Column]:
    """The classes told."""
    name = last_outputs(plan)
    if plan.task.by_largest:
        texts = told.largest_cells(refs[name], refs["told"])
        yield Column("told", texts, lambda q: told.largest(q[name]))
    elif plan.task.classes:
        yield Column("told", [told.side_cell(refs[name][0])], lambda q: told.side(q[name]))


def start_in(plan: Plan, i: int) -> str:
    """The cell that says where the axis of input i (from 0) begins."""
    return f"${letter(FIRST + plan.shift + i)}${plan.axes_row + 1}"


def step_in(plan: Plan, i: int) -> str:
    """The cell of its step."""
    return f"${letter(FIRST + plan.shift + i)}${plan.axes_row + 2}"


def bottom_of(grid: Region) -> Region:
    """The numbers below the map's columns."""
    return Region(grid.sheet, grid.last_row + 1, grid.column, 1, grid.columns)


def left_of(grid: Region) -> Region:
    """The numbers left of the map's rows."""
    return Region(grid.sheet, grid.row, grid.column - 1, grid.rows, 1)


def column_span(plan: Plan, name: str, first: int, end: int, offset: int | None = None) -> str:
    """Rows ``first`` (from 0) to before ``end`` of a quantity of ``rows``, or one column of it."""
    block, region = plan.rows[name], plan.rows_region
    left, right = (0, block.size - 1) if offset is None else (offset, offset)
    column = region.column + block.first
    return fixed(
        Region(region.sheet, region.row + first, column + left, end - first, right - left + 1)
    )


def fixed(region: Region) -> str:
    """A region as a range, with dollar signs."""
    first = f"${letter(region.column)}${region.row}"
    return f"{first}:${letter(region.last_column)}${region.last_row}"
