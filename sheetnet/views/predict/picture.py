"""The cells of the picture: its axes, the map, the line of right predictions."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from sheetnet.data_layout import DataLayout
from sheetnet.regions import DATA, Region, address, letter
from sheetnet.views.predict import axes
from sheetnet.views.predict.columns import (
    bottom_of,
    column_span,
    left_of,
    start_in,
    step_in,
)
from sheetnet.views.predict.facts import (
    REDUCE,
    Facts,
    Shown,
    finite,
    largest_of,
    magnitude,
)
from sheetnet.views.predict.plan import (
    AGAINST,
    CURVE,
    FIRST,
    GRID,
    MAP,
    TICKS,
    Plan,
)
from sheetnet.views.predict.signs import TYPED_SIGN, point_sign, signs_of
from sheetnet.views.view import Content, Live


def picture_cells(plan: Plan) -> Iterator[Shown]:
    """All of them, where there is a picture."""
    if plan.points is not None:
        yield from _axes(plan)
    if plan.picture == MAP:
        yield from _map(plan)
    if plan.picture == AGAINST:
        yield from _identity(plan)


def _axes(plan: Plan) -> Iterator[Shown]:
    """Where each axis begins, and its step."""
    steps = (GRID if plan.picture == MAP else CURVE) - 1
    for i in range(plan.inputs):
        span, column = raw_span(plan.layout.data, i), FIRST + plan.shift + i
        name = plan.problem.table.input_names[i]
        live = Live(plan.axes_row + 1, column, axes.start_cell(span), f"{name}: start of the axis")
        yield Shown(live, _axis(i, 0), _axis_size(plan, i))
        text = axes.step_cell(span, steps)
        live = Live(plan.axes_row + 2, column, text, f"{name}: step of the axis")
        yield Shown(live, _axis(i, 1))
        if plan.picture == MAP:
            typed = f"${letter(FIRST)}${plan.inputs_row + 1 + i}"
            text = axes.place_cell(typed, start_in(plan, i), step_in(plan, i))
            live = Live(plan.axes_row + 3, column, text, f"{name}: typed, in steps")
            yield Shown(live, _typed_place(i))
    if plan.picture == MAP:
        at = [f"{letter(FIRST + plan.shift + i)}{plan.axes_row + 3}" for i in range(2)]
        inside = ",".join(f"{a}>=0,{a}<={GRID - 1}" for a in at)
        text = f"IF(AND({inside}),{axes.number_cell(*at)},0)"
        live = Live(plan.axes_row + 4, FIRST + plan.shift, text, "cell of what is typed")
        yield Shown(live, lambda f: f.typed_cell)


def raw_span(data: DataLayout, i: int) -> str:
    """The training rows of a raw input (from 0)."""
    column = letter(data.raw_column + i)
    return f"{DATA}!${column}${data.first_row}:${column}${data.last_training_row}"


def _axis(i: int, part: int) -> Callable[[Facts], float]:
    return lambda f: finite(f.axes[i][part])


def _axis_size(plan: Plan, i: int) -> Callable[[Facts], float]:
    return lambda f: magnitude(plan.problem.inputs.raw[:, i])


def _typed_place(i: int) -> Callable[[Facts], float]:
    return lambda f: finite(axes.place(f.raw[:, i], *f.axes[i])[0])


def _map(plan: Plan) -> Iterator[Shown]:
    """The numbers along its edges, their labels, its cells."""
    grid = plan.map
    for i, edge in enumerate((bottom_of(grid), left_of(grid))):
        name = plan.problem.table.input_names[i]
        for n in range(GRID):
            row, column = edge.row + (n if i else 0), edge.column + (0 if i else n)
            steps = n if i == 0 else GRID - 1 - n
            text = f"{start_in(plan, i)}+{steps}*{step_in(plan, i)}"
            live = Live(row, column, text, f"{name} of this {'row' if i else 'column'}")
            yield Shown(live, _edge(i, n), _edge_size(i))
            if steps in TICKS:
                where = tick_place(grid, i, n)
                live = Live(*where, address(row, column), f"{name}, label of the axis")
                yield Shown(live, _edge(i, n), _edge_size(i))
    yield from _grid(plan, grid)
    if plan.task.numbers:
        yield from _ends_of_colours(plan)


def tick_place(grid: Region, i: int, n: int) -> tuple[int, int]:
    """The cell of a label: below the map, or left of it; of a few cells the first."""
    if i:
        return grid.row + n, grid.column - 2
    first = min(max(n - 2, 0), GRID - 5)
    return grid.last_row + 2, grid.column + first


def _edge(i: int, n: int) -> Callable[[Facts], float]:
    return lambda f: finite(f.edges[i][n])


def _edge_size(i: int) -> Callable[[Facts], float]:
    return lambda f: magnitude(f.edges[i])


def _grid(plan: Plan, grid: Region) -> Iterator[Shown]:
    """The number to be coloured, or a sign where there is a training row, or what is typed."""
    points, region = plan.points, plan.points_region
    assert points is not None and region is not None
    value = letter(region.column + points["value"].first)
    here = letter(region.column + points["here"].first)
    typed = f"${letter(FIRST + plan.shift)}${plan.axes_row + 4}"
    sign, signs = point_sign(plan), signs_of(plan)
    for k in range(GRID * GRID):
        row = region.row + k
        at = f"{here}{row}"
        text = f'IF({typed}={k + 1},"{TYPED_SIGN}",IF({at}>0,{sign.text(at)},{value}{row}))'
        live = Live(grid.row + k // GRID, grid.column + k % GRID, text, f"cell {k + 1} of the map")
        yield Shown(live, _cell(k, signs), lambda f: f.value_size)


def _ends_of_colours(plan: Plan) -> Iterator[Shown]:
    """The smallest and the largest number that the map shows."""
    ledger, region = plan.points, plan.points_region
    assert ledger is not None and region is not None
    column = letter(region.column + ledger["value"].first)
    span = f"${column}${region.row}:${column}${region.last_row}"
    for function, where in zip(REDUCE, plan.colours, strict=True):
        live = Live(*where, f"{function}({span})", f"{function} of the map")
        yield Shown(live, _end_of_map(function), lambda f: f.value_size)


def _end_of_map(function: str) -> Callable[[Facts], float]:
    return lambda f: finite(REDUCE[function](f.points["value"]))


def _cell(k: int, signs: tuple[str, ...]) -> Callable[[Facts], Content]:
    def value(f: Facts) -> Content:
        typed, here = f.typed_cell, int(f.points["here"][k])
        if np.isnan(typed):
            return typed
        if typed == k + 1:
            return TYPED_SIGN
        if here:
            right = 1.0 if len(signs) == 1 else float(f.rows["right"][here - 1])
            return right if np.isnan(right) else signs[int(right) - 1]
        return finite(f.points["value"][k, 0])

    return value


def _identity(plan: Plan) -> Iterator[Shown]:
    """The ends of the line on which predictions would be right, for each target drawn."""
    rows = plan.problem.rows + plan.problem.held_out
    for k in range(plan.charts):
        spans = [column_span(plan, name, 0, rows, k) for name in ("pred", "goal")]
        name = plan.problem.table.target_names[k]
        for n, function in enumerate(REDUCE):
            text = f"{function}({','.join(spans)})"
            live = Live(plan.axes_row + 1 + k, FIRST + plan.shift + n, text, f"{name}: {function}")
            yield Shown(live, _end(k, function), largest_of("rows", "goal", k))


def _end(k: int, function: str) -> Callable[[Facts], float]:
    return lambda f: finite(
        REDUCE[function](np.concatenate((f.rows["pred"][:, k], f.rows["goal"][:, k])))
    )
