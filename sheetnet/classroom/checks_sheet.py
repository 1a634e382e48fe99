"""The sheet ``Checks``: what the exercise is, and a row for each cell that is asked.

It holds neither the right numbers nor the formulas that lead to them: see ``prints``.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from openpyxl import Workbook
from openpyxl.worksheet.worksheet import Worksheet

from sheetnet.classroom import prints
from sheetnet.classroom.plan import Asked, Exercise
from sheetnet.classroom.record import KEYS, Record
from sheetnet.classroom.upstream import Nearest, Upstream, carried
from sheetnet.formula import Formula
from sheetnet.randomness import salts
from sheetnet.regions import CHECKS, INIT, TRAIN, Region, address, letter
from sheetnet.views.view import Content
from sheetnet.workbook import styles
from sheetnet.workbook.inputs import range_of
from sheetnet.workbook.styles import FormulaText, put

RIGHT, WRONG, WAITS, NO_NUMBER = "right", "wrong", "waits", "no number"
"""What a check says; nothing of an empty cell."""

_APART, _CHANGED, _RIGHT, _ASKED = (len(KEYS) + n for n in (1, 2, 3, 4))
"""Rows below the record."""

_HEAD = len(KEYS) + 6
FIRST = _HEAD + 1
_COLUMNS = (
    "quantity",
    "cell",
    "visit",
    "unit",
    "salt",
    "print",
    "count",
    "below",
    "same",
    "above",
    "right",
    "ready",
    "verdict",
)
(
    _QUANTITY,
    _CELL,
    _VISIT,
    _UNIT,
    _SALT,
    _PRINT,
    _COUNT,
    _BELOW,
    _SAME,
    _ABOVE,
    _OK,
    _READY,
    _TOLD,
) = (letter(column) for column in range(1, len(_COLUMNS) + 1))
_BY_VISIT = ("visit", "right", "asked", "hands on")
_FROM = len(_COLUMNS) + 2
"""The column where the table of visits begins."""
_ON = letter(_FROM + len(_BY_VISIT) - 1)

CHANGED = f"{CHECKS}!$B${_CHANGED}"
"""1 where inputs are not those that were handed out."""
ALL_RIGHT, ALL_ASKED = f"{CHECKS}!$B${_RIGHT}", f"{CHECKS}!$B${_ASKED}"

MAX_RUNS = 100
"""Ranges of a sum; of more, all cells from the first to the last are taken."""

Cached = dict[tuple[str, int, int], Content]


def write_checks(book: Workbook, exercise: Exercise, record: Record, cached: Cached) -> None:
    """Add the sheet; its formulas are entered in ``cached`` without their values."""
    sheet = book.create_sheet(CHECKS)
    sheet.sheet_state = "veryHidden"
    write = _Writer(sheet, cached)
    for row, (key, value) in enumerate(zip(KEYS, record.values, strict=True), 1):
        write.constants(row, 1, (key, value))
    last = FIRST + len(exercise.cells) - 1
    for row, name, text in (
        (_APART, "inputs apart", _apart(exercise)),
        (_CHANGED, "inputs changed", f"IF(ISNUMBER(B{_APART}),IF(B{_APART}>1E-9,1,0),1)"),
        (_RIGHT, "right", f"SUM({_OK}{FIRST}:{_OK}{last})"),
    ):
        write.constants(row, 1, (name,))
        write.formula(row, 2, text)
    write.constants(_ASKED, 1, ("asked", float(len(exercise.cells))))
    write.constants(_HEAD, 1, _COLUMNS)
    write.constants(_HEAD, _FROM, _BY_VISIT)
    _cells(write, _Order(exercise))


def verdict(n: int) -> str:
    """What the check of the n-th cell (from 0) says, as a reference."""
    return f"{CHECKS}!{_TOLD}{FIRST + n}"


def counted(exercise: Exercise, quantity: str, told: str | None) -> str:
    """How many cells of a quantity are right (None), or of a check that says something."""
    last = FIRST + len(exercise.cells) - 1

    def span(column: str) -> str:
        return f"{CHECKS}!${column}${FIRST}:${column}${last}"

    if told is None:
        return f'SUMIF({span(_QUANTITY)},"{quantity}",{span(_OK)})'
    return f'COUNTIFS({span(_QUANTITY)},"{quantity}",{span(_TOLD)},"{told}")'


@dataclass(frozen=True)
class _Writer:
    sheet: Worksheet
    cached: Cached

    def constants(self, row: int, column: int, values: Iterable[float | str]) -> None:
        for offset, value in enumerate(values):
            put(self.sheet, row, column + offset, value, styles.BODY)

    def formula(self, row: int, column: int, text: str) -> None:
        put(self.sheet, row, column, FormulaText(f"={text}"), styles.BODY)
        self.cached[(self.sheet.title, row, column)] = 0.0


def _apart(exercise: Exercise) -> str:
    """How far inputs are from those that were handed out: sums, and each hyperparameter."""
    ledger, region, problem = exercise.ledger, exercise.region, exercise.problem
    first, last = ledger["x"].first + 1, ledger["y"].first + ledger["y"].size
    seen = Region(TRAIN, region.row, first, region.rows, last - first + 1)
    own = exercise.own
    numbers = exercise.numbers[:, own["x"].first : own["y"].first + own["y"].size]
    terms = [(f"SUM({TRAIN}!{range_of(seen, fixed=True)})", float(numbers.sum()))]
    for layer, w, b in zip(problem.network.layers, problem.weights, problem.biases, strict=True):
        place = exercise.layout.init.weights(layer)
        whole = Region(INIT, place.row, place.column, place.rows, place.columns + 1)
        terms.append((f"SUM({INIT}!{range_of(whole, fixed=True)})", float(w.sum() + b.sum())))
    terms += list(problem.hyperparameters.items())
    return "+".join(
        f"ABS({text}{-value:+.17g})/{max(1.0, abs(value)):.17g}" for text, value in terms
    )


@dataclass(frozen=True)
class _Order:
    """The cells that are asked, and which of them each builds upon."""

    exercise: Exercise

    @cached_property
    def places(self) -> dict[tuple[int, int], int]:
        """(visit, column) -> row on this sheet."""
        cells = self.exercise.cells
        return {(cell.visit, cell.column): FIRST + n for n, cell in enumerate(cells)}

    @cached_property
    def upstream(self) -> tuple[Upstream, Upstream]:
        """By the formulas of visit 1, and by those of the others."""
        columns, formulas = self.exercise.columns, self.exercise.formulas
        known = {columns[name]: f for name, f in formulas.items() if f is not None}
        asked = frozenset(columns[label] for label in self.exercise.labels)
        return Upstream(known, asked, first=True), Upstream(known, asked)

    def builds_on(self, cell: Asked) -> Nearest:
        """What a cell builds upon."""
        return self.upstream[cell.visit > 1].of(cell.column)

    def hands_on(self, visit: int) -> Nearest:
        """What the next row builds upon."""
        follow = self.upstream[visit > 1]
        formulas: dict[int, Formula] = dict(follow.formulas)
        return follow.through(sorted(carried(formulas)))

    def rows(self, visit: int, columns: Iterable[int]) -> list[int]:
        """The rows on this sheet of some columns of a visit."""
        return sorted(self.places[(visit, column)] for column in columns)


def _cells(write: _Writer, order: _Order) -> None:
    exercise = order.exercise
    low, high = prints.SALTS
    drawn = salts(exercise.problem.spec.training.seed, len(exercise.cells), low, high).tolist()
    flags = {visit: f"{_ON}{FIRST + n}" for n, visit in enumerate(exercise.visits)}
    for row, (cell, salt) in enumerate(zip(exercise.cells, drawn, strict=True), FIRST):
        value = float(exercise.numbers[cell.i, cell.c])
        unit = prints.unit_of(value, exercise.sizes[cell.quantity], exercise.digits)
        made = prints.print_of(value, unit, salt)
        known = (cell.quantity, cell.label, float(cell.visit), unit, float(salt), float(made))
        write.constants(row, 1, known)
        place = f"{TRAIN}!{address(cell.row, cell.column)}"
        count, salted = f"{_COUNT}{row}", f"{_SALT}{row}"
        mixed = tuple(f"{column}{row}" for column in (_BELOW, _SAME, _ABOVE))
        ready = _all_right(order, cell.visit, order.builds_on(cell), flags)
        told = f'IF(ISNUMBER({place}),"{WRONG}","{NO_NUMBER}")'
        told = f'IF({_OK}{row}=1,"{RIGHT}",IF({_READY}{row}=1,{told},"{WAITS}"))'
        texts = (
            prints.count_cell(place, f"{_UNIT}{row}"),
            *(prints.mixed_cell(count, off, salted) for off in (-1, 0, 1)),
            prints.right_cell(count, mixed, salted, f"{_PRINT}{row}"),
            ready,
            f'IF(ISBLANK({place}),"",{told})',
        )
        for column, text in enumerate(texts, len(known) + 1):
            write.formula(row, column, text)
    for row, visit in enumerate(exercise.visits, FIRST):
        own = [n for (v, _), n in order.places.items() if v == visit]
        write.constants(row, _FROM, (float(visit),))
        write.formula(row, _FROM + 1, f"SUM({_OK}{min(own)}:{_OK}{max(own)})")
        write.constants(row, _FROM + 2, (float(len(own)),))
        write.formula(row, _FROM + 3, _all_right(order, visit, order.hands_on(visit), flags))


def _all_right(order: _Order, visit: int, behind: Nearest, flags: dict[int, str]) -> str:
    """1 where all that something builds upon is right, else 0."""
    rows = order.rows(visit, behind.columns)
    parts = []
    if rows:
        runs = _runs(rows)
        if len(runs) > MAX_RUNS:
            runs = [(rows[0], rows[-1])]
        spans = ",".join(f"{_OK}{a}:{_OK}{b}" for a, b in runs)
        parts.append(f"IF(SUM({spans})={sum(b - a + 1 for a, b in runs)},1,0)")
    if behind.before and visit - 1 in flags:
        parts.append(flags[visit - 1])
    return "*".join(parts) or "1"


def _runs(rows: Sequence[int]) -> list[tuple[int, int]]:
    """Neighbouring rows together: (first, last) of each run."""
    found: list[tuple[int, int]] = []
    for row in rows:
        if found and found[-1][1] == row - 1:
            found[-1] = (found[-1][0], row)
        else:
            found.append((row, row))
    return found
