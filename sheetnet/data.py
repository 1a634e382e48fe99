"""Tables of data from CSV, xlsx and toy sets, checked cell by cell.

A :class:`Table` holds raw values as the user's file has them; ``problem`` scales
and encodes them.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from sheetnet.concepts.arithmetic import Array
from sheetnet.errors import DataError, nearest
from sheetnet.limits import MAX_ROWS
from sheetnet.randomness import toy_stream
from sheetnet.sources import Columns, check_text, listed, parsed, read_columns
from sheetnet.spec import DataSpec
from sheetnet.toys import DEFAULT_ROWS, TOYS, unknown_toy

if TYPE_CHECKING:
    pass

Label = str | float


@dataclass(frozen=True)
class Table:
    """Raw rows: the columns in use, in the order of the file or of the spec.

    Attributes
    ----------
    inputs: shape (rows, inputs).
    targets: shape (rows, targets); None where the target is a class label.
    labels: the class of each row (a text or a number); None where targets are numbers.

    """

    input_names: tuple[str, ...]
    inputs: Array
    target_names: tuple[str, ...]
    targets: Array | None = None
    labels: tuple[Label, ...] | None = None

    @property
    def rows(self) -> int:
        """How many rows there are."""
        return int(self.inputs.shape[0])


def load_table(spec: DataSpec, folder: Path, seed: int, *, labelled: bool) -> Table:
    """Read the table of a spec.

    ``labelled`` asks for classes even where the target is one column of numbers
    (a softmax network). Raises :class:`DataError` that names file, row and column.
    """
    if spec.source.startswith("toy:"):
        columns, inputs, targets = _toy(spec, seed)
    else:
        columns = read_columns(spec.source, spec.sheet, spec.rows, folder)
        inputs, targets = None, None
    if spec.target is None and targets is None:
        raise DataError(
            f"data.target is missing: it names one or several of the columns of "
            f"{columns.where}: {listed(columns.names)}"
        )
    target_names = spec.target or targets or ()
    for name in (*(spec.inputs or ()), *target_names):
        if name not in columns.names:
            raise DataError(
                f"{columns.where} has no column {name!r}{nearest(name, columns.names)}; "
                f"it has: {listed(columns.names)}"
            )
    both = [name for name in spec.inputs or () if name in target_names]
    if both:
        raise DataError(f"column {both[0]!r} is both an input and a target")
    input_names = spec.inputs or inputs or _numeric(columns, target_names)
    values = np.column_stack([_numbers(columns, name) for name in input_names])
    if len(target_names) == 1:
        cells = columns.column(target_names[0])
        if labelled or any(isinstance(cell, str) for cell in cells):
            return Table(
                input_names, values, target_names, labels=_labels(columns, target_names[0])
            )
    goal = np.column_stack([_numbers(columns, name) for name in target_names])
    return Table(input_names, values, target_names, targets=goal)


def _toy(spec: DataSpec, seed: int) -> tuple[Columns, tuple[str, ...] | None, tuple[str, ...]]:
    name = spec.source.removeprefix("toy:")
    if spec.sheet is not None:
        raise DataError(f"data.sheet goes with an .xlsx source, not with {spec.source}")
    if name not in TOYS:
        raise DataError(f"data.source: {unknown_toy(name)}")
    toy = TOYS[name]
    rows = toy.fixed_rows or spec.rows or DEFAULT_ROWS
    if rows > MAX_ROWS:
        raise DataError(f"data.rows is {rows}, but a sheet has room for {MAX_ROWS}")
    drawn = toy.draw(toy_stream(seed), rows)[: spec.rows]
    names = (*toy.inputs, toy.target)
    cells = tuple(tuple(parsed(cell) for cell in row) for row in drawn)
    targets = spec.target or (toy.target,)
    return Columns(f"toy:{name}", names, cells, 2), None, targets


def _numeric(columns: Columns, targets: tuple[str, ...]) -> tuple[str, ...]:
    """All columns but the targets that hold numbers; a column of texts is left out."""
    names = []
    for name in columns.names:
        cells = columns.column(name)
        if name not in targets and any(isinstance(cell, float) for cell in cells):
            names.append(name)
    if not names:
        raise DataError(f"{columns.where} has no column of numbers beside the target")
    return tuple(names)


def _numbers(columns: Columns, name: str) -> Array:
    values = []
    for line, cell in enumerate(columns.column(name), columns.first_line):
        place = f"{columns.where}, data row {line - 1}, column {name!r}"
        if cell is None:
            raise DataError(f"{place} is empty: a number is needed")
        if isinstance(cell, str):
            hint = " (decimal comma? a point is needed)" if re.fullmatch(r"-?\d+,\d+", cell) else ""
            raise DataError(f"{place} holds the text {_short(cell)}: a number is needed{hint}")
        value = float(str(cell)) if not isinstance(cell, float) else cell
        if not math.isfinite(value):
            raise DataError(f"{place} holds {value}: a finite number is needed")
        values.append(value)
    return np.array(values, dtype=np.float64)


def _labels(columns: Columns, name: str) -> tuple[Label, ...]:
    cells = columns.column(name)
    for line, cell in enumerate(cells, columns.first_line):
        place = f"{columns.where}, data row {line - 1}, column {name!r}"
        if cell is None:
            raise DataError(f"{place} is empty: a class is needed")
        if isinstance(cell, float) and not math.isfinite(cell):
            raise DataError(f"{place} holds {cell}: a class is needed")
        if isinstance(cell, str):
            check_text(place, cell)
    if any(isinstance(cell, str) for cell in cells):
        return tuple(_label_text(cell) for cell in cells)
    return tuple(float(str(cell)) for cell in cells)


def _label_text(cell: object) -> str:
    """A number among texts is a class whose name is that number."""
    return repr(cell).removesuffix(".0") if isinstance(cell, float) else str(cell)


def _short(text: str) -> str:
    return repr(text if len(text) <= 40 else text[:37] + "...")
