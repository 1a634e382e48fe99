"""``Exercise``: what to do, what is asked and how far one is, what the colours mean."""

from __future__ import annotations

from openpyxl import Workbook
from openpyxl.styles import PatternFill
from openpyxl.styles.fonts import Font
from openpyxl.worksheet.worksheet import Worksheet

from sheetnet.classroom.asking import written
from sheetnet.classroom.checks_sheet import NO_NUMBER, RIGHT, WAITS, WRONG, Cached, counted
from sheetnet.classroom.plan import Exercise
from sheetnet.classroom.train_sheet import COLOURS, summary_text
from sheetnet.layout import TRAIN_FIRST_ROW
from sheetnet.ledger import Block
from sheetnet.regions import CONFIG, DATA, EXERCISE, INIT, TRAIN, address, letter
from sheetnet.workbook import styles
from sheetnet.workbook.drawing import MAX_STACKS, draw
from sheetnet.workbook.headers import symbol
from sheetnet.workbook.notes import explanation
from sheetnet.workbook.styles import FormulaText, put

_LAST = 2 * MAX_STACKS - 1
_HEADS = ("asked", "right", "wrong", "waits")
_COUNTS = (5, 7, 9, 11)
"""Columns of the counts."""


def write_front(book: Workbook, exercise: Exercise, cached: Cached) -> None:
    """Add the sheet; call it first, so that it stands in front."""
    sheet = book.create_sheet(EXERCISE)
    problem = exercise.problem
    visits = written(exercise.visits)
    which = f"visit {visits}" if len(exercise.visits) == 1 else f"visits {visits}"
    styles.title(sheet, f"Exercise: {problem.spec.name}", f"{problem.network.label}; {which}")
    put(sheet, 4, 1, FormulaText(f"={summary_text()}"), styles.HEADING)
    cached[(EXERCISE, 4, 1)] = 0.0
    row = draw(sheet, problem, 6) + 1
    row = _to_do(sheet, exercise, row) + 1
    row = _asked(sheet, exercise, row, cached) + 1
    _meanings(sheet, exercise, row)
    for column in range(1, _LAST + 1):
        sheet.column_dimensions[letter(column)].width = 20 if column % 2 else 4
    styles.for_screen_and_page(sheet, None)


def _heading(sheet: Worksheet, row: int, text: str) -> int:
    for column in range(1, _LAST + 1):
        words = text if column == 1 else None
        put(sheet, row, column, words, styles.HEADING, border=styles.UNDERLINE)
    return row + 1


def _to_do(sheet: Worksheet, exercise: Exercise, row: int) -> int:
    row = _heading(sheet, row, "What to do")
    first = exercise.cells[0]
    place = f"{TRAIN}!{address(first.row, first.column)}"
    styles.link(sheet, row, 1, TRAIN, place)
    put(sheet, row, 3, "Fill in the yellow cells, row by row, from left to right.", styles.BODY)
    put(
        sheet,
        row + 1,
        3,
        "Type a number, or a formula that reads what it needs from its row, the row above, "
        f"{CONFIG}, {DATA} or {INIT}: it goes on following when an input changes.",
        styles.BODY,
    )
    put(
        sheet,
        row + 2,
        3,
        "All other formulas are there: click on them. Grey rows and numbers are given.",
        styles.BODY,
    )
    put(
        sheet,
        row + 3,
        3,
        "Leave the inputs as they are: colours are for the numbers that were handed out.",
        styles.BODY,
    )
    return row + 4


def _asked(sheet: Worksheet, exercise: Exercise, row: int, cached: Cached) -> int:
    row = _heading(sheet, row, "What is asked, and how far you are")
    for column, head in zip(_COUNTS, _HEADS, strict=True):
        put(
            sheet, row - 1, column, head, styles.HEADING, border=styles.UNDERLINE
        ).alignment = styles.CENTRE
    cells: dict[str, int] = {}
    for cell in exercise.cells:
        cells[cell.quantity] = cells.get(cell.quantity, 0) + 1
    for name, count in cells.items():
        block = exercise.ledger[name]
        index = _index(exercise, block)
        column = exercise.columns[next(la for la in block.labels if la in exercise.labels)]
        styles.link(
            sheet, row, 1, symbol(block, index), f"{TRAIN}!{address(TRAIN_FIRST_ROW, column)}"
        )
        words = explanation(exercise.problem, block, index).words
        put(sheet, row, 3, words or name, styles.BODY)
        put(sheet, row, _COUNTS[0], count, styles.BODY).alignment = styles.CENTRE
        for at, told in zip(_COUNTS[1:], (None, WRONG, WAITS), strict=True):
            text = counted(exercise, name, told)
            if told == WRONG:
                text += f"+{counted(exercise, name, NO_NUMBER)}"
            put(sheet, row, at, FormulaText(f"={text}"), styles.BODY).alignment = styles.CENTRE
            cached[(EXERCISE, row, at)] = 0.0
        row += 1
    return row


def _index(exercise: Exercise, block: Block) -> tuple[int | str, ...]:
    """That of the only column that is asked, or the letters for several."""
    asked = [
        i for i, label in zip(block.indices, block.labels, strict=True) if label in exercise.labels
    ]
    return asked[0] if len(asked) == 1 else tuple("ji"[: len(block.shape)])


def _meanings(sheet: Worksheet, exercise: Exercise, row: int) -> int:
    row = _heading(sheet, row, "What the checks say")
    words = {
        RIGHT: f"{exercise.digits} significant digits are; the last of them may be one off",
        WRONG: "and all that it builds upon is right: the fault is here",
        NO_NUMBER: "a text or an error stands there",
        WAITS: "not right, nor is all that it builds upon: begin there",
    }
    samples = [("", styles.INPUT, styles.INPUT_FILL, "to be filled in")]
    samples += [
        (
            told,
            Font(name=styles.FONT, size=11, color=ink),
            PatternFill("solid", fgColor=fill),
            words[told],
        )
        for told, fill, ink in COLOURS
    ]
    for shown, font, fill, text in samples:
        put(sheet, row, 1, shown or None, font, fill, border=styles.BOX, align=styles.CENTRE)
        put(sheet, row, 3, text, styles.BODY)
        row += 1
    return row
