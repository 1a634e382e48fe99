"""The checks themselves: pure comparisons of areas."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from sheetnet.concepts.arithmetic import Array
from sheetnet.engine import first_divergence
from sheetnet.formula import Formula
from sheetnet.reader.cells import BLANK, Formulas, Held, Odd, SharedFormula, Values
from sheetnet.reader.normal import Normal, formula_text, normal
from sheetnet.regions import Region, address
from sheetnet.verification.area import Area, Mask, Single
from sheetnet.verification.report import Check, Failure

ERROR = "#NUM!"
"""The formula as which LibreOffice saves a constant error."""


@dataclass(frozen=True)
class Tolerance:
    """Values a (sheet) and b (Python) agree where |a − b| ≤ atol·M + rtol·|b|.

    M is the largest magnitude of the column.
    """

    rtol: float
    atol: float


def formula_check(areas: Sequence[Area | Single], extra: Sequence[Failure]) -> Check:
    """Does every computed cell hold its formula, and every constant none?

    ``extra`` are failures found outside of the areas: headers, names, rows too many.
    """
    cells = failures = 0
    first: Failure | None = None
    for area in areas:
        cells += area.cells
        for wrong in _wrong_formulas(area):
            failures += 1
            if first is None:
                first = _formula_failure(area, *wrong)
    failures += len(extra)
    first = first or (extra[0] if extra else None)
    return Check(failures == 0, cells, failures=failures, first_failure=first)


Wrong = tuple[int, int, str | None]
"""A cell whose formula is another: its place in the arrays, the text that is expected."""


def _wrong_formulas(area: Area | Single) -> Iterator[Wrong]:
    yield from _wrong_singles(area) if isinstance(area, Single) else _wrong_columns(area)


def _wrong_singles(area: Single) -> Iterator[Wrong]:
    for c, ((row, column), expected) in enumerate(zip(area.places, area.expected, strict=True)):
        held = area.file.formula(row, column)
        if held == expected:
            continue
        if held is None or _normal_of(held, row, column) != normal(expected, row, column):
            yield 0, c, expected


def _normal_of(held: str | SharedFormula, row: int, column: int) -> Normal:
    if isinstance(held, SharedFormula):
        return normal(held.text, held.row, held.column)
    return normal(held, row, column)


def _wrong_columns(area: Area) -> Iterator[Wrong]:
    region, table = area.region, area.file.held
    wrong: list[Wrong] = []
    for offset, formula in enumerate(area.formulas):
        column = region.column + offset
        codes = area.file.formulas[region.row - 1 : region.last_row, column - 1]
        if formula is None:
            rows = [int(i) for i in np.flatnonzero(codes) if table[codes[i]] != ERROR]
        else:
            known: Normals = {}
            runs = ((table[code], start, end) for code, start, end in _runs(codes))
            rows = [i for run in runs for i in _unequal(run, formula, region, column, known)]
        for i in rows:
            text = None if formula is None else formula.at(region.row + i, region.row)
            wrong.append((i, offset, text))
    wrong.sort(key=lambda found: found[:2])
    yield from wrong


Normals = dict[object, Normal]
"""Normal forms of a column: of what it holds, and of what it should, by their form."""


def _runs(codes: Formulas) -> Iterator[tuple[int, int, int]]:
    """Cut a column into neighbours that hold the same: its code, offsets of first and end."""
    start = 0
    for end in [*(np.flatnonzero(np.diff(codes)) + 1).tolist(), len(codes)]:
        yield int(codes[start]), start, end
        start = end


def _unequal(
    run: tuple[Held, int, int], formula: Formula, region: Region, column: int, known: Normals
) -> Iterator[int]:
    """Offsets of the cells of a run whose formula differs in its normal form."""
    held, start, end = run
    if held is None:
        yield from range(start, end)
        return
    for i, until in formula.stretches(start, end):
        row = region.row + i
        wanted = formula.at(row, region.row)
        if held == wanted:
            continue
        form = formula.form(i)
        if form not in known:
            known[form] = normal(wanted, row, column)
        if isinstance(held, SharedFormula) and held not in known:
            known[held] = normal(held.text, held.row, held.column)
        own = known[held] if isinstance(held, SharedFormula) else normal(held, row, column)
        if own != known[form]:
            yield from range(i, until)


def _formula_failure(area: Area | Single, r: int, c: int, expected: str | None) -> Failure:
    row, column = area.place(r, c)
    value = area.values.at(row, column)
    held = area.file.formula(row, column)
    if held is None:
        found = area.file.at(row, column)
        shown = "a blank cell" if found == BLANK else f"the constant {found}, no formula"
    else:
        shown = f"formula {formula_text(area.file, row, column)}"
    return Failure(
        sheet=_sheet_of(area),
        cell=address(row, column),
        quantity=area.names[c],
        visit=area.visit(r),
        sheet_value=shown if held is None else _plain(value),
        python_value=f"formula ={expected}" if expected is not None else "a constant, no formula",
        ulps=None,
        formula=formula_text(area.file, row, column),
    )


def _sheet_of(area: Area | Single) -> str:
    return area.sheet if isinstance(area, Single) else area.region.sheet


def value_check(
    areas: Sequence[Area | Single],
    against: str,
    tolerance: Tolerance,
    *,
    growth: bool = False,
    saved: bool = False,
) -> Check:
    """Compare the engine's values with ``local`` or ``python`` of each area.

    ``saved``: they are those of a file that perhaps nothing has recalculated as a whole.
    """
    cells = identical = failures = 0
    max_abs = max_rel = 0.0
    first: Failure | None = None
    steps: tuple[tuple[int, float], ...] = ()
    diverged: tuple[int | None, int | None] = (None, None)
    for area in areas:
        sheet = area.numbers(area.values)
        python: Array = getattr(area, against)
        result = _compare(area, area.values, python, tolerance, saved=saved)
        cells += area.cells
        identical += int(result.identical.sum())
        failures += int(result.failed.sum())
        max_abs = max(max_abs, float(result.absolute.max(initial=0.0)))
        max_rel = max(max_rel, float(result.relative.max(initial=0.0)))
        if first is None and result.failed.any():
            first = _value_failure(area, area.values, python, result.failed)
        if growth and isinstance(area, Area) and area.visits:
            before = area.first_visit - 1
            steps = _growth(result.relative, before)
            python_at, sheet_at = first_divergence(python), first_divergence(sheet)
            diverged = (
                None if python_at is None else before + python_at,
                None if sheet_at is None else before + sheet_at,
            )
    return Check(
        failures == 0, cells, identical, failures, max_abs, max_rel, first, steps, *diverged
    )


@dataclass(frozen=True)
class _Comparison:
    """Of one area, each (rows, columns)."""

    identical: Mask
    failed: Mask
    absolute: Array
    relative: Array


def _compare(
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
        bound = tolerance.atol * scale + tolerance.rtol * np.abs(python)
        close = both & (absolute <= bound)
    both_errors = errors & ~number & ~area.text_wanted
    identical = (both & (sheet == python)) | both_errors | told
    return _Comparison(identical, ~(close | both_errors | identical), absolute, relative)


def _value_failure(
    area: Area | Single, held: Values, wanted: Array, failed: Mask, note: str = ""
) -> Failure:
    """The first failed cell: what ``held`` has there against ``wanted`` (rows, columns)."""
    r, c = map(int, np.argwhere(failed)[0])
    row, column = area.place(r, c)
    value, number = held.at(row, column), float(wanted[r, c])
    finite = bool(np.isfinite(number))
    return Failure(
        sheet=_sheet_of(area),
        cell=address(row, column),
        quantity=area.names[c] + note,
        visit=area.visit(r),
        sheet_value=_plain(value),
        python_value=number if finite else _wanted_text(area, c),
        ulps=ulps(value, number) if isinstance(value, float) and finite else None,
        formula=formula_text(area.file, row, column),
    )


def _wanted_text(area: Area | Single, c: int) -> str:
    text = area.texts.get(c) if isinstance(area, Single) else None
    return "an error value" if text is None else f"the text {text!r}"


def _plain(value: float | Odd) -> float | str | None:
    if isinstance(value, float):
        return value
    return None if value == BLANK else str(value)


def ulps(a: float, b: float) -> int:
    """How many floats lie between a and b (0: the same)."""

    def ordinal(x: float) -> int:
        bits = int(np.float64(x).view(np.int64))
        return bits if bits >= 0 else -(bits & 0x7FFF_FFFF_FFFF_FFFF)

    return abs(ordinal(a) - ordinal(b))


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
        result = _compare(area, area.file, fresh, tolerance, saved=True)
        cells += int(held.sum())
        identical += int((result.identical & held).sum())
        failed = result.failed & held
        failures += int(failed.sum())
        max_abs = max(max_abs, float(np.where(held, result.absolute, 0).max(initial=0.0)))
        max_rel = max(max_rel, float(np.where(held, result.relative, 0).max(initial=0.0)))
        if first is None and failed.any():
            first = _value_failure(area, area.file, fresh, failed, ", value saved in the file")
    return Check(failures == 0, cells, identical, failures, max_abs, max_rel, first)
