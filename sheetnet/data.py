"""Tables of data from CSV, xlsx and toy sets, checked cell by cell.

A :class:`Table` holds raw values as the user's file has them; ``problem`` scales
and encodes them.
"""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sheetnet.concepts.activations import ACTIVATIONS
from sheetnet.concepts.arithmetic import Array
from sheetnet.errors import DataError, nearest
from sheetnet.limits import MAX_ROWS
from sheetnet.randomness import draw_held_out, toy_stream
from sheetnet.sources import Columns, check_text, decimal_comma, listed, parsed, read_columns
from sheetnet.spec import DataSpec, Spec
from sheetnet.toys import DEFAULT_ROWS, TOYS, unknown_toy

Label = str | float


@dataclass(frozen=True)
class Table:
    """Raw rows: the columns in use, in the order of the file or of the spec.

    Attributes
    ----------
    inputs: shape (rows, inputs).
    targets: shape (rows, targets); None where the target is a class label.
    labels: the class of each row (a text or a number); None where targets are numbers.
    held_out: how many rows, the last ones, are for validation only.
    source_rows: the number of each row (from 1) in its source; None: as they stand.

    """

    input_names: tuple[str, ...]
    inputs: Array
    target_names: tuple[str, ...]
    targets: Array | None = None
    labels: tuple[Label, ...] | None = None
    held_out: int = 0
    source_rows: tuple[int, ...] | None = None

    @property
    def rows(self) -> int:
        """How many rows there are, those held out among them."""
        return int(self.inputs.shape[0])

    @property
    def training_rows(self) -> int:
        """How many rows, the first ones, the network is trained on."""
        return self.rows - self.held_out

    def source_row(self, row: int) -> int:
        """The number (from 1) that a row (from 0) had in its source."""
        return row + 1 if self.source_rows is None else self.source_rows[row]


def split(table: Table, held_out: NDArray[np.int64]) -> Table:
    """Move the rows ``held_out`` (from 0) behind the others, for validation only."""
    training = np.setdiff1d(np.arange(table.rows), held_out)
    order = np.concatenate((training, held_out))
    return dataclasses.replace(
        table,
        inputs=table.inputs[order],
        targets=None if table.targets is None else table.targets[order],
        labels=None if table.labels is None else tuple(table.labels[i] for i in order),
        held_out=len(held_out),
        source_rows=tuple(table.source_row(int(i)) for i in order),
    )


def rows_held_out(rows: int, share: float) -> int:
    """How many rows a share comes to, at least one where there is any share."""
    return max(1, int(share * rows + 0.5)) if share else 0


def split_by_share(table: Table, share: float, seed: int) -> Table:
    """Hold out a share of the rows, drawn from the seed; at least one.

    Raises :class:`DataError` where none would be left to train on.
    """
    if not share:
        return table
    count = rows_held_out(table.rows, share)
    if count >= table.rows:
        raise DataError(f"data.validation = {share:g} leaves none of {table.rows} rows to train on")
    return split(table, draw_held_out(table.rows, count, seed))


def load_rows(spec: Spec) -> Table:
    """Read the table of a whole spec: all rows that it uses, none held out."""
    coupled = ACTIVATIONS[spec.layers[-1].activation].coupled
    return load_table(spec.data, spec.folder, spec.training.seed, labelled=coupled)


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
        if labelled or any(isinstance(cell, str) and not decimal_comma(cell) for cell in cells):
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
        # Decimal commas: not left out in silence, but complained of where numbers are read.
        if name not in targets and any(isinstance(c, float) or decimal_comma(c) for c in cells):
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
            hint = " (decimal comma? a point is needed)" if decimal_comma(cell) else ""
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
        return tuple(label_text(cell) for cell in cells)
    return tuple(float(str(cell)) for cell in cells)


def label_text(cell: object) -> str:
    """A number among texts is a class whose name is that number."""
    return repr(cell).removesuffix(".0") if isinstance(cell, float) else str(cell)


def _short(text: str) -> str:
    return repr(text if len(text) <= 40 else text[:37] + "...")
