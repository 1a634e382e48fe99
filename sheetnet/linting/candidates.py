"""Runs of a line where another law might hold: between its parts, beside it, beyond it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from sheetnet.linting.cells import CONSTANT_NUMBER, NOTHING, SEPARATORS
from sheetnet.linting.laws import Law
from sheetnet.linting.runs import Run

GAP_RUNS = 8
"""Different runs that may stand between two parts of one law."""

Key = tuple[Law, bool]
"""A law, and whether its formulas have other ``$``."""


@dataclass(frozen=True)
class Candidate:
    """A run that may break a law, which holds at position ``member``.

    ``side`` is -1 where it holds before the run, 1 where it holds behind it, 0: both;
    ``company`` counts the cells between both parts that are formulas of the run's kind.
    """

    run: Run
    law: Law
    member: int
    side: int = 0
    company: int = 0

    @property
    def position(self) -> int:
        """The run's cell that is next to where the law holds."""
        return self.run.last if self.side > 0 else self.run.start


def supports(runs: Sequence[Run]) -> tuple[dict[Key, int], dict[Key, int]]:
    """How many cells follow each law, and in how many runs."""
    cells: dict[Key, int] = {}
    parts: dict[Key, int] = {}
    for run in runs:
        if run.law is not None:
            key = run.law, run.other_signs
            cells[key] = cells.get(key, 0) + run.count
            parts[key] = parts.get(key, 0) + 1
    return cells, parts


def candidates(runs: Sequence[Run], support: Mapping[Key, int]) -> Iterator[Candidate]:
    """All runs that may break a law."""
    yield from _between(runs, support)
    yield from _at_ends(runs)
    yield from _at_borders(runs)
    yield from _beyond(runs)


def _between(runs: Sequence[Run], support: Mapping[Key, int]) -> Iterator[Candidate]:
    """Runs between two parts of one law."""
    seen: dict[Law, int] = {}
    for i, run in enumerate(runs):
        if run.law is None or run.other_signs:
            continue
        before = seen.get(run.law)
        seen[run.law] = i
        if before is None or not 1 < i - before <= GAP_RUNS + 1:
            continue
        gap = runs[before + 1 : i]
        if run.step > 1 and len(gap) > 1 and any(r.token in SEPARATORS for r in gap):
            continue  # blocks do not come again where others stand between
        size, whole = sum(r.count for r in gap), support[run.law, False]
        numbers = all(r.token == CONSTANT_NUMBER for r in gap)
        if whole >= 3 and size <= (2 * whole if numbers else whole / 2):
            for other in gap:
                if other.law is None or support[other.law, other.other_signs] <= whole / 2:
                    yield Candidate(
                        other, run.law, runs[before].last, company=_alike(other, gap, run.law)
                    )


def _alike(run: Run, gap: Sequence[Run], law: Law) -> int:
    """How many cells of a gap are formulas like those of a run, which are not the law's."""
    if run.law is None or run.law.skeleton == law.skeleton:
        return 0
    same = (r for r in gap if r.law is not None and r.law.skeleton == run.law.skeleton)
    return sum(r.count for r in same)


def _at_ends(runs: Sequence[Run]) -> Iterator[Candidate]:
    """Short runs before or after the long one of a stretch without blanks and texts."""
    first = 0
    for end in range(len(runs) + 1):
        if end < len(runs) and runs[end].token not in SEPARATORS:
            continue
        yield from _ends_of(runs[first:end])
        first = end + 1


def _ends_of(runs: Sequence[Run]) -> Iterator[Candidate]:
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
    for part, member, side in (
        (runs[: whole[0]], runs[whole[0]].start, 1),
        (runs[whole[-1] + 1 :], runs[whole[-1]].last, -1),
    ):
        if 0 < sum(run.count for run in part) <= allowed:
            for run in part:
                for one in _apart(run):
                    yield Candidate(one, law, member, side)


def _apart(run: Run) -> Iterator[Run]:
    """Numbers one by one, as each may be the first of its column; others as they are."""
    if run.token != CONSTANT_NUMBER:
        yield run
        return
    for i in range(run.count):
        yield Run(run.token, run.start + i * run.step, 1, run.step)


def _at_borders(runs: Sequence[Run]) -> Iterator[Candidate]:
    """Short runs next to a long one, where another block begins or ends."""
    for first, second in pairwise(runs):
        for long, short in ((first, second), (second, first)):
            if long.law is None or long.other_signs or long.count < 3:
                continue
            if short.law is None and short.token != CONSTANT_NUMBER:
                continue
            if short.count <= max(1, long.count // 4):
                member, side = (long.last, -1) if long is first else (long.start, 1)
                for one in _apart(short):
                    yield Candidate(one, long.law, member, side)


def _beyond(runs: Sequence[Run]) -> Iterator[Candidate]:
    """The cell before and the one after a stretch of formulas, where it is blank or a text."""
    for i, run in enumerate(runs):
        if run.law is None or run.count < 3:
            continue
        for other, position, member, side in (
            (i - 1, run.start - run.step, run.start, 1),
            (i + 1, run.last + run.step, run.last, -1),
        ):
            token = runs[other].token if 0 <= other < len(runs) else NOTHING
            if token in SEPARATORS and position > 0:
                yield Candidate(Run(token, position, 1, run.step), run.law, member, side)
