"""A finished training, whole in memory: what ``train`` gives and what it says of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from sheetnet.concepts.arithmetic import Array
from sheetnet.engine import blocks, final_state, first_divergence, first_stop, first_weights
from sheetnet.epoch_ledgers import VALIDATION, Ledgers, ledgers_of
from sheetnet.errors import LimitError
from sheetnet.ledger import Ledger
from sheetnet.problem import Problem

MAX_LEDGER = 500_000_000
"""Numbers of a ledger that is kept in memory whole (4 GB)."""


@dataclass(frozen=True)
class Run:
    """A finished training.

    Attributes
    ----------
    matrix: the ledger, (visits, columns); epochs: the rows of ``Epochs``.
    final: name -> weights after the last visit.

    """

    problem: Problem
    ledgers: Ledgers
    matrix: Array
    epochs: Array
    final: Mapping[str, Array]

    def __getitem__(self, name: str) -> Array:
        """A quantity of all visits: ``run["W1"]`` is (visits, units, inputs)."""
        return self.ledgers.train[name].view(self.matrix)

    def by_epoch(self, name: str) -> Array:
        """A quantity of all epochs: ``run.by_epoch("val_loss")`` is (epochs,)."""
        return self.ledgers.epochs[name].view(self.epochs)

    @property
    def ledger(self) -> Ledger:
        """The columns of the matrix."""
        return self.ledgers.train

    @property
    def epoch_losses(self) -> Array:
        """Mean loss of the visits of each epoch: (epochs,)."""
        return self.by_epoch("loss")

    @property
    def measures(self) -> tuple[str, ...]:
        """The numbers that tell how well an epoch went: loss, accuracy or rmse, ..."""
        network = self.problem.network
        own = ("loss", network.measure.name)
        return (*own, *(f"{VALIDATION}{n}" for n in own)) if network.validates else own

    @property
    def best_epoch(self) -> int | None:
        """The epoch (from 1) of the lowest validation loss; None without validation."""
        if not self.problem.network.validates:
            return None
        return int(self.by_epoch("best_epoch")[-1])

    @property
    def best(self) -> Mapping[str, Array] | None:
        """The weights of the best epoch; None without validation."""
        if self.best_epoch is None:
            return None
        return {n: self.by_epoch(n)[self.best_epoch - 1] for n in first_weights(self.problem)}

    @property
    def stopped_after(self) -> int | None:
        """The epoch (from 1) after which early stopping ended the training, or None."""
        if not self.problem.network.stops:
            return None
        return first_stop(self.ledgers.epochs, self.epochs)

    @property
    def diverged_at(self) -> int | None:
        """The first visit with a number that a sheet cannot hold, or None."""
        row = first_divergence(self.matrix)
        return None if row is None else self.problem.first_visit + row - 1

    def summary(self) -> dict[str, object]:
        """Final weights and losses as plain values for JSON; None for nan."""
        found: dict[str, object] = {
            "spec": self.problem.spec.name,
            "network": self.problem.network.label,
            "visits": self.problem.visits,
            "epoch_losses": plain(self.epoch_losses),
            "last_visit_loss": plain(self["loss"][-1:])[0],
            "epochs": {name: plain(self.by_epoch(name)) for name in self.measures},
            "weights": {name: plain(value) for name, value in self.final.items()},
            "diverged_at": self.diverged_at,
        }
        if self.best is not None:
            found["best_epoch"] = self.best_epoch
            found["best_weights"] = {name: plain(value) for name, value in self.best.items()}
        if self.problem.network.stops:
            found["stopped_after"] = self.stopped_after
        return found


def plain(values: Array) -> list[Any]:
    """Nested lists of floats, None for nan."""
    cells = values.astype(object)
    cells[~np.isfinite(values)] = None
    listed: list[Any] = cells.tolist()
    return listed


def train(problem: Problem) -> Run:
    """Train and keep the whole ledger in memory.

    Raises :class:`LimitError` where it would be larger than :data:`MAX_LEDGER`.
    """
    ledgers = ledgers_of(problem.network)
    width = ledgers.train.width
    cells = problem.visits * width
    if cells > MAX_LEDGER:
        fits = MAX_LEDGER // (problem.rows * width)
        raise LimitError(
            f"the ledger of {problem.visits} visits would have {cells} numbers; allowed: "
            f"{MAX_LEDGER}, which are {fits} epochs"
        )
    matrix, row, epochs = np.empty((problem.visits, width)), 0, []
    for part in blocks(problem, ledgers):
        matrix[row : row + len(part.train)] = part.train
        row += len(part.train)
        epochs.append(part.epochs)
    final = final_state(problem, ledgers.train, matrix[-1:])
    return Run(problem, ledgers, matrix, np.concatenate(epochs), final)
