"""An exercise: which cells of ``Train`` are asked, where they stand, what is right there.

``Train`` has the visits that are asked, and before the first of each run of them the visit
whose weights it starts from. Right of each quantity that is asked stand its checks.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from sheetnet import engine
from sheetnet.classroom.asking import FIRST_VISITS, labels_of, visits_of, written
from sheetnet.concepts.arithmetic import Array
from sheetnet.concepts.stopping import PATIENCE
from sheetnet.errors import LimitError, SpecError
from sheetnet.formula import Formula
from sheetnet.formulas import ledger_formulas
from sheetnet.layout import TRAIN_FIRST_ROW, Layout, layout_of
from sheetnet.ledger import Block, Ledger, ledger_of
from sheetnet.limits import MAX_COLUMNS
from sheetnet.problem import Problem
from sheetnet.regions import TRAIN, Region

MAX_ASKED = 20_000
"""Cells: each has several formulas that check it."""

FEWEST, MOST = 2, 6
"""Significant digits that may count."""


@dataclass(frozen=True)
class Row:
    """A row of ``Train``: a visit, asked or given."""

    visit: int
    asked: bool


@dataclass(frozen=True)
class Asked:
    """A cell that is asked.

    ``row`` and ``column`` (from 1) are its place on the sheet, ``check`` the column of its
    check; ``i`` and ``c`` (from 0) its place in the matrix of :attr:`Exercise.numbers`.
    """

    label: str
    quantity: str
    visit: int
    row: int
    column: int
    check: int
    i: int
    c: int


@dataclass(frozen=True)
class Exercise:
    """What is asked.

    Attributes
    ----------
    blank: as it was asked for; labels: the columns that this means.
    visits: those that are asked, in order; digits: how many significant ones count.

    """

    problem: Problem
    blank: str
    labels: tuple[str, ...]
    visits: tuple[int, ...]
    digits: int

    @cached_property
    def rows(self) -> tuple[Row, ...]:
        """The rows of ``Train`` from the top down."""
        found: list[Row] = []
        for visit in self.visits:
            if visit > 1 and (not found or found[-1].visit < visit - 1):
                found.append(Row(visit - 1, asked=False))
            found.append(Row(visit, asked=True))
        return tuple(found)

    @cached_property
    def own(self) -> Ledger:
        """The columns of the training, without checks."""
        return ledger_of(self.problem.network)

    @cached_property
    def layout(self) -> Layout:
        """The workbook's, whose ``Train`` has columns of checks."""
        found = layout_of(self.problem, ())
        ledgers = dataclasses.replace(found.ledgers, train=_with_checks(self.own, self.labels))
        return dataclasses.replace(found, ledgers=ledgers)

    @property
    def ledger(self) -> Ledger:
        """The columns of ``Train`` as it stands in the workbook."""
        return self.layout.ledger

    @property
    def region(self) -> Region:
        """The rows of ``Train``."""
        return Region(TRAIN, TRAIN_FIRST_ROW, 1, len(self.rows), self.ledger.width)

    @cached_property
    def columns(self) -> dict[str, int]:
        """Plain name -> column of the sheet, from 1; those of checks too."""
        return {label: c for c, label in enumerate(self.ledger.labels, 1)}

    @cached_property
    def formulas(self) -> dict[str, Formula | None]:
        """Plain name -> formula; None for constants and checks."""
        formulas = ledger_formulas(self.problem, self.layout)
        return dict(zip(self.ledger.labels, formulas, strict=True))

    @cached_property
    def cells(self) -> tuple[Asked, ...]:
        """All cells that are asked, row by row."""
        return tuple(self._cells())

    def _cells(self) -> Iterator[Asked]:
        asked = frozenset(self.labels)
        for i, row in enumerate(self.rows):
            if not row.asked:
                continue
            for block in self.own.blocks:
                for offset, label in enumerate(block.labels):
                    if label in asked:
                        column, check = self.columns[label], self.columns[check_of(label)]
                        yield Asked(
                            label,
                            block.name,
                            row.visit,
                            self.region.row + i,
                            column,
                            check,
                            i,
                            block.first + offset,
                        )

    @cached_property
    def numbers(self) -> Array:
        """The right numbers of all rows: (rows, columns without checks)."""
        return _rows_of(self.problem, tuple(row.visit for row in self.rows), self.own.width)

    @cached_property
    def sizes(self) -> dict[str, float]:
        """Quantity -> its largest magnitude among the cells that are asked."""
        found: dict[str, float] = {}
        for cell in self.cells:
            size = abs(float(self.numbers[cell.i, cell.c]))
            found[cell.quantity] = max(found.get(cell.quantity, 0.0), size)
        return found


def check_of(label: str) -> str:
    """The plain name of the column that checks another."""
    return f"check {label}"


def make_exercise(problem: Problem, blank: str, visits: str | None, digits: int) -> Exercise:
    """Put an exercise together; ``visits`` None: the first three (or as many as there are).

    Early stopping is left out: it judges whole epochs. Raises :class:`SpecError` for what
    cannot be asked, :class:`LimitError` for too much.
    """
    if not FEWEST <= digits <= MOST:
        raise SpecError(f"--digits {digits}: a whole number from {FEWEST} to {MOST} is needed")
    problem = without_stopping(problem)
    last = min(FIRST_VISITS, problem.visits)
    chosen = visits_of(f"1:{last}" if visits is None else visits, problem.visits)
    exercise = Exercise(problem, blank, labels_of(problem.network, blank), chosen, digits)
    asked = len(exercise.labels) * len(chosen)
    if asked > MAX_ASKED:
        raise LimitError(
            f"{len(chosen)} visits with {len(exercise.labels)} blank cells each are {asked:,}; "
            f"allowed: {MAX_ASKED:,}. Ask for fewer --visits or less with --blank"
        )
    if exercise.ledger.width > MAX_COLUMNS:
        raise LimitError(
            f"Train would need {exercise.ledger.width} columns, but a sheet has {MAX_COLUMNS}: "
            "ask for less with --blank"
        )
    _check_gaps(exercise)
    _check_numbers(exercise)
    return exercise


def without_stopping(problem: Problem) -> Problem:
    """The same training without early stopping."""
    training = problem.spec.training
    kept = {k: v for k, v in training.hyperparameters.items() if k != PATIENCE.name}
    spec = dataclasses.replace(
        problem.spec, training=dataclasses.replace(training, hyperparameters=kept)
    )
    network = dataclasses.replace(problem.network, stops=False)
    return dataclasses.replace(problem, spec=spec, network=network)


def _with_checks(ledger: Ledger, labels: tuple[str, ...]) -> Ledger:
    """The columns, and right of each block those that check what is asked of it."""
    asked, blocks, width = frozenset(labels), [], 0
    for block in ledger.blocks:
        blocks.append(dataclasses.replace(block, first=width))
        width += block.size
        for label in block.labels:
            if label in asked:
                blocks.append(Block(check_of(label), "check", "check", (), width))
                width += 1
    return Ledger(tuple(blocks))


def _rows_of(problem: Problem, visits: tuple[int, ...], width: int) -> Array:
    """The ledger's rows of some visits, trained no further than needed."""
    training = problem.spec.training
    epochs = min(training.epochs, -(-visits[-1] // problem.rows))
    spec = dataclasses.replace(problem.spec, training=dataclasses.replace(training, epochs=epochs))
    found, done = np.empty((len(visits), width)), 0
    places = np.array(visits) - 1
    for part in engine.blocks(dataclasses.replace(problem, spec=spec)):
        inside = (places >= done) & (places < done + len(part.train))
        found[inside] = part.train[places[inside] - done]
        done += len(part.train)
    return found


def _check_gaps(exercise: Exercise) -> None:
    """A given visit must not tell the update of one that is asked.

    Its weights are those after all updates before it: at least one of these has to be
    unknown to whoever subtracts.
    """
    problem, visits = exercise.problem, exercise.visits
    size = problem.spec.training.batch_size
    for before, after in itertools.pairwise(visits):
        if after == before + 1:
            continue
        # Visits after ``before`` and before the given one, ``after - 1``.
        ends = sum(
            v % problem.rows == 0 or (v % problem.rows) % size == 0
            for v in range(before + 1, after - 1)
        )
        if not ends:
            raise SpecError(
                f"--visits {written(visits)}: the weights of visit {after - 1}, which is given, "
                f"would tell the answers of visit {before}; ask for the visits between them too, "
                "or leave out more"
            )


def _check_numbers(exercise: Exercise) -> None:
    for cell in exercise.cells:
        if not np.isfinite(exercise.numbers[cell.i, cell.c]):
            raise SpecError(
                f"{cell.label} of visit {cell.visit} is no number, since the run diverges: "
                "ask for earlier --visits"
            )
