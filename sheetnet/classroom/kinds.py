"""What a kind of fault is: the mistake that people make, and how it changes a column."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from sheetnet.classroom.columns import Column, Setting
from sheetnet.concepts.cells import Cells
from sheetnet.formula import Formula
from sheetnet.network import Layer, Network
from sheetnet.regions import TRAIN

Content = Formula | float
"""What stands in the wrong cells: another formula, or a number typed over it."""

Rows = tuple[int, int]
"""The first and the last row of a column that are wrong, from 0."""

Draw = np.random.RandomState


@dataclass(frozen=True)
class Case:
    """Where a fault may be made: these rows of a column, in this run."""

    column: Column
    setting: Setting
    rows: Rows

    @property
    def refs(self) -> Mapping[str, Cells]:
        """The cells of ``Train`` in the row of a formula."""
        return self.setting.refs

    @property
    def network(self) -> Network:
        """The network."""
        return self.setting.problem.network

    @property
    def layer(self) -> Layer:
        """The layer that the column belongs to."""
        assert self.column.block.layer is not None  # asked of columns of a layer only
        return self.network.layers[self.column.block.layer - 1]

    @property
    def is_last(self) -> bool:
        """Whether it belongs to the last layer."""
        return self.column.block.layer == len(self.network.layers)


Find = Callable[[Case], Sequence[Content]]
"""The wrong contents that a kind has for a case; none where it has none."""

Change = Callable[[str, Case], str | None]
"""A formula's text made wrong; None (or the same text) where there is nothing to be done."""

REACH = 60
"""Faults of a few rows stand among the first so many, where people look."""

SOME = 12
"""They have at most so many rows."""


@dataclass(frozen=True)
class Kind:
    """One kind of fault: a record is all that it takes to add one.

    Attributes
    ----------
    name: for scripts; title: what is wrong, in a few words.
    told: what was done, and what comes of it, for the teacher.
    find: the wrong contents for a column; none where the kind does not apply to it.
    rows: which rows of a column are wrong, drawn anew for each fault; None: too few rows.
    wide: whether it may be made in all columns of a quantity, as when filled to the right.
    sheets: where it is made.

    """

    name: str
    title: str
    told: str
    find: Find
    rows: Callable[[int, Draw], Rows | None]
    wide: bool = False
    sheets: tuple[str, ...] = (TRAIN,)


def put(text: str, ref: str, other: str) -> str:
    """Put another text in the place of a reference, wherever that stands by itself."""
    return re.sub(rf"(?<![A-Z]){re.escape(ref)}", lambda _: other, text)


def all_rows(rows: int, _draw: Draw) -> Rows | None:
    """The formula was wrong when it was filled down."""
    return 0, rows - 1


def later_rows(rows: int, _draw: Draw) -> Rows | None:
    """All but the first row, which has a formula of its own or nothing above it."""
    return (1, rows - 1) if rows > 2 else None


def first_row(_rows: int, _draw: Draw) -> Rows | None:
    """The first row alone."""
    return 0, 0


def one_row(rows: int, draw: Draw) -> Rows | None:
    """One row amid the others."""
    if rows < 4:
        return None
    row = int(draw.randint(2, min(rows - 1, REACH)))
    return row, row


def some_rows(most: int) -> Callable[[int, Draw], Rows | None]:
    """A few rows amid the others, at most ``most``: the formula was filled down over them."""

    def rows(count: int, draw: Draw) -> Rows | None:
        if count < 6:
            return None
        length = int(draw.randint(3, max(4, min(most, count - 3) + 1)))
        first = int(draw.randint(2, max(3, min(count - length, REACH))))
        last = first + length - 1
        return (first, last) if last < count else None

    return rows


def texts(change: Change) -> Find:
    """The fault of a column whose formula's text is changed, wherever it is the same mistake."""

    def find(case: Case) -> Sequence[Content]:
        formula = case.column.formula
        rest = change(formula.rest, case)
        if rest is None or rest == formula.rest:
            return ()
        first = change(formula.first, case)
        return (replace(formula, first=formula.first if first is None else first, rest=rest),)

    return find


def choices(change: Callable[[str, Case], Sequence[str]]) -> Find:
    """Several wrong texts, of which one is drawn; for rows after the first."""

    def find(case: Case) -> Sequence[Content]:
        formula = case.column.formula
        made = (text for text in change(formula.rest, case) if text != formula.rest)
        return tuple(replace(formula, rest=text) for text in dict.fromkeys(made))

    return find
