"""A column's formula: one text for all rows, the first perhaps excepted.

The text holds ``{r}`` for its own row and ``{p}`` for the row before it, and the keys of
its steps for rows of other sheets.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_AREA = r"\$?[A-Z]{1,3}\$?(?:\d+|\{\w\})(?::\$?[A-Z]{1,3}\$?(?:\d+|\{\w\}))?"
_NAME = re.compile(r"\b[a-z]\w+\b")
_SHEET = r"(?:'[^']+'|\b\w+)!"
_LOOK_UP = re.compile(rf"INDEX\(({_SHEET}{_AREA}),(?:{_AREA}|{_NAME.pattern})\)")
_ELSEWHERE = re.compile(rf"{_SHEET}{_AREA}")
_HERE = re.compile(rf"(?<![\w!$:]){_AREA}")


@dataclass(frozen=True)
class Step:
    """A row of another sheet that moves on with the formula's own row.

    ``key`` stands for it in the text: ``base`` at first, and after each ``every`` rows
    ``by`` more.
    """

    key: str
    base: int
    every: int = 1
    by: int = 1

    def at(self, offset: int) -> int:
        """The row, for the formula ``offset`` rows below the first."""
        return self.base + offset // self.every * self.by


@dataclass(frozen=True)
class Listed:
    """Rows of another sheet, one for each row of the formula: ``key`` stands for it."""

    key: str
    rows: tuple[int, ...]

    def at(self, offset: int) -> int:
        """The row, for the formula ``offset`` rows below the first."""
        return self.rows[offset]


@dataclass(frozen=True)
class Alternating:
    """A sign that comes and goes: ``key`` stands for ``sign`` in every other stretch of rows.

    The ``$`` of a column, say: the formula means the same with it and without. ``first``
    tells whether it stands in the first stretch.
    """

    key: str
    sign: str
    every: int
    first: bool = False

    def at(self, offset: int) -> str:
        """The sign or nothing, for the formula ``offset`` rows below the first."""
        return self.sign if offset // self.every % 2 != self.first else ""


Moving = Step | Listed
"""What names another row of another sheet in each row of a formula."""


@dataclass(frozen=True)
class Formula:
    """The formula of a column, without ``=``: of its first rows and of all others.

    ``first_rows`` is how many rows have the text ``first``.
    """

    first: str
    rest: str
    first_rows: int = 1
    steps: tuple[Moving | Alternating, ...] = ()

    def text(self, offset: int) -> str:
        """The text, placeholders and all, ``offset`` rows below the first."""
        return self.first if offset < self.first_rows else self.rest

    def at(self, row: int, first_row: int) -> str:
        """The text in a row of a region that begins at ``first_row``."""
        offset = row - first_row
        text = self.text(offset).replace("{r}", str(row)).replace("{p}", str(row - 1))
        for step in self.steps:
            text = text.replace(step.key, str(step.at(offset)))
        return text

    @property
    def uniform(self) -> bool:
        """Whether the first row has the same formula as the others."""
        return self.first == self.rest

    @property
    def shareable(self) -> bool:
        """Whether shared formulas can hold it: it stays on its sheet and so has no steps."""
        return "!" not in self.rest and not self.moves

    @property
    def moves(self) -> bool:
        """Whether it names rows of another sheet that move on with its own."""
        return any(isinstance(step, Moving) for step in self.steps)

    def form(self, offset: int) -> tuple[object, ...]:
        """Rows of the same form have the same formula, seen from their own cells."""
        if self.moves:
            return (offset,)
        return (offset < self.first_rows, *(step.at(offset) for step in self.steps))

    def stretches(self, start: int, end: int) -> Iterator[tuple[int, int]]:
        """Cut the rows at these offsets into stretches of one form: first and end of each."""
        at = start
        while at < end:
            until = at + 1
            if not self.moves:
                borders = [end, *([self.first_rows] if at < self.first_rows else [])]
                borders += [
                    s.every * (at // s.every + 1) for s in self.steps if isinstance(s, Alternating)
                ]
                until = min(borders)
            yield at, until
            at = until

    @property
    def stretch(self) -> int:
        """Rows that are written alike before a sign comes or goes; 0: all of them."""
        return next((s.every for s in self.steps if isinstance(s, Alternating)), 0)


def fetches(text: str) -> bool:
    """Whether a formula takes all of its numbers from other sheets.

    The cell, or the name, that tells a look-up which row to take may be its own sheet's.
    """
    if "!" not in text:
        return False
    bare = _LOOK_UP.sub(r"\1", text.replace("{$}", ""))
    rest = _ELSEWHERE.sub("", bare)
    return bool(_ELSEWHERE.search(bare)) and not (_HERE.search(rest) or _NAME.search(rest))


def same(text: str, *steps: Moving | Alternating) -> Formula:
    """A formula that is the same in all rows, but for its steps."""
    return Formula(text, text, steps=steps)
