"""What may be typed into input cells: a message on selecting one, an error for nonsense."""

from __future__ import annotations

from typing import Literal

from openpyxl import Workbook
from openpyxl.workbook.defined_name import DefinedName
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.worksheet import Worksheet

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


def one_of(sheet: Worksheet, region: Region, choices: Region, title: str, prompt: str) -> None:
    """One of the values that stand in other cells."""
    rule = DataValidation(type="list", formula1=range_of(choices, fixed=True))
    _add(sheet, rule, region, title, prompt, "One of the classes is needed.")


def choice(book: Workbook, sheet: Worksheet, choice: Choice) -> None:
    """An input cell of the sheet itself, with its defined name."""
    cell = put(
        sheet,
        choice.row,
        choice.column,
        float(choice.default),
        styles.INPUT,
        styles.INPUT_FILL,
        border=styles.BOX,
    )
    if choice.defined:
        target = f"{sheet.title}!{choice.place}"
        book.defined_names[choice.name] = DefinedName(choice.name, attr_text=target)
    low = -1e300 if choice.low is None else choice.low
    high = 1e300 if choice.high is None else choice.high
    kind: Literal["whole", "decimal"] = "whole" if choice.whole else "decimal"
    rule = DataValidation(
        type=kind, operator="between", formula1=f"{low:.17g}", formula2=f"{high:.17g}"
    )
    wanted = choice.wanted
    region = Region(sheet.title, choice.row, choice.column, 1, 1)
    prompt = f"{choice.meaning}; {wanted}"
    _add(sheet, rule, region, choice.name, prompt, f"{wanted[:1].upper()}{wanted[1:]} is needed.")
    cell.number_format = styles.GENERAL


def _add(
    sheet: Worksheet, rule: DataValidation, region: Region, title: str, prompt: str, error: str
) -> None:
    rule.showErrorMessage = rule.showInputMessage = True
    rule.promptTitle = rule.errorTitle = title[:MAX_TITLE]
    rule.prompt, rule.error = prompt[:MAX_PROMPT], error
    rule.add(range_of(region))
    sheet.add_data_validation(rule)
