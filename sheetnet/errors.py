"""What can go wrong through the user's input, each kind with one readable line.

The command line prints the message after ``Error:`` and exits with status 2;
Python callers catch :class:`SheetnetError` or one of its kinds.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class SheetnetError(Exception):
    """Base of all errors that the user can mend; the message is one line."""

    def __init__(self, message: str) -> None:
        super().__init__(" ".join(str(message).split()))


class SpecError(SheetnetError):
    """The spec names something that does not exist or cannot be."""


class DataError(SheetnetError):
    """The table of data cannot be read or does not suit the spec."""


class LimitError(SheetnetError):
    """The run does not fit into the spreadsheet format."""


class WorkbookError(SheetnetError):
    """The workbook cannot be read, or was not written by sheetnet."""


class EngineError(SheetnetError):
    """A recalculation engine is missing or failed."""


class BackendError(SheetnetError):
    """A backend that spreads work over processes or machines is missing or failed."""


class ModelError(SheetnetError):
    """A trained model cannot be read, or cannot be shown as layers."""


class OutputError(SheetnetError):
    """The result cannot be written where it was asked for."""


def nearest(word: str, allowed: Iterable[str]) -> str:
    """Return ``" (did you mean 'x'?)"`` for the nearest allowed word, or nothing."""
    near = difflib.get_close_matches(word, list(allowed), n=1)
    return f" (did you mean {near[0]!r}?)" if near else ""
