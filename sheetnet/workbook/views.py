"""The sheets that look at the training: who writes each of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from openpyxl import Workbook

from sheetnet.layout import Layout
from sheetnet.problem import Problem
from sheetnet.regions import COMPARE, PREDICT, STEP
from sheetnet.views.view import View
from sheetnet.workbook.compare import write_compare
from sheetnet.workbook.predict import write_predict
from sheetnet.workbook.step import write_step
from sheetnet.workbook.stream import Stream
from sheetnet.workbook.watch import Tables

Writer = Callable[[Workbook, Problem, Layout, View, Tables], Sequence[Stream]]
"""Adds a sheet and returns the streams of its tables, from the top down."""

WRITERS: dict[str, Writer] = {
    STEP: write_step,
    PREDICT: write_predict,
    COMPARE: write_compare,
}
