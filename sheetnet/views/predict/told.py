"""What outputs say and what is right: classes in NumPy and as cells, side by side.

A class is a number from 1. Outputs are compared by the sign of their difference, which is
exact in all applications; of equal outputs the first counts.
"""

from __future__ import annotations

import numpy as np

from sheetnet.concepts.arithmetic import Array
from sheetnet.concepts.cells import Cells
from sheetnet.concepts.summaries import HALF


def largest_cells(a: Cells, told: Cells) -> list[str | None]:
    """Column k: the number of the largest of the first k outputs; the first is always 1."""
    found: list[str | None] = [None]
    for k in range(1, len(a)):
        before = told[k - 1]
        found.append(f"IF(SIGN({a[k]}-INDEX({a.span},1,{before}))>0,{k + 1},{before})")
    return found


def largest(a: Array) -> Array:
    """The same for outputs (rows, outputs), nan from the first error on."""
    found = np.ones_like(a)
    best = a[:, 0]
    for k in range(1, a.shape[1]):
        difference = a[:, k] - best
        wins = difference > 0
        found[:, k] = np.where(wins, k + 1.0, found[:, k - 1])
        found[np.isnan(difference), k] = np.nan
        best = np.where(np.isnan(difference), np.nan, np.where(wins, a[:, k], best))
    return found


def side_cell(number: str) -> str:
    """2 from 0.5 on, else 1."""
    return f"IF(SIGN({number}-{HALF})>=0,2,1)"


def side(numbers: Array) -> Array:
    """The same, nan for an error."""
    return np.where(np.isnan(numbers), np.nan, np.where(numbers - HALF >= 0, 2.0, 1.0))


def coded_cell(y: Cells) -> str:
    """The number of the one output whose coded target is 1."""
    return f"MATCH(1,{y.span},0)"


def coded(y: Array) -> Array:
    """The same for targets (rows, outputs), nan where there is none."""
    return np.where((y == 1).any(axis=1), np.argmax(y == 1, axis=1) + 1.0, np.nan)


def share_cell(y: Cells, told: str) -> str:
    """The target of the class told: 1 where it is right."""
    return f"INDEX({y.span},1,{told})"


def share(y: Array, told: Array) -> Array:
    """The same for targets (rows, outputs) and classes (rows,)."""
    fine = np.isfinite(told)
    index = np.where(fine, told, 1.0).astype(np.int64) - 1
    return np.where(fine, y[np.arange(len(y)), index], np.nan)


def equal_cell(told: str, right: str) -> str:
    """1 where the class told is the right one, else 0."""
    return f"IF({told}={right},1,0)"


def equal(told: Array, right: Array) -> Array:
    """The same, nan where one of them is an error."""
    return np.where(np.isnan(told + right), np.nan, np.where(told == right, 1.0, 0.0))
