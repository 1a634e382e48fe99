"""What a class has handed in: as a table, as CSV and as JSON."""

from __future__ import annotations

import csv
import dataclasses
import io
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sheetnet.output import finite, tame

BOM = "\ufeff"
"""Excel takes a CSV file for UTF-8 only where it begins with this."""

MOST_SHOWN = 3
"""Altered cells that the table names."""

_COUNTS = ("asked", "right", "wrong", "missing", "hard_coded")
_CSV = ("file", "quantity", *_COUNTS, "first_wrong_cell", "column", "visit", "holds", "wanted")


@dataclass(frozen=True)
class FirstWrong:
    """The first wrong cell: ``Train!AE5``, the column's plain name, what stands there."""

    cell: str
    column: str
    visit: int
    holds: str
    wanted: float

    def __str__(self) -> str:
        place = f"{self.cell} ({self.column}, visit {self.visit})"
        return f"{place}: {shortened(self.holds)}, right is {self.wanted:.6g}"


@dataclass(frozen=True)
class Count:
    """How many cells of a quantity (or ``all``) were asked, and how they are."""

    quantity: str
    asked: int
    right: int
    wrong: int
    missing: int
    hard_coded: int
    first_wrong: FirstWrong | None = None


@dataclass(frozen=True)
class Graded:
    """A hand-in: its counts (of all cells in front), or the ``problem`` why there are none.

    ``altered`` names what has been changed of what was given.
    """

    file: str
    counts: tuple[Count, ...] = ()
    altered: tuple[str, ...] = ()
    problem: str | None = None


@dataclass(frozen=True)
class Grading:
    """A class."""

    files: tuple[Graded, ...]

    @property
    def graded(self) -> int:
        """How many files could be graded."""
        return sum(each.problem is None for each in self.files)

    def to_text(self) -> str:
        """A table: a line for each file, below it one for each quantity."""
        names = [shortened(each.file, 60) for each in self.files]
        wide = max(map(len, (*names, "file")))
        heads = "".join(f"{name.replace('_', '-'):>12}" for name in _COUNTS)
        lines = [f"{'file':<{wide}}{heads}  first wrong cell"]
        for name, each in zip(names, self.files, strict=True):
            lines += _lines(name, each, wide)
        failed = len(self.files) - self.graded
        end = f"{self.graded} of {len(self.files)} files graded"
        lines.append(end + (f", {failed} could not be" if failed else ""))
        return "\n".join(lines)

    def to_json(self) -> str:
        """One JSON object."""
        found = [finite(dataclasses.asdict(each)) for each in self.files]
        return json.dumps({"graded": self.graded, "files": found}, indent=2, allow_nan=False)

    def to_csv(self) -> str:
        """A row for each file and quantity, of each file ``all`` first; with BOM.

        Texts that a spreadsheet would take for formulas get an apostrophe.
        """
        text = io.StringIO(newline="")
        rows = csv.writer(text)
        rows.writerow((*_CSV, "remark"))
        for each in self.files:
            for row in _rows(each):
                rows.writerow([tame(cell) if isinstance(cell, str) else cell for cell in row])
        return BOM + text.getvalue()


def _lines(name: str, each: Graded, wide: int) -> Iterator[str]:
    if each.problem is not None:
        yield f"{name:<{wide}}  {shortened(each.problem, 300)}"
        return
    for n, count in enumerate(each.counts):
        numbers = "".join(f"{getattr(count, key):>12}" for key in _COUNTS)
        first = f"  {count.first_wrong}" if count.first_wrong is not None else ""
        yield f"{name if n == 0 else f'  {count.quantity}':<{wide}}{numbers}{first}"
    if each.altered:
        yield f"  altered: {shortened(_altered(each.altered), 300)}"


def _altered(names: Sequence[str]) -> str:
    more = f" and {len(names) - MOST_SHOWN} more" if len(names) > MOST_SHOWN else ""
    return ", ".join(names[:MOST_SHOWN]) + more


def _rows(each: Graded) -> Iterator[tuple[object, ...]]:
    if each.problem is not None:
        yield (each.file, *[""] * (len(_CSV) - 1), each.problem)
    for n, count in enumerate(each.counts):
        numbers = (getattr(count, key) for key in _COUNTS)
        first = count.first_wrong
        where = ("",) * 5 if first is None else dataclasses.astuple(first)
        remark = f"altered: {_altered(each.altered)}" if n == 0 and each.altered else ""
        yield (each.file, count.quantity, *numbers, *where, remark)


def shortened(text: str, most: int = 80) -> str:
    """On one line, without what a terminal would act upon."""
    plain = "".join(c if c.isprintable() else "?" for c in text)
    return plain if len(plain) <= most else f"{plain[: most - 1]}…"
