"""Does every computed cell hold the formula that was exported?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sheetnet.formula import Formula
from sheetnet.reader.cells import BLANK, Odd, SharedFormula
from sheetnet.reader.normal import Normal, formula_text, normal
from sheetnet.regions import address
from sheetnet.verification.area import Area, Single
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
    """The cells of an area that hold another formula."""
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
    region = area.region
    wrong: list[Wrong] = []
    for offset, formula in enumerate(area.formulas):
        column = region.column + offset
        held = area.file.formulas[region.row - 1 : region.last_row, column - 1]
        if formula is None:
            rows = [i for i, text in enumerate(held) if text not in (None, ERROR)]
        else:
            rows = list(_unequal(held.tolist(), formula, region.row, column))
        for i in rows:
            text = None if formula is None else formula.at(region.row + i, region.row)
            wrong.append((i, offset, text))
    wrong.sort(key=lambda found: found[:2])
    yield from wrong


def _unequal(
    held: list[str | SharedFormula | None], formula: Formula, first_row: int, column: int
) -> Iterator[int]:
    """Offsets of the cells of a column whose formula differs in its normal form."""
    known: dict[SharedFormula, Normal] = {}
    normals: dict[tuple[object, ...], Normal] = {}

    def expected(row: int) -> Normal:
        form = formula.form(row - first_row)
        if form not in normals:
            normals[form] = normal(formula.at(row, first_row), row, column)
        return normals[form]

    for i, text in enumerate(held):
        row = first_row + i
        if text is None:
            yield i
        elif isinstance(text, SharedFormula):
            if text not in known:
                known[text] = normal(text.text, text.row, text.column)
            if known[text] != expected(row):
                yield i
        elif text != formula.at(row, first_row) and normal(text, row, column) != expected(row):
            yield i


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
        sheet=area.region.sheet if isinstance(area, Area) else area.sheet,
        cell=address(row, column),
        quantity=area.names[c],
        visit=area.visit(r),
        sheet_value=shown if held is None else plain(value),
        python_value=f"formula ={expected}" if expected is not None else "a constant, no formula",
        ulps=None,
        formula=formula_text(area.file, row, column),
    )


def plain(value: float | Odd) -> float | str | None:
    """A cell's value for a report: None where there is none."""
    if isinstance(value, float):
        return value
    return None if value == BLANK else str(value)
