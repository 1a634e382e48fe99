"""What ``Compare`` says in a workbook, read without the product's own reader."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import openpyxl
from ledgers import Model
from openpyxl.workbook import Workbook
from openpyxl.worksheet.worksheet import Worksheet
from support import make_spec

from sheetnet.regions import COMPARE
from sheetnet.spec import Spec

HEAD = 10
"""The row of plain names; the updates stand below it."""

TOP = {"largest": "D5", "at": "E5", "of": "F5", "first": "G5", "beyond": "H5", "changed": "J5"}
STATUS, TOLERANCE = "A3", "I5"

EVERYTHING = {
    "data": {"validation": 0.5, "rows": 8, "scale": "standard"},
    "layers": [
        {"units": 3, "activation": "tanh", "dropout": 0.2},
        {"units": 2, "activation": "tanh", "train_bias": False},
        {"units": 1, "activation": "sigmoid"},
    ],
    "batch_size": 3,
    "clip": 0.5,
    "clip_norm": 1.0,
    "patience": 2,
    "epochs": 4,
    "shuffle": True,
}


def everything(optimizer: str = "adam") -> Spec:
    """A small run with all that a spec may ask for; three updates, or two, an epoch."""
    return make_spec(source="toy:moons", optimizer=optimizer, **EVERYTHING)  # type: ignore[arg-type]


@dataclass
class Said:
    """The sheet as IronCalc calculates it, which ignores saved values."""

    model: Model

    @classmethod
    def by(cls, path: Path) -> Said:
        return cls(Model(path))

    def cell(self, address: str, sheet: str = COMPARE) -> object:
        row, column = openpyxl.utils.cell.coordinate_to_tuple(address)
        return self.model.model.get_cell_value(self.model.sheets.index(sheet), row, column)

    @property
    def status(self) -> str:
        return str(self.cell(STATUS))

    @property
    def changed(self) -> list[str]:
        """The names in a status that says what has changed."""
        head, tail = "Changed since export: ", ". Python's numbers here are of before: "
        assert self.status.startswith(head), self.status
        names, found, rest = self.status.removeprefix(head).partition(tail)
        assert found and rest == "sheetnet verify will retrain Python on it."
        return names.split(", ")

    @property
    def top(self) -> dict[str, object]:
        return {name: self.cell(address) for name, address in TOP.items()}


def edited(source: Path, target: Path, edit: Callable[[Workbook], object]) -> Path:
    """A copy with an edit, its saved values gone."""
    book = openpyxl.load_workbook(source)
    edit(book)
    book.save(target)
    return target


def heads(sheet: Worksheet) -> dict[str, int]:
    """Plain name -> column of the table of updates."""
    return {str(cell.value): cell.column for cell in sheet[HEAD] if cell.value is not None}


def place(sheet: Worksheet, quantity: str, update: int) -> str:
    """The cell of a quantity in the row of an update (all of them are there)."""
    return str(sheet.cell(HEAD + update, heads(sheet)[quantity]).coordinate)


def inputs(sheet: Worksheet) -> dict[str, int]:
    """Name -> row of the list of inputs."""
    first = next(c.row for c in sheet["A"] if c.value == "input") + 1
    found = {}
    for row in range(first, sheet.max_row + 1):
        name = sheet.cell(row, 1).value
        if name is None:
            break
        found[str(name)] = row
    return found
