"""The views of a workbook: those of its sheets that look at the training."""

from __future__ import annotations

from collections.abc import Callable

from sheetnet.layout import Layout
from sheetnet.problem import Problem
from sheetnet.regions import COMPARE, PREDICT, STEP
from sheetnet.views import compare
from sheetnet.views.predict.make import predict_view
from sheetnet.views.step import step_view
from sheetnet.views.view import View

Maker = Callable[[Problem, Layout], View]

MAKERS: dict[str, Maker] = {
    STEP: step_view,
    PREDICT: predict_view,
    COMPARE: compare.make,
}


def views_of(problem: Problem, layout: Layout) -> tuple[View, ...]:
    """The views that a workbook has, in order."""
    return tuple(make(problem, layout) for title, make in MAKERS.items() if title in layout.sheets)
