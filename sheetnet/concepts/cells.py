"""Cell references and the sums over them: the sheet's side of ``arithmetic``.

A reference is text such as ``AB{r}``, where ``{r}`` stands for the row that the
formula is in and ``{p}`` for the row before it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from sheetnet.concepts.arithmetic import WRITTEN_OUT


@dataclass(frozen=True)
class Cells:
    """References to cells that stand side by side in one row."""

    refs: tuple[str, ...]

    def __getitem__(self, index: int) -> str:
        return self.refs[index]

    def __iter__(self) -> Iterator[str]:
        return iter(self.refs)

    def __len__(self) -> int:
        return len(self.refs)

    @property
    def span(self) -> str:
        """The range from the first to the last cell, its sheet named once."""
        return f"{self.refs[0]}:{self.refs[-1].rpartition('!')[2]}"


def worked_in(texts: Iterable[str]) -> Cells:
    """Formulas that take the place of cells in others."""
    return Cells(tuple(f"({text})" for text in texts))


def weighted_sum(bias: str, weights: Cells, inputs: Cells) -> str:
    """B + w1·x1 + w2·x2 …; from nine terms on ``SUMPRODUCT``."""
    if len(weights) <= WRITTEN_OUT:
        return "+".join([bias, *(f"{w}*{x}" for w, x in zip(weights, inputs, strict=True))])
    return f"{bias}+SUMPRODUCT({weights.span},{inputs.span})"


def dot(left: Cells, right: Cells) -> str:
    """l1·r1 + l2·r2 …; from nine terms on ``SUMPRODUCT``."""
    if len(left) <= WRITTEN_OUT:
        return "+".join(f"{a}*{b}" for a, b in zip(left, right, strict=True))
    return f"SUMPRODUCT({left.span},{right.span})"


def total(cells: Cells) -> str:
    """c1 + c2 …; from nine terms on ``SUM``."""
    return "+".join(cells) if len(cells) <= WRITTEN_OUT else f"SUM({cells.span})"


def among(span: str, place: str) -> str:
    """The cell at a place (from 1) of a column that is given as a range; see :func:`look_up`."""
    first, _, last = span.partition(":")
    return first if first == last else f"INDEX({span},{place})"


def written_sum(products: list[str]) -> str:
    """The products added one after the other, however many: their cells are apart."""
    return products[0] if len(products) == 1 else "(" + "+".join(products) + ")"


def look_up(column: str, first: int, last: int, place: str) -> str:
    """The cell of a column (``Data!B``) at a place (from 1) among rows.

    Among a single row it is that cell: Gnumeric's INDEX takes no single cell.
    """
    if first == last:
        return f"{column}${first}"
    own = column.rpartition("!")[2]
    return f"INDEX({column}${first}:{own}${last},{place})"
