"""``Data`` as it stands now: where its columns are, which rows it has, what they are used for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from sheetnet.concepts.scaling import SCALINGS
from sheetnet.data import Label, Table, label_text
from sheetnet.data_layout import (
    CODED_TITLE,
    INPUTS_TITLE,
    ONE_MEANS,
    ROW_HEAD,
    SCALED_INPUTS_TITLE,
    SCALED_TARGETS_TITLE,
    SET_HEAD,
    TARGET_TITLE,
    TARGETS_TITLE,
    TRAINING_SET,
    VALIDATION_SET,
    DataLayout,
    statistic_label,
)
from sheetnet.editing.sheet import Source, formula_notes
from sheetnet.errors import WorkbookError
from sheetnet.reader.cells import where
from sheetnet.reader.inputs import InputSheet
from sheetnet.regions import DATA, Region

_HIGHEST_HEAD = 20
"""The row of column names stands above it."""


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
    last = [DataLayout.STATISTICS_ROW, 1]

    def see(row: int, column: int, content: float | str) -> None:
        if row <= _HIGHEST_HEAD:
            head[row, column] = content
        last[:] = max(last[0], row), max(last[1], column)

    look = source.look(DATA, see)
    layout = _Heads(source.package.path.name, head).layout(last[0])
    sheet = source.sheet(DATA, max(last[0], layout.last_row), max(last[1], layout.last_column))
    raw = replace(layout.regions["raw inputs"], columns=layout.raw_end - layout.raw_column)
    there = _there(sheet, raw)
    kept, beyond = _kept(sheet, layout, there)
    notes = formula_notes(sheet, raw)
    if beyond is not None:
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


@dataclass(frozen=True)
class _Heads:
    """What stands above the rows."""

    book: str
    cells: dict[tuple[int, int], float | str]

    def layout(self, last_row: int) -> DataLayout:
        """Where the columns are; all rows down to the last one count as one set."""
        name_row = self._name_row()
        names = self._names(name_row)
        titles = {
            str(text): column
            for (row, column), text in sorted(self.cells.items(), reverse=True)
            if row == DataLayout.GROUP_ROW
        }
        inputs = titles.get(INPUTS_TITLE)
        targets = titles.get(TARGETS_TITLE, titles.get(TARGET_TITLE))
        scaled = titles.get(SCALED_INPUTS_TITLE)
        coded, derived = titles.get(CODED_TITLE), titles.get(SCALED_TARGETS_TITLE)
        if inputs is None or targets is None or not inputs < targets:
            raise self._spoilt(f"row {DataLayout.GROUP_ROW} does not say where they begin")
        end = min((c for c in (scaled, coded, derived) if c), default=len(names) + 1)
        y = coded or derived
        statistics = self._statistics(name_row)
        split = names[1:2] == (SET_HEAD,)
        rows = max(last_row - name_row, 2)
        layout = DataLayout(
            rows=rows - 1 if split else rows,
            held_out=1 if split else 0,
            input_names=names[inputs - 1 : targets - 1],
            target_names=names[targets - 1 : end - 1],
            input_statistics=self._scaling(statistics, 0, inputs) if scaled else (),
            target_statistics=self._scaling(statistics, -1, targets) if derived else (),
            outputs=len(names) + 1 - y if y else end - targets,
            coded=coded is not None,
        )
        found = inputs, targets, end, scaled or inputs, y or targets, name_row
        wanted = (layout.raw_column, layout.target_column, layout.raw_end, layout.x_column)
        if found != (*wanted, layout.y_column, layout.name_row):
            raise self._spoilt("columns or rows above the data were added or deleted")
        return layout

    def _name_row(self) -> int:
        rows = [row for (row, c), text in self.cells.items() if c == 1 and text == ROW_HEAD]
        if not rows:
            raise self._spoilt(f"no row of column names begins with {ROW_HEAD!r}")
        return min(rows)

    def _names(self, name_row: int) -> tuple[str, ...]:
        """The column names from column A to the first gap."""
        names: list[str] = []
        while isinstance(name := self.cells.get((name_row, len(names) + 1)), str):
            names.append(name)
        return tuple(names)

    def _statistics(self, name_row: int) -> list[str]:
        """What the rows of statistics are called."""
        found = []
        for row in range(DataLayout.STATISTICS_ROW, name_row):
            text = self.cells.get((row, 1))
            if not isinstance(text, str) or text == ONE_MEANS:
                break
            found.append(text)
        return found

    def _scaling(self, labels: list[str], side: int, column: int) -> tuple[str, ...]:
        """The statistics of the scaling that a side had: 0 the inputs, -1 the targets."""
        own = [label.split(" / ")[side] for label in labels]
        for scaling in SCALINGS.values():
            names = tuple(s.name for s in scaling.statistics)
            if names and list(names) == own:
                return names
        at = where(DATA, DataLayout.STATISTICS_ROW, column)
        raise self._spoilt(f"what the numbers from {at} on are is not said in column A")

    def _spoilt(self, what: str) -> WorkbookError:
        return WorkbookError(
            f"{self.book}: the head of {DATA} is not as it was exported ({what}); rows may be "
            "added and deleted, columns may not: make a new spec for them (sheetnet new)"
        )


def scale_of(statistics: Sequence[str]) -> str:
    """The scaling with these statistics."""
    for name, scaling in SCALINGS.items():
        if tuple(s.name for s in scaling.statistics) == tuple(statistics):
            return name
    raise AssertionError(statistic_label(None, str(statistics)))


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
    text = sheet.text(row, DataLayout.SET_COLUMN, SET_HEAD).strip().casefold()
    if text not in (TRAINING_SET, VALIDATION_SET):
        raise WorkbookError(
            f"{sheet.package.path.name}: {where(DATA, row, DataLayout.SET_COLUMN)} ({SET_HEAD}) "
            f"is {text!r}; allowed: {TRAINING_SET}, {VALIDATION_SET}"
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
