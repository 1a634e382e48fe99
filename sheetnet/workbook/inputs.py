"""What may be typed into input cells: a message on selecting one, an error for nonsense."""

from __future__ import annotations

from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.worksheet import Worksheet

from sheetnet.regions import Region, letter

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
    rule.promptTitle = rule.errorTitle = title[:MAX_TITLE]
    rule.prompt, rule.error = prompt[:MAX_PROMPT], error
    rule.add(range_of(region))
    sheet.add_data_validation(rule)
