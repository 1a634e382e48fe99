"""``Guide``: what this workbook is, how to read it, what to change, what to try."""

from __future__ import annotations

from openpyxl import Workbook
from openpyxl.worksheet.hyperlink import Hyperlink
from openpyxl.worksheet.worksheet import Worksheet

from sheetnet.layout import TRAIN_NAME_ROW, Layout
from sheetnet.ledger import Block
from sheetnet.problem import Problem
from sheetnet.regions import (
    COMPARE,
    CONFIG,
    DATA,
    EPOCHS,
    GUIDE,
    INIT,
    TRAIN,
    VALIDATION,
    address,
    letter,
)
from sheetnet.workbook import styles
from sheetnet.workbook.drawing import MAX_STACKS, draw
from sheetnet.workbook.experiments import experiments
from sheetnet.workbook.headers import symbol
from sheetnet.workbook.notes import explanation
from sheetnet.workbook.styles import put

_SHEETS = {
    CONFIG: "the numbers to play with, and what is fixed",
    DATA: "the rows that the network sees; change any value",
    INIT: "the weights that it starts from; change any of them",
    TRAIN: "the training itself: a row for each visit of a sample, from left to right",
    VALIDATION: "the forward pass of the held-out rows after each epoch",
    EPOCHS: "what each epoch came to, with charts",
    COMPARE: "Python's numbers at each update beside the sheet's, and whether they match",
}


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
    row = draw(sheet, problem, 5) + 1
    row = _sheets(sheet, layout, row) + 1
    row = _colours(sheet, row) + 1
    row = _changes(sheet, problem, row) + 1
    row = _try(sheet, problem, row) + 1
    _formulas(sheet, problem, layout, row)
    for column in range(1, 2 * MAX_STACKS):
        sheet.column_dimensions[letter(column)].width = 20 if column % 2 else 4
    styles.for_screen_and_page(sheet, None)


def _heading(sheet: Worksheet, row: int, text: str) -> int:
    for column in range(1, 2 * MAX_STACKS):
        words = text if column == 1 else None
        put(sheet, row, column, words, styles.HEADING, border=styles.UNDERLINE)
    return row + 1


def _line(sheet: Worksheet, row: int, name: str, where: str, text: str) -> int:
    """A name that leads to a cell, and what is to be said of it."""
    cell = put(sheet, row, 1, name, styles.LINK)
    cell.hyperlink = Hyperlink(ref=cell.coordinate, location=where, display=name)
    cell.font = styles.LINK_LINE
    put(sheet, row, 3, text, styles.BODY)
    return row + 1


def _sheets(sheet: Worksheet, layout: Layout, row: int) -> int:
    row = _heading(sheet, row, "The sheets")
    for title, text in _SHEETS.items():
        if title in layout.sheets:
            row = _line(sheet, row, title, f"{title}!A1", text)
    return row


def _colours(sheet: Worksheet, row: int) -> int:
    row = _heading(sheet, row, "Colours")
    samples = (
        ("1.5", styles.INPUT, styles.INPUT_FILL, "an input: change it"),
        ("1.5", styles.BODY, None, "a formula"),
        ("1.5", styles.LINK, None, "a formula that takes its number from another sheet"),
        ("1.5", styles.FIXED, styles.FIXED_FILL, "fixed at export"),
        ("W, b", styles.BOLD, styles.band("weight"), "head of weights and biases"),
        ("z, a", styles.BOLD, styles.band("forward"), "head of the forward pass"),
        ("δ, ∂L/∂W", styles.BOLD, styles.band("backward"), "head of back propagation"),
        ("ΔW", styles.BOLD, styles.band("update"), "head of the updates"),
    )
    for shown, font, fill, text in samples:
        put(sheet, row, 1, shown, font, fill, align=styles.CENTRE)
        put(sheet, row, 3, text, styles.BODY)
        row += 1
    return row


def _changes(sheet: Worksheet, problem: Problem, row: int) -> int:
    row = _heading(sheet, row, "What you may change, and what will happen")
    for parameter in problem.changeable:
        row = _line(sheet, row, parameter.name, parameter.name, parameter.meaning)
    row = _line(sheet, row, "data", f"{DATA}!A1", "its visits, and all that follow, change")
    row = _line(
        sheet, row, "first weights", f"{INIT}!A1", "the whole training starts from somewhere else"
    )
    text = "Sizes, activations, the optimizer and the number of rows are fixed: export anew."
    put(sheet, row, 3, text, styles.NOTE)
    return row + 1


def _try(sheet: Worksheet, problem: Problem, row: int) -> int:
    row = _heading(sheet, row, "Three experiments")
    for number, text in enumerate(experiments(problem), 1):
        put(sheet, row, 1, number, styles.BOLD, align=styles.CENTRE)
        put(sheet, row, 3, text, styles.BODY)
        row += 1
    return row


def _formulas(sheet: Worksheet, problem: Problem, layout: Layout, row: int) -> int:
    row = _heading(sheet, row, "The formulas of this network, from left to right on Train")
    for block in layout.ledger.blocks:
        if block.kind in ("place", "flag"):
            continue
        index = _all_of(block)
        where = f"{TRAIN}!{address(TRAIN_NAME_ROW, block.first + 1)}"
        row = _line(sheet, row, symbol(block, index), where, explanation(problem, block, index))
    return row


def _all_of(block: Block) -> tuple[str, ...]:
    """The index that stands for all columns of a block."""
    letters = {"input": "i", "target": "k"}.get(block.kind, "j")
    return (letters, "i")[: len(block.shape)]
