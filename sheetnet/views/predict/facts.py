"""What the single cells of ``Predict`` are filled in from."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from sheetnet.concepts.arithmetic import Array
from sheetnet.regions import address
from sheetnet.views.predict import axes
from sheetnet.views.predict.plan import (
    GRID,
    Plan,
)
from sheetnet.views.view import Content, Live


@dataclass(frozen=True)
class Facts:
    """What is known when the single cells are filled in.

    ``typed``, ``rows`` and ``points`` hold the quantities of the tables; ``axes`` start and
    step of each, ``edges`` the numbers along the map, from the left and from the top.
    """

    at_update: int
    raw: Array
    typed: Mapping[str, Array]
    rows: Mapping[str, Array]
    points: Mapping[str, Array]
    axes: tuple[tuple[float, float], ...]
    edges: tuple[Array, ...]

    @cached_property
    def typed_cell(self) -> float:
        """The number of the map's cell that what is typed falls into, 0 outside."""
        at = [axes.place(self.raw[:, i], *self.axes[i])[0] for i in range(2)]
        if not np.isfinite(at).all():
            return float("nan")
        inside = all(0 <= a < GRID for a in at)
        return float(axes.number(at[0], at[1])) if inside else 0.0

    @cached_property
    def value_size(self) -> float:
        """The largest magnitude that the map shows."""
        return magnitude(self.points["value"])


@dataclass(frozen=True)
class Shown:
    """A cell: its formula, what it holds, and a magnitude that differences are measured by."""

    live: Live
    value: Callable[[Facts], Content]
    size: Callable[[Facts], float] | None = None


def in_typed(plan: Plan, name: str, i: int = 0) -> str:
    """The cell of a quantity in the row of what is typed."""
    return address(plan.typed_region.row, plan.typed_region.column + plan.typed[name].first + i)


def number_of(table: str, name: str, k: int) -> Callable[[Facts], float]:
    """One number of the row of what is typed."""
    return lambda f: float(getattr(f, table)[name][0, k])


def largest_of(table: str, name: str, k: int) -> Callable[[Facts], float]:
    """The largest magnitude of a quantity."""
    return lambda f: magnitude(getattr(f, table)[name][:, k])


def magnitude(numbers: Array) -> float:
    """The largest magnitude of those that are numbers."""
    return float(np.max(np.abs(np.where(np.isfinite(numbers), numbers, 0.0)), initial=0.0))


def finite(number: Array | float) -> float:
    """A number, nan for what a sheet cannot hold."""
    return float(number) if np.isfinite(number) else float("nan")


def constant(content: Content) -> Callable[[Facts], Content]:
    """What holds whatever is known."""
    return lambda f: content


REDUCE = {"MIN": np.min, "MAX": np.max}
"""Functions over ranges, and NumPy's."""


SETS = ("training rows", "held-out rows")


def sets_of(plan: Plan) -> list[tuple[str, int, int]]:
    """What rows are used for: (name, first from 0, end)."""
    rows, held_out = plan.problem.rows, plan.problem.held_out
    found = [(SETS[0], 0, rows)]
    return [*found, (SETS[1], rows, rows + held_out)] if held_out else found
