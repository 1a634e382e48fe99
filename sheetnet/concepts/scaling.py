"""Scaling of columns of data, live: statistics over the raw column, then each value.

``standard`` subtracts the mean and divides by the population deviation (as
scikit-learn's StandardScaler), ``minmax`` maps to 0 … 1. A column whose values
are all equal is divided by 1, and its mean is that value, which a sum over rows would miss
by a rounding error: it becomes 0, not an error (SIGN, because applications compare tiny
numbers loosely).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from sheetnet.concepts import arithmetic
from sheetnet.concepts.arithmetic import Array


@dataclass(frozen=True)
class Statistic:
    """One number of a column: its NumPy form, and its cell form over a range.

    Both forms may use the statistics named before it; so may ``code``, source over the
    training rows ``x`` (rows, columns) that gives the number of each column.
    """

    name: str
    value: Callable[[Array, Mapping[str, float]], float]
    cell: Callable[[str, Mapping[str, str]], str]
    maths: str
    code: str


@dataclass(frozen=True)
class Scaling:
    """``value(x, statistics)`` and ``cell(reference, references)``: the scaled number.

    ``code`` is the same as source over x (rows, columns) and the statistics.
    ``inverse`` and ``inverse_cell`` lead back to the units of the data.
    """

    name: str
    statistics: tuple[Statistic, ...]
    value: Callable[[Array, Mapping[str, Array]], Array]
    cell: Callable[[str, Mapping[str, str]], str]
    maths: str
    code: str
    inverse: Callable[[Array, Mapping[str, Array]], Array]
    inverse_cell: Callable[[str, Mapping[str, str]], str]


def _mean(column: Array, _: Mapping[str, float]) -> float:
    low = float(column.min())
    if column.max() == low:
        return low
    return float(arithmetic.running_sum(column)) / column.size


def _deviation(column: Array, known: Mapping[str, float]) -> float:
    if column.max() == column.min():
        return 1.0
    difference = column - known["mean"]
    return math.sqrt(float(arithmetic.running_sum(difference * difference)) / column.size)


def _spread(column: Array, _: Mapping[str, float]) -> float:
    high, low = float(column.max()), float(column.min())
    return 1.0 if high == low else high - low


_RECORDS = (
    Scaling("none", (), lambda x, s: x, lambda x, s: x, "x", "x", lambda x, s: x, lambda x, s: x),
    Scaling(
        "standard",
        (
            Statistic(
                "mean",
                _mean,
                lambda r, s: f"IF(SIGN(MAX({r})-MIN({r}))=0,MIN({r}),AVERAGE({r}))",
                "mean of the training rows",
                "np.where(\n"
                "    x.max(axis=0) == x.min(axis=0),\n"
                "    x.min(axis=0),\n"
                "    running_sum(x) / len(x),\n"
                ")",
            ),
            Statistic(
                "deviation",
                _deviation,
                lambda r, s: (
                    f"IF(SIGN(MAX({r})-MIN({r}))=0,1,"
                    f"SQRT(SUMPRODUCT({r}-{s['mean']},{r}-{s['mean']})/ROWS({r})))"
                ),
                "√(mean of (x − mean)²), the population deviation",
                "np.where(\n"
                "    x.max(axis=0) == x.min(axis=0),\n"
                "    1.0,\n"
                "    np.sqrt(running_sum((x - mean) * (x - mean)) / len(x)),\n"
                ")",
            ),
        ),
        lambda x, s: (x - s["mean"]) / s["deviation"],
        lambda x, s: f"({x}-{s['mean']})/{s['deviation']}",
        "(x − mean) / deviation",
        "(x - mean) / deviation",
        lambda x, s: x * s["deviation"] + s["mean"],
        lambda x, s: f"{x}*{s['deviation']}+{s['mean']}",
    ),
    Scaling(
        "minmax",
        (
            Statistic(
                "minimum",
                lambda column, s: float(np.min(column)),
                lambda r, s: f"MIN({r})",
                "smallest of the training rows",
                "x.min(axis=0)",
            ),
            Statistic(
                "spread",
                _spread,
                lambda r, s: f"IF(SIGN(MAX({r})-MIN({r}))=0,1,MAX({r})-MIN({r}))",
                "largest minus smallest",
                "np.where(x.max(axis=0) == x.min(axis=0), 1.0, x.max(axis=0) - x.min(axis=0))",
            ),
        ),
        lambda x, s: (x - s["minimum"]) / s["spread"],
        lambda x, s: f"({x}-{s['minimum']})/{s['spread']}",
        "(x − minimum) / spread",
        "(x - minimum) / spread",
        lambda x, s: x * s["spread"] + s["minimum"],
        lambda x, s: f"{x}*{s['spread']}+{s['minimum']}",
    ),
)

SCALINGS: dict[str, Scaling] = {record.name: record for record in _RECORDS}
