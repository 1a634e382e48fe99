"""The signs that stand for training rows on the map."""

from __future__ import annotations

from dataclasses import dataclass

from sheetnet.concepts import cells
from sheetnet.regions import letter
from sheetnet.views.predict.columns import column_span
from sheetnet.views.predict.plan import SECOND, Plan

TYPED_SIGN = "✚"
POINT = "●"

SIGNS = ("○", "●", "△", "▲", "□", "■", "◇", "◆", "☆", "★")
"""By class; where there are more classes, their numbers."""


def signs_of(plan: Plan) -> tuple[str, ...]:
    """The sign of each class, or the only one."""
    if not plan.task.knows_right:
        return (POINT,)
    count = plan.task.classes
    return SIGNS[:count] if count <= len(SIGNS) else tuple(map(str, range(1, count + 1)))


@dataclass(frozen=True)
class Sign:
    """How a cell of the map finds the sign of the training row there."""

    signs: str | None
    right: str

    def text(self, here: str) -> str:
        """A part of a formula; ``here`` is the cell with the row's number."""
        if self.signs is None:
            return f'"{POINT}"'
        return f"INDEX({self.signs},{cells.among(self.right, here)})"


def point_sign(plan: Plan) -> Sign:
    """The signs stand beside the classes of the prediction."""
    if not plan.task.knows_right:
        return Sign(None, "")
    column, top = letter(SECOND + plan.shift), plan.outputs_row + 1
    span = f"${column}${top}:${column}${top + plan.task.classes - 1}"
    return Sign(span, column_span(plan, "right", 0, plan.drawn))
