"""What the ledger of a training holds as constants: places, flags, what is drawn."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sheetnet.concepts.arithmetic import Array
from sheetnet.concepts.stopping import STOPPED
from sheetnet.problem import Problem
from sheetnet.randomness import dropout_uniforms, epoch_order

_epoch_order, _uniforms = lru_cache(maxsize=2)(epoch_order), lru_cache(maxsize=4)(dropout_uniforms)
"""Drawn once for an epoch that is longer than a block of rows."""


def constants(problem: Problem, start: int = 0, count: int | None = None) -> dict[str, Array]:
    """What stands in the ledger as constants: name -> (rows, *shape).

    Visit, epoch, update and sample (counted from 1), the flags of batches, and the
    uniform numbers of dropout, which are the same for all samples of a batch; in a window
    the end of training too. Of ``count`` rows (None: all) from ``start`` (from 0) on.
    """
    training, rows = problem.spec.training, problem.rows
    batches = -(-rows // training.batch_size)
    first = problem.first_visit - 1 + start
    visit = np.arange(first, first + (problem.visits - start if count is None else count))
    epoch, position = visit // rows + 1, visit % rows
    batch = position // training.batch_size
    epochs = range(int(epoch[0]), int(epoch[-1]) + 1)
    orders = [_epoch_order(rows, e, training.seed, shuffle=training.shuffle) for e in epochs]
    inside = int(position[0])
    found: dict[str, NDArray[Any]] = {
        "visit": visit + 1,
        "epoch": epoch,
        "update": (epoch - 1) * batches + batch + 1,
        "sample": np.concatenate(orders)[inside : inside + len(visit)],
    }
    if problem.network.batches:
        found["first"] = position % training.batch_size == 0
        found["last"] = (position % training.batch_size == training.batch_size - 1) | (
            position == rows - 1
        )
    for layer in problem.network.layers:
        if layer.dropout:
            drawn = [_uniforms(batches, layer.units, layer.index, e, training.seed) for e in epochs]
            found[f"r{layer.index}"] = np.stack(drawn)[epoch - epochs[0], batch]
    if problem.window is not None and problem.network.stops:
        after = problem.window.stopped_after
        found[STOPPED] = np.zeros(len(visit)) if after is None else epoch > after
    return {name: values.astype(np.float64) for name, values in found.items()}
