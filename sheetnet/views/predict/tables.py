"""The tables of ``Predict``: what is typed, and the rows of ``Data``."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from sheetnet.concepts import cells
from sheetnet.concepts.arithmetic import Array
from sheetnet.concepts.parts import Quantities, References
from sheetnet.formula import Formula
from sheetnet.forward_formulas import (
    cells_of,
    lookups,
)
from sheetnet.network import Layer
from sheetnet.pipeline import parameters_of
from sheetnet.regions import INIT, address, letter
from sheetnet.views.predict import axes, told
from sheetnet.views.predict.columns import (
    AT_UPDATE,
    VISIT,
    Column,
    classes_told,
    forward_pass,
    in_units,
    known,
    last_outputs,
    references,
    rescaled,
    scaled,
    seen,
    start_in,
    step_in,
    weights_in,
)
from sheetnet.views.predict.plan import FIRST, MAP, Plan


def typed_columns(plan: Plan) -> list[Column]:
    """Of what is typed: it sees ``typed`` and the weights."""
    refs = references(plan, plan.typed, plan.typed_region)
    typed = [f"${letter(FIRST)}${plan.inputs_row + 1 + i}" for i in range(plan.inputs)]
    found = {"x": Column("x", scaled(plan, typed), lambda q: seen(plan, q["typed"]))}
    for layer in plan.problem.network.layers:
        for base in ("W", "b"):
            name = f"{base}{layer.index}"
            found[name] = Column(name, _weights(plan, layer, base), known(name))
    for column in (*forward_pass(plan, refs), *classes_told(plan, refs)):
        found[column.name] = column
    return [found[block.name] for block in plan.typed.blocks]


def _weights(plan: Plan, layer: Layer, base: str) -> list[str]:
    """Weights after the update: those of its last visit and what was added to them."""
    ledger, train = plan.layout.ledger, plan.layout.train
    init = plan.layout.init.weights(layer) if base == "W" else plan.layout.init.bias(layer)
    name = f"{base}{layer.index}"
    trained = base in [own for own, _ in parameters_of(layer)]

    def at_visit(quantity: str, i: int) -> str:
        sheet, column = plan.layout.on_sheets.place(quantity, i)
        return cells.look_up(f"{sheet}!{column}", train.row, train.last_row, VISIT)

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
        Column("x", looked_up(data.x_column, plan.inputs), known("data x")),
        Column("y", looked_up(data.y_column, plan.outputs), known("data y")),
        *forward_pass(plan, refs, loss=True),
        *classes_told(plan, refs),
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
