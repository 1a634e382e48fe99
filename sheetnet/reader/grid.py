"""The cells of a sheet, parsed once from its XML."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from xml.sax.saxutils import unescape

import numpy as np

from sheetnet.errors import WorkbookError
from sheetnet.limits import MAX_FORMULA, MAX_ROWS, unescaped
from sheetnet.reader.alike import Cutter, Likeness
from sheetnet.reader.cells import Grid, Held, Odd, SharedFormula
from sheetnet.reader.handlers import CellHandlers
from sheetnet.reader.package import Package, parse_part, part_size
from sheetnet.regions import address

ROOM = 4_000_000
"""Cells that any sheet may have, mostly blank, besides one for each byte of its part.

A cell with something in it takes at least twenty: nothing is allocated for cells that are
not there, whatever Config says.
"""


def read_grid(package: Package, title: str, rows: int, columns: int) -> Grid:
    """Parse the top left ``rows`` × ``columns`` cells of a sheet."""
    if title not in package.sheets:
        raise WorkbookError(f"{package.path.name} has no sheet {title!r}")
    part = package.sheets[title]
    if rows * columns > ROOM + part_size(package, part):
        raise WorkbookError(
            f"{package.path.name} is damaged: {title} should have {rows:,} rows and {columns:,} "
            "columns, many more cells than it holds"
        )
    parser = _Parser(package.strings, rows, columns)
    parse_part(package, part, parser.handlers, parser.cutter)
    return Grid(title, parser.numbers, parser.odd, parser.formulas, parser.held, parser.beyond)


_DIGITS = b"0123456789.-+eE"
_PLAIN = re.compile(rf"(?:[ -%'-~]|&(?:amp|lt|gt|quot|apos);){{0,{MAX_FORMULA}}}")
"""Texts without line ends, letters beyond ASCII and what is escaped by its number; not too long."""

_QUOTES = {"&quot;": '"', "&apos;": "'"}


class _Parser(CellHandlers):
    """Fills the arrays."""

    def __init__(self, strings: tuple[str, ...], rows: int, columns: int) -> None:
        super().__init__()
        self.strings, self.rows, self.columns = strings, rows, columns
        self.numbers = np.full((rows, columns), np.nan)
        self.formulas = np.zeros((rows, columns), dtype=np.int32)
        self.held: list[Held] = [None]
        self.odd: dict[tuple[int, int], Odd] = {}
        self.beyond: tuple[int, int] | None = None
        self.shared: dict[str, int] = {}
        self.seen = np.zeros((rows, columns), dtype=bool)
        self.cutter = Cutter(self)

    def cell(self) -> None:
        if self.row <= self.rows and self.column <= self.columns:
            self._keep()
        elif self._is_beyond():
            self.beyond = (self.row, self.column)

    def _is_beyond(self) -> bool:
        below = self.row > self.rows and self.column <= self.columns
        return self.beyond is None and below and bool(self.value or self.formula is not None)

    def _keep(self) -> None:
        row, column = self.row, self.column
        if self.seen[row - 1, column - 1]:
            raise ValueError(f"cell {address(row, column)} is there twice")
        self.seen[row - 1, column - 1] = True
        if self.formula is not None:
            self.formulas[row - 1, column - 1] = self._formula("".join(self.formula))
        if self.value:
            self._value(row, column, self.kind, "".join(self.value))
        elif self.kind in ("inlineStr", "str"):
            self.odd[(row, column)] = Odd("text")

    def _value(self, row: int, column: int, kind: str, text: str) -> None:
        if kind == "n":
            number = float(text if "_" not in text else "no number")
            if math.isfinite(number):
                self.numbers[row - 1, column - 1] = number
            else:
                self.odd[(row, column)] = Odd("error", text)
        elif kind == "s":
            index = int(text)
            if not 0 <= index < len(self.strings):
                raise ValueError(f"shared text {index} is not there")
            self.odd[(row, column)] = Odd("text", self.strings[index])
        elif kind == "b":
            self.odd[(row, column)] = Odd("boolean", "TRUE" if text.strip() == "1" else "FALSE")
        elif kind == "e":
            self.odd[(row, column)] = Odd("error", text)
        else:
            self.odd[(row, column)] = Odd("text", unescaped(text))

    def _formula(self, text: str) -> int:
        attributes = self.formula_attributes
        kind = attributes.get("t", "normal")
        if kind == "shared":
            index = attributes.get("si", "")
            if text or index not in self.shared:
                self.shared[index] = self._code(self._new_shared(text))
                self.cutter.forget()
            code = self.shared[index]
            shared = self.held[code]
            assert isinstance(shared, SharedFormula)
            # Outside of its range a shared formula is none: nothing is calculated there.
            return code if shared.covers(self.row, self.column) else self._code("#REF!")
        # An array formula or a data table is never what sheetnet writes.
        return self._code(text if kind == "normal" else f"{{{text}}}")

    def _code(self, held: Held) -> int:
        self.held.append(held)
        return len(self.held) - 1

    def _new_shared(self, text: str) -> SharedFormula:
        own = address(self.row, self.column)
        span = self.span(self.formula_attributes.get("ref", own))
        return SharedFormula(text, self.row, self.column, *span)

    def learned(self, row: int, likeness: Likeness) -> _Plan | None:
        """How rows of this likeness are kept; see :class:`Cutter`."""
        plan = _Plan()
        for cell in likeness.cells:
            _, column = self.place(f"{cell.letters}1")
            if column > self.columns:
                continue
            plan.columns.append(column - 1)
            if cell.shared is not None:
                if cell.shared not in self.shared:
                    return None
                code = self.shared[cell.shared]
                shared = self.held[code]
                assert isinstance(shared, SharedFormula)
                if not shared.covers(row, column):
                    return None
                plan.first = max(plan.first, shared.rows[0])
                plan.last = min(plan.last, shared.rows[1])
                plan.shared.append((column - 1, code))
            if cell.formula is not None:
                plan.formulas.append((column - 1, cell.formula))
            if cell.value is not None and cell.kind == "n":
                plan.numbers.append((column - 1, cell.value))
            elif cell.value is not None or cell.kind in ("inlineStr", "str"):
                plan.others.append((column, cell.kind, cell.value))
        return plan.made()

    def take(self, row: int, plan: object, texts: list[bytes]) -> bool:
        """Keep a row that is alike; False: the parser has to."""
        assert isinstance(plan, _Plan)
        if not plan.first <= row <= min(plan.last, self.rows) or self.seen[row - 1].any():
            return False
        written = [texts[i] for i in plan.number_texts]
        try:
            numbers = np.array(list(map(float, written)))
            formulas = [texts[i].decode("ascii") for _, i in plan.formulas]
            others = ["" if i is None else texts[i].decode("ascii") for *_, i in plan.others]
        except ValueError:
            return False
        # What else Python takes for a number, or XML for another letter, is the parser's.
        if b"".join(written).translate(None, _DIGITS) or not np.isfinite(numbers).all():
            return False
        if not all(map(_PLAIN.fullmatch, (*formulas, *others))):
            return False
        formulas, others = (
            [unescape(text, _QUOTES) for text in some] for some in (formulas, others)
        )
        self.seen[row - 1, plan.all_columns] = True
        self.numbers[row - 1, plan.number_columns] = numbers
        self.formulas[row - 1, plan.shared_columns] = plan.shared_codes
        for (column, _), text in zip(plan.formulas, formulas, strict=True):
            self.formulas[row - 1, column] = self._code(text)
        for (column, kind, value), text in zip(plan.others, others, strict=True):
            if value is None:
                self.odd[(row, column)] = Odd("text")
            else:
                self._value(row, column, kind, text)
        self.row = row
        return True


@dataclass
class _Plan:
    """How the rows of a likeness are kept: columns from 0, and which text goes where.

    ``others`` are values that are no numbers: column from 1, type, text. It holds for the
    rows ``first`` to ``last`` that its shared formulas are for.
    """

    columns: list[int] = field(default_factory=list)
    numbers: list[tuple[int, int]] = field(default_factory=list)
    shared: list[tuple[int, int]] = field(default_factory=list)
    formulas: list[tuple[int, int]] = field(default_factory=list)
    others: list[tuple[int, str, int | None]] = field(default_factory=list)
    first: int = 1
    last: int = MAX_ROWS

    def made(self) -> _Plan:
        """The same, with what is asked for each row."""
        self.all_columns = _span(self.columns)
        self.number_columns = _span([column for column, _ in self.numbers])
        self.number_texts = [text for _, text in self.numbers]
        self.shared_columns = _span([column for column, _ in self.shared])
        self.shared_codes = np.array([code for _, code in self.shared], dtype=np.int32)
        return self


def _span(columns: list[int]) -> slice | list[int]:
    """Neighbouring columns as a slice, which is faster."""
    if columns and columns == list(range(columns[0], columns[-1] + 1)):
        return slice(columns[0], columns[-1] + 1)
    return columns
