"""Colours, fonts and number formats of the whole workbook.

Spreadsheet conventions: inputs blue on light yellow, formulas black, links to other
sheets green. The bands above the ledger follow hand-drawn back propagation sheets:
parameters red, forward orange, backward blue.
"""

from __future__ import annotations

from openpyxl.cell.cell import Cell
from openpyxl.formatting.rule import Rule
from openpyxl.styles import Alignment, Border, Font, PatternFill, Side
from openpyxl.styles.differential import DifferentialStyle
from openpyxl.styles.numbers import NumberFormat
from openpyxl.worksheet.properties import PageSetupProperties
from openpyxl.worksheet.worksheet import Worksheet

FONT = "Calibri"
INPUT_COLOUR, LINK_COLOUR, MUTED = "0000FF", "00703C", "7F7F7F"

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
    "backward": "BDD7EE",
    "gradient": "DDEBF7",
    "state": "E4DFEC",
    "update": "F4DDEE",
}
"""Fill of a ledger column's header, by the block's kind."""

ONE_PAGE = 24
"""Columns that can still be read on one printed page; a wider sheet takes several."""

WHOLE, GENERAL, NUMBER, FINE = "0", "General", "0.0000", "0.000000"

LEFT = Alignment(horizontal="left", vertical="center")
RIGHT = Alignment(horizontal="right", vertical="center")
INDENTED = Alignment(horizontal="left", vertical="center", indent=1)
CENTRE = Alignment(horizontal="center", vertical="center")


def band(kind: str) -> PatternFill:
    """The header fill of a kind of column."""
    return PatternFill("solid", fgColor=BANDS[kind])


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
    if isinstance(value, str) and not isinstance(value, FormulaText):
        cell.data_type = "s"
        # Keeps "=1+1" text when somebody edits the cell in a spreadsheet.
        cell.quotePrefix = looks_live(value)
    cell.font = font
    if fill is not None:
        cell.fill = fill
    if border is not None:
        cell.border = border
    if number_format is not None:
        cell.number_format = number_format
    if align is not None:
        cell.alignment = align
    return cell


def looks_live(value: object) -> bool:
    """Whether a text would become a formula if somebody typed it."""
    return isinstance(value, str) and value[:1] in ("=", "+", "-", "@")


class FormulaText(str):
    """A text that is meant as a formula, ``=`` included."""


def shade(sheet: Worksheet, where: str, condition: str) -> None:
    """Give rows a light fill where a formula, written for the first of them, holds."""
    _rule(sheet, where, condition, DifferentialStyle(fill=PatternFill("solid", bgColor="EAF1DD")))


def grey(sheet: Worksheet, where: str, condition: str) -> None:
    """Show rows in grey where a formula, written for the first of them, holds."""
    font, fill = Font(color="A6A6A6"), PatternFill("solid", bgColor="F2F2F2")
    _rule(sheet, where, condition, DifferentialStyle(font=font, fill=fill))


def mark(sheet: Worksheet, where: str, condition: str, fill: str, letters: str) -> None:
    """Give cells a fill and their letters a colour where a formula holds, as in ``shade``."""
    style = DifferentialStyle(font=Font(color=letters), fill=PatternFill("solid", bgColor=fill))
    _rule(sheet, where, condition, style)


def short(sheet: Worksheet, where: str, condition: str) -> None:
    """Write numbers with an exponent where a formula holds, as in ``shade``."""
    style = DifferentialStyle(numFmt=NumberFormat(numFmtId=11, formatCode="0.00E+00"))
    _rule(sheet, where, condition, style)


def _rule(sheet: Worksheet, where: str, condition: str, style: DifferentialStyle) -> None:
    sheet.conditional_formatting.add(where, Rule(type="expression", dxf=style, formula=[condition]))


def title(sheet: Worksheet, text: str, explanation: str) -> None:
    """The two lines on top of a sheet."""
    put(sheet, 1, 1, text, TITLE)
    put(sheet, 2, 1, explanation, NOTE)
    sheet.row_dimensions[1].height = 24


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
    sheet.page_margins.top = sheet.page_margins.bottom = 0.5
