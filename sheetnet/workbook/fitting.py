"""Whether a workbook fits the format, and how large it will be, before anything is trained."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from sheetnet.errors import LimitError
from sheetnet.formula import Formula
from sheetnet.formulas import longest
from sheetnet.layout import EPOCHS_FIRST_ROW, TRAIN_FIRST_ROW, Layout
from sheetnet.limits import MAX_ARGUMENTS, MAX_COLUMNS, MAX_FORMULA, MAX_ROWS
from sheetnet.problem import Problem
from sheetnet.regions import DATA, EPOCHS, TRAIN, VALIDATION
from sheetnet.train_sheets import MAX_SHEETS
from sheetnet.views.view import View

BYTES_PER_CELL = 16
"""Of the file, about: measured with one formula per column and values of all digits."""

LARGE = 1_000_000
"""Cells from which on a workbook takes long enough to be told of beforehand."""

_CALL = re.compile(r"[A-Z.]+\(|[(),]|\"[^\"]*\"")


@dataclass(frozen=True)
class SheetSize:
    """A sheet's rows and columns of numbers."""

    title: str
    rows: int
    columns: int

    @property
    def cells(self) -> int:
        """How many cells."""
        return self.rows * self.columns


@dataclass(frozen=True)
class Size:
    """What a workbook will come to."""

    sheets: tuple[SheetSize, ...]

    @property
    def cells(self) -> int:
        """Of all sheets."""
        return sum(sheet.cells for sheet in self.sheets)

    @property
    def megabytes(self) -> float:
        """Of the file, about."""
        return self.cells * BYTES_PER_CELL / 1e6

    def to_text(self) -> str:
        """A line for the whole, and one for each sheet."""
        lines = [f"{self.cells:,} cells, about {self.megabytes:,.0f} MB:"]
        width = max(len(sheet.title) for sheet in self.sheets)
        for sheet in self.sheets:
            lines.append(
                f"  {sheet.title:<{width}}  {sheet.rows:>9,} rows × {sheet.columns:>6,} columns"
            )
        return "\n".join(lines)


def size_of(layout: Layout, views: Sequence[View]) -> Size:
    """Of the data, the ledgers and the views, in the order of the sheets."""
    data = layout.data
    found = {DATA: SheetSize(DATA, data.rows + data.held_out, data.last_column)}
    for region, _ in layout.ledger_sheets:
        found[region.sheet] = SheetSize(region.sheet, region.rows, region.columns)
    for view in views:
        found[view.title] = _of_view(view)
    titles = [own.title for own in layout.on_sheets.sheets[1:]]
    return Size(tuple(found[title] for title in in_order(layout.sheets, titles) if title in found))


def in_order(sheets: Sequence[str], further: Sequence[str]) -> Iterator[str]:
    """The sheets of a workbook, further ones of the ledger behind ``Train``."""
    for title in sheets:
        yield title
        if title == TRAIN:
            yield from further


def _of_view(view: View) -> SheetSize:
    """As many rows as its cells would fill in as many columns as it has."""
    _, columns = view.extent
    cells = sum(t.region.rows * t.region.columns for t in view.tables)
    cells += len(view.cells) + len(view.choices)
    return SheetSize(view.title, -(-cells // columns), columns)


def check_limits(problem: Problem, layout: Layout) -> None:
    """Raise :class:`LimitError` that says what would fit: before formulas are made."""
    _check_rows(problem, layout)
    if EPOCHS in layout.sheets and layout.epochs > MAX_ROWS - EPOCHS_FIRST_ROW + 1:
        raise LimitError(
            f"training.epochs is {layout.epochs}, but Epochs has room for "
            f"{MAX_ROWS - EPOCHS_FIRST_ROW + 1}"
        )
    if layout.data.last_row > MAX_ROWS:
        raise LimitError(
            f"{problem.table.rows} rows of data do not fit on a sheet; what fits: rows = "
            f"{MAX_ROWS - layout.data.first_row + 1}"
        )
    sheets = len(layout.on_sheets.sheets)
    if sheets > MAX_SHEETS:
        raise LimitError(
            f"the ledger of the network {problem.network.brief} has {layout.ledger.width} columns, "
            f"which are {sheets} sheets; allowed: {MAX_SHEETS}: use fewer layers, units or inputs, "
            "or --columns compact"
        )
    for name, width in _widths(layout):
        if width > MAX_COLUMNS:
            raise LimitError(
                f"{name} would need {width} columns for the network {problem.network.brief}, "
                f"but a sheet has {MAX_COLUMNS}: use fewer units or inputs"
            )


def _check_rows(problem: Problem, layout: Layout) -> None:
    room = MAX_ROWS - TRAIN_FIRST_ROW + 1
    if problem.window is not None:
        if problem.visits > room:
            raise LimitError(
                f"a window of {problem.visits} visits was asked for, but a sheet has room for "
                f"{room}; what fits: --visits {room}"
            )
        return
    each = max(problem.rows, problem.held_out if VALIDATION in layout.sheets else 0)
    if each * layout.epochs > room:
        epochs = room // each
        fits = f"{epochs} epochs of {each} rows" if epochs else f"rows = {room}"
        raise LimitError(
            f"{layout.epochs} epochs of {each} rows make {each * layout.epochs} visits, but a "
            f"sheet has room for {room}; what fits: {fits}, or a window of the training "
            f"(--from-visit K --visits N, N up to {room})"
        )


def _widths(layout: Layout) -> Iterator[tuple[str, int]]:
    yield DATA, layout.data.last_column
    yield "Init", layout.init.extent[1]
    for region, _ in layout.ledger_sheets:
        yield region.sheet, region.columns


def check_formulas(problem: Problem, formulas: tuple[Formula | None, ...]) -> None:
    """Raise :class:`LimitError` for formulas that no cell takes."""
    characters = longest(formulas)
    if characters > MAX_FORMULA:
        raise LimitError(
            f"a formula of the network {problem.network.brief} would have {characters} "
            f"characters, but a cell holds {MAX_FORMULA}: use fewer units in the layers"
        )
    taken = max(most_arguments(f.rest) for f in formulas if f is not None)
    if taken > MAX_ARGUMENTS:
        raise LimitError(
            f"a formula of the network {problem.network.brief} would give {taken} arguments to a "
            f"function, but it takes {MAX_ARGUMENTS}: use fewer layers"
        )


def most_arguments(text: str) -> int:
    """The most arguments that a function takes in a formula, or a few more."""
    if text.count(",") < MAX_ARGUMENTS:
        return text.count(",") + 1
    most, open_ = 0, [0]
    for found in _CALL.finditer(text):
        sign = found[0]
        if sign.endswith("("):
            open_.append(1)
        elif sign == ")":
            most = max(most, open_.pop())
        elif sign == ",":
            open_[-1] += 1
    return most


def without_wide_ledgers(layout: Layout) -> tuple[Layout, tuple[str, ...]]:
    """The layout without ``Epochs`` where that is too wide, and why it is left out.

    Early stopping depends on it: there it stays, and is found by :func:`check_limits`.
    """
    width = layout.ledgers.epochs.width
    if EPOCHS not in layout.sheets or layout.network.stops or width <= MAX_COLUMNS:
        return layout, ()
    titles = tuple(title for title in layout.sheets if title not in (EPOCHS, VALIDATION))
    why = f"{EPOCHS} would need {width} columns, but there is room for {MAX_COLUMNS}"
    return replace(layout, sheets=titles), (why,)


def without_wide_views(
    layout: Layout, views: Sequence[View]
) -> tuple[Layout, tuple[View, ...], tuple[str, ...]]:
    """The layout and the views without those that do not fit, and why each is left out."""
    reasons = {view.title: excess(view) for view in views}
    left_out = tuple(reason for reason in reasons.values() if reason is not None)
    titles = tuple(title for title in layout.sheets if reasons.get(title) is None)
    kept = tuple(view for view in views if view.title in titles)
    return replace(layout, sheets=titles), kept, left_out


def check_views(views: Sequence[View]) -> None:
    """Raise :class:`LimitError` for a sheet beside the training that does not fit."""
    for view in views:
        reason = excess(view)
        if reason is not None:
            raise LimitError(f"{reason}: leave it out (--sheets names those to be written)")


def excess(view: View) -> str | None:
    """What does not fit of a sheet beside the training; None where all does."""
    row, column = view.extent
    formulas = [f.rest for table in view.tables for f in table.formulas if f is not None]
    formulas += [cell.text for cell in view.cells]
    for found, room, what in (
        (row, MAX_ROWS, "rows"),
        (column, MAX_COLUMNS, "columns"),
        (max(map(len, formulas), default=0), MAX_FORMULA, "characters in a formula"),
        (max(map(most_arguments, formulas), default=0), MAX_ARGUMENTS, "arguments of a function"),
    ):
        if found > room:
            return f"{view.title} would need {found} {what}, but there is room for {room}"
    return None
