"""``Compare``: its looks; what stands there comes from ``views.compare``."""

from __future__ import annotations

from collections.abc import Iterator

from openpyxl import Workbook
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.worksheet.hyperlink import Hyperlink
from openpyxl.worksheet.worksheet import Worksheet

from sheetnet.formula import fetches
from sheetnet.layout import Layout
from sheetnet.ledger import Block
from sheetnet.problem import Problem
from sheetnet.regions import COMPARE, Region, address, letter
from sheetnet.views.compare import MAIN, listed_inputs
from sheetnet.views.compare_formulas import TOLERANCE_NAME
from sheetnet.views.compare_inputs import (
    APART,
    CHANGED,
    EXPORTED,
    LIST_TITLE,
    NAME,
    NAMES,
    NOW,
    Copy,
    Inputs,
)
from sheetnet.views.compare_layout import (
    DIFFERENCE,
    FIRST_ROW,
    GROUP_ROW,
    LABEL_ROW,
    LARGEST_ROW,
    NAME_ROW,
    PYTHON,
    SIZE_ROW,
    STATUS_ROW,
    VALUE_ROW,
    WORDS_ROW,
    CompareLayout,
    compare_layout,
)
from sheetnet.views.view import Live, View
from sheetnet.workbook import inputs as messages
from sheetnet.workbook import styles
from sheetnet.workbook.headers import words
from sheetnet.workbook.stream import Stream, StreamColumn
from sheetnet.workbook.styles import FormulaText, put
from sheetnet.workbook.watch import Tables

_APART = "0.0E+00;-0.0E+00;0"
_COUNT = '[=1]0" number";0" numbers"'
_STATUS_COLUMNS = 11
_LABELS = (
    "largest difference",
    "at update",
    "of",
    "first beyond at",
    "updates beyond",
    TOLERANCE_NAME,
    "inputs changed",
)
"""Above what stands in the row of values, from its first column on."""

_FRONT = {
    "update": "",
    "epoch": "",
    "visit": "of Train",
    "largest": "difference of this row",
    "beyond": "1: beyond the tolerance",
    "worst": "1: the largest of all",
}
_SECTIONS = {
    PYTHON: ("Python's numbers, as they were at export", "E7E6E6"),
    "": ("this workbook, live: loss and prediction of the visit, weights after it", "C6E0B4"),
    DIFFERENCE: (
        "difference: (live − Python) / size, or / |Python| where that is larger",
        "FFD966",
    ),
}
_MATCH, _DIFFER, _CHANGED = (
    styles.marked("C6EFCE", "006100"),
    styles.marked("FFC7CE", "9C0006"),
    styles.marked("FFEB9C", "7F6000"),
)
_LOOKS = {"Match": _MATCH, "Differ": _DIFFER, "Changed": _CHANGED}
"""How a status begins, and what it looks like."""

_HEADS = {
    NAME: "input",
    EXPORTED: "at export",
    NOW: "now",
    APART: "how far apart",
    CHANGED: "changed",
    NAMES: "changed, down to here",
}


def write_compare(
    book: Workbook, problem: Problem, layout: Layout, view: View, tables: Tables
) -> list[Stream]:
    """Add the sheet; return the streams of its sizes, its updates and its copies."""
    sheet = book.create_sheet(COMPARE)
    here = compare_layout(problem, layout)
    listed = listed_inputs(problem, here)
    styles.title(sheet, "Compare", _explanation(here))
    styles.back(sheet, LABEL_ROW)
    _formulas(sheet, here, view.cells)
    _top(book, sheet, here, listed, view)
    columns = list(_columns(sheet, problem, here, view))
    _list(sheet, problem, listed)
    _colours(sheet, here, listed)
    _widths(sheet, here)
    styles.for_screen_and_page(sheet, f"D{FIRST_ROW}", one_page_wide=False)
    sheet.print_title_rows = f"{GROUP_ROW}:{NAME_ROW}"
    sheet.sheet_view.zoomScale = 90
    sizes, main, _, *copies = tables
    style = _style(sheet, SIZE_ROW, here.sizes.column, styles.FIXED, styles.NUMBER)
    streams = [Stream(SIZE_ROW, 1, _plain(here.sizes, style), sizes)]
    streams.append(Stream(here.main.row, here.main.rows, tuple(columns), main))
    for copy, blocks in zip(listed.copies, copies, strict=True):
        streams.append(Stream(copy.region.row, copy.region.rows, _copy(sheet, copy), blocks))
    return streams


def _explanation(here: CompareLayout) -> str:
    text = "Python's numbers at each update, as they were at export, beside this workbook's own."
    if here.every > 1:
        text += f" So long a run is shown at every update number {here.every}, and at the last."
    return text


def _formulas(sheet: Worksheet, here: CompareLayout, cells: tuple[Live, ...]) -> None:
    """All cells that stand by themselves."""
    for cell in cells:
        font = styles.LINK if fetches(cell.text) else styles.BODY
        put(sheet, cell.row, cell.column, FormulaText(f"={cell.text}"), font)
    for column in range(here.section(DIFFERENCE), here.ledger.width + 1):
        sheet.cell(LARGEST_ROW, column).number_format = _APART
        sheet.cell(here.flag_row, column).font = styles.BODY


def _top(book: Workbook, sheet: Worksheet, here: CompareLayout, listed: Inputs, view: View) -> None:
    status = sheet.cell(STATUS_ROW, 1)
    status.font, status.fill = Font(name=styles.FONT, size=13, bold=True), styles.FIXED_FILL
    status.alignment = Alignment(wrap_text=True, vertical="center", indent=1)
    sheet.merge_cells(
        start_row=STATUS_ROW, end_row=STATUS_ROW, start_column=1, end_column=_STATUS_COLUMNS
    )
    sheet.row_dimensions[STATUS_ROW].height = 38
    (tolerance,) = view.choices
    messages.choice(book, sheet, tolerance)
    first = tolerance.column - _LABELS.index(TOLERANCE_NAME)
    for column, text in enumerate(_LABELS, first):
        put(sheet, LABEL_ROW, column, text, styles.NOTE, align=styles.CENTRE)
        cell = sheet.cell(VALUE_ROW, column)
        cell.alignment, cell.border = styles.CENTRE, styles.BOX
        if column != tolerance.column:
            cell.font = styles.BOLD
    sheet.cell(VALUE_ROW, first).number_format = _APART
    target = address(listed.first_row - 1, NAME)
    link = put(sheet, VALUE_ROW, NAME, "all inputs, below", styles.LINK)
    link.hyperlink = Hyperlink(ref=link.coordinate, location=f"{COMPARE}!{target}")
    link.font = styles.LINK_LINE
    put(
        sheet,
        SIZE_ROW,
        1,
        "size: the largest magnitude in Python's column, before weights explode",
        styles.NOTE,
    )
    column = here.section(DIFFERENCE)
    sheet.cell(LARGEST_ROW, column).border = styles.GROUP_EDGE
    put(sheet, LARGEST_ROW, 1, "largest difference in each column, on the right", styles.NOTE)
    put(sheet, here.flag_row, 1, "1: holds the largest of all, on the right", styles.NOTE)


def _columns(
    sheet: Worksheet, problem: Problem, here: CompareLayout, view: View
) -> Iterator[StreamColumn]:
    """The heads of the table; its columns."""
    formulas = view.tables[MAIN].formulas
    for block in here.ledger.blocks:
        prefix = next((p for p in (PYTHON, DIFFERENCE) if block.name.startswith(p)), "")
        _head(sheet, problem, here, block, prefix)
        font, number_format = _looks(block, prefix)
        style = _style(sheet, FIRST_ROW, block.first + 1, font, number_format)
        whole = block.kind in ("place", "flag")
        for offset in range(block.first, block.first + block.size):
            yield StreamColumn(offset + 1, style, formulas[offset], whole=whole)


def _head(
    sheet: Worksheet, problem: Problem, here: CompareLayout, block: Block, prefix: str
) -> None:
    front = block.name in _FRONT
    title, colour = ("", styles.BANDS["place"]) if front else _SECTIONS[prefix]
    begins = not front and block.name == prefix + here.quantities[0].name
    over = PatternFill("solid", fgColor=colour)
    for offset, (index, label) in enumerate(zip(block.indices, block.labels, strict=True)):
        column = block.first + 1 + offset
        edge = styles.GROUP_EDGE if offset == 0 else None
        fill = styles.band(block.kind)
        text = title if begins and offset == 0 else None
        put(sheet, GROUP_ROW, column, text, styles.HEADING, over, border=edge)
        told = _FRONT[block.name] if front else words(problem, block, index)
        cell = put(sheet, WORDS_ROW, column, told, styles.NOTE, fill, border=edge)
        cell.alignment = Alignment(wrap_text=True, vertical="top")
        name = put(sheet, NAME_ROW, column, label, styles.BODY, styles.HEADER_FILL, border=edge)
        name.alignment = styles.CENTRE
    sheet.row_dimensions[WORDS_ROW].height = 30


def _looks(block: Block, prefix: str) -> tuple[Font, str]:
    if block.kind in ("place", "flag"):
        return (styles.FIXED if block.kind == "place" else styles.BODY), styles.WHOLE
    if prefix == DIFFERENCE or block.kind == "summary":
        return styles.BODY, _APART
    number_format = styles.FINE if _is_fine(block) else styles.NUMBER
    return (styles.FIXED if prefix == PYTHON else styles.LINK), number_format


def _is_fine(block: Block) -> bool:
    """Whether it is a loss, Python's or the sheet's."""
    return block.kind == "loss" and not block.name.startswith(DIFFERENCE)


def _style(sheet: Worksheet, row: int, column: int, font: Font, number_format: str) -> int:
    """The style index of streamed cells, made on one of them."""
    return int(put(sheet, row, column, None, font, number_format=number_format).style_id)


def _plain(region: Region, style: int) -> tuple[StreamColumn, ...]:
    columns = range(region.column, region.last_column + 1)
    return tuple(StreamColumn(column, style) for column in columns)


def _list(sheet: Worksheet, problem: Problem, listed: Inputs) -> None:
    """The inputs: what they are called, and what they were."""
    head = listed.first_row - 1
    put(sheet, head - 1, NAME, LIST_TITLE, styles.HEADING)
    for column in range(NAME, NAMES + 1):
        text = _HEADS.get(column)
        cell = put(sheet, head, column, text, styles.BOLD, styles.HEADER_FILL)
        texts = {NAME: styles.LEFT, NAMES: styles.INDENTED}
        cell.alignment = texts.get(column, styles.RIGHT)
    for row, each in enumerate(listed.inputs, listed.first_row):
        name = put(sheet, row, NAME, each.name, styles.LINK)
        quoted = name.quotePrefix
        name.hyperlink = Hyperlink(ref=name.coordinate, location=each.place)
        name.font, name.quotePrefix = styles.LINK_LINE, quoted
        number = each.listed(each.values(problem))
        exported = put(sheet, row, EXPORTED, number, styles.FIXED, styles.FIXED_FILL)
        counts = styles.GENERAL if each.then is None else _COUNT
        exported.number_format = sheet.cell(row, NOW).number_format = counts
        sheet.cell(row, APART).number_format = _APART
        sheet.cell(row, NAMES).font = styles.BODY
        sheet.cell(row, NAMES).alignment = styles.INDENTED


def _copy(sheet: Worksheet, copy: Copy) -> tuple[StreamColumn, ...]:
    region = copy.region
    put(sheet, region.row - 2, region.column, copy.title, styles.HEADING)
    for column, text in enumerate(copy.heads, region.column):
        head = put(sheet, region.row - 1, column, text, styles.BOLD, styles.HEADER_FILL)
        head.alignment = styles.RIGHT
    style = _style(sheet, region.row, region.column, styles.FIXED, styles.GENERAL)
    return _plain(region, style)


def _colours(sheet: Worksheet, here: CompareLayout, listed: Inputs) -> None:
    status = f"$A${STATUS_ROW}"
    where = f"A{STATUS_ROW}:{letter(_STATUS_COLUMNS)}{STATUS_ROW}"
    for begins, look in _LOOKS.items():
        styles.highlight(sheet, where, f'LEFT({status},{len(begins)})="{begins}"', look)
    first, column = here.main.row, here.section(PYTHON)
    where = f"{address(first, column)}:{address(here.main.last_row, column + 2 * here.width - 1)}"
    styles.short(sheet, where)
    where = f"{address(SIZE_ROW, column)}:{address(SIZE_ROW, here.sizes.last_column)}"
    styles.short(sheet, where)
    for block in filter(_is_fine, here.ledger.blocks):
        losses = Region(COMPARE, first, block.first + 1, here.main.rows, block.size)
        styles.fine(sheet, messages.range_of(losses))
    column = here.section(DIFFERENCE)
    where = f"{address(first, column)}:{address(here.main.last_row, here.main.last_column)}"
    styles.highlight(sheet, where, f"ABS({address(first, column)})>{TOLERANCE_NAME}", _DIFFER)
    beyond = here.ledger["beyond"].first + 1
    where = f"A{first}:{address(here.main.last_row, here.ledger['worst'].first + 1)}"
    styles.highlight(sheet, where, f"${address(first, beyond)}=1", _DIFFER)
    top = listed.first_row
    where = f"A{top}:{address(listed.exported.last_row, CHANGED)}"
    styles.highlight(sheet, where, f"${address(top, CHANGED)}=1", _CHANGED)


def _widths(sheet: Worksheet, here: CompareLayout) -> None:
    """Wide enough for names; all of a section but its loss can be folded away."""
    for column, label in enumerate(here.ledger.labels, 1):
        dimension = sheet.column_dimensions[letter(column)]
        dimension.width = 10.0 if column < EXPORTED else max(13.5, len(label) + 2.0)
    for block in here.ledger.blocks:
        if block.kind in ("place", "summary", "flag", "loss"):
            continue
        for column in range(block.first + 1, block.first + block.size + 1):
            sheet.column_dimensions[letter(column)].outlineLevel = 1
