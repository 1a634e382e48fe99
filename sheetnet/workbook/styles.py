"""Colours, fonts and number formats of the whole workbook.

Spreadsheet conventions: inputs blue on light yellow, formulas black, links to other
sheets green. The bands above the ledger follow hand-drawn back propagation sheets:
parameters red, forward orange, backward blue.
"""

from __future__ import annotations

from copy import copy
from functools import cache
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

from openpyxl.cell.cell import Cell, MergedCell
from openpyxl.comments import Comment
from openpyxl.formatting.rule import Rule
from openpyxl.styles import Alignment, Border, Font, PatternFill, Side
from openpyxl.styles.differential import DifferentialStyle
from openpyxl.styles.numbers import NumberFormat
from openpyxl.worksheet.header_footer import HeaderFooterItem, _HeaderFooterPart
from openpyxl.worksheet.hyperlink import Hyperlink
from openpyxl.worksheet.properties import PageSetupProperties
from openpyxl.worksheet.worksheet import Worksheet

from sheetnet.limits import MAX_TEXT, cut
from sheetnet.regions import GUIDE

FONT = "Calibri"
INPUT_COLOUR, LINK_COLOUR, MUTED = "0000FF", "006100", "595959"
"""They keep a contrast of 4.5 on every fill that they stand on (a test sees to it)."""

TITLE = Font(name=FONT, size=16, bold=True, color="1F3864")
HEADING = Font(name=FONT, size=11, bold=True, color="1F3864")
BODY = Font(name=FONT, size=11)
BOLD = Font(name=FONT, size=11, bold=True)
NOTE = Font(name=FONT, size=10, italic=True, color=MUTED)
INPUT = Font(name=FONT, size=11, color=INPUT_COLOUR)
LINK = Font(name=FONT, size=11, color=LINK_COLOUR)
LINK_LINE = Font(name=FONT, size=11, color=LINK_COLOUR, underline="single")
FIXED = Font(name=FONT, size=11, color="595959")

INPUT_FILL = PatternFill("solid", fgColor="FFFBD6")
DIM = Font(name=FONT, size=11, color="757575")
DIM_FILL = PatternFill("solid", fgColor="F2F2F2")
FIXED_FILL = PatternFill("solid", fgColor="EDEDED")
BEST_FILL = PatternFill("solid", fgColor="E2F0D9")
HEADER_FILL = PatternFill("solid", fgColor="D9E2F3")

_THIN = Side(style="thin", color="BFBFBF")
BOX = Border(left=_THIN, right=_THIN, top=_THIN, bottom=_THIN)
UNDERLINE = Border(bottom=Side(style="medium", color="1F3864"))
GROUP_EDGE = Border(left=_THIN)

BANDS = {
    "place": "E7E6E6",
    "flag": "D9D9D9",
    "summary": "FFD966",
    "validation": "C6E0B4",
    "input": "E2EFDA",
    "target": "C6E0B4",
    "weight": "F8CBCB",
    "bias": "F8CBCB",
    "forward": "FCE0C0",
    "drawn": "EDEDED",
    "loss": "FFD966",
    "told": "FFE699",
    "predicted": "FFE699",
    "backward": "BDD7EE",
    "gradient": "DDEBF7",
    "state": "E4DFEC",
    "update": "F4DDEE",
}
"""Fill of a ledger column's header, by the block's kind."""

TINTS = {
    "input": "E9F3E4",
    "target": "D5EBC9",
    "forward": "FDEBD3",
    "drawn": "F2F2F2",
    "backward": "D6E6F4",
    "gradient": "E4EFF9",
    "state": "F1EEF7",
    "update": "F9ECF5",
    "loss": "FFE699",
}
"""Fill of single numbers, by their kind: the bands, lighter."""

ONE_PAGE = 24
"""Columns that can still be read on one printed page; a wider sheet takes several."""

WHOLE, GENERAL, NUMBER = "0", "General", "0.0000"
ALIGNED = "0.0???"
"""Up to four decimals, the points below one another."""

FINE = GENERAL
"""Of numbers of any size: :func:`fine` shows them with six decimals where they have digits there.

No format by itself can: LibreOffice shows no minus in the section of numbers between two others.
"""

FINE_KINDS = frozenset(("loss", "summary", "validation", "gradient", "update", "backward", "state"))
"""Kinds of quantities that have it."""

SMALL = "0.0005"
"""Numbers nearer to 0 are shown with their own digits, not as 0.000000."""

HUGE = "1E+6"
"""From here on a number is shown as a power of ten: it would not fit into its column."""

LEFT = Alignment(horizontal="left", vertical="center")
RIGHT = Alignment(horizontal="right", vertical="center")
INDENTED = Alignment(horizontal="left", vertical="center", indent=1)
CENTRE = Alignment(horizontal="center", vertical="center")

TOP = Alignment(horizontal="center", vertical="top")
WRAPPED = Alignment(horizontal="left", vertical="top", wrap_text=True)


@cache
def band(kind: str) -> PatternFill:
    """The header fill of a kind of column."""
    return PatternFill("solid", fgColor=BANDS[kind])


@cache
def tint(kind: str) -> PatternFill | None:
    """The fill of a number of this kind; None: no colour."""
    return PatternFill("solid", fgColor=TINTS[kind]) if kind in TINTS else None


def put(
    sheet: Worksheet,
    row: int,
    column: int,
    value: object,
    font: Font = BODY,
    fill: PatternFill | None = None,
    *,
    border: Border | None = None,
    number_format: str | None = None,
    align: Alignment | None = None,
) -> Cell:
    """Set a cell's value and style. A text stays text, whatever it begins with."""
    cell = sheet.cell(row=row, column=column)
    assert isinstance(cell, Cell)
    cell.value = value  # type: ignore[assignment]
    text = isinstance(value, str) and not isinstance(value, FormulaText)
    if text:
        cell.data_type = "s"
    # Keeps "=1+1" text when somebody edits the cell in a spreadsheet.
    quoted = text and looks_live(value)
    parts = font, fill, border, number_format, align, quoted
    if cell.has_style:
        _style(cell, *parts)
        return cell
    known = _STYLES.setdefault(sheet.parent, {})
    key = id(font), id(fill), id(border), number_format, id(align), quoted
    if key not in known:
        _style(cell, *parts)
        # A copy, as the cell may change; the parts are kept, so that no others have their ids.
        known[key] = copy(cell._style), parts  # type: ignore[attr-defined]
    else:
        cell._style = copy(known[key][0])  # type: ignore[attr-defined]
    return cell


_STYLES: WeakKeyDictionary[Any, dict[tuple[Any, ...], tuple[Any, tuple[Any, ...]]]] = (
    WeakKeyDictionary()
)
"""What openpyxl makes of styles, in each book: to find that out again takes it long."""


def _style(
    cell: Cell,
    font: Font,
    fill: PatternFill | None,
    border: Border | None,
    number_format: str | None,
    align: Alignment | None,
    quoted: bool,
) -> None:
    cell.font = font
    if fill is not None:
        cell.fill = fill
    if border is not None:
        cell.border = border
    if number_format is not None:
        cell.number_format = number_format
    if align is not None:
        cell.alignment = align
    if quoted or cell.quotePrefix:
        cell.quotePrefix = quoted


def looks_live(value: object) -> bool:
    """Whether a text would become a formula if somebody typed it."""
    return isinstance(value, str) and value[:1] in ("=", "+", "-", "@")


class FormulaText(str):
    """A text that is meant as a formula, ``=`` included."""


class Look(NamedTuple):
    """What a rule makes of a cell, beside its number's format."""

    font: Font | None = None
    fill: PatternFill | None = None


PLAIN = Look()
SHADE = Look(fill=PatternFill("solid", bgColor="EAF1DD"))


def filled(colour: str) -> Look:
    """Bold, with a fill."""
    return Look(Font(bold=True), PatternFill("solid", bgColor=colour))


def marked(fill: str, letters: str) -> Look:
    """With a fill, and letters in a colour."""
    return Look(Font(color=letters), PatternFill("solid", bgColor=fill))


GREY = marked("F2F2F2", "757575")


def highlight(sheet: Worksheet, where: str, condition: str, look: Look) -> None:
    """Change the look of cells where a formula, written for the first of them, holds."""
    _rule(sheet, where, condition, DifferentialStyle(font=look.font, fill=look.fill))


def fine(sheet: Worksheet, where: str, when: str = "", look: Look = PLAIN) -> None:
    """Show numbers of the format :data:`FINE` alike.

    With a ``look`` only where ``when`` holds, a formula for the first of the cells: LibreOffice
    applies but one rule to a cell. Applications that know no formats in rules show the numbers
    as they show any.
    """
    cell = where.partition(":")[0]
    size, also = f"ABS({cell})", f"{when}," if when else ""
    for condition, code, number in (
        (f"AND({also}{size}>={SMALL},{size}<{HUGE})", "0.000000", 201),
        (f"AND({also}{size}<{SMALL},{cell}<>0)", "0.0E+00", 202),
    ):
        shown = NumberFormat(numFmtId=number, formatCode=code)
        _rule(sheet, where, condition, DifferentialStyle(look.font, shown, look.fill))


def short(sheet: Worksheet, where: str) -> None:
    """Show numbers too long for their columns as powers of ten."""
    cell = where.partition(":")[0]
    scientific = NumberFormat(numFmtId=200, formatCode="0.00E+00")
    _rule(sheet, where, f"ABS({cell})>={HUGE}", DifferentialStyle(numFmt=scientific))


def _rule(sheet: Worksheet, where: str, condition: str, style: DifferentialStyle) -> None:
    sheet.conditional_formatting.add(where, Rule(type="expression", dxf=style, formula=[condition]))


def title(sheet: Worksheet, text: str, explanation: str) -> None:
    """The two lines on top of a sheet."""
    put(sheet, 1, 1, text, TITLE)
    put(sheet, 2, 1, explanation, NOTE)
    sheet.row_dimensions[1].height = 24


def link(sheet: Worksheet, row: int, column: int, text: str, target: str) -> Cell:
    """A text that leads to another place of the workbook (``Guide!A1``)."""
    cell = put(sheet, row, column, text)
    cell.hyperlink = Hyperlink(ref=cell.coordinate, location=target, display=text)
    cell.font = LINK_LINE
    return cell


def back(sheet: Worksheet, row: int) -> None:
    """The way back to the guide, where there is one, in the first column."""
    assert sheet.parent is not None
    if GUIDE in sheet.parent.sheetnames:
        link(sheet, row, 1, "← Guide", f"{GUIDE}!A1")


def remark(cell: Cell | MergedCell, text: str, *, height: int = 70) -> None:
    """A note that shows when the mouse is over the cell."""
    cell.comment = Comment(cut(text, MAX_TEXT), "sheetnet", height=height, width=260)


def for_screen_and_page(
    sheet: Worksheet, freeze: str | None, *, landscape: bool = True, one_page_wide: bool = True
) -> None:
    """Freeze panes, no grid lines, and a page as wide as the sheet, or at 70 %."""
    sheet.freeze_panes = freeze
    sheet.sheet_view.showGridLines = False
    sheet.page_setup.orientation = "landscape" if landscape else "portrait"
    sheet.page_setup.paperSize = 9  # A4
    if one_page_wide:
        sheet.page_setup.fitToWidth = 1
        sheet.page_setup.fitToHeight = 0
        sheet.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)
    else:
        sheet.page_setup.scale = 70
    sheet.page_margins.left = sheet.page_margins.right = 0.4
    sheet.page_margins.top = 0.5
    sheet.page_margins.bottom = 0.7
    sheet.page_margins.footer = 0.3
    name, page = _HeaderFooterPart(text="&A"), _HeaderFooterPart(text="&P / &N")
    sheet.oddFooter = HeaderFooterItem(left=name, right=page)
