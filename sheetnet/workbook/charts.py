"""Live charts of ``Epochs``: by epoch above, by visit of ``Train`` below."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from openpyxl import Workbook
from openpyxl.chart import LineChart, Reference, ScatterChart
from openpyxl.drawing.spreadsheet_drawing import AnchorMarker, OneCellAnchor
from openpyxl.drawing.xdr import XDRPositiveSize2D
from openpyxl.worksheet.worksheet import Worksheet

from sheetnet.concepts.summaries import ACCURACY, GRADIENT_NORM, MEAN_LOSS
from sheetnet.epoch_ledgers import VALIDATION as HELD_OUT
from sheetnet.layout import EPOCHS_CHART_ROW, EPOCHS_CHART_ROWS, Layout
from sheetnet.ledger import Block
from sheetnet.network import Network
from sheetnet.problem import Problem
from sheetnet.regions import EPOCHS, TRAIN, VALIDATION, Region, letter
from sheetnet.workbook.chart_parts import COLOURS, Rows, from_0_to_1, line_chart, point_chart
from sheetnet.workbook.headers import symbol
from sheetnet.workbook.init import output_name

WIDTH, HEIGHT = 12.5, 7.6
"""Of a chart, in centimetres: about five columns and fifteen rows."""

_GAP = 0.3
_EMU = 360_000
"""Of a centimetre: the unit in which drawings are measured."""

MAX_SERIES = len(COLOURS)
MAX_OUTPUTS = 3
MAX_VISITS = 5_000
"""More points than this make applications slow, and show no more."""

Chart = LineChart | ScatterChart


def add_charts(book: Workbook, problem: Problem, layout: Layout) -> None:
    """Add the charts in two rows on top of ``Epochs``."""
    sheet = book[EPOCHS]
    by_epoch = list(_summaries(sheet, problem, layout))
    if GRADIENT_NORM in layout.ledgers.epochs:
        by_epoch.append(_gradients(sheet, problem, layout))
    by_visit = [*_visits(book, layout), _predictions(book, problem, layout)]
    for down, charts in enumerate((by_epoch, by_visit)):
        row = EPOCHS_CHART_ROW + down * EPOCHS_CHART_ROWS
        for i, chart in enumerate(charts):
            chart.anchor = _at(sheet, row, i * (WIDTH + _GAP))  # type: ignore[assignment]
            sheet.add_chart(chart)


def _at(sheet: Worksheet, row: int, left: float) -> OneCellAnchor:
    """The anchor of a chart that begins ``left`` centimetres from the sheet's edge."""
    column = 0
    while left >= (width := _centimetres(sheet.column_dimensions[letter(column + 1)].width)):
        left -= width
        column += 1
    corner = AnchorMarker(col=column, colOff=int(left * _EMU), row=row - 1)
    size = XDRPositiveSize2D(int(WIDTH * _EMU), int(HEIGHT * _EMU))
    return OneCellAnchor(_from=corner, ext=size)


def _centimetres(characters: float) -> float:
    """The width of a column: seven pixels a character and five around them, at 96 an inch."""
    return (characters * 7 + 5) / 96 * 2.54


def _rows(sheet: Worksheet, region: Region, last: int | None = None) -> Rows:
    return Rows(sheet, region.row, last or region.last_row)


def _summaries(sheet: Worksheet, problem: Problem, layout: Layout) -> Iterator[Chart]:
    ledger, measure = layout.ledgers.epochs, problem.network.measure.name
    rows = _rows(sheet, layout.epoch_rows)
    for title, name in (("mean loss", MEAN_LOSS), (measure, measure)):
        names = [name, *([f"{HELD_OUT}{name}"] if problem.network.validates else [])]
        words = ["training", "validation"]
        columns = [(ledger[n].first + 1, word) for n, word in zip(names, words, strict=False)]
        chart = line_chart(rows, f"{title} by epoch", "epoch", title, columns)
        if name == ACCURACY:
            from_0_to_1(chart, "0%")
        yield chart


def _gradients(sheet: Worksheet, problem: Problem, layout: Layout) -> Chart:
    layers = list(problem.network.layers)
    if len(layers) > MAX_SERIES:
        layers = [layers[0], layers[len(layers) // 2], layers[-1]]
    first = layout.ledgers.epochs[GRADIENT_NORM].first
    columns = [(first + layer.index, f"layer {layer.index}") for layer in layers]
    rows = _rows(sheet, layout.epoch_rows)
    chart = line_chart(rows, "gradient norm of each layer", "epoch", "‖∂L/∂(W, b)‖", columns)
    if len(layers) > 1 and _never_zero(problem.network):
        chart.y_axis.scaling.logBase = 10
        chart.y_axis.number_format = "0E+00"
    return chart


def _never_zero(network: Network) -> bool:
    """Whether gradients stay above 0, which an axis of powers needs: no activation is flat."""
    below, half = np.array([-1.0]), np.array([0.5])
    slopes = (layer.activation.slope for layer in network.layers)
    return all(slope is None or slope(below, half)[0] != 0 for slope in slopes)


def _column(book: Workbook, layout: Layout, rows: Rows, name: str, i: int = 0) -> Reference:
    """So many rows of a quantity of ``Train``, on its sheet."""
    title, first = layout.on_sheets.places[name]
    return replace(rows, sheet=book[title]).column(first + i)


def _visits(book: Workbook, layout: Layout) -> Iterator[Chart]:
    region = layout.train
    shown = min(layout.visits, MAX_VISITS)
    rows = _rows(book[TRAIN], region, region.row + shown - 1)
    of = f" (first {shown:,} of {layout.visits:,})" if shown < layout.visits else ""
    loss = [(_column(book, layout, rows, "loss"), "loss")]
    yield line_chart(rows, f"loss by visit{of}", "visit", "loss", loss)
    chosen, count = some_parameters(layout)
    which = f"{len(chosen)} of {count} " if len(chosen) < count else ""
    columns = [
        (
            _column(book, layout, rows, block.name, list(block.indices).index(index)),
            symbol(block, index),
        )
        for block, index in chosen
    ]
    title = f"{which}weights and biases by visit{of}"
    yield line_chart(rows, title, "visit", "value", columns, legend="r")


def some_parameters(layout: Layout) -> tuple[list[tuple[Block, tuple[int, ...]]], int]:
    """Weights and biases spread over the layers, and how many there are."""
    layers = []
    for layer in layout.network.layers:
        blocks = [layout.ledger[f"{base}{layer.index}"] for base in ("W", "b")]
        layers.append([(block, index) for block in blocks for index in block.indices])
    count = sum(map(len, layers))
    if len(layers) > MAX_SERIES:
        layers = [layers[i * len(layers) // MAX_SERIES] for i in range(MAX_SERIES)]
    shares = [0] * len(layers)
    while sum(shares) < min(MAX_SERIES, sum(map(len, layers))):
        open_ = [i for i, own in enumerate(layers) if shares[i] < len(own)]
        shares[min(open_, key=lambda i: shares[i])] += 1
    chosen = [
        own[i * len(own) // share]
        for own, share in zip(layers, shares, strict=True)
        for i in range(share)
    ]
    return chosen, count


def _predictions(book: Workbook, problem: Problem, layout: Layout) -> Chart:
    """Of the last epoch, each at its visit."""
    network, outputs = problem.network, min(problem.network.outputs, MAX_OUTPUTS)
    points = []
    sheets = [(TRAIN, layout.train, layout.ledger, layout.data.rows, "training")]
    if layout.validation is not None and layout.ledgers.validation is not None:
        beside = (layout.ledgers.validation, layout.data.held_out, "validation")
        sheets.append((VALIDATION, layout.validation, *beside))
    for title, region, ledger, count, words in sheets[: 2 if network.outputs == 1 else 1]:
        rows = Rows(book[title], region.last_row - min(count, MAX_VISITS) + 1, region.last_row)
        y = layout.on_sheets.places["y"][1] if title == TRAIN else ledger["y"].first + 1
        last = f"a{len(network.layers)}"
        for k in range(outputs):
            name = words if network.outputs == 1 else output_name(problem, k)
            a: int | Reference = ledger[last].first + 1 + k
            if title == TRAIN:
                a = _column(book, layout, rows, last, k)
            points.append((rows, y + k, a, name))
    of = f" (outputs 1 to {outputs})" if outputs < network.outputs else ""
    title = f"predictions against targets, last epoch{of}"
    bounded = network.loss.targets != "any"
    shares = bounded or problem.classes is not None
    chart = point_chart(title, "target y", "prediction ŷ", points, shares=shares)
    if bounded:
        from_0_to_1(chart, "General")
    return chart
