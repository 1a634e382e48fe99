"""What stands in the choices of a view: which step is shown, which weights are used."""

from __future__ import annotations

from sheetnet.errors import WorkbookError
from sheetnet.reader.cells import where
from sheetnet.reader.inputs import InputSheet
from sheetnet.views.view import Choice, View


def chosen_in(sheet: InputSheet, view: View) -> dict[str, float]:
    """Each choice by name; raises :class:`WorkbookError` for what cannot be chosen."""
    found = {}
    for choice in view.choices:
        value = sheet.number(choice.row, choice.column, choice.name)
        if not _allowed(choice, value):
            at = where(view.title, choice.row, choice.column)
            raise WorkbookError(
                f"{sheet.package.path.name}: {at} ({choice.name}) is {value:.17g}: "
                f"{choice.wanted} is needed"
            )
        found[choice.name] = value
    return found


def _allowed(choice: Choice, value: float) -> bool:
    if choice.whole and not value.is_integer():
        return False
    low = choice.low is None or value >= choice.low
    return low and (choice.high is None or value <= choice.high)
