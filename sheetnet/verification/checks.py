"""The checks of values: pure comparisons of areas."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sheetnet.concepts.arithmetic import Array
from sheetnet.engine import first_divergence
from sheetnet.reader.cells import BLANK, Values
from sheetnet.reader.normal import formula_text
from sheetnet.regions import address
from sheetnet.verification.area import Area, Mask, Single, plain, sheet_of
from sheetnet.verification.formula_checks import wrong_formulas
from sheetnet.verification.report import Check, Failure

SMALLEST = float(np.finfo(np.float64).tiny)
"""2.2e-308: Excel takes what is smaller for 0."""


@dataclass(frozen=True)
class Tolerance:
    """Values a (sheet) and b (Python) agree where |a − b| ≤ atol·M + rtol·|b|.

    M is the largest magnitude of the column. Numbers below :data:`SMALLEST` agree with 0.
    """

    rtol: float
    atol: float


def value_check(
    areas: Sequence[Area | Single],
    against: str,
    tolerance: Tolerance,
    *,
    growth: bool = False,
    saved: bool = False,
    own: bool = False,
) -> Check:
    """Compare the engine's values with ``local`` or ``python`` of each area.

    ``saved``: they are those of a file that perhaps nothing has recalculated as a whole.
    ``own``: the first failure is the first cell that is itself at fault, if there is one:
    errors, texts and blanks go on to cells that are looked at before.
    """
    cells = identical = failures = 0
    max_abs = max_rel = 0.0
    first: Failure | None = None
    steps: tuple[tuple[int, float], ...] = ()
    diverged: tuple[int | None, int | None] = (None, None)
    failed: list[Mask] = []
    for area in areas:
        sheet = area.numbers(area.values)
        python: Array = getattr(area, against)
        result = compare(area, area.values, python, tolerance, saved=saved)
        failed.append(result.failed)
        cells += area.cells
        identical += int(result.identical.sum())
        failures += int(result.failed.sum())
        max_abs = max(max_abs, float(result.absolute.max(initial=0.0)))
        max_rel = max(max_rel, float(result.relative.max(initial=0.0)))
        if first is None and result.failed.any():
            first = value_failure(area, area.values, python, result.failed)
        if growth and isinstance(area, Area) and area.visits:
            before = area.first_visit - 1
            steps = _worse(steps, _growth(result.relative, before))
            diverged = (
                _earlier(diverged[0], before, first_divergence(python)),
                _earlier(diverged[1], before, first_divergence(sheet)),
            )
    if own and first is not None:
        n, mask = first_at_fault(areas, failed)
        first = value_failure(areas[n], areas[n].values, getattr(areas[n], against), mask)
    return Check(
        failures == 0, cells, identical, failures, max_abs, max_rel, first, steps, *diverged
    )


def first_at_fault(areas: Sequence[Area | Single], failed: Sequence[Mask]) -> tuple[int, Mask]:
    """The first area with a failed cell that is itself at fault, and its cells that are.

    Those hold another formula, or are to hold a constant. Where no cell is of these, it is
    the first area with any failed cell; one must be there.
    """
    wrong = [n for n, mask in enumerate(failed) if mask.any()]
    for n in wrong:
        itself = np.broadcast_to(~areas[n].computed, failed[n].shape).copy()
        for r, c, _ in wrong_formulas(areas[n]):
            itself[r, c] = True
        if (failed[n] & itself).any():
            return n, failed[n] & itself
    return wrong[0], failed[wrong[0]]


@dataclass(frozen=True)
class _Comparison:
    """Of one area, each (rows, columns)."""

    identical: Mask
    failed: Mask
    absolute: Array
    relative: Array


def compare(
    area: Area | Single, held: Values, python: Array, tolerance: Tolerance, *, saved: bool = False
) -> _Comparison:
    """Error values of the sheet agree with a nan of Python only, texts with the wanted ones."""
    sheet, errors = area.numbers(held), area.odd(held, errors=True)
    told = area.told(held, saved=saved)
    number = np.isfinite(python)
    scale = area.sizes(python)
    both = number & np.isfinite(sheet)
    with np.errstate(all="ignore"):
        absolute = np.where(both, np.abs(sheet - python), 0.0)
        # A column of zeros has no size: what the sheet has instead is its measure.
        size = np.where(scale > 0, scale, np.max(absolute, axis=0, initial=0.0))
        relative = np.where(absolute > 0, absolute / size, 0.0)
        bound = tolerance.atol * scale + tolerance.rtol * np.abs(python) + SMALLEST
        close = both & (absolute <= bound)
    both_errors = errors & ~number & ~area.text_wanted
    identical = (both & (sheet == python)) | both_errors | told
    return _Comparison(identical, ~(close | both_errors | identical), absolute, relative)


def value_failure(
    area: Area | Single, held: Values, wanted: Array, failed: Mask, note: str = ""
) -> Failure:
    """The first failed cell: what ``held`` has there against ``wanted`` (rows, columns)."""
    r, c = map(int, np.argwhere(failed)[0])
    row, column = area.place(r, c)
    value, number = held.at(row, column), float(wanted[r, c])
    missing = not area.computed[c] and area.file.at(row, column) == BLANK
    finite = bool(np.isfinite(number))
    return Failure(
        sheet=sheet_of(area),
        cell=address(row, column),
        quantity=area.names[c] + note,
        visit=area.visit(r),
        sheet_value="a blank cell" if missing else plain(value),
        python_value=number if finite else _wanted_text(area, c),
        ulps=ulps(value, number) if isinstance(value, float) and finite and not missing else None,
        formula=formula_text(area.file, row, column),
    )


def _wanted_text(area: Area | Single, c: int) -> str:
    text = area.texts.get(c) if isinstance(area, Single) else None
    return "an error value" if text is None else f"the text {text!r}"


def ulps(a: float, b: float) -> int:
    """How many floats lie between a and b (0: the same)."""

    def ordinal(x: float) -> int:
        bits = int(np.float64(x).view(np.int64))
        return bits if bits >= 0 else -(bits & 0x7FFF_FFFF_FFFF_FFFF)

    return abs(ordinal(a) - ordinal(b))


def _worse(
    a: tuple[tuple[int, float], ...], b: tuple[tuple[int, float], ...]
) -> tuple[tuple[int, float], ...]:
    """The growth over the sheets of a ledger together, all of the same visits."""
    return tuple((at, max(x, y)) for (at, x), (_, y) in zip(a, b, strict=True)) if a else b


def _earlier(known: int | None, before: int, row: int | None) -> int | None:
    """The first visit of a divergence, known so far or in a row of another sheet."""
    found = [] if known is None else [known]
    return min([*found, *([] if row is None else [before + row])], default=None)


def _growth(relative: Array, before: int = 0) -> tuple[tuple[int, float], ...]:
    """The largest relative difference up to row 1, 10, 100 … and the last: (visit, it)."""
    worst = np.maximum.accumulate(relative.max(axis=1))
    last = len(worst)
    visits = [10**n for n in range(8) if 10**n < last] + [last]
    return tuple((before + visit, float(worst[visit - 1])) for visit in visits)


def saved_check(areas: Sequence[Area | Single], tolerance: Tolerance) -> Check:
    """Do values that the file holds in its formula cells agree with the calculated ones?

    A file without saved values (openpyxl writes none) passes with 0 cells.
    """
    cells = identical = failures = 0
    max_abs = max_rel = 0.0
    first: Failure | None = None
    for area in areas:
        saved, fresh = area.numbers(area.file), area.numbers(area.values)
        errors = area.odd(area.file, errors=True)
        texts = area.odd(area.file, errors=False)
        held = (np.isfinite(saved) | errors | texts) & area.computed
        result = compare(area, area.file, fresh, tolerance, saved=True)
        cells += int(held.sum())
        same = result.identical | area.same_texts()
        identical += int((same & held).sum())
        failed = result.failed & held & ~same
        failures += int(failed.sum())
        max_abs = max(max_abs, float(np.where(held, result.absolute, 0).max(initial=0.0)))
        max_rel = max(max_rel, float(np.where(held, result.relative, 0).max(initial=0.0)))
        if first is None and failed.any():
            first = value_failure(area, area.file, fresh, failed, ", value saved in the file")
    return Check(failures == 0, cells, identical, failures, max_abs, max_rel, first)
