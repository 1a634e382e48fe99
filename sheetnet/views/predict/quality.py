"""What is said of all rows of ``Data``: loss, accuracy or RMSE, confusion matrices."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import numpy as np

from sheetnet.concepts import arithmetic, summaries
from sheetnet.concepts.arithmetic import Array
from sheetnet.concepts.summaries import Spans
from sheetnet.regions import letter
from sheetnet.views.predict.columns import (
    column_span,
    last_outputs,
)
from sheetnet.views.predict.facts import (
    Facts,
    Shown,
    constant,
    finite,
    largest_of,
    magnitude,
    sets_of,
)
from sheetnet.views.predict.names import class_names
from sheetnet.views.predict.plan import (
    FIRST,
    NAME,
    Plan,
)
from sheetnet.views.view import Live


def quality_cells(plan: Plan) -> Iterator[Shown]:
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
                yield Shown(live, _root_mean_square(first, end, k), largest_of("rows", "goal", k))


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
        plan.task.network.layers[-1].activation.bounded,
    )
    return plan.task.network.measure.summary.cell(spans, 0)


def _mean(name: str, first: int, end: int) -> Callable[[Facts], float]:
    def value(f: Facts) -> float:
        terms = f.rows[name][first:end]
        return finite(summaries.mean(arithmetic.running_sum(terms), end - first))

    return value


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
    largest = magnitude(rows["y"])
    return finite(largest * largest)


def _root_mean_square(first: int, end: int, k: int) -> Callable[[Facts], float]:
    def value(f: Facts) -> float:
        error = f.rows["goal"][first:end, k] - f.rows["pred"][first:end, k]
        return finite(np.sqrt(arithmetic.running_sum(error * error) / (end - first)))

    return value


def matrix_cells(plan: Plan) -> Iterator[Shown]:
    """Rows of each true class (down) that are told to be each class (across)."""
    classes, shift = plan.task.classes, plan.shift
    titles = class_names(plan)
    for (title, first, end), head in zip(sets_of(plan), plan.matrix_rows, strict=False):
        right = column_span(plan, "right", first, end)
        said = column_span(plan, "told", first, end, plan.outputs - 1)
        for k in range(classes):
            name = f"${letter(NAME + shift)}${plan.outputs_row + 1 + k}"
            for row, column in ((head + 1, FIRST + shift + k), (head + 2 + k, NAME + shift)):
                yield Shown(Live(row, column, name, f"class {k + 1}"), constant(titles[k]))
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
