"""The table of the picture's points: the cells of a map, or the points of curves."""

from __future__ import annotations

import numpy as np

from sheetnet.concepts.arithmetic import Array
from sheetnet.concepts.parts import Quantities, References
from sheetnet.views.predict.columns import (
    Column,
    bottom_of,
    classes_told,
    column_span,
    fixed,
    forward_pass,
    in_units,
    known,
    last_outputs,
    left_of,
    references,
    rescaled,
    scaled,
    seen,
    start_in,
    step_in,
    weights_in,
)
from sheetnet.views.predict.plan import CURVES, GRID, MAP, Plan


def points_columns(plan: Plan) -> list[Column]:
    """Of the points of the picture: it sees the axes, the weights and the table of rows."""
    ledger, region = plan.points, plan.points_region
    assert ledger is not None and region is not None
    refs = {**references(plan, ledger, region), **weights_in(plan)}
    name = last_outputs(plan)
    found = _grid(plan, refs) if plan.picture == MAP else _line(plan, refs)
    found += forward_pass(plan, refs)
    if plan.picture == MAP:
        found += classes_told(plan, refs)
    found.append(_shown(plan, refs, name))
    if plan.picture == MAP:
        found.append(_here(plan, refs))
    return found


def _grid(plan: Plan, refs: References) -> list[Column]:
    """Row by row from the top, the numbers of both axes taken from the map's edges."""
    place = np.arange(GRID * GRID)
    across, down = place % GRID, place // GRID
    texts = [
        f"INDEX({fixed(bottom_of(plan.map))},1,{refs['column'][0]})",
        f"INDEX({fixed(left_of(plan.map))},{refs['row'][0]})",
    ]

    def value(q: Quantities) -> Array:
        return seen(plan, np.stack((q["edge 0"][across], q["edge 1"][down]), axis=1))

    return [
        Column("cell", [None], lambda q: np.asarray(place + 1, np.float64)),
        Column("column", [None], lambda q: np.asarray(across + 1, np.float64)),
        Column("row", [None], lambda q: np.asarray(down + 1, np.float64)),
        Column("x", scaled(plan, texts), value),
    ]


def _line(plan: Plan, refs: References) -> list[Column]:
    """Points along the one axis."""
    assert plan.points_region is not None
    points = np.arange(1.0, plan.points_region.rows + 1)

    def raw(q: Quantities) -> Array:
        start, step = q["axis 0"]
        return np.asarray(start + (points - 1) * step)[:, None]

    text = f"{start_in(plan, 0)}+({refs['point'][0]}-1)*{step_in(plan, 0)}"
    return [
        Column("point", [None], lambda q: points),
        Column("raw", [text], raw),
        Column("x", scaled(plan, list(refs["raw"])), lambda q: seen(plan, q["raw"])),
    ]


def _shown(plan: Plan, refs: References, name: str) -> Column:
    """What the picture shows of a point."""
    task = plan.task
    if plan.picture == CURVES:
        if task.numbers:
            texts = in_units(plan, list(refs[name]))
            return Column("value", texts, lambda q: rescaled(plan, q[name]))
        return Column("value", list(refs[name]), known(name))
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
