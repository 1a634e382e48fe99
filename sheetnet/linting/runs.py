"""A line of cells as runs: neighbours that follow one law, or are constants of one kind."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from sheetnet.linting.cells import NOTHING, Axis
from sheetnet.linting.forms import Forms
from sheetnet.linting.laws import Law, fits, natural_law, same_signs, stepping_law
from sheetnet.reader.sparse import Ints

NEAR = 4
"""Runs to either side whose laws a single formula may follow."""


@dataclass(frozen=True)
class Run:
    """``count`` cells from position ``start`` on, ``step`` apart.

    ``law`` is None where they hold no formulas. ``other_signs`` tells that they read what
    the law says, but with other ``$``.
    """

    token: int
    start: int
    count: int
    step: int
    law: Law | None = None
    other_signs: bool = False

    @property
    def last(self) -> int:
        """The position of its last cell."""
        return self.start + (self.count - 1) * self.step


def runs_of(
    forms: Forms, axis: Axis, line: int, positions: Ints, tokens: Ints, step: int
) -> list[Run]:
    """The runs of a line whose cells stand ``step`` apart, or further where some are blank."""
    found = [
        run
        if run.token < 0
        else Run(
            run.token,
            run.start,
            run.count,
            step,
            natural_law(forms, run.token, axis, line, run.start, step),
        )
        for run in _equal(positions, tokens, step)
    ]
    found = _merged(found)
    if sum(run.count == 1 and run.law is not None for run in found) >= 3:
        found = _stepping(forms, axis, line, found)
    return _merged(_following(forms, axis, line, found))


def _equal(positions: Ints, tokens: Ints, step: int) -> Iterator[Run]:
    """Runs of equal tokens, and of blanks between them."""
    if not len(positions):
        return
    gaps = np.diff(positions)
    edges = np.flatnonzero((gaps != step) | (np.diff(tokens) != 0)) + 1
    starts = np.concatenate(([0], edges))
    counts = np.diff(np.concatenate((starts, [len(positions)])))
    end: int | None = None
    for token, start, count in zip(
        tokens[starts].tolist(), positions[starts].tolist(), counts.tolist(), strict=True
    ):
        if end is not None and start > end:
            yield Run(NOTHING, end, (start - end) // step, step)
        yield Run(token, start, count, step)
        end = start + count * step


def _merged(runs: list[Run]) -> list[Run]:
    """Neighbours of one law as one run."""
    found: list[Run] = []
    for run in runs:
        before = found[-1] if found else None
        joins = (
            before is not None
            and run.law is not None
            and before.law == run.law
            and before.other_signs == run.other_signs
        )
        if joins and before is not None:
            found[-1] = replace(before, count=before.count + run.count)
        else:
            found.append(run)
    return found


def _stepping(forms: Forms, axis: Axis, line: int, runs: list[Run]) -> list[Run]:
    """Single formulas whose places move on evenly, three or more of them, as one run.

    Something else may stand between two of them and the third.
    """

    def joins(law: Law, run: Run) -> bool:
        follows = _follows(forms, law, axis, line, run)
        return follows and same_signs(forms, law, run.token, axis)

    found: list[Run] = []
    i = 0
    while i < len(runs):
        end = i

        if i + 1 < len(runs) and _single(runs[i], runs[i + 1]):
            tokens = runs[i].token, runs[i + 1].token
            law = stepping_law(forms, tokens, axis, line, runs[i].start, runs[i].step)
            while end + 1 < len(runs) and runs[end + 1].count == 1 and joins(law, runs[end + 1]):
                end += 1
            near = [*runs[max(0, i - NEAR) : i], *runs[i + 2 : i + 2 + NEAR]]
            if end >= i + 2 or (
                end == i + 1 and any(_follows(forms, law, axis, line, run) for run in near)
            ):
                found.append(replace(runs[i], count=end - i + 1, law=law))
                i = end + 1
                continue
        found.append(runs[i])
        i += 1
    return found


def _follows(forms: Forms, law: Law, axis: Axis, line: int, run: Run) -> bool:
    """Whether a single formula reads what a law says."""
    if run.law is None or run.count > 1:
        return False
    return fits(forms, law, run.token, axis, line, run.start)


def _single(first: Run, other: Run) -> bool:
    """Whether both are single formulas of one skeleton."""
    if first.law is None or other.law is None or first.count > 1 or other.count > 1:
        return False
    return first.law.skeleton == other.law.skeleton


def _following(forms: Forms, axis: Axis, line: int, runs: list[Run]) -> list[Run]:
    """Single formulas that read what the law of a longer run near by says get that law."""
    found = list(runs)
    for i, run in enumerate(runs):
        if run.law is None or run.count > 1:
            continue
        for other in runs[max(0, i - NEAR) : i + NEAR + 1]:
            if other.law is None or other.count < 2:
                continue
            if fits(forms, other.law, run.token, axis, line, run.start):
                signs = same_signs(forms, other.law, run.token, axis)
                found[i] = replace(run, law=other.law, other_signs=not signs)
                break
    return found
