"""Live line charts of ``Epochs``: losses, how well it does, the gradient of each layer."""

from __future__ import annotations

import math

from openpyxl.chart import LineChart, Reference, Series
from openpyxl.chart.axis import ChartLines, TextAxis
from openpyxl.chart.legend import Legend
from openpyxl.chart.shapes import GraphicalProperties
from openpyxl.chart.text import RichText, Text
from openpyxl.chart.title import Title
from openpyxl.drawing.line import LineProperties
from openpyxl.drawing.spreadsheet_drawing import AnchorMarker, OneCellAnchor
from openpyxl.drawing.text import (
    CharacterProperties,
    Paragraph,
    ParagraphProperties,
    RegularTextRun,
)
from openpyxl.drawing.xdr import XDRPositiveSize2D
from openpyxl.worksheet.worksheet import Worksheet

from sheetnet.concepts.summaries import ACCURACY, GRADIENT_NORM, MEAN_LOSS
from sheetnet.epoch_ledgers import VALIDATION as HELD_OUT
from sheetnet.layout import EPOCHS_CHART_ROW, Layout
from sheetnet.problem import Problem
from sheetnet.regions import letter

WIDTH, HEIGHT = 12.5, 7.6
"""Of a chart, in centimetres: about five columns and sixteen rows."""

_GAP = 0.3
_EMU = 360_000
"""Of a centimetre: the unit in which drawings are measured."""

COLOURS = ("0072B2", "D55E00", "009E73", "CC79A7", "E69F00", "56B4E9", "000000")
"""Okabe and Ito's, which stay apart for colour-blind eyes."""

MAX_LAYERS = len(COLOURS)


def add_charts(sheet: Worksheet, problem: Problem, layout: Layout) -> None:
    """Add the charts in a row on top of the sheet."""
    ledger, measure = layout.ledgers.epochs, problem.network.measure.name
    charts = []
    for title, name in (("mean loss", MEAN_LOSS), (measure, measure)):
        names = [name, *([f"{HELD_OUT}{name}"] if problem.network.validates else [])]
        words = ["training", "validation"]
        columns = [(ledger[n].first + 1, word) for n, word in zip(names, words, strict=False)]
        chart = _chart(sheet, layout, f"{title} by epoch", columns)
        if name == ACCURACY:
            chart.y_axis.scaling.min, chart.y_axis.scaling.max = 0, 1
            chart.y_axis.number_format = "0%"
        charts.append(chart)
    layers = list(problem.network.layers)
    if len(layers) > MAX_LAYERS:
        layers = [layers[0], layers[len(layers) // 2], layers[-1]]
    first = ledger[GRADIENT_NORM].first
    columns = [(first + layer.index, f"layer {layer.index}") for layer in layers]
    gradients = _chart(sheet, layout, "gradient norm of each layer", columns)
    if len(layers) > 1:
        gradients.y_axis.scaling.logBase = 10
        gradients.y_axis.number_format = "0.E+00"
    charts.append(gradients)
    for i, chart in enumerate(charts):
        chart.anchor = _at(sheet, i * (WIDTH + _GAP))  # type: ignore[assignment]
        sheet.add_chart(chart)


def _at(sheet: Worksheet, left: float) -> OneCellAnchor:
    """The anchor of a chart that begins ``left`` centimetres from the sheet's edge."""
    column = 0
    while left >= (width := _centimetres(sheet.column_dimensions[letter(column + 1)].width)):
        left -= width
        column += 1
    corner = AnchorMarker(col=column, colOff=int(left * _EMU), row=EPOCHS_CHART_ROW - 1)
    size = XDRPositiveSize2D(int(WIDTH * _EMU), int(HEIGHT * _EMU))
    return OneCellAnchor(_from=corner, ext=size)


def _centimetres(characters: float) -> float:
    """The width of a column: seven pixels a character and five around them, at 96 an inch."""
    return (characters * 7 + 5) / 96 * 2.54


def _chart(
    sheet: Worksheet, layout: Layout, title: str, columns: list[tuple[int, str]]
) -> LineChart:
    region = layout.epoch_rows
    chart = LineChart()
    chart.title = _words(title, 1200, bold=True)
    skip = max(1, math.ceil(region.rows / 12))
    chart.x_axis = TextAxis(
        title=_words("epoch", 900),
        delete=False,
        tickLblPos="low",
        tickLblSkip=skip,
        tickMarkSkip=skip,
    )
    chart.y_axis.delete = False
    chart.y_axis.number_format = "General"
    light = GraphicalProperties(ln=LineProperties(solidFill="D9D9D9", w=6_350))
    chart.y_axis.majorGridlines = ChartLines(spPr=light)
    for i, (column, words) in enumerate(columns):
        values = Reference(sheet, min_col=column, min_row=region.row, max_row=region.last_row)
        series = Series(values, title=words)
        series.graphicalProperties.line.solidFill = COLOURS[i % len(COLOURS)]
        series.graphicalProperties.line.width = 22_000  # in EMU: 1.7 points
        series.smooth = False
        series.marker.symbol = "circle" if region.rows == 1 else "none"
        chart.series.append(series)
    chart.set_categories(Reference(sheet, min_col=1, min_row=region.row, max_row=region.last_row))
    chart.legend = Legend(legendPos="b") if len(columns) > 1 else None
    return chart


def _words(text: str, size: int, *, bold: bool = False) -> Title:
    """A title; ``size`` in hundredths of a point."""
    font = CharacterProperties(sz=size, b=bold)
    run = RegularTextRun(rPr=font, t=text)
    paragraph = Paragraph(pPr=ParagraphProperties(defRPr=font), r=[run])
    return Title(tx=Text(rich=RichText(p=[paragraph])), overlay=False)
