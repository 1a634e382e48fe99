"""What classes and outputs are called."""

from __future__ import annotations

from sheetnet.regions import DATA, letter
from sheetnet.views.predict.plan import (
    Plan,
)
from sheetnet.views.view import Content


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
