"""Formulas in a normal form, equal for equal formulas however an application spells them.

References become relative to their cell (R1C1), functions and names upper case, white
space goes, numbers are compared as numbers.
"""

from __future__ import annotations

import re

from openpyxl.formula import Tokenizer
from openpyxl.formula.tokenizer import Token, TokenizerError
from openpyxl.formula.translate import Translator

from sheetnet.reader.cells import Grid, SharedFormula
from sheetnet.regions import address, column_number

Normal = tuple[str, ...]

_CELL = re.compile(r"(\$?)([A-Z]{1,3})(\$?)([0-9]{1,7})")
_PREFIX = re.compile(r"^(_XLFN\.|_XLWS\.)+")


def normal(text: str, row: int, column: int) -> Normal:
    """The normal form of a formula (without ``=``) that stands in a cell."""
    try:
        tokens = Tokenizer(f"={text}").items
    except (TokenizerError, IndexError, AttributeError, KeyError):
        return ("?", text)
    return tuple(_token(token, row, column) for token in tokens if token.type != Token.WSPACE)


def normal_of(held: str | SharedFormula, row: int, column: int) -> Normal:
    """The normal form of what a cell holds, its own formula or one that it shares."""
    if isinstance(held, SharedFormula):
        return normal(held.text, held.row, held.column)
    return normal(held, row, column)


def _token(token: Token, row: int, column: int) -> str:
    value = str(token.value)
    if token.type == Token.OPERAND:
        if token.subtype == Token.RANGE:
            return _range(value, row, column)
        if token.subtype == Token.NUMBER:
            return repr(float(value))
        if token.subtype == Token.TEXT:
            return value
        return value.upper()
    if token.type == Token.FUNC:
        return _PREFIX.sub("", value.upper())
    return value


def _range(text: str, row: int, column: int) -> str:
    sheet, mark, cells = text.rpartition("!")
    if sheet.startswith("'") and sheet.endswith("'"):
        sheet = sheet[1:-1].replace("''", "'")
    parts = cells.upper().split(":")
    relative = [_relative(part, row, column) for part in parts]
    return f"{sheet.casefold()}{mark}{':'.join(relative)}"


def _relative(part: str, row: int, column: int) -> str:
    match = _CELL.fullmatch(part)
    if match is None:
        return part
    fixed_column, letters, fixed_row, digits = match.groups()
    at = column_number(letters)
    r = f"R{digits}" if fixed_row else f"R[{int(digits) - row}]"
    c = f"C{at}" if fixed_column else f"C[{at - column}]"
    return r + c


def formula_text(grid: Grid, row: int, column: int) -> str | None:
    """A cell's formula as it would read there, with ``=``."""
    held = grid.formula(row, column)
    if held is None:
        return None
    if isinstance(held, SharedFormula):
        origin = address(held.row, held.column)
        return str(Translator(f"={held.text}", origin).translate_formula(address(row, column)))
    return f"={held}"
