"""``Step``: one visit under the microscope, as matrices, each number recomputed there."""

from __future__ import annotations

from sheetnet.constants import constants
from sheetnet.layout import Layout
from sheetnet.problem import Problem
from sheetnet.regions import STEP
from sheetnet.views.step_formulas import step_cells
from sheetnet.views.step_layout import CHOSEN, StepLayout
from sheetnet.views.step_values import step_values
from sheetnet.views.view import Choice, Chosen, View

NUDGE = 1e-4
"""h of the difference quotient: its error is about h² and 1e-16 / h, both far below 1e-4."""


def step_view(problem: Problem, layout: Layout) -> View:
    """The view of a problem's workbook."""
    step = StepLayout(problem.network, layout.ledger, compares=not layout.bugs)
    layers = problem.network.layers

    def choice(
        name: str, default: float, meaning: str, low: float, high: float, *, whole: bool = True
    ) -> Choice:
        box = step.panel[name]
        return Choice(name, box.row, box.column, default, meaning, low, high, whole)

    layer, unit, source, nudge = CHOSEN
    choices = (
        choice(
            "step",
            _telling(problem),
            "the visit that is shown, a row of Train",
            layout.first_visit,
            layout.first_visit + layout.visits - 1,
        ),
        choice(layer, 1, "the layer of the weight that is explained", 1, len(layers)),
        choice(unit, 1, "its unit", 1, max(each.units for each in layers)),
        choice(source, 1, "its input; 0: the bias", 0, max(each.inputs for each in layers)),
        choice(nudge, NUDGE, "h of the gradient check", 1e-9, 1, whole=False),
    )

    def visits(chosen: Chosen) -> frozenset[int]:
        visit = int(chosen["step"])
        return frozenset({visit, visit - 1} - {layout.first_visit - 1})

    return View(
        title=STEP,
        choices=choices,
        tables=(),
        cells=tuple(step_cells(layout, step)),
        visits=visits,
        values=lambda source, chosen: step_values(problem, step, source, chosen),
    )


def _telling(problem: Problem) -> int:
    """The first visit of as many as an epoch has, with the fewest inputs that are 0."""
    count = min(problem.rows, problem.visits)
    order = constants(problem, 0, count)["sample"].astype(int) - 1
    zeros = (problem.inputs.values[order] == 0).sum(axis=1)
    return problem.first_visit + int(zeros.argmin())
