"""``Data`` as it stands now: where its columns are, which rows it has, what they are used for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from sheetnet.data import Label, Table, label_text
from sheetnet.data_layout import SET_HEAD, TRAINING_SET, VALIDATION_SET, DataLayout
from sheetnet.editing.heads import HIGHEST_HEAD, Heads
from sheetnet.editing.sheet import Source, formula_notes
from sheetnet.errors import WorkbookError
from sheetnet.reader.cells import Odd, where
from sheetnet.reader.inputs import InputSheet, holds
from sheetnet.regions import DATA, Region

MAX_GAP = 1_000
"""Empty rows below which nothing is data any more."""


@dataclass(frozen=True)
class Rows:
    """The rows that stand on ``Data`` now.

    Attributes
    ----------
    layout: where columns stand, and how they were scaled and coded at export.
    table: training rows first; classes: what coded outputs stood for, in their order.
    numbers: of each row of the table its number (from 1) at export, None: it is new.
    places: of each row of the table its row on the sheet.
    notes: what is said of them.

    """

    layout: DataLayout
    table: Table
    classes: tuple[Label, ...] | None
    numbers: tuple[int | None, ...]
    places: tuple[int, ...]
    notes: tuple[str, ...]

    @property
    def split(self) -> bool:
        """Whether a column says what each row is used for."""
        return bool(self.layout.held_out)


def read_rows(source: Source) -> Rows:
    """Read the rows; raises :class:`WorkbookError` that names the cell."""
    head: dict[tuple[int, int], float | str] = {}
    last, far = HIGHEST_HEAD, 0

    def see(row: int, column: int, content: float | str) -> None:
        nonlocal last, far
        if row <= HIGHEST_HEAD:
            head[row, column] = content
        if row > last + MAX_GAP:
            far = far or row
        else:
            last = max(last, row)

    look = source.look(DATA, see)
    layout = Heads(source.package.path.name, head).layout(last)
    sheet = source.sheet(DATA, layout.last_row, layout.last_column)
    raw = replace(layout.regions["raw inputs"], columns=layout.raw_end - layout.raw_column)
    there = _there(sheet, raw)
    kept, beyond = _kept(sheet, layout, there)
    notes = formula_notes(sheet, raw)
    beyond = beyond or far
    if beyond:
        notes.append(f"what stands on {DATA} from row {beyond} on, below an empty row, is left out")
    if not kept:
        raise WorkbookError(f"{source.package.path.name}: {DATA} has no rows of data")
    look.refuse_dates(sheet, replace(raw, rows=kept[-1] - raw.row + 1))
    held = [_held_out(sheet, row) if layout.held_out else False for row in kept]
    kept = [r for r, h in zip(kept, held, strict=True) if not h] + [
        r for r, h in zip(kept, held, strict=True) if h
    ]
    if all(held):
        raise WorkbookError(
            f"{source.package.path.name}: all rows of {DATA} are used for {VALIDATION_SET}: none "
            "is left to train on"
        )
    table, classes = _table(sheet, layout, kept, sum(held))
    numbers = _numbers(sheet, kept)
    return Rows(layout, table, classes, numbers, tuple(kept), tuple(notes))


def _there(sheet: InputSheet, raw: Region) -> NDArray[np.bool_]:
    """Which rows of a region hold anything."""
    rows = slice(raw.row - 1, raw.last_row)
    columns = slice(raw.column - 1, raw.last_column)
    formulas = sheet.grid.formulas[rows, columns]
    held = ~np.isnan(sheet.grid.region(raw)) | (formulas != None)  # noqa: E711 - elementwise
    found: NDArray[np.bool_] = held.any(axis=1)
    for (row, column), odd in sheet.grid.odd.items():
        if raw.row <= row <= raw.last_row and raw.column <= column <= raw.last_column:
            found[row - raw.row] |= bool(odd.text.strip())
    return found


def _kept(
    sheet: InputSheet, layout: DataLayout, there: NDArray[np.bool_]
) -> tuple[list[int], int | None]:
    """The rows that are data, and the first of those below that are not.

    A row that has lost its values is none. Rows below the numbered ones are data down to
    the first empty one.
    """
    kept: list[int] = []
    gap = False
    beyond = None
    for row, held in enumerate(there.tolist(), layout.first_row):
        numbered = isinstance(sheet.grid.at(row, 1), float)
        if numbered:
            gap = False
        elif not held:
            gap = True
        if held and gap:
            beyond = beyond or row
        elif held:
            kept.append(row)
    return kept, beyond


def _held_out(sheet: InputSheet, row: int) -> bool:
    """Whether a row is for validation, as the column beside its number says."""
    value = sheet.at(row, DataLayout.SET_COLUMN)
    text = value.text.strip().casefold() if isinstance(value, Odd) else ""
    if text not in (TRAINING_SET, VALIDATION_SET):
        raise WorkbookError(
            f"{sheet.package.path.name}: {where(DATA, row, DataLayout.SET_COLUMN)} ({SET_HEAD}) "
            f"{holds(value)}; allowed: {TRAINING_SET}, {VALIDATION_SET}"
        )
    return text == VALIDATION_SET


def _numbers(sheet: InputSheet, rows: Sequence[int]) -> tuple[int | None, ...]:
    """What the first column calls the rows; None for the second of a name, and for no number."""
    found: list[int | None] = []
    seen: set[int] = set()
    for row in rows:
        value = sheet.grid.at(row, 1)
        number = None
        if isinstance(value, float) and value.is_integer() and value >= 1:
            number = None if int(value) in seen else int(value)
        found.append(number)
        if number is not None:
            seen.add(number)
    return tuple(found)


def _table(
    sheet: InputSheet, layout: DataLayout, rows: Sequence[int], held_out: int
) -> tuple[Table, tuple[Label, ...] | None]:
    inputs, targets = layout.input_names, layout.target_names
    values = _values(sheet, rows, layout.raw_column, inputs)
    if not layout.coded:
        goals = _values(sheet, rows, layout.target_column, targets)
        return Table(inputs, values, targets, targets=goals, held_out=held_out), None
    columns = range(layout.y_column, layout.y_column + layout.outputs)
    classes = tuple(sheet.label(layout.coding_row, c, "class") for c in columns)
    if layout.outputs == 1:
        classes = (sheet.label(layout.coding_row + 1, layout.y_column, "class"), *classes)
    labels = tuple(_label(sheet, row, layout.target_column, targets[0], classes) for row in rows)
    return Table(inputs, values, targets, labels=labels, held_out=held_out), classes


def _values(
    sheet: InputSheet, rows: Sequence[int], first: int, names: Sequence[str]
) -> NDArray[np.float64]:
    """The numbers of some rows, in columns from ``first`` on: (rows, names)."""
    at = np.array(rows) - 1
    columns = slice(first - 1, first - 1 + len(names))
    found = sheet.grid.numbers[at, columns].copy()
    formulas = sheet.grid.formulas[at, columns]
    for r, c in np.argwhere(np.isnan(found) | (formulas != None)):  # noqa: E711 - elementwise
        found[r, c] = sheet.number(rows[int(r)], first + int(c), names[int(c)])
    return np.ascontiguousarray(found)


def _label(
    sheet: InputSheet, row: int, column: int, name: str, classes: tuple[Label, ...]
) -> Label:
    """The class in a cell; a number where classes are texts is the text that it reads as."""
    label = sheet.label(row, column, name)
    if label in classes:
        return label
    if label_text(label) in classes:
        return label_text(label)
    raise WorkbookError(
        f"{sheet.package.path.name}: {where(DATA, row, column)} ({name}) holds {label!r}; "
        f"the classes are: {', '.join(map(str, classes))}"
    )
