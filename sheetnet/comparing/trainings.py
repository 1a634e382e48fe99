"""Two trainings side by side: where they part, and how the difference grows."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sheetnet.comparing.inputs import shape_of
from sheetnet.concepts.arithmetic import Array
from sheetnet.ledger import PLACE, Block
from sheetnet.run import Run

LISTED = 24
"""Rows of the table at most."""

FEW_EPOCHS = 3
"""Up to so many epochs the table counts visits."""


@dataclass(frozen=True)
class Parting:
    """The first visit at which a quantity differs, and the first quantity that does."""

    visit: int
    epoch: int
    quantity: str
    a: float | None
    b: float | None


@dataclass(frozen=True)
class Growth:
    """How far both are apart at ``at`` (an epoch or a visit): None where there is no number.

    ``weights`` is the largest difference of a weight or bias there, over the largest
    magnitude that it has in either training; infinite where only one of both diverges.
    """

    at: int
    loss_a: float | None
    loss_b: float | None
    weights: float | None


@dataclass(frozen=True)
class Trainings:
    """``by`` tells what the table counts: ``epoch`` or ``visit``.

    ``alike`` is whether visits can be compared one by one, ``equal`` whether all agree.
    """

    alike: bool
    equal: bool
    visits: tuple[int, int]
    diverged: tuple[int | None, int | None]
    parting: Parting | None
    by: str
    growth: tuple[Growth, ...]


def compare_trainings(a: Run, b: Run) -> Trainings:
    """Compare two runs visit by visit, or by epoch where they are of another shape."""
    ours, theirs = a.problem, b.problem
    alike = shape_of(ours) == shape_of(theirs) and ours.rows == theirs.rows
    alike = alike and ours.first_visit == theirs.first_visit
    parting = _parting(a, b) if alike else None
    visits = ours.visits, theirs.visits
    by_visit = alike and min(len(a.epochs), len(b.epochs)) <= FEW_EPOCHS
    apart = _apart(a, b) if alike else None
    return Trainings(
        alike=alike,
        equal=alike and parting is None and visits[0] == visits[1] and _same_columns(a, b),
        visits=visits,
        diverged=(a.diverged_at, b.diverged_at),
        parting=parting,
        by="visit" if by_visit else "epoch",
        growth=tuple(_by_visit(a, b, apart) if by_visit else _by_epoch(a, b, apart)),
    )


def _same_columns(a: Run, b: Run) -> bool:
    return a.ledger.labels == b.ledger.labels


def _pairs(a: Run, b: Run) -> list[tuple[Block, Block]]:
    """The quantities that both have, in the first one's order, without the place."""
    left_out = set(PLACE) - {"sample"}
    return [
        (block, b.ledger[block.name])
        for block in a.ledger.blocks
        if block.name in b.ledger
        and block.name not in left_out
        and block.shape == b.ledger[block.name].shape
    ]


def _parting(a: Run, b: Run) -> Parting | None:
    n = min(len(a.matrix), len(b.matrix))
    first: tuple[int, Block, int] | None = None
    for block, other in _pairs(a, b):
        limit = n if first is None else first[0] + 1
        ours, theirs = _flat(block, a.matrix[:limit]), _flat(other, b.matrix[:limit])
        rows = _unequal(ours, theirs).any(axis=1)
        row = int(np.argmax(rows))
        if rows.any() and (first is None or row < first[0]):
            column = int(np.argmax(_unequal(ours[row], theirs[row])))
            first = row, block, column
    if first is None:
        return None
    row, block, column = first
    values = (
        _number(_flat(held[block.name], run.matrix[row : row + 1])[0, column])
        for run, held in ((a, a.ledger), (b, b.ledger))
    )
    visit = a.problem.first_visit + row
    epoch = (visit - 1) // a.problem.rows + 1
    return Parting(visit, epoch, block.labels[column], *values)


def _flat(block: Block, matrix: Array) -> Array:
    return matrix[:, block.first : block.first + block.size]


def _unequal(a: Array, b: Array) -> NDArray[np.bool_]:
    """Where two arrays differ; what is no number in both does not."""
    different: NDArray[np.bool_] = (a != b) & ~(np.isnan(a) & np.isnan(b))
    return different


def _apart(a: Run, b: Run) -> Array:
    """The largest relative difference of the weights in use at each visit: (visits,)."""
    n = min(len(a.matrix), len(b.matrix))
    found = np.zeros(n)
    for block, other in _pairs(a, b):
        if block.kind not in ("weight", "bias"):
            continue
        ours, theirs = _flat(block, a.matrix[:n]), _flat(other, b.matrix[:n])
        with np.errstate(all="ignore"):
            size = np.maximum(_largest(ours), _largest(theirs))
            difference = np.abs(ours - theirs) / np.where(size > 0, size, 1.0)
        numbers = np.isfinite(ours) & np.isfinite(theirs)
        neither = ~np.isfinite(ours) & ~np.isfinite(theirs)
        difference = np.where(numbers, difference, np.where(neither, 0.0, math.inf))
        found = np.maximum(found, difference.max(axis=1, initial=0.0))
    return found


def _largest(values: Array) -> Array:
    """The largest magnitude of each column."""
    finite = np.where(np.isfinite(values), np.abs(values), 0.0)
    return np.asarray(finite.max(axis=0, initial=0.0))


def _by_visit(a: Run, b: Run, apart: Array | None) -> list[Growth]:
    n = min(len(a.matrix), len(b.matrix))
    powers = [digit * 10**p for p in range(len(str(n))) for digit in (1, 2, 5)]
    visits = sorted({v for v in powers if v < n} | {n})
    return [
        Growth(
            a.problem.first_visit + visit - 1,
            _number(a["loss"][visit - 1]),
            _number(b["loss"][visit - 1]),
            None if apart is None else float(apart[visit - 1]),
        )
        for visit in visits
    ]


def _by_epoch(a: Run, b: Run, apart: Array | None) -> list[Growth]:
    n = min(len(a.epochs), len(b.epochs))
    rows = a.problem.rows
    return [
        Growth(
            epoch,
            _number(a.epoch_losses[epoch - 1]),
            _number(b.epoch_losses[epoch - 1]),
            None if apart is None else float(apart[(epoch - 1) * rows : epoch * rows].max()),
        )
        for epoch in spread(n)
    ]


def spread(n: int) -> Sequence[int]:
    """1 to n, or as many of them as are listed, the first and the last among them."""
    if n <= LISTED:
        return range(1, n + 1)
    return sorted({1 + round(i * (n - 1) / (LISTED - 1)) for i in range(LISTED)})


def _number(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None
