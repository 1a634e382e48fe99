"""``Compare``: Python's numbers as they were at export beside the workbook's, live."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from sheetnet.concepts.arithmetic import Array, errors_to_nan
from sheetnet.layout import Layout
from sheetnet.ledger import Ledger
from sheetnet.problem import Problem
from sheetnet.regions import COMPARE, Region
from sheetnet.views.compare_formulas import (
    CHANGED_HEAD,
    CHANGED_TAIL,
    DIFFER,
    MATCH,
    NEARLY,
    NO_NUMBER,
    NOWHERE,
    TOLERANCE_NAME,
    UNREAD,
    single_cells,
    table_formulas,
)
from sheetnet.views.compare_inputs import Found, Inputs
from sheetnet.views.compare_layout import (
    AT_UPDATE,
    BEYOND,
    CHANGED,
    DIFFERENCE,
    FIRST_BEYOND,
    LARGEST,
    LARGEST_ROW,
    PYTHON,
    QUANTITY,
    STATUS_ROW,
    TOLERANCE,
    VALUE_ROW,
    CompareLayout,
    compare_layout,
)
from sheetnet.views.compare_listing import inputs_of
from sheetnet.views.compare_past import problem_at_export, rows_of
from sheetnet.views.view import Choice, Chosen, Content, Filled, Source, Table, View

MAIN = 1
"""The number of the table of updates among the tables; before it come the sizes."""

DIGITS = 1e-14
"""What numbers and what follows from them lose, of their size, where files get 15 digits."""

EXPLODED = 1000.0
"""Weights that grow beyond this many times the first ones, or 1, explode."""


def make(problem: Problem, layout: Layout) -> View:
    """Lay it out for a problem."""
    sheet = compare_layout(problem, layout)
    inputs = listed_inputs(problem, sheet)
    sizes = Table(sheet.sizes, _section(sheet, PYTHON), (None,) * sheet.width, headed=False)
    tolerance = Choice(
        TOLERANCE_NAME,
        VALUE_ROW,
        TOLERANCE,
        1e-6,
        "the share of a quantity's size up to which a difference is none",
        low=0.0,
        high=1.0,
    )
    return View(
        title=COMPARE,
        choices=(tolerance,),
        tables=(sizes, Table(sheet.main, sheet.ledger, table_formulas(sheet)), *inputs.tables),
        cells=tuple(single_cells(sheet, inputs)),
        visits=lambda chosen: frozenset(sheet.visits.tolist()),
        values=lambda source, chosen: _values(problem, sheet, inputs, source, chosen),
    )


def listed_inputs(problem: Problem, sheet: CompareLayout) -> Inputs:
    """The list of inputs, three rows below the table."""
    return inputs_of(problem, sheet.train, sheet.flag_row + 4)


def _section(sheet: CompareLayout, prefix: str) -> Ledger:
    """The columns of one section as a ledger of their own: sizes."""
    blocks = (sheet.ledger[prefix + block.name] for block in sheet.quantities)
    first = sheet.section(prefix) - 1
    return Ledger(
        tuple(replace(b, name=f"size of {b.name}", first=b.first - first) for b in blocks)
    )


def _values(
    problem: Problem, sheet: CompareLayout, inputs: Inputs, source: Source, chosen: Chosen
) -> Filled:
    """The values of all cells.

    Differences are those from the constants that the sheet holds; these themselves must be
    what Python makes of the inputs at export.
    """
    listed = inputs.values(problem, source)
    live = _reached(sheet, source.train)
    kept = listed.exported, listed.copies
    if source.held is None:
        python = wanted = _reached(sheet, source.python)
        size = wanted_size = _sizes(sheet, python)
    else:
        python = wanted = source.held(sheet.part(PYTHON))
        size = wanted_size = source.held(sheet.sizes)[0]
        if not source.by_itself:
            wanted, kept = _as_exported(problem, sheet, inputs, source, listed, python)
            wanted_size = _sizes(sheet, wanted)
    tolerance, seen = chosen[TOLERANCE_NAME], source.seen
    apart = _apart(seen(sheet.part(""), live), python, size)
    differences = seen(sheet.part(DIFFERENCE), apart)
    largest, by_column = _largest(differences, axis=1), _largest(differences, axis=0)
    by_row = seen(sheet.column("largest"), largest[:, None])[:, 0]
    most = float(np.max(by_row))
    all_most = seen(Region(COMPARE, VALUE_ROW, LARGEST, 1, 1), np.array([[most]]))
    beyond, worst = _beyond(by_row, tolerance), _worst(by_row, tolerance, all_most[0])
    heads = Region(COMPARE, LARGEST_ROW, sheet.section(DIFFERENCE), 1, sheet.width)
    flags = _worst(seen(heads, by_column[None, :])[0], tolerance, all_most[0])
    front = [sheet.numbers, sheet.epochs, sheet.visits, largest, beyond, worst]
    main = np.column_stack((*front, wanted, live, apart))
    cells: dict[tuple[int, int], Content] = {
        (STATUS_ROW, 1): _status(listed, differs=bool(beyond.any())),
        (VALUE_ROW, LARGEST): most,
        (VALUE_ROW, AT_UPDATE): _first(worst, sheet.numbers),
        (VALUE_ROW, QUANTITY): _label(sheet, flags) if beyond.any() else NOWHERE,
        (VALUE_ROW, FIRST_BEYOND): _first(beyond, sheet.numbers),
        (VALUE_ROW, BEYOND): float(np.sum(beyond)),
        (VALUE_ROW, CHANGED): float(listed.changed),
    }
    for n in range(sheet.width):
        column = sheet.section(DIFFERENCE) + n
        cells[(LARGEST_ROW, column)] = float(by_column[n])
        cells[(sheet.flag_row, column)] = float(flags[n])
    shares = {place: 1.0 for place, held in cells.items() if not isinstance(held, str)}
    return Filled(
        tables=(wanted_size[None, :], main, kept[0], *kept[1]),
        cells={**cells, **listed.cells},
        sizes={**shares, **listed.sizes},
        unread={(STATUS_ROW, 1): UNREAD},
        table_sizes=(None, _scales(sheet, main, wanted_size), None, *(None for _ in listed.copies)),
    )


def _reached(sheet: CompareLayout, train: Callable[[int], Array]) -> Array:
    """Loss, prediction and the weights that each update reached, from rows of ``Train``."""
    rows, ledger = np.array([train(visit) for visit in sheet.visits.tolist()]), sheet.train.ledger
    found = []
    with np.errstate(all="ignore"):
        for block in sheet.quantities:
            value = block.view(rows)
            if f"u{block.name}" in ledger:
                value = value + ledger[f"u{block.name}"].view(rows)
            found.append(value.reshape(len(rows), -1))
    return errors_to_nan(np.hstack(found))


def _as_exported(
    problem: Problem,
    sheet: CompareLayout,
    inputs: Inputs,
    source: Source,
    listed: Found,
    held: Array,
) -> tuple[Array, tuple[Array, tuple[Array, ...]]]:
    """What Python had at export, as the sheet is to hold it, and the inputs it had it from.

    Where any has changed it is trained anew on those that the sheet has kept. Where its
    constants are not of these but of the inputs as they are now, what it has kept is wrong.
    """

    def written(rows: Callable[[int], Array]) -> Array:
        wanted = _reached(sheet, rows)
        return _as_written(wanted, held, _sizes(sheet, wanted))

    kept = listed.exported, listed.copies
    if not listed.changed:
        return written(source.python), kept
    before = problem_at_export(problem, listed)
    wanted = held
    if before is not None:
        visits = frozenset(sheet.visits.tolist())
        wanted = written(rows_of(before, sheet.train.ledgers, visits).__getitem__)
        if np.array_equal(wanted, held, equal_nan=True):
            return wanted, inputs.kept(before, source)
    now = written(source.python)
    if np.array_equal(now, held, equal_nan=True):
        return now, inputs.kept(problem, source)
    return wanted, kept


def _as_written(wanted: Array, held: Array, size: Array) -> Array:
    """The constants that a sheet must hold, as it holds them where only digits were cut."""
    with np.errstate(all="ignore"):
        cut = np.abs(held - wanted) <= DIGITS * np.maximum(np.abs(wanted), size)
    return np.where(cut, held, wanted)


def _sizes(sheet: CompareLayout, python: Array) -> Array:
    """The largest magnitude of each column; of a column of zeros its quantity's, or 1.

    Where the weights explode, only what comes before counts: all differences are small
    beside the rest.
    """
    magnitudes = np.where(np.isfinite(python), np.abs(python), np.inf)
    by_row = np.max(magnitudes[:, sheet.weights :], axis=1)
    # In Python's own floats, which overflow to infinity without a word.
    sane = by_row <= EXPLODED * max(1.0, float(by_row[0]))
    rows = max(1, len(sane) if sane.all() else int(np.argmin(sane)))
    most = np.max(np.where(np.isfinite(python), magnitudes, 0.0)[:rows], axis=0)
    first = 0
    for block in sheet.quantities:
        part = most[first : first + block.size]
        part[part == 0] = np.max(part) or 1.0
        first += block.size
    return np.asarray(most)


def _apart(live: Array, python: Array, size: Array) -> Array:
    """(live − Python) / max(|Python|, size); no difference where neither has a number."""
    ours, theirs = np.isfinite(live), np.isfinite(python)
    with np.errstate(all="ignore"):
        shares = errors_to_nan((live - python) / np.fmax(np.abs(python), size))
    return np.where(ours & theirs, shares, np.where(ours | theirs, NO_NUMBER, 0.0))


def _largest(apart: Array, axis: int) -> Array:
    """The largest magnitude along an axis, if all of them are numbers."""
    found = np.max(np.abs(apart), axis=axis)
    return np.where(np.isfinite(found), found, NO_NUMBER)


def _beyond(largest: Array, tolerance: float) -> Array:
    return np.where(largest - tolerance > 0, 1.0, 0.0)


def _worst(largest: Array, tolerance: float, most: Array) -> Array:
    """1 where a difference beyond the tolerance is the largest of all."""
    return np.where(largest - NEARLY * most < 0, 0.0, _beyond(largest, tolerance))


def _first(flags: Array, numbers: NDArray[np.int64]) -> Content:
    """The update of the first row with a flag."""
    return float(numbers[int(np.argmax(flags))]) if flags.any() else NOWHERE


def _label(sheet: CompareLayout, flags: Array) -> str:
    """The quantity of the first column with a flag."""
    labels = [label for block in sheet.quantities for label in block.labels]
    return labels[int(np.argmax(flags))]


def _status(listed: Found, *, differs: bool) -> str:
    if listed.changed:
        return f"{CHANGED_HEAD}{listed.names}{CHANGED_TAIL}"
    return DIFFER if differs else MATCH


def _scales(sheet: CompareLayout, main: Array, size: Array) -> Array:
    """What differences between engines are measured by: shares by 1, others by their size."""
    number = np.isfinite(main) & (np.abs(main) < NO_NUMBER)
    most = np.max(np.where(number, np.abs(main), 0.0), axis=0)
    least = np.zeros_like(most)
    least[sheet.ledger["largest"].first] = 1.0
    for prefix, value in ((PYTHON, size), ("", size), (DIFFERENCE, 1.0)):
        first = sheet.section(prefix) - 1
        least[first : first + sheet.width] = value
    return np.asarray(np.fmax(most, least))
