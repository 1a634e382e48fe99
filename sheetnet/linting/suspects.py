"""Cells that interrupt a law: which of them have no reason to.

A run that stands between two parts of one law, or at the end of it, is suspect where it
is the smaller part by far. It is acquitted where the law could not hold there (it would
read a heading, a blank, or beyond the sheet), where the cells beside it change their ways
in the same place (a row of totals, the first row of an epoch), where it follows those
beside it instead, and where it sums up the cells before it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sheetnet.linting.cells import (
    CONSTANT_NUMBER,
    CONSTANT_TEXT,
    NOTHING,
    OUTSIDE,
    Axis,
    Lines,
    SheetCells,
    Workbook,
)
from sheetnet.linting.laws import Law, fits, natural_law
from sheetnet.linting.runs import Run
from sheetnet.reader.sparse import BLANK, TEXT

GAP_RUNS = 8
"""Different runs that may stand between two parts of one law."""

BESIDE = 64
"""Cells to either side that are asked whether they change their ways in the same place."""


@dataclass(frozen=True)
class Suspect:
    """A run without a reason, the law that it breaks, and how many cells follow that."""

    axis: Axis
    line: int
    run: Run
    law: Law
    support: int


@dataclass(frozen=True)
class Court:
    """What is needed to judge the runs of a sheet's lines along one axis."""

    book: Workbook
    cells: SheetCells
    axis: Axis

    @property
    def crossing(self) -> Lines:
        """The lines that run across those judged."""
        return self.cells.across if self.axis.down else self.cells.down

    def suspects(self, line: int, runs: Sequence[Run]) -> Iterator[Suspect]:
        """The runs of a line that break a law without a reason."""
        support, parts = _supports(runs)
        for run, law, near in (*_between(runs, support), *_at_ends(runs)):
            if run.law is not None:
                own = run.law, run.other_signs
                if parts[own] > 1 and support[own] * 8 > support[law, False]:
                    continue
            if self._is_sum(line, run, law) or self._has_reason(run, law, near):
                continue
            at_end = near is not None
            if self._guilty(line, run, law, support[law, False], at_end=at_end):
                yield Suspect(self.axis, line, run, law, support[law, False])

    def _has_reason(self, run: Run, law: Law, near: int | None) -> bool:
        """Whether the law, in these cells, would read what it reads nowhere else."""
        if run.other_signs:
            return False
        member = near if near is not None else run.start - run.step
        usual = self.book.reads(self.cells, law.form, law.targets(member))
        for position in {run.start, run.last}:
            there = self.book.reads(self.cells, law.form, law.targets(position))
            for a, b in zip(there, usual, strict=True):
                if a != b and a in (BLANK, TEXT, OUTSIDE) and b not in (BLANK, OUTSIDE):
                    return True
        return False

    def _is_sum(self, line: int, run: Run, law: Law) -> bool:
        """Whether it reads a stretch of its own line, which the law does not."""
        if run.law is None or run.law.skeleton == law.skeleton:
            return False
        form = self.book.forms.form(run.token)
        uses = self.book.forms.uses(run.token)
        targets = form.targets(*self.axis.place(line, run.start))
        for i, use in enumerate(uses[:-1]):
            if use.opens and use.sheet is None:
                (first, start), (last, end) = (self.axis.turn(*t) for t in targets[i : i + 2])
                if first <= line <= last and end > start:
                    return True
        return False

    def _guilty(self, line: int, run: Run, law: Law, support: int, *, at_end: bool) -> bool:
        """What the cells beside it say."""
        changing = going_on = alike = 0
        for other, token, before, after in self._beside(line, run, law.step):
            neighbours = [t for t in (before, after) if t is not None and t >= 0]
            if token >= 0 and neighbours:
                same = all(self._continues(other, token, run, law.step, n) for n in neighbours)
                going_on += same
                changing += not same
            elif token < 0 and run.token == token == CONSTANT_NUMBER and neighbours:
                changing += 1
            alike += token == run.token and bool(neighbours)
        if run.token < 0 and run.token != CONSTANT_NUMBER:
            return going_on > changing
        if alike + 1 >= support and not run.other_signs:
            return False
        if at_end and not run.other_signs:
            similar = run.law is not None and run.law.skeleton == law.skeleton
            needed = 0 if similar else 2 if run.law is not None else 1
            return going_on >= needed and changing <= going_on
        return changing <= max(1, going_on) or run.token == CONSTANT_NUMBER

    def _beside(
        self, line: int, run: Run, step: int
    ) -> Iterator[tuple[int, int, int | None, int | None]]:
        """Of the cells beside it, up to the first blank: line, token, those before and after."""
        low, high = max(1, line - BESIDE), line + BESIDE
        here = self.crossing.window(run.start, low, high)
        before = self.crossing.window(run.start - step, low, high)
        after = self.crossing.window(run.last + step, low, high)
        for direction in (-1, 1):
            other = line + direction
            while (token := here.get(other, NOTHING)) != NOTHING and low <= other <= high:
                yield other, token, before.get(other), after.get(other)
                other += direction

    def _continues(self, line: int, token: int, run: Run, step: int, neighbour: int) -> bool:
        """Whether a formula beside goes on as its neighbour in its own line does."""
        if token == neighbour:
            return True
        forms = self.book.forms
        if forms.form(token).number != forms.form(neighbour).number:
            return False
        law = natural_law(forms, token, self.axis, line, run.start, step)
        return any(
            fits(forms, law, neighbour, self.axis, line, position)
            for position in (run.start - step, run.last + step)
        )


def _supports(
    runs: Sequence[Run],
) -> tuple[dict[tuple[Law, bool], int], dict[tuple[Law, bool], int]]:
    """How many cells follow each law, and in how many runs."""
    cells: dict[tuple[Law, bool], int] = {}
    parts: dict[tuple[Law, bool], int] = {}
    for run in runs:
        if run.law is not None:
            key = run.law, run.other_signs
            cells[key] = cells.get(key, 0) + run.count
            parts[key] = parts.get(key, 0) + 1
    return cells, parts


def _between(
    runs: Sequence[Run], support: dict[tuple[Law, bool], int]
) -> Iterator[tuple[Run, Law, int | None]]:
    """Runs between two parts of one law, with that law."""
    seen: dict[Law, int] = {}
    for i, run in enumerate(runs):
        if run.law is None or run.other_signs:
            continue
        before = seen.get(run.law)
        seen[run.law] = i
        if before is None or not 1 < i - before <= GAP_RUNS + 1:
            continue
        gap = runs[before + 1 : i]
        size, whole = sum(r.count for r in gap), support[run.law, False]
        numbers = all(r.token == CONSTANT_NUMBER for r in gap)
        if whole >= 3 and size <= (2 * whole if numbers else whole / 2):
            for other in gap:
                if other.law is None or support[other.law, other.other_signs] <= whole / 2:
                    yield other, run.law, None


def _at_ends(runs: Sequence[Run]) -> Iterator[tuple[Run, Law, int]]:
    """Short runs before or after the long one of a stretch without blanks and texts.

    With the law of the long one, and the position of the cell of it that is nearest.
    """
    first = 0
    for end in range(len(runs) + 1):
        if end < len(runs) and runs[end].token not in (NOTHING, CONSTANT_TEXT):
            continue
        yield from _ends_of(runs[first:end])
        first = end + 1


def _ends_of(runs: Sequence[Run]) -> Iterator[tuple[Run, Law, int]]:
    main = max(
        (i for i, run in enumerate(runs) if run.law is not None and not run.other_signs),
        key=lambda i: runs[i].count,
        default=None,
    )
    if main is None or runs[main].count < 3:
        return
    long, law = runs[main], runs[main].law
    assert law is not None
    allowed = max(2 if long.count > 3 else 1, long.count // 4)
    whole = [i for i, run in enumerate(runs) if run.law == law and not run.other_signs]
    for part, near in ((runs[: whole[0]], runs[whole[0]].start), (runs[whole[-1] + 1 :], -1)):
        size = sum(run.count for run in part)
        if 0 < size <= allowed:
            at = near if near > 0 else runs[whole[-1]].last
            for run in part:
                yield run, law, at
