"""Formulas as forms: a skeleton with places for references, and where these point.

Formulas that were filled down or right have one form: references without ``$`` are held
relative to their cell. Forms are numbered, and kept as bytes: a million of them fit.
"""

from __future__ import annotations

import re
import sys
from array import array
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np

from sheetnet.errors import LimitError
from sheetnet.limits import MAX_COLUMNS, MAX_ROWS
from sheetnet.regions import column_number, letter

MAX_FORMS = 2_000_000
"""Different forms of a workbook: some 250 bytes each."""

CELL, COLUMN, ROW = "\x01", "\x02", "\x03"
"""Places in a skeleton: of a cell, of a whole column, of a whole row. No XML holds these."""

PLACES = re.compile(f"[{CELL}{COLUMN}{ROW}]")

_TOKEN = re.compile(
    r"""
    (?P<text>"(?:[^"]|"")*")
    |(?P<space>\s+)
    |(?P<error>\#(?:REF!|DIV/0!|N/A|NAME\?|NULL!|NUM!|VALUE!))
    |(?P<sheet>(?<!')'(?:[^']|'')*+'!|(?<![\w.])(?:\[[0-9]+\])?[\w.]++(?::[\w.]++)?!)
    |(?P<bracket>\[[^\[\]]*(?:\[[^\[\]]*\][^\[\]]*)*\])
    |(?P<rows>\$?[0-9]{1,7}:\$?[0-9]{1,7})(?![\w.(!])
    |(?P<columns>\$?[A-Za-z]{1,3}:\$?[A-Za-z]{1,3})(?![\w.(!])
    |(?P<cell>\$?[A-Za-z]{1,3}\$?[0-9]{1,7})(?![\w.(!])
    |(?P<function>[A-Za-z_\\][\w.\\]*(?=\())
    |(?P<word>[^\W\d][\w.\\?]*)
    |(?P<number>(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)
    """,
    re.VERBOSE,
)
_PARTS = re.compile(r"(\$?)([A-Za-z]{1,3})(\$?)([0-9]{1,7})")
_PREFIX = re.compile(r"^(_XLFN\.|_XLWS\.)+")
_PLAIN_TITLE = re.compile(r"[^\W\d][\w.]*(:[^\W\d][\w.]*)?")
_ARITHMETIC = "+-*/^"


@dataclass(frozen=True)
class Reference:
    """Where a place points: ``fixed`` coordinates as they are, others relative to the cell."""

    row: int
    row_fixed: bool
    column: int
    column_fixed: bool

    def at(self, row: int, column: int) -> tuple[int, int]:
        """The row and the column that it means, read in a cell."""
        return (
            self.row if self.row_fixed else row + self.row,
            self.column if self.column_fixed else column + self.column,
        )


@dataclass(frozen=True)
class Form:
    """A formula without its cell. ``number`` tells its skeleton apart from others."""

    number: int
    skeleton: str
    references: tuple[Reference, ...]

    def targets(self, row: int, column: int) -> tuple[tuple[int, int], ...]:
        """What each place means, read in a cell."""
        return tuple(reference.at(row, column) for reference in self.references)


@dataclass
class Forms:
    """All forms of a workbook; ``titles`` are the names of its sheets."""

    titles: Iterable[str] = ()
    skeletons: list[str] = field(default_factory=list)
    keys: list[bytes] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._numbers: dict[bytes, int] = {}
        self._skeletons: dict[str, int] = {}
        self._spelling = {title.casefold(): title for title in self.titles}
        self._letters: dict[str, int] = {}
        self.form = lru_cache(maxsize=100_000)(self._form)
        self._uses = lru_cache(maxsize=None)(_uses)

    def number(self, text: str, row: int, column: int) -> int:
        """The number of the form of a formula (without ``=``) that stands in a cell."""
        packed = array("i", [0])

        def token(match: re.Match[str]) -> str:
            kind, value = match.lastgroup, match.group()
            if kind == "cell":
                return self._cell(value, row, column, packed)
            if kind == "number":
                return repr(float(value)).removesuffix(".0").upper()
            if kind == "function":
                return _PREFIX.sub("", value.upper())
            return self._other(str(kind), value, row, column, packed)

        skeleton = _TOKEN.sub(token, text)
        packed[0] = self._skeletons.setdefault(skeleton, len(self.skeletons))
        if packed[0] == len(self.skeletons):
            self.skeletons.append(skeleton)
        key = packed.tobytes()
        number = self._numbers.get(key)
        if number is None:
            number = self._numbers[key] = len(self.keys)
            self.keys.append(key)
            if number >= MAX_FORMS:
                raise LimitError(f"the workbook has more than {MAX_FORMS:,} different formulas")
        return number

    def _cell(self, value: str, row: int, column: int, packed: array[int]) -> str:
        parts = _PARTS.fullmatch(value)
        assert parts is not None
        fixed_column, letters, fixed_row, digits = parts.groups()
        r, c = int(digits), self._column(letters)
        if not 1 <= r <= MAX_ROWS or c > MAX_COLUMNS:
            return self._word(value)  # a name
        packed.extend(
            (
                r if fixed_row else r - row,
                bool(fixed_row),
                c if fixed_column else c - column,
                bool(fixed_column),
            )
        )
        return CELL

    def _other(self, kind: str, value: str, row: int, column: int, packed: array[int]) -> str:
        if kind == "space":
            return ""
        if kind == "sheet":
            title = value[:-1]
            if title.startswith("'"):
                title = title[1:-1].replace("''", "'")
            title = self._spelling.get(title.casefold(), title)
            plain = _PLAIN_TITLE.fullmatch(title) and not _PARTS.fullmatch(title)
            return f"{title}!" if plain else "'" + title.replace("'", "''") + "'!"
        if kind == "columns":
            for part in value.split(":"):
                at, fixed = self._column(part.lstrip("$")), part.startswith("$")
                packed.extend((1, 1, at if fixed else at - column, fixed))
            return f"{COLUMN}:{COLUMN}"
        if kind == "rows":
            for part in value.split(":"):
                at, fixed = int(part.lstrip("$")), part.startswith("$")
                packed.extend((at if fixed else at - row, fixed, 1, 1))
            return f"{ROW}:{ROW}"
        return self._word(value) if kind == "word" else value

    def _word(self, value: str) -> str:
        return self._spelling.setdefault(value.casefold(), value)

    def _column(self, letters: str) -> int:
        at = self._letters.get(letters, 0)
        if not at:
            at = self._letters[letters] = column_number(letters)
        return at

    def _form(self, number: int) -> Form:
        packed = np.frombuffer(self.keys[number], np.int32).tolist()
        references = tuple(
            Reference(packed[i], bool(packed[i + 1]), packed[i + 2], bool(packed[i + 3]))
            for i in range(1, len(packed), 4)
        )
        return Form(packed[0], self.skeletons[packed[0]], references)

    def uses(self, number: int) -> tuple[Use, ...]:
        """How a form uses its places."""
        skeleton = int.from_bytes(self.keys[number][:4], sys.byteorder)
        return self._uses(self.skeletons[skeleton])

    def text(self, form: Form, targets: Iterable[tuple[int, int]]) -> str:
        """A formula with ``=`` whose places point to these rows and columns."""
        left = iter(zip(form.references, targets, strict=True))

        def place(match: re.Match[str]) -> str:
            reference, (row, column) = next(left)
            if not (1 <= row <= MAX_ROWS and 1 <= column <= MAX_COLUMNS):
                return "#REF!"
            column_text = ("$" if reference.column_fixed else "") + letter(column)
            row_text = ("$" if reference.row_fixed else "") + str(row)
            kind = match.group()
            return {CELL: column_text + row_text, COLUMN: column_text, ROW: row_text}[kind]

        return "=" + PLACES.sub(place, form.skeleton)

    def text_at(self, number: int, row: int, column: int) -> str:
        """A form as it reads in a cell, with ``=``."""
        form = self.form(number)
        return self.text(form, form.targets(row, column))


@dataclass(frozen=True)
class Use:
    """How a skeleton uses one of its places.

    ``sheet`` is the title before it, None for the formula's own. ``whole`` marks rows and
    columns, ``opens`` the first and ``closes`` the second corner of a range. ``arithmetic``
    places are operands of + - * / ^; ``free`` ones may well be empty.
    """

    sheet: str | None
    whole: bool
    opens: bool
    closes: bool
    arithmetic: bool
    free: bool


_GUARDS = re.compile(r'""|ISBLANK\(|COUNTA\(|COUNTBLANK\(|IFERROR\(|ISNUMBER\(|ISTEXT\(')
_POSITIONS = re.compile(r"\b(ROWS?|COLUMNS?|OFFSET|ADDRESS|CELL|HYPERLINK|N|T)\($")
_SHEET = re.compile(r"(?:'((?:[^']|'')*)'|([\w.\[\]:]+))!$")


def _uses(skeleton: str) -> tuple[Use, ...]:
    guarded = _GUARDS.search(skeleton) is not None
    found: list[Use] = []
    for match in PLACES.finditer(skeleton):
        start, end = match.span()
        closes = start >= 2 and skeleton[start - 1] == ":" and bool(found and found[-1].opens)
        opens = skeleton[end : end + 1] == ":" and bool(PLACES.match(skeleton, end + 1))
        titled = _SHEET.search(skeleton, max(0, start - 300), start)
        sheet = None
        if closes:
            sheet = found[-1].sheet
        elif titled:
            sheet = (titled[1] or "").replace("''", "'") or titled[2]
        before = (
            skeleton[titled.start() - 1 : titled.start()]
            if titled
            else skeleton[max(0, start - 1) : start]
        )
        after = skeleton[end : end + 1]
        alone = not opens and not closes
        arithmetic = alone and (
            (before != "" and before in _ARITHMETIC) or (after != "" and after in _ARITHMETIC)
        )
        head = skeleton[: titled.start() if titled else start][-12:]
        free = guarded or "&" in (before, after) or _POSITIONS.search(head) is not None
        whole = match.group() != CELL
        found.append(Use(sheet, whole, opens, closes, arithmetic, free))
    return tuple(found)
