"""Live charts on ``Predict``: curves over one input, predictions against targets."""

from __future__ import annotations

from typing import Literal

from openpyxl.chart import Reference, ScatterChart
from openpyxl.chart.axis import ChartLines
from openpyxl.chart.legend import Legend, LegendEntry
from openpyxl.chart.marker import Marker
from openpyxl.chart.series import XYSeries
from openpyxl.chart.series_factory import SeriesFactory
from openpyxl.chart.shapes import GraphicalProperties
from openpyxl.drawing.line import LineProperties
from openpyxl.drawing.spreadsheet_drawing import AnchorMarker, OneCellAnchor
from openpyxl.drawing.xdr import XDRPositiveSize2D
from openpyxl.worksheet.worksheet import Worksheet

from sheetnet.regions import DATA, Region
from sheetnet.views.predict.facts import sets_of
from sheetnet.views.predict.names import class_names, named
from sheetnet.views.predict.plan import CHART_ROWS, FIRST, FIRST_ROW, SHOWN_POINTS, Plan
from sheetnet.workbook.chart_parts import COLOURS, chart_title

WIDTH, HEIGHT = 17.0, 11.5
"""Of a chart, in centimetres."""

_EMU = 360_000
_GREY = "7F7F7F"
_CIRCLE: Literal["circle"] = "circle"
_DIAMOND: Literal["diamond"] = "diamond"
MAX_CURVES = len(COLOURS)


def add_curves(sheet: Worksheet, plan: Plan) -> None:
    """What the network makes of one input, over the data."""
    ledger, region, data = plan.points, plan.points_region, plan.layout.data
    assert ledger is not None and region is not None
    names = _curve_names(plan)
    first = "probability" if plan.task.probabilities and not plan.task.numbers else "output"
    title = names[0] if len(names) == 1 else first
    kinds = "circles: training rows" + (", diamonds: held-out" if plan.problem.held_out else "")
    what = "What the network says" + (f" ({kinds})" if len(names) > 1 else " along the input")
    chart = _chart(what, plan.problem.table.input_names[0], title)
    across = Region(region.sheet, region.row, region.column + ledger["raw"].first, region.rows, 1)
    numbers = data.target_column if plan.task.numbers else data.y_column
    many = len(names) > 1
    for k, name in enumerate(names):
        column = region.column + ledger["value"].first + k
        down = Region(region.sheet, region.row, column, region.rows, 1)
        curve = _series(sheet, across, down, name if many else "network")
        curve.graphicalProperties.line.solidFill = COLOURS[k] if many else COLOURS[1]
        curve.graphicalProperties.line.width = 28_000
        curve.marker = Marker(symbol="none")
        curve.smooth = True
        chart.series.append(curve)
    for n, (title, start, end) in enumerate(sets_of(plan)):
        rows, first_row = min(end - start, SHOWN_POINTS), data.first_row + start
        for k, name in enumerate(names):
            x = Region(DATA, first_row, data.raw_column, rows, 1)
            y = Region(DATA, first_row, numbers + k, rows, 1)
            told = f"{name}, {title}" if many else title
            colour = COLOURS[k] if many else COLOURS[0] if n == 0 else COLOURS[2]
            chart.series.append(_points(sheet, x, y, told, colour, held_out=n > 0))
    if many and chart.legend is not None:
        # The curves tell the colours; points have the same.
        points = range(len(names), len(chart.series))
        chart.legend.legendEntry = [LegendEntry(idx=i, delete=True) for i in points]
    _put(sheet, plan, chart, 0)


def _curve_names(plan: Plan) -> list[str]:
    """Of the outputs that are drawn."""
    names = [named(name) for name in class_names(plan)]
    if plan.task.classes and plan.outputs == 1:
        return [f"{'probability' if plan.task.probabilities else 'output'} of {names[1]}"]
    return names[:MAX_CURVES]


def add_against(sheet: Worksheet, plan: Plan) -> None:
    """Predictions against targets, and the line on which they would be right."""
    for k in range(plan.charts):
        name = plan.problem.table.target_names[k]
        chart = _chart(f"{name}: predictions against targets", "target", "prediction")
        region, ledger = plan.rows_region, plan.rows
        ends = Region(region.sheet, plan.axes_row + 1 + k, FIRST + plan.shift, 1, 2)
        line = _series(sheet, ends, ends, "right")
        line.graphicalProperties.line.solidFill = _GREY
        line.graphicalProperties.line.width = 12_700
        line.marker = Marker(symbol="none")
        line.smooth = False
        chart.series.append(line)
        for n, (title, start, end) in enumerate(sets_of(plan)):
            rows = min(end - start, SHOWN_POINTS)
            x, y = (
                Region(
                    region.sheet, region.row + start, region.column + ledger[q].first + k, rows, 1
                )
                for q in ("goal", "pred")
            )
            colour = COLOURS[0] if n == 0 else COLOURS[1]
            chart.series.append(_points(sheet, x, y, title, colour, held_out=n > 0))
        _put(sheet, plan, chart, k)


def _chart(title: str, across: str, up: str) -> ScatterChart:
    chart = ScatterChart()
    chart.style, chart.scatterStyle = 13, "lineMarker"
    chart.title = chart_title(title, 1300, bold=True)
    light = GraphicalProperties(ln=LineProperties(solidFill="D9D9D9", w=6_350))
    for axis, text in ((chart.x_axis, across), (chart.y_axis, up)):
        axis.title = chart_title(text, 1000)
        axis.delete = False
        axis.number_format = "General"
        axis.tickLblPos = "low"
        axis.majorGridlines = ChartLines(spPr=light)
    chart.legend = Legend(legendPos="b")
    return chart


def _series(sheet: Worksheet, x: Region, y: Region, title: str) -> XYSeries:
    across, up = (_reference(sheet, region) for region in (x, y))
    series: XYSeries = SeriesFactory(up, across, title=title)
    return series


def _reference(sheet: Worksheet, region: Region) -> Reference:
    book = sheet.parent
    assert book is not None
    return Reference(
        book[region.sheet],
        min_col=region.column,
        max_col=region.last_column,
        min_row=region.row,
        max_row=region.last_row,
    )


def _points(
    sheet: Worksheet, x: Region, y: Region, title: str, colour: str, *, held_out: bool
) -> XYSeries:
    series = _series(sheet, x, y, title)
    series.graphicalProperties.line.noFill = True
    fill = GraphicalProperties(solidFill=colour)
    fill.line.solidFill = colour
    symbol = _DIAMOND if held_out else _CIRCLE
    series.marker = Marker(symbol=symbol, size=7, spPr=fill)
    series.smooth = False
    return series


def _put(sheet: Worksheet, plan: Plan, chart: ScatterChart, k: int) -> None:
    """Place a chart, one below the other, on the columns kept free for them."""
    corner = AnchorMarker(col=plan.picture_column - 1, row=FIRST_ROW - 1 + k * CHART_ROWS)
    size = XDRPositiveSize2D(int(WIDTH * _EMU), int(HEIGHT * _EMU))
    chart.anchor = OneCellAnchor(_from=corner, ext=size)  # type: ignore[assignment]
    sheet.add_chart(chart)
