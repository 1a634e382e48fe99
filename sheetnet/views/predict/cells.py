"""The single cells of ``Predict``: each formula with its NumPy form beside it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from sheetnet.concepts import arithmetic, summaries
from sheetnet.concepts.arithmetic import Array
from sheetnet.concepts.summaries import Spans
from sheetnet.data_layout import DataLayout
from sheetnet.regions import DATA, Region, address, letter
from sheetnet.views.predict import axes, told
from sheetnet.views.predict.plan import (
    AGAINST,
    CURVE,
    EPOCH_ROW,
    FIRST,
    GRID,
    MAP,
    NAME,
    SECOND,
    TICKS,
    VISIT_ROW,
    Plan,
)
from sheetnet.views.predict.signs import TYPED_SIGN, point_sign, signs_of
from sheetnet.views.predict.tables import (
    AT_UPDATE,
    bottom_of,
    column_span,
    in_units,
    last_outputs,
    left_of,
    rescaled,
    start_in,
    step_in,
)
from sheetnet.views.view import Content, Live


@dataclass(frozen=True)
class Facts:
    """What is known when the single cells are filled in.

    ``typed``, ``rows`` and ``points`` hold the quantities of the tables; ``axes`` start and
    step of each, ``edges`` the numbers along the map, from the left and from the top.
    """

    at_update: int
    raw: Array
    typed: Mapping[str, Array]
    rows: Mapping[str, Array]
    points: Mapping[str, Array]
    axes: tuple[tuple[float, float], ...]
    edges: tuple[Array, ...]

    @cached_property
    def typed_cell(self) -> float:
        """The number of the map's cell that what is typed falls into, 0 outside."""
        at = [axes.place(self.raw[:, i], *self.axes[i])[0] for i in range(2)]
        if not np.isfinite(at).all():
            return float("nan")
        inside = all(0 <= a < GRID for a in at)
        return float(axes.number(at[0], at[1])) if inside else 0.0

    @cached_property
    def value_size(self) -> float:
        """The largest magnitude that the map shows."""
        return magnitude(self.points["value"])


@dataclass(frozen=True)
class Shown:
    """A cell: its formula, what it holds, and a magnitude that differences are measured by."""

    live: Live
    value: Callable[[Facts], Content]
    size: Callable[[Facts], float] | None = None


def shown_cells(plan: Plan) -> Iterator[Shown]:
    """All of them."""
    yield from _place(plan)
    yield from _inputs(plan)
    yield from _outputs(plan)
    yield from _quality(plan)
    yield from _matrices(plan)
    if plan.points is not None:
        yield from _axes(plan)
    if plan.picture == MAP:
        yield from _map(plan)
    if plan.picture == AGAINST:
        yield from _identity(plan)


def _place(plan: Plan) -> Iterator[Shown]:
    """Where the update is in the training."""
    rows, size = plan.problem.rows, plan.problem.spec.training.batch_size
    batches, text = plan.batches, AT_UPDATE
    if size > 1:
        text = (
            f"IF({AT_UPDATE}=0,0,INT(({AT_UPDATE}-1)/{batches})*{rows}"
            f"+MIN((MOD({AT_UPDATE}-1,{batches})+1)*{size},{rows}))"
        )
    live = Live(VISIT_ROW, FIRST, text, "visit of the update")
    yield Shown(live, lambda f: float(visit_of(plan, f.at_update)))
    text = f"IF({AT_UPDATE}=0,0,INT(({AT_UPDATE}-1)/{batches})+1)"
    live = Live(EPOCH_ROW, FIRST, text, "epoch of the update")
    yield Shown(live, lambda f: float(-(-f.at_update // batches)))


def visit_of(plan: Plan, update: int) -> int:
    """The last visit of an update; 0 before the first."""
    if update == 0:
        return 0
    epoch, batch = divmod(update - 1, plan.batches)
    inside = min((batch + 1) * plan.problem.spec.training.batch_size, plan.problem.rows)
    return epoch * plan.problem.rows + inside


def _in_typed(plan: Plan, name: str, i: int = 0) -> str:
    return address(
        plan.typed_region.row, plan.typed_region.column + plan.typed[name].first + i
    )


def _inputs(plan: Plan) -> Iterator[Shown]:
    for i in range(plan.inputs):
        text = _in_typed(plan, "x", i)
        name = plan.problem.table.input_names[i]
        live = Live(plan.inputs_row + 1 + i, SECOND, text, f"{name} as the network sees it")
        yield Shown(live, _number("typed", "x", i), _largest("rows", "x", i))


def _number(table: str, name: str, k: int) -> Callable[[Facts], float]:
    """One number of the row of what is typed."""
    return lambda f: float(getattr(f, table)[name][0, k])


def _largest(table: str, name: str, k: int) -> Callable[[Facts], float]:
    """The largest magnitude of a quantity."""
    return lambda f: magnitude(getattr(f, table)[name][:, k])


def magnitude(numbers: Array) -> float:
    """The largest magnitude of those that are numbers."""
    return float(np.max(np.abs(np.where(np.isfinite(numbers), numbers, 0.0)), initial=0.0))


def class_name_cells(plan: Plan) -> list[str]:
    """Where ``Data`` says what each class, or output, is called; nothing for 0 and 1."""
    data = plan.layout.data
    if plan.problem.classes is not None:
        if plan.outputs == 1:
            column = letter(data.y_column)
            rows = (data.coding_row + 1, data.coding_row)
            return [f"{DATA}!{column}{row}" for row in rows]
        return [f"{DATA}!{letter(data.y_column + k)}{data.coding_row}" for k in range(plan.outputs)]
    if plan.task.classes and plan.outputs == 1:
        return []
    return [f"{DATA}!{letter(data.target_column + k)}{data.name_row}" for k in range(plan.outputs)]


def class_names(plan: Plan) -> list[Content]:
    """The same in Python."""
    if plan.problem.classes is not None:
        return list(plan.problem.classes)
    if plan.task.classes and plan.outputs == 1:
        return [0.0, 1.0]
    return list(plan.problem.table.target_names)


def named(title: Content) -> str:
    """What a class is called, as people write it."""
    return f"{title:g}" if isinstance(title, float) else title


def _constant(content: Content) -> Callable[[Facts], Content]:
    return lambda f: content


def _outputs(plan: Plan) -> Iterator[Shown]:
    task, shift, name = plan.task, plan.shift, last_outputs(plan)
    first, second = FIRST + shift, SECOND + shift
    titles = class_names(plan)
    for k, text in enumerate(class_name_cells(plan)):
        live = Live(plan.outputs_row + 1 + k, NAME + shift, text, f"name {k + 1}", links=True)
        yield Shown(live, _constant(titles[k]))
    if task.classes and plan.outputs == 1:
        a, row = _in_typed(plan, name), plan.outputs_row
        size = _largest("rows", name, 0)
        live = Live(row + 1, first, f"1-{a}", f"output for {named(titles[0])}")
        yield Shown(live, lambda f: 1.0 - float(f.typed[name][0, 0]), lambda f: max(1.0, size(f)))
        live = Live(row + 2, first, a, f"output for {named(titles[1])}")
        yield Shown(live, _number("typed", name, 0), size)
    else:
        for k in range(plan.outputs):
            row, a = plan.outputs_row + 1 + k, _in_typed(plan, name, k)
            size = _largest("rows", name, k)
            live = Live(row, first, a, f"output for {named(titles[k])}")
            yield Shown(live, _number("typed", name, k), size)
            if task.numbers:
                text = in_units(plan, [_in_typed(plan, name, j) for j in range(k + 1)])[k]
                live = Live(row, second, text, f"{titles[k]} in units of the data")
                yield Shown(live, _in_data_units(plan, name, k), _largest("rows", "pred", k))
            elif task.labels:
                live = Live(row, second, f"IF(SIGN({a}-{summaries.HALF})>=0,1,0)", "yes or no")
                yield Shown(live, _yes(name, k))
    if task.classes:
        yield from _told(plan, titles)


def _in_data_units(plan: Plan, name: str, k: int) -> Callable[[Facts], float]:
    return lambda f: float(rescaled(plan, f.typed[name])[0, k])


def _yes(name: str, k: int) -> Callable[[Facts], float]:
    return lambda f: float(told.side(f.typed[name][:, k])[0]) - 1.0


def _told(plan: Plan, titles: list[Content]) -> Iterator[Shown]:
    """The class told, by name, and its output."""
    top, end = plan.outputs_row + 1, plan.outputs_row + plan.task.classes
    winner = _in_typed(plan, "told", plan.outputs - 1)

    def index(f: Facts) -> float:
        return float(f.typed["told"][0, -1])

    def name(f: Facts) -> Content:
        return index(f) if np.isnan(index(f)) else titles[int(index(f)) - 1]

    def output(f: Facts) -> Content:
        a = f.typed[last_outputs(plan)][0]
        if np.isnan(index(f)):
            return index(f)
        if plan.outputs == 1:
            return float(a[0]) if index(f) == 2 else 1.0 - float(a[0])
        return float(a[int(index(f)) - 1])

    for held, shown, what, value in (
        (NAME, FIRST, "class told", name),
        (FIRST, SECOND, "output of the class told", output),
    ):
        column = letter(held + plan.shift)
        text = f"INDEX({column}{top}:{column}{end},{winner})"
        yield Shown(Live(plan.told_row, shown + plan.shift, text, what), value)


REDUCE = {"MIN": np.min, "MAX": np.max}
"""Functions over ranges, and NumPy's."""

SETS = ("training rows", "held-out rows")


def sets_of(plan: Plan) -> list[tuple[str, int, int]]:
    """What rows are used for: (name, first from 0, end)."""
    rows, held_out = plan.problem.rows, plan.problem.held_out
    found = [(SETS[0], 0, rows)]
    return [*found, (SETS[1], rows, rows + held_out)] if held_out else found


def _quality(plan: Plan) -> Iterator[Shown]:
    """What is said of the rows of each set, a column each."""
    measure, name = plan.task.network.measure, last_outputs(plan)
    for n, (title, first, end) in enumerate(sets_of(plan)):
        column, row = FIRST + plan.shift + n, plan.quality_row
        span = column_span(plan, "loss", first, end)
        live = Live(row + 1, column, summaries.mean_cell(span), f"mean loss of {title}")
        yield Shown(live, _mean("loss", first, end), lambda f: loss_size(plan, f.rows))
        text = _measured(plan, first, end)
        live = Live(row + 2, column, text, f"{measure.name} of {title}")
        if plan.task.classes:
            yield Shown(live, _mean("hit", first, end))
        else:
            yield Shown(live, _summary(plan, name, first, end), lambda f: magnitude(f.rows["y"]))
        if plan.each_target:
            for k in range(plan.outputs):
                goal = column_span(plan, "goal", first, end, k)
                pred = column_span(plan, "pred", first, end, k)
                target = plan.problem.table.target_names[k]
                text = f"SQRT(SUMXMY2({goal},{pred})/ROWS({goal}))"
                live = Live(row + 3 + k, column, text, f"RMSE of {target}, {title}")
                yield Shown(live, _root_mean_square(first, end, k), _largest("rows", "goal", k))


def _measured(plan: Plan, first: int, end: int) -> str:
    """Accuracy or RMSE, as ``Epochs`` has it."""
    if plan.task.classes:
        return f"AVERAGE({column_span(plan, 'hit', first, end)})"
    name = last_outputs(plan)
    spans = Spans(
        tuple(column_span(plan, "y", first, end, k) for k in range(plan.outputs)),
        tuple(column_span(plan, name, first, end, k) for k in range(plan.outputs)),
        column_span(plan, "y", first, end),
        column_span(plan, name, first, end),
    )
    return plan.task.network.measure.summary.cell(spans, 0)


def _mean(name: str, first: int, end: int) -> Callable[[Facts], float]:
    def value(f: Facts) -> float:
        terms = f.rows[name][first:end]
        return finite(summaries.mean(arithmetic.running_sum(terms), end - first))

    return value


def finite(number: Array | float) -> float:
    """A number, nan for what a sheet cannot hold."""
    return float(number) if np.isfinite(number) else float("nan")


def _summary(plan: Plan, name: str, first: int, end: int) -> Callable[[Facts], float]:
    summary = plan.task.network.measure.summary

    def value(f: Facts) -> float:
        terms = summary.terms({"y": f.rows["y"][first:end], "a": f.rows[name][first:end]})
        return finite(summary.finish(arithmetic.running_sum(terms), end - first, plan.outputs))

    return value


def loss_size(plan: Plan, rows: Mapping[str, Array]) -> float:
    """What a loss is measured by: where numbers are learnt their squares, else 1."""
    if plan.task.network.loss.targets != "any":
        return 1.0
    return magnitude(rows["y"]) ** 2


def _root_mean_square(first: int, end: int, k: int) -> Callable[[Facts], float]:
    def value(f: Facts) -> float:
        error = f.rows["goal"][first:end, k] - f.rows["pred"][first:end, k]
        return finite(np.sqrt(arithmetic.running_sum(error * error) / (end - first)))

    return value


def _matrices(plan: Plan) -> Iterator[Shown]:
    """Rows of each true class (down) that are told to be each class (across)."""
    classes, shift = plan.task.classes, plan.shift
    titles = class_names(plan)
    for (title, first, end), head in zip(sets_of(plan), plan.matrix_rows, strict=False):
        right = column_span(plan, "right", first, end)
        said = column_span(plan, "told", first, end, plan.outputs - 1)
        for k in range(classes):
            name = f"${letter(NAME + shift)}${plan.outputs_row + 1 + k}"
            for row, column in ((head + 1, FIRST + shift + k), (head + 2 + k, NAME + shift)):
                yield Shown(Live(row, column, name, f"class {k + 1}"), _constant(titles[k]))
        for i in range(classes):
            for j in range(classes):
                text = f"COUNTIFS({right},{i + 1},{said},{j + 1})"
                what = f"{title} of class {i + 1} told to be {j + 1}"
                live = Live(head + 2 + i, FIRST + shift + j, text, what)
                yield Shown(live, _count(first, end, i + 1, j + 1))


def _count(first: int, end: int, right: int, said: int) -> Callable[[Facts], float]:
    return lambda f: float(
        np.sum((f.rows["right"][first:end] == right) & (f.rows["told"][first:end, -1] == said))
    )


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
        live = Live(
            grid.row + k // GRID, grid.column + k % GRID, text, f"cell {k + 1} of the map"
        )
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
            right = 1 if len(signs) == 1 else int(f.rows["right"][here - 1])
            return signs[right - 1]
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
            yield Shown(live, _end(k, function), _largest("rows", "goal", k))


def _end(k: int, function: str) -> Callable[[Facts], float]:
    return lambda f: finite(REDUCE[function](np.concatenate((f.rows["pred"][:, k], f.rows["goal"][:, k]))))
