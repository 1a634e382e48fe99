"""A first look at a table: which columns can be inputs, and what the target asks for."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sheetnet.errors import DataError, nearest
from sheetnet.sources import Columns, listed

MOST_INPUTS = 100
"""More columns of inputs than this make no sheet to look at."""

MOST_CLASSES = 10
"""Whole numbers with more different values than this are quantities, not classes."""

ROWS_PER_CLASS = 5
"""And so are those with fewer rows than this for each value."""

ALIKE = 4.0
"""Columns whose largest values differ by no more than this factor are of one size."""

HUGE = 1e150
"""Squares of larger numbers overflow."""

SMALL = 2.0
"""Numbers up to here need no scaling."""


@dataclass(frozen=True)
class Inputs:
    """The columns that a network can take, and why it does not take the others."""

    names: tuple[str, ...]
    left_out: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Task:
    """What the target asks for: the last layer, how targets are scaled, and why."""

    activation: str
    units: int
    target_scale: str
    why: str
    classes: tuple[object, ...] = ()

    @property
    def name(self) -> str:
        """What it is called."""
        return "classification" if self.classes else "regression"


def check_names(columns: Columns, names: Iterable[str], what: str) -> None:
    """Raise :class:`DataError` for the first name that is no column."""
    for name in names:
        if name not in columns.names:
            raise DataError(
                f"{what} is {name!r}, but {columns.where} has no such column"
                f"{nearest(name, columns.names)}; it has: {listed(columns.names)}"
            )


def check_target(columns: Columns, target: Sequence[str]) -> None:
    """Raise :class:`DataError` where the target is missing, or has nothing to learn."""
    if not target:
        raise DataError(
            f"--target is missing: it names one or several of the columns of {columns.where}: "
            f"{listed(columns.names)}"
        )
    check_names(columns, target, "--target")
    for name in target:
        if target.count(name) > 1:
            raise DataError(f"--target names {name!r} more than once")
        cells = columns.column(name)
        for row, cell in enumerate(cells, 1):
            if cell is None:
                raise DataError(
                    f"{columns.where}, data row {row}, column {name!r} is empty: "
                    "a target is needed in each row"
                )
            if len(target) > 1 and isinstance(cell, str):
                raise DataError(
                    f"{columns.where}, data row {row}, column {name!r} holds the text {cell!r}: "
                    "several targets are numbers, all of them"
                )
        if len(set(cells)) == 1:
            raise DataError(
                f"target {name!r} has one value only ({cells[0]!r}) in {len(cells)} rows: "
                "there is nothing to learn"
            )


def inputs_of(columns: Columns, target: Sequence[str], chosen: Sequence[str]) -> Inputs:
    """The columns of numbers beside the target, or those that were chosen."""
    if chosen:
        check_names(columns, chosen, "--input")
        return Inputs(tuple(chosen), ())
    names: list[str] = []
    left_out: list[tuple[str, str]] = []
    for name in columns.names:
        if name in target:
            continue
        reason = _unfit(columns.column(name))
        if reason is None and len(names) == MOST_INPUTS:
            reason = f"one more than {MOST_INPUTS}, and a sheet is to be looked at"
        if reason is None:
            names.append(name)
        else:
            left_out.append((name, reason))
    if not names:
        why = listed(f"{name!r} ({reason})" for name, reason in left_out)
        raise DataError(
            f"{columns.where} has no column of numbers beside the target"
            + (f": {why}" if why else "")
        )
    return Inputs(tuple(names), tuple(left_out))


def _unfit(cells: list[object]) -> str | None:
    """Why a column cannot be an input, or None."""
    empty = sum(cell is None for cell in cells)
    texts = [cell for cell in cells if isinstance(cell, str)]
    numbers = {cell for cell in cells if isinstance(cell, float)}
    if empty == len(cells):
        return "empty"
    if texts:
        return "text" if not numbers else f"text in {len(texts)} of {len(cells)} rows"
    if empty:
        return f"empty in {empty} of {len(cells)} rows"
    if not all(math.isfinite(number) for number in numbers):
        return "not finite everywhere"
    if len(numbers) == 1:
        return "constant"
    if _size(cells) > HUGE or max(numbers) - min(numbers) < 1 / HUGE:
        return "numbers too large, or too close together, to be scaled"
    return None


def sort_classes(cells: Iterable[object]) -> tuple[object, ...]:
    """Different values in the order in which classes are coded: numbers, then texts."""
    return tuple(sorted(set(cells), key=lambda cell: (isinstance(cell, str), cell)))


def task_of(columns: Columns, target: Sequence[str]) -> Task:
    """Classification or regression, from the cells of the target."""
    if len(target) > 1:
        return _several(columns, target)
    name = target[0]
    cells = columns.column(name)
    values = sort_classes(cells)
    shown = listed(_plain(value) for value in values)
    if any(isinstance(cell, str) for cell in cells):
        return _classes(
            values, f"Classification: {name!r} holds texts, {len(values)} classes", shown
        )
    numbers = [float(str(cell)) for cell in cells]
    whole = all(number.is_integer() for number in numbers)
    if values == (0.0, 1.0):
        why = f"Classification: {name!r} holds 0 and 1 only. One sigmoid unit gives the share of 1."
        return Task("sigmoid", 1, "none", why, values)
    if whole and len(values) <= MOST_CLASSES and len(cells) >= ROWS_PER_CLASS * len(values):
        return _numbered(name, values, shown)
    why = (
        f"Regression: {name!r} holds numbers, {len(values)} different ones in {len(cells)} rows"
        f"{'' if whole else ', not all of them whole'}. One linear unit."
    )
    return Task("linear", 1, target_scale_of([numbers]), why)


def _several(columns: Columns, target: Sequence[str]) -> Task:
    each = [columns.column(name) for name in target]
    if all(set(cells) <= {0.0, 1.0} for cells in each):
        why = (
            f"Classification: the {len(each)} targets hold 0 and 1 only, one sigmoid unit for each."
        )
        return Task("sigmoid", len(each), "none", why, (0.0, 1.0))
    numbers = [[cell for cell in cells if isinstance(cell, float)] for cells in each]
    why = f"Regression: {len(each)} targets, one linear unit for each."
    return Task("linear", len(each), target_scale_of(numbers), why)


def _classes(values: tuple[object, ...], why: str, shown: str) -> Task:
    if len(values) == 2:
        coded = (
            f"coded 0 and 1 in this order: {shown}. One sigmoid unit gives the share of the second."
        )
        return Task("sigmoid", 1, "none", f"{why}, {coded}", values)
    coded = f"coded one-hot in this order: {shown}. Softmax has a unit for each."
    return Task("softmax", len(values), "none", f"{why}, {coded}", values)


def _numbered(name: str, values: tuple[object, ...], shown: str) -> Task:
    why = (
        f"Classification: {name!r} holds {len(values)} different whole numbers only, taken as "
        f"classes: {shown}. Softmax has a unit for each. Where they are quantities, make the last "
        'activation "linear", its units 1 and the loss "mse".'
    )
    return Task("softmax", len(values), "none", why, values)


def _plain(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else repr(value)


def scale_of(columns: Columns, names: Sequence[str]) -> tuple[str, str]:
    """How inputs should be scaled, and why."""
    sizes = {name: _size(columns.column(name)) for name in names}
    small, large = min(sizes, key=sizes.__getitem__), max(sizes, key=sizes.__getitem__)
    if sizes[large] <= SMALL and sizes[large] <= ALIKE * sizes[small]:
        return "none", f"The inputs are small and of one size (up to {sizes[large]:g}): no scaling."
    if len(names) == 1 or sizes[large] <= ALIKE * sizes[small]:
        return "standard", f"The inputs reach up to {sizes[large]:g}: they are scaled."
    return "standard", (
        f"The inputs have different sizes ({small!r} reaches up to {sizes[small]:g}, {large!r} "
        f"up to {sizes[large]:g}): they are scaled."
    )


def target_scale_of(columns: Iterable[Sequence[float]]) -> str:
    """How numeric targets should be scaled."""
    return "none" if all(_size(cells) <= SMALL for cells in columns) else "standard"


def _size(cells: Sequence[object]) -> float:
    """The largest magnitude of a column of numbers."""
    return max((abs(cell) for cell in cells if isinstance(cell, float)), default=0.0)
