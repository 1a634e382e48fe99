"""What the sheets of all ledgers have in common: the head of their columns, their rows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from openpyxl.styles import Alignment
from openpyxl.worksheet.worksheet import Worksheet

from sheetnet.concepts.arithmetic import Array
from sheetnet.concepts.summaries import GRADIENT_NORM
from sheetnet.epoch_ledgers import VALIDATION as HELD_OUT
from sheetnet.formula import Formula, fetches
from sheetnet.layout import (
    TRAIN_FIRST_ROW,
    TRAIN_GROUP_ROW,
    TRAIN_NAME_ROW,
    TRAIN_SYMBOL_ROW,
    TRAIN_WORDS_ROW,
)
from sheetnet.ledger import Block, Ledger
from sheetnet.problem import Problem
from sheetnet.regions import Region, address, letter
from sheetnet.workbook import styles
from sheetnet.workbook.headers import group_title, symbol, words
from sheetnet.workbook.heat import add_heat, areas, heated
from sheetnet.workbook.notes import note
from sheetnet.workbook.stream import Stream, StreamColumn
from sheetnet.workbook.styles import put

_FORMATS = {
    "place": styles.WHOLE,
    "flag": styles.WHOLE,
    "told": styles.WHOLE,
    "input": styles.ALIGNED,
    "target": styles.ALIGNED,
}
_OWN = {"accuracy": "0.0%", "hits": "General"}
"""Of single quantities; hits are whole, but for targets that are shares."""

_NARROW = ("place", "flag", "told")

_DETAILS = ("gradient", "state", "update")
_WIDE_DETAILS = ("weight", "bias", "drawn", "forward")
_ESSENTIAL = ("a", "d", GRADIENT_NORM)
"""Never folded away: what a layer hands on, and the summary of an epoch."""

WIDE = 60
"""In a ledger of more columns what leads to each layer's outputs folds away, too."""


def write_ledger(
    sheet: Worksheet,
    problem: Problem,
    ledger: Ledger,
    region: Region,
    formulas: tuple[Formula | None, ...],
    blocks: Iterable[Array],
    *,
    explained: Mapping[str, str] | None = None,
) -> Stream:
    """Write the head above a region; return its rows, whose numbers ``blocks`` brings.

    ``explained`` gives notes by a block's kind, where they differ from those of ``Train``.
    """
    head_row = region.row - (TRAIN_NAME_ROW - TRAIN_GROUP_ROW) - 1
    columns = []
    made = _Styles(sheet, region.row, region.column)
    for block in ledger.blocks:
        start = region.column + block.first
        told, outline = (explained or {}).get(block.kind), _folds(block, ledger)
        write_head(sheet, problem, block, head_row, start, outline=outline, told=told)
        for offset in range(block.size):
            formula, whole = formulas[block.first + offset], block.kind in _NARROW
            texts = (formula.first, formula.rest) if formula else (None, None)
            first, rest = (made.index(text, number_format(block)) for text in texts)
            column = StreamColumn(start + offset, rest, formula, whole=whole, first_style=first)
            columns.append(column)
    if head_row == TRAIN_GROUP_ROW and region.column == 1:
        styles.back(sheet, head_row)
    sheet.row_dimensions[head_row + TRAIN_WORDS_ROW - TRAIN_GROUP_ROW].height = 30
    return Stream(region.row, region.rows, tuple(columns), blocks)


def frame_train(sheet: Worksheet, places: int, width: int) -> None:
    """How ``Train`` is scrolled and printed: its heads and the places of a row stay in sight."""
    styles.for_screen_and_page(
        sheet, f"{letter(places + 1)}{TRAIN_FIRST_ROW}", one_page_wide=width <= styles.ONE_PAGE
    )
    sheet.print_title_rows = f"{TRAIN_GROUP_ROW}:{TRAIN_NAME_ROW}"
    sheet.print_title_cols = f"A:{letter(places)}"
    sheet.sheet_view.zoomScale = 90


def _folds(block: Block, ledger: Ledger) -> bool:
    """Whether a block is a detail: outlined, so that one click leaves the essentials."""
    kinds = (*_DETAILS, *_WIDE_DETAILS) if ledger.width > WIDE else _DETAILS
    return block.kind in kinds and block.base not in _ESSENTIAL


def write_head(
    sheet: Worksheet,
    problem: Problem,
    block: Block,
    head_row: int,
    first: int,
    *,
    outline: bool,
    told: str | None,
) -> None:
    """Write the head of a block whose first column is ``first``; ``told`` is its note."""
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
        sign = put(sheet, symbol_row, column, _sign(block, index, name), styles.BOLD, fill)
        plain = put(sheet, name_row, column, name, styles.BODY, styles.HEADER_FILL)
        sign.alignment = plain.alignment = styles.CENTRE
        noted = f"{symbol(block, index)}: {told}" if told else note(problem, block, index)
        if noted:
            styles.remark(plain, noted)
        if edge is not None:
            sign.border = plain.border = edge
        dimension = sheet.column_dimensions[letter(column)]
        dimension.width = max(8.0, len(name) + 2.0) if block.kind in _NARROW else 12.5
        if outline:
            dimension.outlineLevel = 1


def _sign(block: Block, index: tuple[int, ...], name: str) -> str | None:
    """The symbol, where it says more than the name below it."""
    text = symbol(block, index)
    return None if block.kind in _NARROW and text == name else text


class _Styles:
    """The style indices of formulas, each made once, on a cell of the rows to be streamed.

    On a cell of its own: openpyxl keeps a cell's style by reference.
    """

    def __init__(self, sheet: Worksheet, row: int, column: int) -> None:
        self.sheet, self.row, self.column = sheet, row, column
        self.made: dict[tuple[str, str], int] = {}

    def index(self, text: str | None, form: str) -> int:
        """That of a formula (None: a constant) with a number format."""
        font = styles.FIXED if text is None else styles.LINK if fetches(text) else styles.BODY
        key = str(font.color.rgb if font.color else ""), form
        if key not in self.made:
            column = self.column + len(self.made)
            cell = put(self.sheet, self.row, column, None, font, number_format=form)
            self.made[key] = int(cell.style_id)
        return self.made[key]


def number_format(block: Block) -> str:
    """How the numbers of a column are shown."""
    if is_fine(block):
        return styles.FINE
    return _own(block) or _FORMATS.get(block.kind, styles.NUMBER)


def is_fine(block: Block) -> bool:
    """Whether a column's numbers may be of any size."""
    return block.kind in styles.FINE_KINDS and _own(block) is None


def _own(block: Block) -> str | None:
    return _OWN.get(block.base.removeprefix(HELD_OUT))


def everywhere(region: Region) -> str:
    """All cells of a region, as a range."""
    return f"{address(region.row, region.column)}:{address(region.last_row, region.last_column)}"


def add_formats(
    sheet: Worksheet, ledger: Ledger, region: Region, grey: str = "", *, heat: bool = False
) -> None:
    """Formats that follow the numbers, grey rows where a formula holds, and before them heat.

    Of the ranges that cover a cell LibreOffice takes the first with a rule that holds, as
    scales always do, and of its rules the scale and one other: so both have the same ranges.
    """
    together = list(heated(ledger, region)) if heat else []
    add_heat(sheet, together)
    fine = [where for blocks, where in together if is_fine(blocks[0])]
    seen = {block.name for blocks, _ in together for block in blocks}
    alone = [block for block in ledger.blocks if is_fine(block) and block.name not in seen]
    fine += [areas(alone, region)] if alone else []
    every = [*(where for _, where in together), everywhere(region)]
    if grey:
        for where in fine:
            styles.fine(sheet, where, grey, styles.GREY)
        for where in every:
            styles.highlight(sheet, where, grey, styles.GREY)
    for where in fine:
        styles.fine(sheet, where)
    for where in every:
        styles.short(sheet, where)


def add_fine(sheet: Worksheet, ledger: Ledger, region: Region) -> None:
    """Show numbers of any size in a row of a ledger that stands by itself."""
    styles.fine(sheet, areas(filter(is_fine, ledger.blocks), region))
