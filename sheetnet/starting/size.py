"""How many rows and epochs make a workbook that opens at once and can be looked at."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sheetnet.data import rows_held_out
from sheetnet.epoch_ledgers import Ledgers
from sheetnet.errors import LimitError
from sheetnet.problem import Problem
from sheetnet.run import train
from sheetnet.starting.draft import Document, Place, with_training

MOST_CELLS = 300_000
"""Of the ledgers of training and validation together."""

LEAST_ROWS = 20
FEW_EPOCHS = 3
"""All rows are used where they can be visited so often, ..."""

LEAST_EPOCHS = 5
"""... and else fewer, so often."""

MOST_EPOCHS = 20
LEAST_VISITS = 400
"""Small tables are visited more than :data:`MOST_EPOCHS` times, to come to so many visits."""

RATES = tuple(float(f"{digit}e{power}") for power in range(-1, -13, -1) for digit in (3, 1))
"""Learning rates that are tried, from the largest on."""

PATIENCE = 2
"""So many rates in a row that are worse than the best one end the search."""

STEEPEST = 10.0
"""Rates times the squared length of an input beyond this overshoot in any layer."""

STANDS = 1e-3
"""A loss that changes by less than this share of it stands still."""

MOST_TRIAL_CELLS = 1_000_000


@dataclass(frozen=True)
class Size:
    """How much of the table is used, how often, and how many cells that makes."""

    rows: int
    epochs: int
    cells: int


def size_of(
    ledgers: Ledgers, rows: int, share: float, needed: int, *, least_epochs: int = 2
) -> Size:
    """Fit rows and epochs below :data:`MOST_CELLS`; ``needed``: the fewest rows to use.

    Where the fewest rows and epochs make more cells than that, so be it.
    """

    def cells(n: int) -> int:
        held_out = rows_held_out(n, share)
        own = ledgers.validation.width if ledgers.validation is not None else 0
        return (n - held_out) * ledgers.train.width + held_out * own

    used = rows
    if cells(rows) * FEW_EPOCHS > MOST_CELLS:
        fits = int(MOST_CELLS / LEAST_EPOCHS * rows / cells(rows))
        while cells(fits) * LEAST_EPOCHS > MOST_CELLS:  # the share is rounded to whole rows
            fits -= 1
        used = min(max(fits, needed, LEAST_ROWS), rows)
    most = max(MOST_EPOCHS, math.ceil(LEAST_VISITS / used))
    epochs = min(most, max(least_epochs, MOST_CELLS // cells(used)))
    return Size(used, epochs, epochs * cells(used))


def rows_with_all(classes: Sequence[object]) -> int:
    """How many of the first rows hold each class twice (or once, where that is all)."""
    seen: dict[object, int] = {}
    needed = 0
    for row, label in enumerate(classes, 1):
        seen[label] = seen.get(label, 0) + 1
        if seen[label] <= 2:
            needed = row
    return needed


def said_of(size: Size, rows: int, width: int) -> dict[str, tuple[str, ...]]:
    """Comments on rows and epochs: what they were limited to, and why."""
    notes: dict[str, tuple[str, ...]] = {}
    if size.rows < rows:
        notes["data.rows"] = (
            f"The first {size.rows} of {rows} rows, so that the ledger ({width} columns) stays "
            f"small: {size.cells:,} cells in {size.epochs} epochs.",
        )
    notes["training.epochs"] = (
        f"{size.epochs} epochs make {size.cells:,} cells of the ledgers"
        + (
            f"; beyond {MOST_CELLS:,} a workbook grows slow."
            if size.cells <= MOST_CELLS
            else f", more than the {MOST_CELLS:,} of a quick workbook: each class has to be among "
            "the first rows. Shuffle the rows of the file to use fewer of them."
        ),
    )
    return notes


@dataclass(frozen=True)
class Trial:
    """What a learning rate came to: mean losses of the first epoch and of the last."""

    rate: float
    first: float
    loss: float

    @property
    def falls(self) -> bool:
        """Whether it learns."""
        return self.loss < self.first

    @property
    def stands(self) -> bool:
        """Whether it hardly moves, so that smaller rates do not learn either."""
        return abs(self.loss - self.first) < STANDS * self.first


def best_rate(place: Place, document: Document, cells: int) -> tuple[float, str]:
    """Try learning rates, and return the best with what to say of it.

    The best has the lowest mean loss in the last epoch, lower than in the first one.
    """
    if cells > MOST_TRIAL_CELLS:
        return RATES[3], "Not tried out, for the run is long."
    table = place.rows(document)
    seen = place.problem(document, table).inputs.values
    length = float(np.mean(1.0 + np.sum(seen * seen, axis=1)))
    trials: list[Trial] = []
    for rate in [rate for rate in RATES if rate * length <= STEEPEST] or RATES[-1:]:
        tried = place.problem(with_training(document, learning_rate=rate), table)
        trials.append(_trial(tried, rate))
        best = min(trials, key=_rank)
        latest = trials[-1]
        if (latest is best and latest.stands) or (
            best.falls and len(trials) - trials.index(best) > PATIENCE
        ):
            break
    best = min(trials, key=_rank)
    return best.rate, (
        f"Of {', '.join(f'{trial.rate:g}' for trial in trials)} the one with the lowest loss in "
        "the last epoch."
        if best.falls
        else "Under no rate does the loss fall from epoch to epoch: this one does the least harm."
    )


def _rank(trial: Trial) -> tuple[bool, float]:
    return not trial.falls, trial.loss


def _trial(problem: Problem, rate: float) -> Trial:
    try:
        run = train(problem)
    except LimitError:
        return Trial(rate, math.inf, math.inf)
    if run.diverged_at is not None:
        return Trial(rate, math.inf, math.inf)
    return Trial(rate, float(run.epoch_losses[0]), float(run.epoch_losses[-1]))
