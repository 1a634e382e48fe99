"""The check of formulas: does each computed cell hold the one that was exported?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from sheetnet.formula import Formula
from sheetnet.reader.cells import BLANK, Formulas, Held, SharedFormula
from sheetnet.reader.normal import Normal, formula_text, normal
from sheetnet.regions import Region, address
from sheetnet.verification.area import Area, Single, plain, sheet_of
from sheetnet.verification.report import Check, Failure

ERROR = "#NUM!"
"""The formula as which LibreOffice saves a constant error."""


def formula_check(
    areas: Sequence[Area | Single], extra: Sequence[Failure], before: Sequence[Failure] = ()
) -> Check:
    """Does every computed cell hold its formula, and every constant none?

    ``extra`` are failures found outside of the areas: headers, names, rows too many;
    ``before`` those that explain others and are named first.
    """
    cells, failures = 0, len(before)
    first: Failure | None = before[0] if before else None
    for area in areas:
        cells += area.cells
        for wrong in wrong_formulas(area):
            failures += 1
            if first is None:
                first = _formula_failure(area, *wrong)
    failures += len(extra)
    first = first or (extra[0] if extra else None)
    return Check(failures == 0, cells, failures=failures, first_failure=first)


Wrong = tuple[int, int, str | None]
"""A cell whose formula is another: its place in the arrays, the text that is expected."""


def wrong_formulas(area: Area | Single) -> Iterator[Wrong]:
    """The computed cells of an area that hold another formula, or none, in order."""
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
            numbers = area.file.numbers[region.row - 1 : region.last_row, column - 1]
            rows = [
                i
                for i in np.flatnonzero((codes > 0) | np.isnan(numbers)).tolist()
                if table[codes[i]] not in (None, ERROR)
                or area.file.at(region.row + i, column) == BLANK
            ]
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
        sheet=sheet_of(area),
        cell=address(row, column),
        quantity=area.names[c],
        visit=area.visit(r),
        sheet_value=shown if held is None else plain(value),
        python_value=f"formula ={expected}" if expected is not None else "a constant, no formula",
        ulps=None,
        formula=formula_text(area.file, row, column),
    )
