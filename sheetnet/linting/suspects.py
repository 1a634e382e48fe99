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
from itertools import pairwise

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
from sheetnet.linting.laws import Law, fits, natural_law, stepping_law
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
        for run, law, near in _candidates(runs, support):
            if run.law is not None:
                own = run.law, run.other_signs
                if parts[own] > 1 and support[own] * 8 > support[law, False]:
                    continue
            if self._is_sum(line, run, law) or self._has_reason(run, law, near):
                continue
            if self._guilty(line, run, law, support[law, False], near):
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

    def _guilty(self, line: int, run: Run, law: Law, support: int, near: int | None) -> bool:
        """What the cells beside it say; ``near`` is the side where the law holds, None: both."""
        sides = [-1, 1] if near is None else [-1 if near < run.start else 1]
        changing = going_on = alike = 0
        for other, token, neighbours in self._beside(line, run, sides):
            formulas = [n for n in neighbours if n[0] >= 0]
            if not formulas:
                continue
            if token >= 0:
                same = all(self._continues(other, token, run, n) for n in formulas)
                going_on += same
                changing += not same
            elif token == run.token == CONSTANT_NUMBER:
                changing += 1
            alike += token == run.token
        if run.token in (NOTHING, CONSTANT_TEXT):
            if near is None:
                return going_on > changing
            return going_on > 2 + 2 * changing or (going_on == 2 and not changing)
        if alike + 1 >= support and not run.other_signs:
            return False
        if near is not None and not run.other_signs:
            similar = run.law is not None and run.law.skeleton == law.skeleton
            return going_on >= (not similar) and changing <= going_on
        return changing <= max(1, going_on) or run.token == CONSTANT_NUMBER

    def _beside(
        self, line: int, run: Run, sides: Sequence[int]
    ) -> Iterator[tuple[int, int, list[tuple[int, int, int]]]]:
        """Of the cells beside it, up to the first blank: their line, token and neighbours.

        Of each side, the tokens of the next two cells in their line, and which side it is.
        """
        low, high = max(1, line - BESIDE), line + BESIDE
        here = self.crossing.window(run.start, low, high)
        near = {
            side: [
                self.crossing.window((run.start if side < 0 else run.last) + n * side, low, high)
                for n in (run.step, 2 * run.step)
            ]
            for side in sides
        }
        for direction in (-1, 1):
            other = line + direction
            while (token := here.get(other, NOTHING)) != NOTHING and low <= other <= high:
                yield (
                    other,
                    token,
                    [
                        (one.get(other, NOTHING), two.get(other, NOTHING), side)
                        for side, (one, two) in near.items()
                    ],
                )
                other += direction

    def _continues(self, line: int, token: int, run: Run, neighbour: tuple[int, int, int]) -> bool:
        """Whether a formula beside goes on as its neighbours in its own line do."""
        forms, axis = self.book.forms, self.axis
        one, two, side = neighbour
        if token == one:
            return True
        if forms.form(token).number != forms.form(one).number:
            return False
        position = run.start if side < 0 else run.last
        next_to = position + side * run.step
        law = natural_law(forms, token, axis, line, position, run.step)
        if fits(forms, law, one, axis, line, next_to):
            return True
        if two < 0 or forms.form(two).number != law.skeleton:
            return False
        far = next_to + side * run.step
        tokens, first = ((two, one), far) if side < 0 else ((one, two), next_to)
        law = stepping_law(forms, tokens, axis, line, first, run.step)
        return fits(forms, law, token, axis, line, position)


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


def _candidates(
    runs: Sequence[Run], support: dict[tuple[Law, bool], int]
) -> Iterator[tuple[Run, Law, int | None]]:
    """Runs that may break a law, and where the law holds, if on one side only."""
    yield from _between(runs, support)
    yield from _at_ends(runs)
    yield from _at_borders(runs)
    yield from _beyond(runs)


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


def _at_borders(runs: Sequence[Run]) -> Iterator[tuple[Run, Law, int]]:
    """Short runs next to a long one, where another block begins or ends."""
    for first, second in pairwise(runs):
        for long, short in ((first, second), (second, first)):
            if long.law is None or long.other_signs or long.count < 3 or short.blank:
                continue
            if short.law is not None and short.count <= max(1, long.count // 4):
                yield short, long.law, long.last if long is first else long.start


def _beyond(runs: Sequence[Run]) -> Iterator[tuple[Run, Law, int]]:
    """The cell before and the one after a stretch of formulas, where it is blank or a text."""
    for i, run in enumerate(runs):
        if run.law is None or run.count < 3:
            continue
        for other, position, near in (
            (i - 1, run.start - run.step, run.start),
            (i + 1, run.last + run.step, run.last),
        ):
            token = runs[other].token if 0 <= other < len(runs) else NOTHING
            if token in (NOTHING, CONSTANT_TEXT) and position > 0:
                yield Run(token, position, 1, run.step), run.law, near


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
