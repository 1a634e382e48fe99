"""Folds: every row is held out exactly once, and a training on all the others is judged by it.

Stone, "Cross-Validatory Choice and Assessment of Statistical Predictions", 1974.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sheetnet import values
from sheetnet.concepts.stopping import STOPPED
from sheetnet.data import Table, split
from sheetnet.engine import blocks
from sheetnet.epoch_ledgers import VALIDATION, ledgers_of
from sheetnet.errors import SpecError
from sheetnet.problem import Problem, assemble
from sheetnet.randomness import folds_order
from sheetnet.spec import Spec

Rows = NDArray[np.int64]


@dataclass(frozen=True)
class Score:
    """How one training did, in the epoch that counts.

    That is the last one; where the spec has ``patience``, the best one, as early
    stopping would keep its weights. Numbers that are not finite are nan.

    Attributes
    ----------
    epoch: the epoch that counts (from 1).
    train_loss: mean loss of the visits of that epoch.
    validation_loss, measure: mean loss, and accuracy or rmse, of the held-out rows
        with the weights reached in it.

    """

    epoch: int
    train_loss: float
    validation_loss: float
    measure: float


def cut(rows: int, folds: int, seed: int) -> tuple[Rows, ...]:
    """Cut the rows (from 0) into folds of sizes that differ by one at most.

    Which row is in which fold is drawn from the seed. Raises :class:`SpecError` unless
    there are 2 … rows folds.
    """
    if isinstance(folds, bool) or not isinstance(folds, int) or not 2 <= folds <= rows:
        allowed = f"a whole number from 2 to {rows} (the rows of data) is needed"
        if rows < 2:
            allowed = f"cross validation needs at least 2 rows of data, not {rows}"
        raise SpecError(f"folds is {values.shown(folds)}: {allowed}")
    return tuple(np.sort(part) for part in np.array_split(folds_order(rows, seed), folds))


def fold_problem(spec: Spec, table: Table, held_out: Rows) -> Problem:
    """Return the training on all rows but those ``held_out`` (from 0), validated by these.

    Scaling is fitted on the rows trained on; classes are those of the whole table.
    """
    holding_out = spec.override(validation=len(held_out) / table.rows)
    return assemble(holding_out, split(table, held_out))


def score(spec: Spec, table: Table, held_out: Rows) -> Score:
    """Train on all rows but those ``held_out`` and judge by these; keeps no ledger."""
    problem = fold_problem(spec, table, held_out)
    network, ledgers = problem.network, ledgers_of(problem.network)
    ended = []
    for part in blocks(problem, ledgers):
        ended.append(part.epochs)
        # After the stop the weights stay as they are: nothing better can come.
        if network.stops and (ledgers.epochs[STOPPED].view(part.epochs) == 1).any():
            break
    epochs = np.concatenate(ended)

    def of_epoch(name: str, epoch: int) -> float:
        return float(ledgers.epochs[name].view(epochs)[epoch - 1])

    chosen = int(of_epoch("best_epoch", len(epochs))) if network.stops else len(epochs)
    return Score(
        epoch=chosen,
        train_loss=of_epoch("loss", chosen),
        validation_loss=of_epoch(f"{VALIDATION}loss", chosen),
        measure=of_epoch(f"{VALIDATION}{network.measure.name}", chosen),
    )
