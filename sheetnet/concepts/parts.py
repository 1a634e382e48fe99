"""The form that all concepts share: one ledger quantity with its two forms."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from sheetnet.concepts.arithmetic import Array
from sheetnet.concepts.cells import Cells

Quantities = Mapping[str, Array]
"""Name -> values. A quantity of a layer has shape (..., units), a single one (...)."""

References = Mapping[str, Cells]
"""Name -> the cells of that quantity in the row of the formula."""


@dataclass(frozen=True)
class Part:
    """One quantity of a layer, in NumPy and as a cell.

    Attributes
    ----------
    name: what the ledger calls it (``e`` becomes the columns ``e2[1]``, ``e2[2]`` …).
    per_unit: one column for each unit, or a single one for the layer.
    value: the NumPy form; takes the layer's quantities so far.
    cell: the cell form; takes their references and the unit's index from 0.
    maths: the mathematical notation, in Unicode.
    code: the NumPy form as source for one row, an expression over the quantities.

    """

    name: str
    per_unit: bool
    value: Callable[[Quantities], Array]
    cell: Callable[[References, int], str]
    maths: str
    code: str
