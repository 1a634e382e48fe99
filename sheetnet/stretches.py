"""Formulas that are written a little differently every few rows, and mean the same.

LibreOffice calculates long runs of equal formulas that stand below one another together, in
threads. Under early stopping such a run waits for what the epochs before decide, which wait
for others, and beyond some depth it reports a circle (``#VALUE!``, Err:522) where there is
none. So there each column has a ``$`` in every other stretch of rows, and no run is long.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from sheetnet.concepts.cells import Cells
from sheetnet.formula import Alternating, Formula

SIGN = "{$}"
"""Stands before a column's letters for the ``$`` that comes and goes."""

STRETCH = 64
"""Rows in a stretch: LibreOffice leaves runs of less than a hundred to themselves."""

FIXED_FIRST = Alternating(SIGN, "$", STRETCH, first=True)
"""Of a reference to one cell of another sheet, which people write with the sign."""


def apart(refs: Mapping[str, Cells]) -> dict[str, Cells]:
    """The references, each with the place of the sign before its column."""
    return {name: Cells(tuple(_with_place(ref) for ref in own)) for name, own in refs.items()}


def _with_place(ref: str) -> str:
    sheet, mark, cell = ref.rpartition("!")
    return f"{sheet}{mark}{SIGN}{cell}"


def signed(found: Mapping[str, Sequence[Formula]]) -> dict[str, list[Formula]]:
    """The formulas of each quantity, told when the sign comes and goes."""
    sign = Alternating(SIGN, "$", STRETCH)
    return {name: [_with(f, sign) for f in formulas] for name, formulas in found.items()}


def _with(formula: Formula, sign: Alternating) -> Formula:
    if SIGN not in formula.first + formula.rest or formula.stretch:
        return formula
    return replace(formula, steps=(*formula.steps, sign))
