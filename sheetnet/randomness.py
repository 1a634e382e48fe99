"""Everything drawn at random, from the spec's seed.

NumPy keeps the streams of ``RandomState`` unchanged for ever, so the same seed
gives the same workbook on any version; each use has a stream of its own, so that
one more epoch or another layer does not change the rest. Beside each function that a
run calls stands what generated scripts write for it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_WEIGHTS, _ORDER, _TOY, _DROPOUT, _SPLIT, _FOLDS = 1, 2, 3, 4, 5, 6
_SALTS, _CHANGES = 8, 9
DECIMALS = 6


def weights_stream(seed: int, layer: int) -> np.random.RandomState:
    """The stream for the initial weights of a layer (counted from 1)."""
    return np.random.RandomState([seed, _WEIGHTS, layer])


def toy_stream(seed: int) -> np.random.RandomState:
    """The stream for a toy data set."""
    return np.random.RandomState([seed, _TOY])


WEIGHTS_CODE = f"np.random.RandomState([seed, {_WEIGHTS}, layer])"


def epoch_order(rows: int, epoch: int, seed: int, *, shuffle: bool) -> NDArray[np.int64]:
    """Return the samples (from 1) in the order of their visits in one epoch (from 1)."""
    if not shuffle:
        return np.arange(1, rows + 1)
    return np.random.RandomState([seed, _ORDER, epoch]).permutation(rows) + 1


ORDER_CODE = f"np.random.RandomState([seed, {_ORDER}, epoch]).permutation(rows)"
"""The order of a shuffled epoch, samples counted from 0."""


def draw_held_out(rows: int, count: int, seed: int) -> NDArray[np.int64]:
    """Draw the rows (from 0, in order) that are held out for validation."""
    drawn: NDArray[np.int64] = np.random.RandomState([seed, _SPLIT]).permutation(rows)[:count]
    return np.sort(drawn)


def folds_order(rows: int, seed: int) -> NDArray[np.int64]:
    """Return the order (rows from 0) from which folds of a cross validation are cut."""
    return np.random.RandomState([seed, _FOLDS]).permutation(rows)


def dropout_uniforms(
    batches: int, units: int, layer: int, epoch: int, seed: int
) -> NDArray[np.float64]:
    """Uniform numbers in 0 … 1 for the masks of one epoch (from 1): (batches, units)."""
    random = np.random.RandomState([seed, _DROPOUT, layer, epoch])
    return np.round(random.random_sample((batches, units)), DECIMALS)


UNIFORMS_CODE = (
    f"random = np.random.RandomState([seed, {_DROPOUT}, layer, epoch])\n"
    f"return np.round(random.random_sample((batches, units)), {DECIMALS})"
)


def salts(seed: int, count: int, low: int, high: int) -> NDArray[np.int64]:
    """Return a whole number from ``low`` to below ``high`` for each blank cell of an exercise."""
    drawn: NDArray[np.int64] = np.random.RandomState([seed, _SALTS]).randint(low, high, count)
    return drawn.astype(np.int64)


def changes_stream(draw: int) -> np.random.RandomState:
    """The stream for the inputs under which hand-ins are tried, by the number of the trial."""
    return np.random.RandomState([draw, _CHANGES])
