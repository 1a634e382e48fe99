"""A workbook of small cases: formulas beside their inputs and what Python has for them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import openpyxl
from openpyxl.workbook.defined_name import DefinedName

from sheetnet.concepts import arithmetic
from sheetnet.concepts.arithmetic import Array
from sheetnet.concepts.cells import Cells
from sheetnet.regions import letter


@dataclass
class Bench:
    """A workbook being filled: sheet ``Cases``, formulas beside their inputs."""

    book: openpyxl.Workbook = field(default_factory=openpyxl.Workbook)
    row: int = 0
    column: int = 0
    topic: str = ""
    expected: dict[str, list[tuple[int, int, float]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.sheet = self.book.worksheets[0]
        self.sheet.title = "Cases"

    def new_row(self, topic: str) -> None:
        self.row, self.column, self.topic = self.row + 1, 0, topic

    def _put(self, value: float | str) -> str:
        self.column += 1
        self.sheet.cell(self.row, self.column).value = value
        return f"{letter(self.column)}{{r}}"

    def numbers(self, values: Sequence[float] | Array) -> Cells:
        """Put numbers side by side; return their references."""
        for value in values:
            # openpyxl writes %.16g: with more digits the sheet would see another number.
            assert float(f"{value:.15g}") == value
        return Cells(tuple(self._put(float(value)) for value in values))

    def formulas(self, texts: Sequence[str], values: Sequence[float] | Array) -> Cells:
        """Put formulas side by side and keep what Python has for them."""
        refs = []
        wanted = arithmetic.errors_to_nan(np.atleast_1d(np.asarray(values, dtype=float)))
        for text, value in zip(texts, wanted.tolist(), strict=True):
            refs.append(self._put("=" + text.replace("{r}", str(self.row))))
            self.expected.setdefault(self.topic, []).append((self.row, self.column, value))
        return Cells(tuple(refs))

    def name(self, name: str, value: float) -> None:
        """Define a name for a number on a sheet of its own."""
        sheet = self.book["Names"] if "Names" in self.book else self.book.create_sheet("Names")
        at = f"${letter(len(self.book.defined_names) + 1)}$1"
        sheet[at.replace("$", "")] = value
        self.book.defined_names[name] = DefinedName(name, attr_text=f"Names!{at}")
