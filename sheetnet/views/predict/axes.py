"""Axes over the data, in its units: where they begin, their steps, which cell a point is in."""

from __future__ import annotations

import numpy as np

from sheetnet.concepts.arithmetic import Array
from sheetnet.views.predict.plan import GRID, MARGIN

_NUDGE = 0.500000001
"""Rounds half up, with a hair more: a cell's edge is nowhere near a value of the data."""


def start_cell(span: str) -> str:
    """The left end, a little below the smallest value of a column; 0.5 where all are equal."""
    width = f"MAX({span})-MIN({span})"
    return f"IF(SIGN({width})=0,MIN({span})-0.5,MIN({span})-{MARGIN}*({width}))"


def start(column: Array) -> float:
    """The same."""
    low, high = float(column.min()), float(column.max())
    return low - 0.5 if high == low else low - MARGIN * (high - low)


def step_cell(span: str, steps: int) -> str:
    """The distance of two of ``steps`` + 1 neighbours, up to a little above the largest value."""
    width = f"MAX({span})-MIN({span})"
    return f"IF(SIGN({width})=0,1,{1 + 2 * MARGIN}*({width}))/{steps}"


def step(column: Array, steps: int) -> float:
    """The same."""
    low, high = float(column.min()), float(column.max())
    return (1.0 if high == low else (1 + 2 * MARGIN) * (high - low)) / steps


def place_cell(value: str, start: str, step: str) -> str:
    """The number (from 0) of the nearest step."""
    return f"INT(({value}-{start})/{step}+{_NUDGE})"


def place(values: Array, start: float, step: float) -> Array:
    """The same, nan where it cannot be said."""
    inside = np.asarray((values - start) / step)
    inside = np.where(np.isfinite(values - start) & np.isfinite(inside), inside, np.nan)
    return np.asarray(np.floor(inside + _NUDGE))


def number_cell(column: str, row: str) -> str:
    """The number (from 1) of the cell of a map, row by row from the top."""
    return f"({GRID - 1}-{row})*{GRID}+{column}+1"


def number(column: Array, row: Array) -> Array:
    """The same, from the places along both axes."""
    return (GRID - 1 - row) * GRID + column + 1
