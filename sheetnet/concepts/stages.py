"""The form of whatever stands between a gradient and its update."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sheetnet.concepts.arithmetic import Array

Numbers = Mapping[str, Any]
"""What a slot sees by name, NumPy side: floats (hyperparameters), and arrays that broadcast."""

Refs = Mapping[str, str]
"""The same on the sheet's side: one cell of each."""


@dataclass(frozen=True)
class Slot:
    """One number kept or derived for each parameter, or (``single``) once for all.

    It sees ``gradient``, its own value one row ``before`` (0 before the first), the
    slots that come earlier in its row, ``update`` (the number t of the update, from 1),
    ``first`` and ``count`` of the batch where there are batches, and the
    hyperparameters by name. A single slot that ``sees_all`` has as ``gradient`` all
    gradients of the row: an array (..., parameters), and the ranges of their cells.

    Attributes
    ----------
    name: its prefix in the ledger (``m`` becomes ``mW1[2,1]``).
    carried: whether it depends on ``before``.
    holds: whether it keeps its value in rows that make no update (if carried).
    adds: for a running sum, which starts anew at the first sample of each batch: what a
        row adds to it; ``value`` is the whole.
    value, cell: its NumPy form and its cell form.
    maths: the mathematical notation.
    code: the NumPy form as source, an expression. A carried slot that holds nothing
        begins each batch at 0, so its code need not ask for ``first``.
    torch: PyTorch source that does it to the gradients of the parameters ``trained``;
        empty where autograd or the optimizer does.

    """

    name: str
    value: Callable[[Numbers], Array]
    cell: Callable[[Refs], str]
    maths: str
    code: str
    carried: bool = False
    holds: bool = True
    single: bool = False
    sees_all: bool = False
    torch: str = ""
    adds: Callable[[Numbers], Array] | None = None
