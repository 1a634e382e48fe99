"""``Config``: the numbers to play with, named; and the structure, fixed at export."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from openpyxl import Workbook
from openpyxl.styles import Alignment
from openpyxl.workbook.defined_name import DefinedName
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.worksheet import Worksheet

from sheetnet.concepts.hyperparameters import Hyperparameter
from sheetnet.data_layout import coding_of
from sheetnet.layout import (
    BUGS_KEY,
    CONFIG_FIRST_ROW,
    CONFIG_KEY,
    CONFIG_NETWORK,
    CONFIG_NOTE,
    CONFIG_VALUE,
    LAYERS_HEADER,
    NETWORK,
    SHEETS_KEY,
)
from sheetnet.network import Layer
from sheetnet.problem import Problem, Scaled
from sheetnet.regions import CONFIG, letter
from sheetnet.window import COLUMNS, COMPACT, FROM_VISIT, NEVER, STOPPED_AFTER, VISITS
from sheetnet.workbook import styles
from sheetnet.workbook.styles import put

_SHEETS_NOTE = "the sheets of this workbook"
_BUGS_NOTE = "wrong on purpose in this workbook: find them"
_LIVE = (
    "Type another number over a blue one: all sheets recalculate. Formulas use each by its name, "
    "as in -learning_rate*g."
)
_FIXED = (
    "What sheets, columns and rows there are follows from these. Change the spec and export "
    "another workbook."
)
_LAYER_REMARKS = {
    "layer": "Counted from the input side: the l of Wₗ, bₗ, zₗ, aₗ.",
    "units": "Rows of Wₗ on Init, columns of zₗ and aₗ on Train.",
    "activation": "a = f(z): what each unit makes of its weighted sum.",
    "inputs": "Columns of Wₗ: the inputs of the network, or the units of the layer before.",
    "train_bias": "FALSE: the biases stay as they are on Init.",
    "parameters": "Weights and biases: units · (inputs + 1).",
}


def write_config(book: Workbook, problem: Problem, sheets: Sequence[str], bugs: int = 0) -> None:
    """Add the sheet and the defined names of its input cells; ``bugs`` of a bug hunt."""
    sheet = book.create_sheet(CONFIG)
    styles.title(
        sheet,
        problem.spec.name,
        "Blue numbers on yellow may be changed: all sheets recalculate. "
        "Grey cells are fixed at export.",
    )
    styles.back(sheet, 3)
    put(sheet, *CONFIG_NETWORK, f"{NETWORK}{problem.network.label}", styles.HEADING)
    row = _heading(sheet, CONFIG_FIRST_ROW, "You may change", _LIVE)
    for parameter in problem.changeable:
        _input(book, sheet, row, parameter, problem.hyperparameters[parameter.name])
        row += 1
    row = _heading(sheet, row + 1, "Fixed at export", _FIXED)
    for key, value, note in _structure(problem):
        _fixed(sheet, row, key, value, note)
        row += 1
    _fixed(sheet, row, SHEETS_KEY, ", ".join(sheets), _SHEETS_NOTE, lines=4)
    if bugs:
        row += 1
        _fixed(sheet, row, BUGS_KEY, bugs, _BUGS_NOTE)
    row = _heading(sheet, row + 2, "Layers (fixed at export)", _FIXED)
    _layers(sheet, row, problem)
    sheet.column_dimensions["A"].width = 18
    sheet.column_dimensions["B"].width = 22
    for column in "CDEF":
        sheet.column_dimensions[column].width = 13
    styles.for_screen_and_page(sheet, None, landscape=False)


def _heading(sheet: Worksheet, row: int, text: str, remark: str) -> int:
    for column in range(1, len(LAYERS_HEADER) + 1):
        put(
            sheet, row, column, text if column == 1 else None, styles.HEADING
        ).border = styles.UNDERLINE
    styles.remark(sheet.cell(row, 1), remark)
    return row + 1


def _input(
    book: Workbook, sheet: Worksheet, row: int, parameter: Hyperparameter, value: float
) -> None:
    put(sheet, row, CONFIG_KEY, parameter.name, styles.BOLD)
    cell = put(sheet, row, CONFIG_VALUE, float(value), styles.INPUT, styles.INPUT_FILL)
    cell.border, cell.alignment = styles.BOX, styles.LEFT
    put(sheet, row, CONFIG_NOTE, parameter.meaning, styles.NOTE)
    target = f"{CONFIG}!${letter(CONFIG_VALUE)}${row}"
    book.defined_names[parameter.name] = DefinedName(parameter.name, attr_text=target)
    sheet.add_data_validation(_validation(parameter, cell.coordinate))


def _validation(parameter: Hyperparameter, where: str) -> DataValidation:
    bounds = f"from {parameter.low:g}"
    kind: Literal["whole", "decimal"] = "whole" if parameter.whole else "decimal"
    number = "whole number" if parameter.whole else "number"
    rule = DataValidation(type=kind, operator="greaterThanOrEqual", formula1=f"{parameter.low:g}")
    if parameter.high is not None:
        bounds += f" to {parameter.high:g}"
        rule = DataValidation(
            type=kind,
            operator="between",
            formula1=f"{parameter.low:g}",
            formula2=f"{parameter.high:g}",
        )
    rule.showErrorMessage = rule.showInputMessage = True
    rule.promptTitle, rule.prompt = parameter.name, f"{parameter.meaning}; a {number} {bounds}"
    rule.errorTitle, rule.error = parameter.name, f"A {number} {bounds} is needed."
    rule.add(where)
    return rule


def _way(side: Scaled) -> str:
    return side.scaling.maths if side.scaling.statistics else "as they are"


def _structure(problem: Problem) -> list[tuple[str, object, str]]:
    data, training = problem.spec.data, problem.spec.training
    rows: list[tuple[str, object, str]] = [
        ("name", problem.spec.name, "the spec's name"),
        ("source", data.source, "where the rows of Data came from"),
        ("rows", problem.rows, "training rows on Data"),
        ("validation", data.validation, "share of all rows that is held out"),
        ("held_out", problem.held_out, "rows of Data below them, for validation only"),
        ("inputs", len(problem.table.input_names), "columns that feed the first layer"),
        ("targets", len(problem.table.target_names), "raw target columns"),
        ("coding", coding_of(problem), "of a class target: see the head of Data"),
        ("scale", data.scale, f"of the inputs: {_way(problem.inputs)}"),
        ("target_scale", data.target_scale, f"of the targets: {_way(problem.targets)}"),
        ("loss", problem.network.loss.name, problem.network.loss.maths),
        ("optimizer", problem.network.optimizer.name, problem.network.optimizer.maths),
        ("epochs", training.epochs, "passes over all training rows"),
        ("batch_size", training.batch_size, "samples for each update"),
        ("shuffle", training.shuffle, "a new order of the rows each epoch"),
        ("seed", training.seed, "of shuffles and of the weights drawn for Init"),
        ("initializer", training.initializer, "how weights that were not given were drawn"),
    ]
    return rows + _window(problem)


def _window(problem: Problem) -> list[tuple[str, object, str]]:
    """Which part of the training stands in the workbook, where it is not all of it."""
    window = problem.window
    rows: list[tuple[str, object, str]] = []
    if problem.network.compact:
        rows.append((COLUMNS, COMPACT, "what follows at once is worked into other formulas"))
    if window is None:
        return rows
    rows += [
        (FROM_VISIT, window.first, "the first visit on Train; Init holds what it starts from"),
        (VISITS, window.visits, "rows of Train"),
    ]
    if problem.network.stops:
        after = NEVER if window.stopped_after is None else window.stopped_after
        rows.append((STOPPED_AFTER, after, "the epoch after which training had ended, by then"))
    return rows


def _fixed(
    sheet: Worksheet, row: int, key: str, value: object, note: str, *, lines: int = 1
) -> None:
    put(sheet, row, CONFIG_KEY, key, styles.BODY)
    cell = put(sheet, row, CONFIG_VALUE, value, styles.FIXED, styles.FIXED_FILL)
    cell.alignment = styles.LEFT
    if lines > 1:
        cell.alignment = Alignment(wrap_text=True, vertical="top")
        sheet.row_dimensions[row].height = 15 * lines
    put(sheet, row, CONFIG_NOTE, note, styles.NOTE)


def _layers(sheet: Worksheet, row: int, problem: Problem) -> None:
    for column, name in enumerate(LAYERS_HEADER, 1):
        head = put(sheet, row, column, name, styles.BOLD, styles.HEADER_FILL)
        styles.remark(head, _LAYER_REMARKS[name])
    for layer in problem.network.layers:
        values = (
            layer.index,
            layer.units,
            layer.activation.name,
            layer.inputs,
            layer.train_bias,
            layer.units * (layer.inputs + 1),
        )
        for column, value in enumerate(values, 1):
            cell = put(sheet, row + layer.index, column, value, styles.FIXED, styles.FIXED_FILL)
            cell.alignment = styles.LEFT
            if value == layer.activation.name:
                styles.remark(cell, _function(layer))


def _function(layer: Layer) -> str:
    """An activation and its slope, in mathematical notation."""
    activation = layer.activation
    return f"{activation.name}: a = {activation.parts[-1].maths}\nf′ = {activation.slope_maths}"
