"""What a column depends on, read from the formulas themselves."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from openpyxl.utils import column_index_from_string

from sheetnet.formula import Formula

_CELLS = re.compile(r"\$?([A-Z]{1,3})\{([rp])\}(?::\$?([A-Z]{1,3})\{[rp]\})?")
"""Cells of the formula's own row, or of the row before."""


@dataclass(frozen=True)
class Nearest:
    """The asked columns that numbers come from, with none in between.

    ``before``: whether some come from the row before.
    """

    columns: frozenset[int]
    before: bool


@dataclass
class Upstream:
    """Follows formulas up to what is asked.

    ``formulas`` maps columns (from 1) to their formulas; of ``asked`` ones what lies behind
    does not count: their own numbers are judged. ``first`` takes the formulas of visit 1.
    """

    formulas: Mapping[int, Formula]
    asked: frozenset[int]
    first: bool = False
    known: dict[int, Nearest] = field(default_factory=dict)

    def of(self, column: int) -> Nearest:
        """What the numbers of a column come from."""
        if column not in self.known:
            formula = self.formulas.get(column)
            own, before = ((), ()) if formula is None else self._reads(formula)
            found = self.through(own)
            self.known[column] = Nearest(found.columns, found.before or bool(before))
        return self.known[column]

    def through(self, columns: Iterable[int]) -> Nearest:
        """What the numbers in some columns of a row come from, these among them."""
        found: set[int] = set()
        before = False
        for column in columns:
            if column in self.asked:
                found.add(column)
                continue
            behind = self.of(column)
            found |= behind.columns
            before = before or behind.before
        return Nearest(frozenset(found), before)

    def _reads(self, formula: Formula) -> tuple[set[int], set[int]]:
        return reads(formula.first if self.first else formula.rest)


def reads(text: str) -> tuple[set[int], set[int]]:
    """The columns that a formula reads in its own row, and in the row before."""
    found: dict[str, set[int]] = {"r": set(), "p": set()}
    for first, row, last in _CELLS.findall(text):
        start = column_index_from_string(first)
        end = column_index_from_string(last) if last else start
        found[row].update(range(start, end + 1))
    return found["r"], found["p"]


def carried(formulas: Mapping[int, Formula]) -> set[int]:
    """The columns that the next row reads."""
    return set[int]().union(*(reads(formula.rest)[1] for formula in formulas.values()))
