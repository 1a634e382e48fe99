"""A column's formula: one text for all rows, the first perhaps excepted.

The text holds ``{r}`` for its own row and ``{p}`` for the row before it.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Formula:
    """The formula of a column, without ``=``: of its first row and of all others."""

    first: str
    rest: str

    def at(self, row: int, first_row: int) -> str:
        """The text in a row of a region that begins at ``first_row``."""
        text = self.first if row == first_row else self.rest
        return text.replace("{r}", str(row)).replace("{p}", str(row - 1))

    @property
    def uniform(self) -> bool:
        """Whether the first row has the same formula as the others."""
        return self.first == self.rest

    @property
    def foreign(self) -> bool:
        """Whether the formula names another sheet, which shared formulas must not."""
        return "!" in self.rest


def same(text: str) -> Formula:
    """A formula that is the same in all rows."""
    return Formula(text, text)
