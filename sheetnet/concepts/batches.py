"""Mini-batches: the gradient of an update is the mean over the samples of its batch.

Running sums that start anew at the first sample keep one formula in all rows; the
last sample of a batch makes the update, whatever the batch's size.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from sheetnet.concepts.arithmetic import Array
from sheetnet.concepts.stages import Numbers, Slot


def _running(adds: Callable[[Numbers], Array]) -> Callable[[Numbers], Array]:
    return lambda q: np.where(q["first"] == 1, 0.0, q["before"]) + adds(q)


def _one(_: Numbers) -> Array:
    return np.asarray(1.0)


def _gradient(q: Numbers) -> Array:
    gradient: Array = q["gradient"]
    return gradient


COUNT = Slot(
    "count",
    value=_running(_one),
    adds=_one,
    cell=lambda c: f"IF({c['first']}=1,0,{c['before']})+1",
    maths="samples of the batch so far",
    code="before + 1.0",
    carried=True,
    holds=False,
    single=True,
)

SUM = Slot(
    "s",
    value=_running(_gradient),
    adds=_gradient,
    cell=lambda c: f"IF({c['first']}=1,0,{c['before']})+{c['gradient']}",
    maths="Σ of the batch's gradients so far",
    code="before + gradient",
    carried=True,
    holds=False,
)

MEAN = Slot(
    "g",
    value=lambda q: q["s"] / q["count"],
    cell=lambda c: f"{c['s']}/{c['count']}",
    maths="g = Σ / count",
    code="s / count",
)
