"""What the spreadsheet format can hold (Excel's specifications and limits)."""

from __future__ import annotations

import re

MAX_ROWS = 1_048_576
MAX_COLUMNS = 16_384
MAX_FORMULA = 8_192
"""Characters of a formula."""

MAX_ARGUMENTS = 255
"""Of a function in a formula."""

MAX_TEXT = 32_767
"""Characters of a cell, see :func:`text_units`."""

NOT_IN_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
"""Characters that no workbook can hold."""

_ESCAPED = re.compile("_x([0-9A-Fa-f]{4})_")
_LIKE_ESCAPED = re.compile("_(?=x[0-9A-Fa-f]{4}_)")


def text_units(text: str) -> int:
    """The length of a text as the format counts: in UTF-16, where an emoji is two."""
    return len(text) + sum(letter > "\uffff" for letter in text)


def cut(text: str, most: int) -> str:
    """The beginning of a text, of at most so many units."""
    if text_units(text) <= most:
        return text
    return text.encode("utf-16-le", "surrogatepass")[: 2 * most].decode("utf-16-le", "ignore")


def escaped(text: str) -> str:
    """A text as XML parts of the format hold it: ``_x0041_`` would be read as A there.

    ECMA-376 part 1, 22.9.2.19 (ST_Xstring).
    """
    return _LIKE_ESCAPED.sub("_x005F_", text) if "_x" in text else text


def unescaped(text: str) -> str:
    """What :func:`escaped` was made of; characters that no workbook can hold stay escaped."""
    return _ESCAPED.sub(_character, text) if "_x" in text else text


def _character(found: re.Match[str]) -> str:
    letter = chr(int(found[1], 16))
    return found[0] if NOT_IN_XML.search(letter) else letter
