"""``Guide``: what this workbook is, how to read it, what to change, what to try."""

from __future__ import annotations

from collections.abc import Mapping

from openpyxl import Workbook
from openpyxl.styles import Font, PatternFill
from openpyxl.worksheet.pagebreak import Break
from openpyxl.worksheet.worksheet import Worksheet

from sheetnet.concepts.summaries import GRADIENT_NORM
from sheetnet.layout import (
    CONFIG_INPUT_ROW,
    CONFIG_VALUE,
    EPOCHS_NAME_ROW,
    TRAIN_NAME_ROW,
    Layout,
)
from sheetnet.ledger import Block, Ledger
from sheetnet.problem import Problem
from sheetnet.regions import (
    COMPARE,
    CONFIG,
    DATA,
    EPOCHS,
    GUIDE,
    INIT,
    PREDICT,
    STEP,
    TRAIN,
    VALIDATION,
    address,
    letter,
    quoted,
)
from sheetnet.workbook import styles
from sheetnet.workbook.drawing import MAX_STACKS, draw
from sheetnet.workbook.experiments import experiments
from sheetnet.workbook.headers import symbol
from sheetnet.workbook.heat import HIGH, LOW
from sheetnet.workbook.notes import explanation
from sheetnet.workbook.styles import put

_SHEETS = {
    CONFIG: "the numbers to play with, and what is fixed",
    DATA: "the rows that the network sees; change any value",
    INIT: "the weights that it starts from; change any of them",
    TRAIN: "the training itself: a row for each visit of a sample, from left to right",
    VALIDATION: "the forward pass of the held-out rows after each epoch",
    EPOCHS: "what each epoch came to, with charts",
    STEP: "one visit as matrices; why a weight changes, factor by factor; a gradient check",
    PREDICT: "type inputs and see the prediction, with the weights after any update",
    COMPARE: "Python's numbers at each update beside the sheet's, and whether they match",
}


_LAST = 2 * MAX_STACKS - 1
"""The last column in use: lines reach as far, and paragraphs."""

_CHARACTERS = 150
"""Of a line of a paragraph."""


def write_guide(book: Workbook, problem: Problem, layout: Layout) -> None:
    """Add the sheet; call it first, so that it stands in front."""
    sheet = book.create_sheet(GUIDE)
    styles.title(
        sheet,
        problem.spec.name,
        "The whole training of a neural network, every number a live formula: "
        "change an input and see everything follow.",
    )
    put(sheet, 3, 1, f"Network {problem.network.label}", styles.HEADING)
    layers = problem.network.layers
    trained = sum(layer.units * (layer.inputs + layer.train_bias) for layer in layers)
    words = f"{trained} trained parameters, {problem.rows} training rows"
    held_out = f", {problem.held_out} held out for validation" if problem.held_out else ""
    window = problem.window
    part = f"; visits {window.first:,} to {window.last:,} of them stand here" if window else ""
    put(sheet, 4, 1, f"{words}{held_out}, {layout.epochs} epochs{part}", styles.BODY)
    if layout.bugs:
        put(sheet, 5, 1, _hunt(layout.bugs), styles.HEADING)
    row = draw(sheet, problem, 6 + bool(layout.bugs)) + 1
    row = _sheets(sheet, layout, row) + 1
    row = _colours(sheet, problem, row) + 1
    row = _changes(sheet, problem, layout, row) + 1
    row = _try(sheet, problem, layout, row) + 1
    sheet.row_breaks.append(Break(id=row - 1))
    _formulas(sheet, problem, layout, row)
    for column in range(1, _LAST + 1):
        sheet.column_dimensions[letter(column)].width = 20 if column % 2 else 4
    styles.for_screen_and_page(sheet, None)


def _hunt(bugs: int) -> str:
    """What a bug hunt is, in one line."""
    wrong = "one mistake has" if bugs == 1 else f"{bugs} mistakes have"
    return (
        f"Bug hunt: {wrong} been made in the formulas of this workbook. "
        "All formulas and notes on this sheet are right: where do the cells differ?"
    )


def _heading(sheet: Worksheet, row: int, text: str) -> int:
    for column in range(1, _LAST + 1):
        words = text if column == 1 else None
        put(sheet, row, column, words, styles.HEADING, border=styles.UNDERLINE)
    return row + 1


def _line(
    sheet: Worksheet, row: int, name: str, where: str, text: str, maths: str | None = None
) -> int:
    """A name that leads to a cell, what is to be said of it, and its formula."""
    styles.link(sheet, row, 1, name, where)
    put(sheet, row, 3, text or None, styles.NOTE if maths else styles.BODY)
    if maths:
        put(sheet, row, 5, maths, styles.BODY)
    return row + 1


def _sheets(sheet: Worksheet, layout: Layout, row: int) -> int:
    row = _heading(sheet, row, "The sheets")
    for title, text in _SHEETS.items():
        if title in layout.sheets:
            row = _line(sheet, row, title, f"{title}!A1", text)
        further = layout.on_sheets.sheets[1:] if title == TRAIN else ()
        for own in further:
            layer = f"the columns of layer {own.ledger.blocks[1].layer}, in the same rows"
            row = _line(sheet, row, own.title, f"{quoted(own.title)}!A1", layer)
    return row


def _colours(sheet: Worksheet, problem: Problem, row: int) -> int:
    row = _heading(sheet, row, "Colours")
    low, high = (PatternFill("solid", fgColor=colour[2:]) for colour in (LOW, HIGH))
    samples: list[tuple[str, Font, PatternFill | None, str]] = [
        ("1.5", styles.INPUT, styles.INPUT_FILL, "an input: change it"),
        ("1.5", styles.BODY, None, "a formula"),
        ("1.5", styles.LINK, None, "a formula that takes its number from another sheet"),
        ("1.5", styles.FIXED, styles.FIXED_FILL, "fixed at export"),
        ("W, b", styles.BOLD, styles.band("weight"), "head of weights and biases"),
        ("z, a", styles.BOLD, styles.band("forward"), "head of the forward pass"),
        ("δ, ∂L/∂W", styles.BOLD, styles.band("backward"), "head of back propagation"),
        ("ΔW", styles.BOLD, styles.band("update"), "head of the updates"),
        ("-1.5", styles.BODY, low, "on Train: below 0, the deeper the further from it"),
        ("1.5", styles.BODY, high, "on Train: above 0; a bar in the loss is as long as the loss"),
    ]
    if problem.network.stops:
        ended = "after the end of training: the weights stay as they are"
        samples.append(("1.5", styles.DIM, styles.DIM_FILL, ended))
    for shown, font, fill, text in samples:
        put(sheet, row, 1, shown, font, fill, align=styles.CENTRE)
        put(sheet, row, 3, text, styles.BODY)
        row += 1
    return row


def _changes(sheet: Worksheet, problem: Problem, layout: Layout, row: int) -> int:
    row = _heading(sheet, row, "What you may change, and what will happen")
    for offset, parameter in enumerate(problem.changeable):
        where = f"{CONFIG}!{address(CONFIG_INPUT_ROW + offset, CONFIG_VALUE)}"
        row = _line(sheet, row, parameter.name, where, parameter.meaning)
    data, first = layout.data, layout.init.weights(layout.network.layers[0])
    where = f"{DATA}!{address(data.first_row, data.raw_column)}"
    row = _line(sheet, row, "data", where, "its visits, and all that follow, change")
    where = f"{INIT}!{address(first.row, first.column)}"
    text = "the whole training starts from somewhere else"
    row = _line(sheet, row, "first weights", where, text)
    text = "Sizes, activations, the optimizer and the number of rows are fixed: export anew."
    put(sheet, row, 3, text, styles.NOTE)
    return row + 1


def _try(sheet: Worksheet, problem: Problem, layout: Layout, row: int) -> int:
    row = _heading(sheet, row, "Three experiments")
    for number, text in enumerate(experiments(problem, layout.sheets), 1):
        put(sheet, row, 1, number, styles.BOLD, align=styles.TOP)
        put(sheet, row, 3, text, styles.BODY, align=styles.WRAPPED)
        sheet.merge_cells(start_row=row, end_row=row, start_column=3, end_column=_LAST)
        sheet.row_dimensions[row].height = 15 * (1 + len(text) // _CHARACTERS)
        row += 1
    return row


_PARTS = (
    ("Forward pass", ("input", "target", "weight", "bias", "forward", "drawn")),
    ("Loss", ("loss",)),
    ("Back propagation", ("backward", "gradient")),
    ("From the gradients to the update", ("state", "update")),
)
"""Of the formulas, by the kinds of their columns."""

_BY_EPOCH = "What each epoch came to, on Epochs", ("summary", "gradient", "validation", "flag")


def _formulas(sheet: Worksheet, problem: Problem, layout: Layout, row: int) -> int:
    row = _heading(sheet, row, "The formulas of this network, from left to right on Train")
    text = "Indices: j the unit, i its input. Above the sheet's corner, 1 and 2 fold and unfold."
    put(sheet, row, 1, f"{text} Each symbol leads to its first column.", styles.NOTE)
    row += 1
    places = layout.on_sheets.places
    for title, kinds in _PARTS:
        row = _part(sheet, problem, layout.ledger, TRAIN, TRAIN_NAME_ROW, title, kinds, row, places)
    if EPOCHS not in layout.sheets:
        return row
    ledger = layout.ledgers.epochs
    return _part(sheet, problem, ledger, EPOCHS, EPOCHS_NAME_ROW, *_BY_EPOCH, row, {})


def _part(
    sheet: Worksheet,
    problem: Problem,
    ledger: Ledger,
    title: str,
    name_row: int,
    heading: str,
    kinds: tuple[str, ...],
    row: int,
    places: Mapping[str, tuple[str, int]],
) -> int:
    put(sheet, row, 1, heading, styles.BOLD)
    row += 1
    for block in ledger.blocks:
        if block.kind not in kinds or (title == TRAIN and block.kind == "flag"):
            continue
        if places and block.name not in places:
            continue
        index = _all_of(block)
        told = explanation(problem, block, index)
        sheet_title, first = places.get(block.name, (title, block.first + 1))
        where = f"{quoted(sheet_title)}!{address(name_row, first)}"
        row = _line(sheet, row, symbol(block, index), where, told.words, told.maths)
    return row


def _all_of(block: Block) -> tuple[str, ...]:
    """The index that stands for all columns of a block."""
    letters = {"input": "i", "target": "k", "summary": "k", "validation": "k"}.get(block.kind, "j")
    if block.base == GRADIENT_NORM:
        letters = "l"
    return (letters, "i")[: len(block.shape)]
