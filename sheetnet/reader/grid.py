"""The cells of a sheet, parsed once from its XML."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

from sheetnet.concepts.arithmetic import Array
from sheetnet.errors import WorkbookError
from sheetnet.limits import MAX_COLUMNS, MAX_ROWS
from sheetnet.reader.alike import Cutter, Likeness
from sheetnet.reader.cells import Formulas, Grid, Held, Odd, SharedFormula
from sheetnet.reader.package import Package, parse_part
from sheetnet.regions import address


def read_grid(package: Package, title: str, rows: int, columns: int) -> Grid:
    """Parse the top left ``rows`` × ``columns`` cells of a sheet."""
    if title not in package.sheets:
        raise WorkbookError(f"{package.path.name} has no sheet {title!r}")
    parser = _Parser(package.strings, rows, columns)
    cutter = parser.cutter
    handlers = {
        "StartElementHandler": parser.start,
        "EndElementHandler": parser.end,
        "CharacterDataHandler": parser.text,
    }
    parse_part(package, package.sheets[title], handlers, cutter)
    return Grid(title, parser.numbers, parser.odd, parser.formulas, parser.held, parser.beyond)


@dataclass
class _Parser:
    """Expat handlers that fill the arrays; the state of the cell being read."""

    strings: tuple[str, ...]
    rows: int
    columns: int
    numbers: Array = field(init=False)
    formulas: Formulas = field(init=False)
    odd: dict[tuple[int, int], Odd] = field(default_factory=dict)
    beyond: tuple[int, int] | None = None

    def __post_init__(self) -> None:
        self.numbers = np.full((self.rows, self.columns), np.nan)
        self.formulas = np.zeros((self.rows, self.columns), dtype=np.int32)
        self.held: list[Held] = [None]
        self.shared: dict[str, int] = {}
        self.cutter = Cutter(self)
        self.seen = np.zeros((self.rows, self.columns), dtype=bool)
        self.letters: dict[str, int] = {}
        self.tags: dict[str, str] = {}
        self.row = self.column = 0
        self.kind = ""
        self.value: list[str] = []
        self.formula: list[str] | None = None
        self.formula_attributes: dict[str, str] = {}
        self.into: list[str] | None = None

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        name = self.tags.get(tag) or self.tags.setdefault(tag, tag.rpartition("|")[2])
        if name == "c":
            reference = attributes.get("r")
            if reference is None:
                self.column += 1
            else:
                self._place(reference)
            self.kind = attributes.get("t", "n")
            self.value, self.formula, self.into = [], None, None
        elif name in ("v", "t"):
            self.into = self.value
        elif name == "f":
            self.formula = self.into = []
            self.formula_attributes = attributes
        elif name == "row":
            self.row = int(attributes.get("r", self.row + 1))
            self.column = 0
            if not 1 <= self.row <= MAX_ROWS:
                raise ValueError(f"row {attributes.get('r')!r}")

    def text(self, data: str) -> None:
        if self.into is not None:
            self.into.append(data)

    def end(self, tag: str) -> None:
        name = self.tags[tag]
        if name == "c":
            if self.row <= self.rows and self.column <= self.columns:
                self._keep()
            elif self._is_beyond():
                self.beyond = (self.row, self.column)
        elif name in ("v", "t", "f"):
            self.into = None

    def _is_beyond(self) -> bool:
        below = self.row > self.rows and self.column <= self.columns
        return self.beyond is None and below and bool(self.value or self.formula is not None)

    def _place(self, reference: str) -> None:
        letters = reference.rstrip("0123456789")
        column = self.letters.get(letters)
        if column is None:
            column = 0
            for character in letters.upper():
                if not "A" <= character <= "Z":
                    raise ValueError(f"cell reference {reference!r}")
                column = column * 26 + ord(character) - 64
            if not 1 <= column <= MAX_COLUMNS:
                raise ValueError(f"cell reference {reference!r}")
            self.letters[letters] = column
        self.column = column
        self.row = self._row_number(reference[len(letters) :], reference)

    @staticmethod
    def _row_number(digits: str, reference: str) -> int:
        if not (digits.isascii() and digits.isdigit() and 1 <= int(digits) <= MAX_ROWS):
            raise ValueError(f"cell reference {reference!r}")
        return int(digits)

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
            self.odd[(row, column)] = Odd("text", text)

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
        row, column = self.row, self.column
        corners = self.formula_attributes.get("ref", address(row, column)).split(":")
        rows, columns = [], []
        for corner in (corners[0], corners[-1]):
            self._place(corner)
            rows.append(self.row)
            columns.append(self.column)
        self.row, self.column = row, column
        return SharedFormula(text, row, column, (rows[0], rows[1]), (columns[0], columns[1]))

    def learned(self, row: int, likeness: Likeness) -> _Plan | None:
        """How rows of this likeness are kept; see :class:`Cutter`."""
        plan = _Plan()
        for cell in likeness.cells:
            self._place(f"{cell.letters}1")
            if self.column > self.columns:
                continue
            plan.columns.append(self.column - 1)
            if cell.shared is not None:
                if cell.shared not in self.shared:
                    return None
                code = self.shared[cell.shared]
                shared = self.held[code]
                assert isinstance(shared, SharedFormula)
                if not shared.covers(row, self.column):
                    return None
                plan.first = max(plan.first, shared.rows[0])
                plan.last = min(plan.last, shared.rows[1])
                plan.shared.append((self.column - 1, code))
            if cell.formula is not None:
                plan.formulas.append((self.column - 1, cell.formula))
            if cell.value is not None and cell.kind == "n":
                plan.numbers.append((self.column - 1, cell.value))
            elif cell.value is not None or cell.kind in ("inlineStr", "str"):
                plan.others.append((self.column, cell.kind, cell.value))
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
        if b"_" in b"".join(written) or not np.isfinite(numbers).all():
            return False
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
