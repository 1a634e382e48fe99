"""``Train`` of an exercise: given visits, blank cells, and the checks beside them."""

from __future__ import annotations

from collections.abc import Sequence

from openpyxl import Workbook
from openpyxl.cell.cell import Cell
from openpyxl.styles import Alignment
from openpyxl.worksheet.worksheet import Worksheet

from sheetnet.classroom.checks_sheet import (
    ALL_ASKED,
    ALL_RIGHT,
    CHANGED,
    NO_NUMBER,
    RIGHT,
    WAITS,
    WRONG,
    Cached,
    verdict,
)
from sheetnet.classroom.plan import Exercise, check_of
from sheetnet.formula import Formula, fetches
from sheetnet.layout import (
    TRAIN_GROUP_ROW,
    TRAIN_NAME_ROW,
    TRAIN_SYMBOL_ROW,
    TRAIN_WORDS_ROW,
)
from sheetnet.ledger import Block, place_names
from sheetnet.regions import EXERCISE, TRAIN, address, letter
from sheetnet.workbook import styles
from sheetnet.workbook.ledger_sheet import add_formats, frame_train, number_format, write_head
from sheetnet.workbook.notes import explanation
from sheetnet.workbook.styles import FormulaText, put

COLOURS = (
    (RIGHT, "C6EFCE", "006100"),
    (WRONG, "FFC7CE", "9C0006"),
    (NO_NUMBER, "FFC7CE", "9C0006"),
    (WAITS, "FFE699", "7F4F00"),
)
"""What a check says -> fill and letters."""

_SUMMARY_COLUMN = 2
"""Beside the corner, above columns that stay in sight."""


def write_exercise_train(book: Workbook, exercise: Exercise, cached: Cached) -> None:
    """Add the sheet; its formulas are entered in ``cached`` without their values."""
    sheet = book.create_sheet(TRAIN)
    for block in exercise.ledger.blocks:
        if block.kind == "check":
            _check_head(sheet, block)
        else:
            told = _told(exercise, block)
            column = block.first + 1
            write_head(
                sheet, exercise.problem, block, TRAIN_GROUP_ROW, column, outline=False, told=told
            )
    sheet.row_dimensions[TRAIN_WORDS_ROW].height = 30
    sheet.column_dimensions["A"].width = 11
    for label in exercise.labels:
        sheet.column_dimensions[letter(exercise.columns[label])].width = 14
    _rows(sheet, exercise, cached)
    _colours(sheet, exercise)
    add_formats(sheet, exercise.ledger, exercise.region)
    styles.link(sheet, TRAIN_GROUP_ROW, 1, f"← {EXERCISE}", f"{EXERCISE}!A1")
    _summary(sheet, cached)
    frame_train(sheet, len(place_names(exercise.problem.network)), exercise.ledger.width)


def summary_text() -> str:
    """How many cells are right, or that inputs are others; a formula without ``=``."""
    return f'IF({CHANGED}=1,"inputs changed: ","")&{ALL_RIGHT}&" of "&{ALL_ASKED}&" right"'


def _summary(sheet: Worksheet, cached: Cached) -> None:
    for column in range(_SUMMARY_COLUMN, _SUMMARY_COLUMN + 3):
        sheet.cell(TRAIN_GROUP_ROW, column).value = None
    text, fill = FormulaText(f"={summary_text()}"), styles.band("place")
    put(sheet, TRAIN_GROUP_ROW, _SUMMARY_COLUMN, text, styles.HEADING, fill)
    cached[(TRAIN, TRAIN_GROUP_ROW, _SUMMARY_COLUMN)] = 0.0


def _told(exercise: Exercise, block: Block) -> str | None:
    """The note of a block that is asked: what it is, and no formula."""
    if not set(block.labels) & set(exercise.labels):
        return None
    words = explanation(exercise.problem, block, tuple("ji"[: len(block.shape)])).words
    return f"{words}: to be filled in" if words else "to be filled in"


def _check_head(sheet: Worksheet, block: Block) -> None:
    column = block.first + 1
    fill = styles.HEADER_FILL
    put(sheet, TRAIN_GROUP_ROW, column, None, styles.HEADING, fill)
    put(sheet, TRAIN_WORDS_ROW, column, "check", styles.NOTE, fill).alignment = Alignment(
        vertical="top", horizontal="center"
    )
    put(sheet, TRAIN_SYMBOL_ROW, column, "✓", styles.BOLD, fill).alignment = styles.CENTRE
    name = put(sheet, TRAIN_NAME_ROW, column, block.name, styles.NOTE, fill)
    name.alignment = styles.CENTRE
    styles.remark(name, "green: right; red: wrong; amber: begin with what it builds upon")
    sheet.column_dimensions[letter(column)].width = max(10.0, len(block.name) + 0.5)


def _rows(sheet: Worksheet, exercise: Exercise, cached: Cached) -> None:
    asked = {(cell.row, cell.column): n for n, cell in enumerate(exercise.cells)}
    checks = {(cell.row, cell.check): n for n, cell in enumerate(exercise.cells)}
    kinds = {label: block for block in exercise.ledger.blocks for label in block.labels}
    places = {label: c for c, label in enumerate(exercise.own.labels)}
    for i, row in enumerate(exercise.rows):
        at = exercise.region.row + i
        for label, column in exercise.columns.items():
            form = number_format(kinds[label])
            if (at, column) in checks:
                text = verdict(checks[(at, column)])
                _formula(sheet, at, column, text, cached, styles.GENERAL).alignment = styles.CENTRE
            elif label not in places:
                put(sheet, at, column, None, styles.FIXED, styles.DIM_FILL)
            elif (at, column) in asked:
                cell = put(sheet, at, column, None, styles.INPUT, styles.INPUT_FILL)
                cell.border, cell.number_format = styles.BOX, styles.GENERAL
                # Written without a type: IronCalc takes an empty cell of type "n" for 0.
                cell.data_type = "f"
            elif row.asked and (formula := exercise.formulas[label]) is not None:
                _formula(sheet, at, column, text_at(formula, row.visit, at), cached, form)
            else:
                value = float(exercise.numbers[i, places[label]])
                fill = None if row.asked else styles.DIM_FILL
                put(sheet, at, column, value, styles.FIXED, fill, number_format=form)


def text_at(formula: Formula, visit: int, row: int) -> str:
    """The formula of a visit that stands in a row of its own."""
    return formula.text(visit - 1).replace("{r}", str(row)).replace("{p}", str(row - 1))


def _formula(sheet: Worksheet, row: int, column: int, text: str, cached: Cached, form: str) -> Cell:
    font = styles.LINK if fetches(text) else styles.BODY
    cached[(TRAIN, row, column)] = 0.0
    return put(sheet, row, column, FormulaText(f"={text}"), font, number_format=form)


def _colours(sheet: Worksheet, exercise: Exercise) -> None:
    """Blank cells and their checks take the colour of what the check says."""
    rows = _runs_of_rows(exercise)
    for label in exercise.labels:
        column, check = exercise.columns[label], exercise.columns[check_of(label)]
        for told, fill, letters in COLOURS:
            for first, last in rows:
                test = f'${letter(check)}{first}="{told}"'
                where = f"{address(first, column)}:{address(last, column)}"
                beside = f"{address(first, check)}:{address(last, check)}"
                styles.highlight(sheet, f"{where} {beside}", test, styles.marked(fill, letters))


def _runs_of_rows(exercise: Exercise) -> Sequence[tuple[int, int]]:
    found: list[tuple[int, int]] = []
    for row, each in enumerate(exercise.rows, exercise.region.row):
        if not each.asked:
            continue
        if found and found[-1][1] == row - 1:
            found[-1] = (found[-1][0], row)
        else:
            found.append((row, row))
    return found
