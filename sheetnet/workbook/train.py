"""``Train``: the head of the ledger and its rows as a stream."""

from __future__ import annotations

from collections.abc import Iterable

from openpyxl import Workbook
from openpyxl.styles import Alignment
from openpyxl.worksheet.worksheet import Worksheet

from sheetnet.concepts.arithmetic import Array
from sheetnet.formula import Formula
from sheetnet.layout import (
    TRAIN,
    TRAIN_FIRST_ROW,
    TRAIN_GROUP_ROW,
    TRAIN_NAME_ROW,
    TRAIN_SYMBOL_ROW,
    TRAIN_WORDS_ROW,
    Layout,
    letter,
)
from sheetnet.ledger import Block, place_names
from sheetnet.problem import Problem
from sheetnet.workbook import styles
from sheetnet.workbook.headers import group_title, symbol, words
from sheetnet.workbook.stream import Stream, StreamColumn
from sheetnet.workbook.styles import put

_FORMATS = {
    "place": styles.WHOLE,
    "input": "0.0###",
    "target": "0.0###",
    "loss": styles.FINE,
    "gradient": styles.FINE,
    "update": styles.FINE,
    "backward": styles.FINE,
    "state": styles.FINE,
}


def write_train(
    book: Workbook,
    problem: Problem,
    layout: Layout,
    formulas: tuple[Formula | None, ...],
    blocks: Iterable[Array],
) -> Stream:
    """Add the sheet's head; return its rows, whose numbers ``blocks`` brings."""
    sheet = book.create_sheet(TRAIN)
    places = len(place_names(problem.network))
    for block in layout.ledger.blocks:
        _head(sheet, problem, block)
    sheet.row_dimensions[TRAIN_WORDS_ROW].height = 30
    styles.for_screen_and_page(
        sheet,
        f"{letter(places + 1)}{TRAIN_FIRST_ROW}",
        one_page_wide=layout.ledger.width <= styles.ONE_PAGE,
    )
    sheet.print_title_rows = f"{TRAIN_GROUP_ROW}:{TRAIN_NAME_ROW}"
    sheet.print_title_cols = f"A:{letter(places)}"
    sheet.sheet_view.zoomScale = 90
    columns = []
    for block in layout.ledger.blocks:
        style = _style(sheet, block)
        for column in range(block.first, block.first + block.size):
            columns.append(
                StreamColumn(column + 1, style, formulas[column], whole=block.kind == "place")
            )
    return Stream(TRAIN_FIRST_ROW, layout.visits, tuple(columns), blocks)


def _head(sheet: Worksheet, problem: Problem, block: Block) -> None:
    fill = styles.band(block.kind)
    for offset, (index, name) in enumerate(zip(block.indices, block.labels, strict=True)):
        column = block.first + 1 + offset
        edge = styles.GROUP_EDGE if offset == 0 else None
        group = group_title(block) if offset == 0 else None
        put(sheet, TRAIN_GROUP_ROW, column, group, styles.HEADING, fill, border=edge)
        explained = put(
            sheet,
            TRAIN_WORDS_ROW,
            column,
            words(problem, block, index),
            styles.NOTE,
            fill,
            border=edge,
        )
        explained.alignment = Alignment(wrap_text=True, vertical="top")
        sign = put(sheet, TRAIN_SYMBOL_ROW, column, symbol(block, index), styles.BOLD, fill)
        plain = put(sheet, TRAIN_NAME_ROW, column, name, styles.BODY, styles.HEADER_FILL)
        sign.alignment = plain.alignment = styles.CENTRE
        if edge is not None:
            sign.border = plain.border = edge
        dimension = sheet.column_dimensions[letter(column)]
        dimension.width = 8.0 if block.kind == "place" else 12.5
        if block.kind in ("gradient", "state", "update"):
            dimension.outlineLevel = 1


def _style(sheet: Worksheet, block: Block) -> int:
    """The style index of a block's cells, made on a cell of the row to be streamed."""
    font = styles.LINK if block.kind in ("input", "target") else styles.BODY
    if block.kind in ("place", "drawn"):
        font = styles.FIXED
    cell = put(sheet, TRAIN_FIRST_ROW, block.first + 1, None, font)
    cell.number_format = _FORMATS.get(block.kind, styles.NUMBER)
    return int(cell.style_id)
