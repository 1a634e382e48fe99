"""What the sheets of all ledgers have in common: the head of their columns, their rows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from openpyxl.comments import Comment
from openpyxl.styles import Alignment
from openpyxl.worksheet.worksheet import Worksheet

from sheetnet.concepts.arithmetic import Array
from sheetnet.epoch_ledgers import VALIDATION as HELD_OUT
from sheetnet.formula import Formula
from sheetnet.layout import TRAIN_GROUP_ROW, TRAIN_NAME_ROW, TRAIN_SYMBOL_ROW, TRAIN_WORDS_ROW
from sheetnet.ledger import Block, Ledger
from sheetnet.problem import Problem
from sheetnet.regions import Region, letter
from sheetnet.workbook import styles
from sheetnet.workbook.headers import group_title, symbol, words
from sheetnet.workbook.notes import note
from sheetnet.workbook.stream import Stream, StreamColumn
from sheetnet.workbook.styles import put

_FORMATS = {
    "place": styles.WHOLE,
    "flag": styles.WHOLE,
    "told": styles.WHOLE,
    "input": "0.0###",
    "target": "0.0###",
    "loss": styles.FINE,
    "summary": styles.FINE,
    "validation": styles.FINE,
    "gradient": styles.FINE,
    "update": styles.FINE,
    "backward": styles.FINE,
    "state": styles.FINE,
}
_SHARES = {"accuracy": "0.0%"}
_NARROW = ("place", "flag", "told")


def write_ledger(
    sheet: Worksheet,
    problem: Problem,
    ledger: Ledger,
    region: Region,
    formulas: tuple[Formula | None, ...],
    blocks: Iterable[Array],
    *,
    folded: tuple[str, ...] = (),
    explained: Mapping[str, str] | None = None,
) -> Stream:
    """Write the head above a region; return its rows, whose numbers ``blocks`` brings.

    Blocks of the kinds ``folded`` are outlined, to be folded away. ``explained`` gives notes
    by a block's kind, where they differ from those of ``Train``.
    """
    head_row = region.row - (TRAIN_NAME_ROW - TRAIN_GROUP_ROW) - 1
    columns = []
    for block in ledger.blocks:
        first = region.column + block.first
        told = (explained or {}).get(block.kind)
        _head(sheet, problem, block, head_row, first, outline=block.kind in folded, told=told)
        style = _style(sheet, block, region.row, first)
        for offset in range(block.size):
            whole, formula = block.kind in _NARROW, formulas[block.first + offset]
            columns.append(StreamColumn(first + offset, style, formula, whole=whole))
    sheet.row_dimensions[head_row + TRAIN_WORDS_ROW - TRAIN_GROUP_ROW].height = 30
    return Stream(region.row, region.rows, tuple(columns), blocks)


def _head(
    sheet: Worksheet,
    problem: Problem,
    block: Block,
    head_row: int,
    first: int,
    *,
    outline: bool,
    told: str | None,
) -> None:
    group_row, words_row, symbol_row, name_row = (
        head_row + row - TRAIN_GROUP_ROW
        for row in (TRAIN_GROUP_ROW, TRAIN_WORDS_ROW, TRAIN_SYMBOL_ROW, TRAIN_NAME_ROW)
    )
    fill = styles.band(block.kind)
    for offset, (index, name) in enumerate(zip(block.indices, block.labels, strict=True)):
        column = first + offset
        edge = styles.GROUP_EDGE if offset == 0 else None
        group = group_title(block) if offset == 0 else None
        put(sheet, group_row, column, group, styles.HEADING, fill, border=edge)
        explained = put(
            sheet,
            words_row,
            column,
            words(problem, block, index),
            styles.NOTE,
            fill,
            border=edge,
        )
        explained.alignment = Alignment(wrap_text=True, vertical="top")
        sign = put(sheet, symbol_row, column, symbol(block, index), styles.BOLD, fill)
        plain = put(sheet, name_row, column, name, styles.BODY, styles.HEADER_FILL)
        sign.alignment = plain.alignment = styles.CENTRE
        noted = f"{symbol(block, index)}: {told}" if told else note(problem, block, index)
        if noted:
            plain.comment = Comment(noted, "sheetnet", height=70, width=260)
        if edge is not None:
            sign.border = plain.border = edge
        dimension = sheet.column_dimensions[letter(column)]
        dimension.width = max(8.0, len(name) + 2.0) if block.kind in _NARROW else 12.5
        if outline:
            dimension.outlineLevel = 1


def _style(sheet: Worksheet, block: Block, first_row: int, column: int) -> int:
    """The style index of a block's cells, made on a cell of the row to be streamed."""
    font = styles.LINK if block.kind in ("input", "target") else styles.BODY
    if block.kind in ("place", "drawn", "flag"):
        font = styles.FIXED
    cell = put(sheet, first_row, column, None, font)
    cell.number_format = _format(block)
    return int(cell.style_id)


def _format(block: Block) -> str:
    name = block.base.removeprefix(HELD_OUT)
    return _SHARES.get(name) or _FORMATS.get(block.kind, styles.NUMBER)
