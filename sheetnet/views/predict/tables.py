"""The tables of ``Predict``: what is typed, the rows of ``Data``, the points of the picture."""

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
    lookups,
    prediction_columns,
)
from sheetnet.ledger import Ledger
from sheetnet.network import Layer
from sheetnet.pipeline import parameters_of
from sheetnet.regions import DATA, INIT, TRAIN, Region, address, letter
from sheetnet.rules import forward_rules, prediction_rules
from sheetnet.stretches import apart, signed
from sheetnet.views.predict import axes, told
from sheetnet.views.predict.plan import CURVES, FIRST, GRID, MAP, VISIT_ROW, Plan

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


def _layers(plan: Plan, refs: References, *, loss: bool = False) -> Iterator[Column]:
    """The forward pass; ``refs`` knows the weights too."""
    network, numbers = plan.task.network, plan.problem.hyperparameters
    texts = (forward_columns if loss else prediction_columns)(network, refs)
    rules = (forward_rules if loss else prediction_rules)(network, numbers)
    for (name, own), rule in zip(texts, rules, strict=True):
        assert name == rule.name
        yield Column(name, own, rule.value)


def _told(plan: Plan, refs: References) -> Iterator[Column]:
    """The classes told."""
    name = last_outputs(plan)
    if plan.task.by_largest:
        texts = told.largest_cells(refs[name], refs["told"])
        yield Column("told", texts, lambda q: told.largest(q[name]))
    elif plan.task.classes:
        yield Column("told", [told.side_cell(refs[name][0])], lambda q: told.side(q[name]))


def typed_columns(plan: Plan) -> list[Column]:
    """Of what is typed: it sees ``typed`` and the weights."""
    refs = references(plan, plan.typed, plan.typed_region)
    typed = [f"${letter(FIRST)}${plan.inputs_row + 1 + i}" for i in range(plan.inputs)]
    found = {"x": Column("x", scaled(plan, typed), lambda q: _seen(plan, q["typed"]))}
    for layer in plan.problem.network.layers:
        for base in ("W", "b"):
            name = f"{base}{layer.index}"
            found[name] = Column(name, _weights(plan, layer, base), _known(name))
    for column in (*_layers(plan, refs), *_told(plan, refs)):
        found[column.name] = column
    return [found[block.name] for block in plan.typed.blocks]


def _seen(plan: Plan, raw: Array) -> Array:
    inputs = plan.problem.inputs
    return inputs.scaling.value(raw, inputs.statistics)


def _known(name: str) -> Callable[[Quantities], Array]:
    return lambda q: q[name]


def _weights(plan: Plan, layer: Layer, base: str) -> list[str]:
    """Weights after the update: those of its last visit and what was added to them."""
    ledger, train = plan.layout.ledger, plan.layout.train
    init = plan.layout.init.weights(layer) if base == "W" else plan.layout.init.bias(layer)
    name = f"{base}{layer.index}"
    trained = base in [own for own, _ in parameters_of(layer)]

    def at_visit(quantity: str, i: int) -> str:
        column = letter(train.column + ledger[quantity].first + i)
        return f"INDEX({TRAIN}!{column}${train.row}:{column}${train.last_row},{VISIT})"

    texts = []
    for i in range(ledger[name].size):
        row, column = divmod(i, init.columns)
        first = f"{INIT}!{address(init.row + row, init.column + column)}"
        after = at_visit(name, i) + (f"+{at_visit(f'u{name}', i)}" if trained else "")
        texts.append(f"IF({AT_UPDATE}=0,{first},{after})")
    return texts


def rows_columns(plan: Plan) -> list[Column]:
    """Of the rows of ``Data``: it sees ``data x``, ``data y``, the axes and the weights."""
    problem, task, data = plan.problem, plan.task, plan.layout.data
    plain = cells_of(plan.rows, plan.rows_region.column)
    refs = {**references(plan, plan.rows, plan.rows_region), **weights_in(plan)}
    count, name = problem.rows + problem.held_out, last_outputs(plan)

    def looked_up(column: int, columns: int) -> list[Formula]:
        return lookups(data, column, columns, plain["sample"], data.last_row)

    found = [
        Column("sample", [None], lambda q: np.arange(1.0, count + 1)),
        Column("x", looked_up(data.x_column, plan.inputs), _known("data x")),
        Column("y", looked_up(data.y_column, plan.outputs), _known("data y")),
        *_layers(plan, refs, loss=True),
        *_told(plan, refs),
    ]
    if task.knows_right:
        found.append(_right(plan, refs))
    if task.by_largest:
        text = told.share_cell(refs["y"], refs["told"][-1])
        found.append(Column("hit", [text], lambda q: told.share(q["y"], q["told"][:, -1])))
    elif task.classes:
        text = told.equal_cell(refs["told"][0], refs["right"][0])
        found.append(Column("hit", [text], lambda q: told.equal(q["told"][:, 0], q["right"])))
    if task.numbers:
        goals = list(refs["y"])
        raw = looked_up(data.target_column, plan.outputs) if task.rescales else goals
        found.append(
            Column("pred", in_units(plan, list(refs[name])), lambda q: rescaled(plan, q[name]))
        )
        found.append(Column("goal", raw, lambda q: problem.targets.raw))
    if plan.picture == MAP:
        found.append(_cell(plan, refs))
    return found


def _right(plan: Plan, refs: References) -> Column:
    if plan.task.by_largest:
        return Column("right", [told.coded_cell(refs["y"])], lambda q: told.coded(q["y"]))
    return Column("right", [told.side_cell(refs["y"][0])], lambda q: told.side(q["y"][:, 0]))


def _cell(plan: Plan, refs: References) -> Column:
    """The cell of the map that a row falls into."""
    data, sample = plan.layout.data, cells_of(plan.rows, plan.rows_region.column)["sample"]
    raw: Sequence[str] = list(refs["x"])
    if data.scales_inputs:
        raw = [f.rest for f in lookups(data, data.raw_column, 2, sample, data.last_row)]
    places = [axes.place_cell(raw[i], start_in(plan, i), step_in(plan, i)) for i in range(2)]

    def value(q: Quantities) -> Array:
        at = [axes.place(plan.problem.inputs.raw[:, i], *q[f"axis {i}"]) for i in range(2)]
        return axes.number(*at)

    return Column("cell", [axes.number_cell(*places)], value)


def start_in(plan: Plan, i: int) -> str:
    """The cell that says where the axis of input i (from 0) begins."""
    return f"${letter(FIRST + plan.shift + i)}${plan.axes_row + 1}"


def step_in(plan: Plan, i: int) -> str:
    """The cell of its step."""
    return f"${letter(FIRST + plan.shift + i)}${plan.axes_row + 2}"


def points_columns(plan: Plan) -> list[Column]:
    """Of the points of the picture: it sees the axes, the weights and the table of rows."""
    ledger, region = plan.points, plan.points_region
    assert ledger is not None and region is not None
    refs = {**references(plan, ledger, region), **weights_in(plan)}
    name = last_outputs(plan)
    found = _grid(plan, refs) if plan.picture == MAP else _line(plan, refs)
    found += _layers(plan, refs)
    if plan.picture == MAP:
        found += _told(plan, refs)
    found.append(_shown(plan, refs, name))
    if plan.picture == MAP:
        found.append(_here(plan, refs))
    return found


def _grid(plan: Plan, refs: References) -> list[Column]:
    """Row by row from the top, the numbers of both axes taken from the map's edges."""
    place = np.arange(GRID * GRID)
    across, down = place % GRID, place // GRID
    texts = [
        f"INDEX({_fixed(bottom_of(plan.map))},{refs['column'][0]})",
        f"INDEX({_fixed(left_of(plan.map))},{refs['row'][0]})",
    ]

    def value(q: Quantities) -> Array:
        return _seen(plan, np.stack((q["edge 0"][across], q["edge 1"][down]), axis=1))

    return [
        Column("cell", [None], lambda q: place + 1.0),
        Column("column", [None], lambda q: across + 1.0),
        Column("row", [None], lambda q: down + 1.0),
        Column("x", scaled(plan, texts), value),
    ]


def bottom_of(grid: Region) -> Region:
    """The numbers below the map's columns."""
    return Region(grid.sheet, grid.last_row + 1, grid.column, 1, grid.columns)


def left_of(grid: Region) -> Region:
    """The numbers left of the map's rows."""
    return Region(grid.sheet, grid.row, grid.column - 1, grid.rows, 1)


def _line(plan: Plan, refs: References) -> list[Column]:
    """Points along the one axis."""
    assert plan.points_region is not None
    points = np.arange(1.0, plan.points_region.rows + 1)

    def raw(q: Quantities) -> Array:
        start, step = q["axis 0"]
        return (start + (points - 1) * step)[:, None]

    text = f"{start_in(plan, 0)}+({refs['point'][0]}-1)*{step_in(plan, 0)}"
    return [
        Column("point", [None], lambda q: points),
        Column("raw", [text], raw),
        Column("x", scaled(plan, list(refs["raw"])), lambda q: _seen(plan, q["raw"])),
    ]


def _shown(plan: Plan, refs: References, name: str) -> Column:
    """What the picture shows of a point."""
    task = plan.task
    if plan.picture == CURVES:
        if task.numbers:
            texts = in_units(plan, list(refs[name]))
            return Column("value", texts, lambda q: rescaled(plan, q[name]))
        return Column("value", list(refs[name]), _known(name))
    if task.numbers:
        text = in_units(plan, [refs[name][0]])
        return Column("value", text, lambda q: rescaled(plan, q[name][:, :1]))
    if task.classes and not task.shows_share:
        return Column("value", [refs["told"][-1]], lambda q: q["told"][:, -1:])
    last = -1 if task.classes else 0
    return Column("value", [refs[name][last]], lambda q: q[name][:, [last]])


def _here(plan: Plan, refs: References) -> Column:
    """The first training row that falls into the cell, 0 for none."""
    match = f"MATCH({refs['cell'][0]},{column_span(plan, 'cell', 0, plan.drawn)},0)"

    def value(q: Quantities) -> Array:
        first: dict[float, int] = {}
        for row, cell in enumerate(q["row cells"][: plan.drawn].tolist(), 1):
            first.setdefault(cell, row)
        return np.array([float(first.get(cell, 0)) for cell in q["cell"].tolist()])

    return Column("here", [f"IF(ISNUMBER({match}),{match},0)"], value)


def column_span(plan: Plan, name: str, first: int, end: int, offset: int | None = None) -> str:
    """Rows ``first`` (from 0) to before ``end`` of a quantity of the table of rows, or one column."""
    block, region = plan.rows[name], plan.rows_region
    left, right = (0, block.size - 1) if offset is None else (offset, offset)
    column = region.column + block.first
    return _fixed(
        Region(region.sheet, region.row + first, column + left, end - first, right - left + 1)
    )


def _fixed(region: Region) -> str:
    first = f"${letter(region.column)}${region.row}"
    return f"{first}:${letter(region.last_column)}${region.last_row}"
