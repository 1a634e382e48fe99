"""What the charts are made of: lines and points over columns, axes, titles, legends."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from openpyxl.chart import LineChart, Reference, ScatterChart, Series
from openpyxl.chart.axis import ChartLines, NumericAxis, TextAxis
from openpyxl.chart.legend import Legend
from openpyxl.chart.marker import Marker
from openpyxl.chart.series import Series as ChartSeries
from openpyxl.chart.shapes import GraphicalProperties
from openpyxl.chart.text import RichText, Text
from openpyxl.chart.title import Title
from openpyxl.drawing.line import LineProperties
from openpyxl.drawing.text import (
    CharacterProperties,
    Paragraph,
    ParagraphProperties,
    RegularTextRun,
)
from openpyxl.worksheet.worksheet import Worksheet

COLOURS = ("0072B2", "D55E00", "009E73", "CC79A7", "E69F00", "56B4E9", "000000")
"""Okabe and Ito's, which stay apart for colour-blind eyes."""

SYMBOLS: tuple[Literal["circle", "diamond", "triangle"], ...] = ("circle", "diamond", "triangle")

MAX_LABELS = 10
"""On a category axis; a long one names every 20th row, say."""

Side = Literal["b", "r"]
"""Where a legend stands."""

_LINE, _THIN = 22_000, 12_700
"""In EMU: 1.7 points and 1."""


@dataclass(frozen=True)
class Rows:
    """The rows of a sheet that a chart shows."""

    sheet: Worksheet
    first: int
    last: int

    @property
    def count(self) -> int:
        """How many."""
        return self.last - self.first + 1

    def column(self, column: int | Reference) -> Reference:
        """A column (from 1) of them; one of another sheet as it is."""
        if isinstance(column, Reference):
            return column
        return Reference(self.sheet, min_col=column, min_row=self.first, max_row=self.last)


def line_chart(
    rows: Rows,
    title: str,
    across: str,
    up: str,
    columns: Sequence[tuple[int | Reference, str]],
    *,
    legend: Side = "b",
) -> LineChart:
    """Lines over rows, whose first column counts them; ``columns`` are (column, words)."""
    chart = LineChart()
    skip = label_skip(rows.count)
    chart.x_axis = TextAxis(tickLblPos="low", tickLblSkip=skip, tickMarkSkip=skip)
    # Spaces keep apart the labels that LibreOffice chooses by itself.
    chart.x_axis.number_format = '"  "0"  "'
    _finish(chart, title, across, up, legend if len(columns) > 1 else None)
    for i, (column, words) in enumerate(columns):
        series = Series(rows.column(column), title=words)
        series.graphicalProperties.line.solidFill = COLOURS[i % len(COLOURS)]
        series.graphicalProperties.line.width = _LINE if rows.count < 500 else _THIN
        series.smooth = False
        series.marker.symbol = "circle" if rows.count == 1 else "none"
        chart.series.append(series)
    chart.set_categories(rows.column(1))
    return chart


def point_chart(
    title: str,
    across: str,
    up: str,
    points: Sequence[tuple[Rows, int, int | Reference, str]],
    *,
    shares: bool = False,
) -> ScatterChart:
    """Points; each series is (rows, column across, column up, words); ``shares`` are 0 to 1."""
    chart = ScatterChart(scatterStyle="lineMarker")
    axis = NumericAxis(axId=10, crossAx=100, tickLblPos="low")
    axis.number_format, axis.majorGridlines = "General", None
    if shares:
        axis.scaling.min, axis.scaling.max, axis.majorUnit = 0, 1, 1
    chart.x_axis = axis
    _finish(chart, title, across, up, "b" if len(points) > 1 else None)
    for i, (rows, x, y, words) in enumerate(points):
        series: ChartSeries = Series(rows.column(y), rows.column(x), title=words)
        colour = COLOURS[i % len(COLOURS)]
        series.graphicalProperties.line.noFill = True
        dot = GraphicalProperties(solidFill=colour, ln=LineProperties(solidFill=colour))
        series.marker = Marker(symbol=SYMBOLS[i % len(SYMBOLS)], size=5, spPr=dot)
        chart.series.append(series)
    return chart


def from_0_to_1(chart: LineChart | ScatterChart, number_format: str) -> None:
    """An upright axis for shares."""
    chart.y_axis.scaling.min, chart.y_axis.scaling.max = 0, 1
    chart.y_axis.majorUnit, chart.y_axis.number_format = 0.25, number_format


def label_skip(rows: int) -> int:
    """Name every row, or every 2nd, 5th, 10th, 20th …, so that the names have room."""
    size = 1
    while True:
        for step in (size, 2 * size, 5 * size):
            if rows <= step * MAX_LABELS:
                return step
        size *= 10


def _finish(
    chart: LineChart | ScatterChart, title: str, across: str, up: str, legend: Side | None
) -> None:
    chart.title = chart_title(title, 1200, bold=True)
    chart.x_axis.title, chart.y_axis.title = chart_title(across, 900), chart_title(up, 900)
    # Applications leave out axes that do not say so, and columns that are folded away.
    chart.x_axis.delete = chart.y_axis.delete = False
    chart.visible_cells_only = False
    chart.y_axis.number_format = "General"
    chart.y_axis.tickLblPos = "low"
    light = GraphicalProperties(ln=LineProperties(solidFill="D9D9D9", w=6_350))
    chart.y_axis.majorGridlines = ChartLines(spPr=light)
    chart.legend = Legend(legendPos=legend) if legend else None


def chart_title(text: str, size: int, *, bold: bool = False) -> Title:
    """A title; ``size`` in hundredths of a point."""
    font = CharacterProperties(sz=size, b=bold)
    run = RegularTextRun(rPr=font, t=text)
    paragraph = Paragraph(pPr=ParagraphProperties(defRPr=font), r=[run])
    return Title(tx=Text(rich=RichText(p=[paragraph])), overlay=False)
