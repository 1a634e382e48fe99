"""The panel of ``Predict``: the update, what is typed, what the network says of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from sheetnet.concepts import summaries
from sheetnet.regions import letter
from sheetnet.views.predict import told
from sheetnet.views.predict.columns import (
    AT_UPDATE,
    in_units,
    last_outputs,
    rescaled,
)
from sheetnet.views.predict.facts import (
    Facts,
    Shown,
    constant,
    in_typed,
    largest_of,
    number_of,
)
from sheetnet.views.predict.names import class_name_cells, class_names, named
from sheetnet.views.predict.plan import (
    EPOCH_ROW,
    FIRST,
    NAME,
    SECOND,
    VISIT_ROW,
    Plan,
)
from sheetnet.views.view import Content, Live


def panel_cells(plan: Plan) -> Iterator[Shown]:
    """All of them."""
    yield from _place(plan)
    yield from _inputs(plan)
    yield from _outputs(plan)


def visit_of(plan: Plan, update: int) -> int:
    """The last visit of an update; 0 before the first."""
    if update == 0:
        return 0
    epoch, batch = divmod(update - 1, plan.batches)
    inside = min((batch + 1) * plan.problem.spec.training.batch_size, plan.problem.rows)
    return epoch * plan.problem.rows + inside


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


def _inputs(plan: Plan) -> Iterator[Shown]:
    for i in range(plan.inputs):
        text = in_typed(plan, "x", i)
        name = plan.problem.table.input_names[i]
        live = Live(plan.inputs_row + 1 + i, SECOND, text, f"{name} as the network sees it")
        yield Shown(live, number_of("typed", "x", i), largest_of("rows", "x", i))


def _outputs(plan: Plan) -> Iterator[Shown]:
    task, shift, name = plan.task, plan.shift, last_outputs(plan)
    first, second = FIRST + shift, SECOND + shift
    titles = class_names(plan)
    for k, text in enumerate(class_name_cells(plan)):
        live = Live(plan.outputs_row + 1 + k, NAME + shift, text, f"name {k + 1}")
        yield Shown(live, constant(titles[k]))
    if task.classes and plan.outputs == 1:
        a, row = in_typed(plan, name), plan.outputs_row
        size = largest_of("rows", name, 0)
        live = Live(row + 1, first, f"1-{a}", f"output for {named(titles[0])}")
        yield Shown(live, lambda f: 1.0 - float(f.typed[name][0, 0]), lambda f: max(1.0, size(f)))
        live = Live(row + 2, first, a, f"output for {named(titles[1])}")
        yield Shown(live, number_of("typed", name, 0), size)
    else:
        for k in range(plan.outputs):
            row, a = plan.outputs_row + 1 + k, in_typed(plan, name, k)
            size = largest_of("rows", name, k)
            live = Live(row, first, a, f"output for {named(titles[k])}")
            yield Shown(live, number_of("typed", name, k), size)
            if task.numbers:
                text = in_units(plan, [in_typed(plan, name, j) for j in range(k + 1)])[k]
                live = Live(row, second, text, f"{titles[k]} in units of the data")
                yield Shown(live, _in_data_units(plan, name, k), largest_of("rows", "pred", k))
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
    winner = in_typed(plan, "told", plan.outputs - 1)

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
