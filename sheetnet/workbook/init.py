"""``Init``: the first weights, a matrix for each layer with units and inputs labelled."""

from __future__ import annotations

from openpyxl import Workbook
from openpyxl.worksheet.worksheet import Worksheet

from sheetnet.concepts.arithmetic import Array
from sheetnet.concepts.initializers import INITIALIZERS
from sheetnet.layout import InitLayout, bias_head, weights_corner
from sheetnet.ledger import input_of
from sheetnet.network import Layer
from sheetnet.problem import Problem
from sheetnet.regions import INIT, letter
from sheetnet.workbook import inputs, styles
from sheetnet.workbook.styles import put


def write_init(book: Workbook, problem: Problem, layout: InitLayout) -> None:
    """Add the sheet: input cells that the first row of ``Train`` starts from."""
    sheet = book.create_sheet(INIT)
    first = problem.first_visit
    styles.title(
        sheet,
        "Initial weights" if problem.window is None else f"What visit {first:,} starts from",
        "One row per unit, one column per input of the layer; change any of them.",
    )
    styles.back(sheet, 3)
    widest = 0
    for layer, weights, bias in zip(
        problem.network.layers, problem.weights, problem.biases, strict=True
    ):
        _layer(sheet, problem, layout, layer, weights, bias)
        widest = max(widest, layer.inputs + 2)
    sheet.column_dimensions["A"].width = 22
    for column in range(2, widest + 1):
        sheet.column_dimensions[letter(column)].width = 17
    styles.for_screen_and_page(sheet, "B4")


def _layer(
    sheet: Worksheet,
    problem: Problem,
    layout: InitLayout,
    layer: Layer,
    weights: Array,
    bias: Array,
) -> None:
    region, column = layout.weights(layer), layout.bias(layer)
    l = layer.index
    size = f"{layer.units} unit{'s' if layer.units > 1 else ''}"
    trained = "" if layer.train_bias else ", biases not trained"
    text = f"Layer {l}: {size}, {layer.activation.name}{trained}"
    put(sheet, region.row - 2, 1, text, styles.HEADING)
    header = region.row - 1
    prompt = "A number: the training starts from it, and all of it follows."
    inputs.numbers(sheet, region, f"weights of layer {l}", prompt)
    inputs.numbers(sheet, column, f"biases of layer {l}", prompt)
    corner = put(sheet, header, 1, weights_corner(l), styles.BOLD, styles.HEADER_FILL)
    styles.remark(corner, _remark(problem, layer))
    feeds = input_of(problem.network, layer)
    for i in range(layer.inputs):
        name = problem.table.input_names[i] if l == 1 else f"{feeds}[{i + 1}]"
        head = put(sheet, header, region.column + i, name, styles.BOLD, styles.HEADER_FILL)
        head.alignment = styles.RIGHT
    head = put(sheet, header, column.column, bias_head(l), styles.BOLD, styles.HEADER_FILL)
    styles.remark(head, f"b{l}[j]: what z{l}[j] has before any input is added.")
    head.alignment = styles.RIGHT
    for j in range(layer.units):
        row = region.row + j
        put(sheet, row, 1, _unit_name(problem, layer, j), styles.BODY)
        for i in range(layer.inputs):
            number(sheet, row, region.column + i, float(weights[j, i]))
        number(sheet, row, column.column, float(bias[j]))


def _remark(problem: Problem, layer: Layer) -> str:
    """What the matrix is for, and where it came from."""
    l, training = layer.index, problem.spec.training
    text = f"W{l}[j,i] in the first row of Train: z{l}[j] = b{l}[j] + Σᵢ W{l}[j,i]·input i."
    if problem.window is not None:
        return f"{text} In use in visit {problem.first_visit:,}, as training came to it."
    if problem.spec.layers[l - 1].weights is not None:
        return f"{text} Given in the spec."
    maths = INITIALIZERS[training.initializer].maths
    return f"{text} {training.initializer}: {maths}, seed {training.seed}."


def _unit_name(problem: Problem, layer: Layer, j: int) -> str:
    if layer.index < len(problem.network.layers):
        return f"unit {j + 1}"
    return f"unit {j + 1}: {output_name(problem, j)}"


def output_name(problem: Problem, k: int) -> str:
    """What output k (from 0) stands for: a class, or a target column."""
    if problem.classes is None:
        return problem.table.target_names[k]
    return str(problem.classes[1] if problem.network.outputs == 1 else problem.classes[k])


def number(sheet: Worksheet, row: int, column: int, value: float) -> None:
    """An input cell with all digits of a number."""
    cell = put(sheet, row, column, value, styles.INPUT, styles.INPUT_FILL)
    cell.border = styles.BOX
    cell.number_format = "0.0?????"
