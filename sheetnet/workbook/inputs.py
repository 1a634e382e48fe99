"""What may be typed into input cells: a message on selecting one, an error for nonsense."""

from __future__ import annotations

from openpyxl import Workbook
from openpyxl.workbook.defined_name import DefinedName
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.worksheet import Worksheet

from sheetnet.limits import cut
from sheetnet.regions import Region, letter
from sheetnet.views.view import Choice
from sheetnet.workbook import styles
from sheetnet.workbook.styles import put

MAX_PROMPT, MAX_TITLE = 255, 32
"""Characters that applications take."""


def range_of(region: Region, *, fixed: bool = False) -> str:
    """A region as a range; ``fixed`` with dollar signs."""
    mark = "$" if fixed else ""
    first = f"{mark}{letter(region.column)}{mark}{region.row}"
    return f"{first}:{mark}{letter(region.last_column)}{mark}{region.last_row}"


def numbers(sheet: Worksheet, region: Region, title: str, prompt: str) -> None:
    """Any number, and nothing else."""
    rule = DataValidation(type="decimal", operator="between", formula1="-1E+300", formula2="1E+300")
    _add(sheet, rule, region, title, prompt, "A number is needed.")


def choice(book: Workbook, sheet: Worksheet, made: Choice) -> None:
    """A view's choice: an input cell with its message, and its defined name."""
    cell = put(sheet, made.row, made.column, float(made.default), styles.INPUT, styles.INPUT_FILL)
    cell.border, cell.alignment = styles.BOX, styles.CENTRE
    if made.whole:
        cell.number_format = styles.WHOLE
    low, high = (
        -1e300 if made.low is None else made.low,
        1e300 if made.high is None else made.high,
    )
    rule = DataValidation(
        type="whole" if made.whole else "decimal",
        operator="between",
        formula1=f"{low:.17g}",
        formula2=f"{high:.17g}",
    )
    where = Region(sheet.title, made.row, made.column, 1, 1)
    prompt = f"{made.meaning}; {made.wanted}."
    _add(sheet, rule, where, made.name, prompt, f"{made.wanted.capitalize()} is needed.")
    if made.defined:
        target = f"{sheet.title}!{made.place}"
        book.defined_names[made.name] = DefinedName(made.name, attr_text=target)


def whole(sheet: Worksheet, region: Region, low: int, high: int, title: str, prompt: str) -> None:
    """A whole number within bounds."""
    rule = DataValidation(type="whole", operator="between", formula1=f"{low}", formula2=f"{high}")
    _add(sheet, rule, region, title, prompt, f"A whole number from {low} to {high} is needed.")


def one_of(sheet: Worksheet, region: Region, choices: Region, title: str, prompt: str) -> None:
    """One of the values that stand in other cells."""
    rule = DataValidation(type="list", formula1=range_of(choices, fixed=True))
    _add(sheet, rule, region, title, prompt, "One of the classes is needed.")


def _add(
    sheet: Worksheet, rule: DataValidation, region: Region, title: str, prompt: str, error: str
) -> None:
    rule.showErrorMessage = rule.showInputMessage = True
    rule.promptTitle = rule.errorTitle = cut(title, MAX_TITLE)
    rule.prompt, rule.error = cut(prompt, MAX_PROMPT), error
    rule.add(range_of(region))
    sheet.add_data_validation(rule)
