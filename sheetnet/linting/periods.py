"""Blocks that repeat: the shift after which the formulas of a sheet are the same again.

Training sheets often stack one step below (or beside) the other. Row r of such a sheet is
to be compared with row r + k, k the rows of a step.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from sheetnet.linting.cells import Lines
from sheetnet.linting.forms import Forms
from sheetnet.reader.sparse import Ints

MAX_PERIOD = 400
"""Rows (or columns) of the longest block that is looked for."""

AGREE, PAIRS = 0.75, 4
"""Share of the breaks that must come again, and how many of them at least."""

SPARSE = 50
"""Lines of fewer cells than one in so many are not searched."""

_Counts = NDArray[np.float64]


def skeletons_of(forms: Forms) -> Ints:
    """The skeleton of each form, as an array."""
    numbers = [np.frombuffer(key[:4], np.int32)[0] for key in forms.keys]
    return np.array(numbers, np.int32)


def periods_of(lines: Lines, skeletons: Ints) -> dict[int, tuple[int, ...]]:
    """Line -> shifts to compare at: 1, and the period of its blocks where it has one.

    A line's breaks are the formulas that do not continue the one before. The sheet's
    period is the smallest shift after which nearly all breaks of all lines come again with
    the same skeletons; a line of its own kind may have its own.
    """
    counts: dict[int, tuple[_Counts, _Counts]] = {}
    together = np.zeros(MAX_PERIOD + 1), np.zeros(MAX_PERIOD + 1)
    for line, positions, tokens in lines.each():
        if (tokens >= 0).any():
            found = _agreement(positions, tokens, skeletons)
            if found is not None:
                counts[line] = found
                together[0][: len(found[0])] += found[0]
                together[1][: len(found[1])] += found[1]
    common = _smallest(*together)
    periods = {}
    for line, (same, pairs) in counts.items():
        shifts = {1}
        fits = common is not None and common < len(pairs) and pairs[common] > 0
        if common is not None and fits and same[common] >= 0.5 * pairs[common]:
            shifts.add(common)
        own = _smallest(same, pairs)
        if own is not None and len(shifts) == 1:
            shifts.add(own)
        periods[line] = tuple(sorted(shifts))
    return periods


def _agreement(positions: Ints, tokens: Ints, skeletons: Ints) -> tuple[_Counts, _Counts] | None:
    """(breaks that come again, breaks that could) for each shift; None for too few breaks."""
    first, length = int(positions[0]), int(positions[-1] - positions[0]) + 1
    follows = (np.diff(positions) == 1) & (np.diff(tokens) == 0)
    breaks = (tokens >= 0) & np.concatenate(([True], ~follows))
    places = positions[breaks] - first
    if len(places) < 3 or length > SPARSE * len(positions):
        return None
    dense = np.full(length, -1, np.int32)
    dense[places] = skeletons[tokens[breaks]]
    last = int(places[-1])
    longest = min(MAX_PERIOD, (last - int(places[0])) // 2)
    same, pairs = np.zeros(longest + 1), np.zeros(longest + 1)
    values = dense[places]
    for shift in range(2, longest + 1):
        n = int(np.searchsorted(places, last - shift, side="right"))
        pairs[shift] = n
        same[shift] = int((dense[places[:n] + shift] == values[:n]).sum())
    return same, pairs


def _smallest(same: _Counts, pairs: _Counts) -> int | None:
    """The smallest shift at which enough breaks come again."""
    good = np.flatnonzero((pairs >= PAIRS) & (same >= AGREE * pairs))
    good = good[good >= 2]
    return int(good[0]) if len(good) else None


def stride(positions: Ints, tokens: Ints, shift: int) -> Sequence[tuple[Ints, Ints]]:
    """A line as the lines of every ``shift``-th cell."""
    if shift == 1:
        return [(positions, tokens)]
    rest = positions % shift
    order = np.argsort(rest, kind="stable")
    edges = np.flatnonzero(np.diff(rest[order])) + 1
    return [(positions[part], tokens[part]) for part in np.split(order, edges)]
