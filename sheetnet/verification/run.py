"""A verification from file to report."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from pathlib import Path

from sheetnet.editing.exported import read_exported
from sheetnet.errors import SheetnetError
from sheetnet.ledger import Ledger
from sheetnet.reader.cells import Grid, Odd, read_grid
from sheetnet.reader.package import Package, open_package
from sheetnet.reader.workbook import Book
from sheetnet.recalc import recalculate
from sheetnet.regions import TRAIN, Region, address, letter
from sheetnet.verification.area import Area, Single
from sheetnet.verification.areas import LedgerSheet, Trained, data_areas, ledger_areas
from sheetnet.verification.checks import Tolerance, formula_check, saved_check, value_check
from sheetnet.verification.report import Check, Failure, Report
from sheetnet.verification.view_areas import view_areas

LOCAL = Tolerance(rtol=1e-10, atol=1e-10)
TRAJECTORY = Tolerance(rtol=1e-6, atol=1e-6)


def verify(
    path: str | Path,
    engine: str = "ironcalc",
    *,
    rtol: float | None = None,
    atol: float | None = None,
) -> Report:
    """Recalculate a workbook and compare it with Python; see the package's docstring.

    ``rtol`` and ``atol`` replace the tolerances of all checks of values. Raises
    :class:`WorkbookError` or :class:`EngineError`; a disagreement is no error.
    """
    for name, value in (("rtol", rtol), ("atol", atol)):
        if value is not None and not 0 <= value < math.inf:
            raise SheetnetError(f"{name} is {value}: a finite number from 0 is needed")
    package = open_package(path)
    local, trajectory = _tolerance(LOCAL, rtol, atol), _tolerance(TRAJECTORY, rtol, atol)
    with recalculate(package, engine) as values:
        book = read_exported(package, values)
        data = values(book.data.title, *book.data.numbers.shape)
        sheets = {}
        for region, _ in book.layout.ledger_sheets:
            size = region.last_row, region.last_column
            file = read_grid(package, region.sheet, *size)
            sheets[region.sheet] = LedgerSheet(file, values(region.sheet, *size))
        for view, file in zip(book.views, book.grids, strict=True):
            sheets[view.title] = LedgerSheet(file, values(view.title, *view.extent))
    trained = Trained.of(book)
    areas: list[Area | Single] = [
        *data_areas(book, data),
        *ledger_areas(book, data, sheets, trained),
        *view_areas(book, data, sheets, trained),
    ]
    saved = engine == "saved"
    checks: dict[str, Check] = {
        "formulas": formula_check(areas, [*_headers(book, sheets), *_names(book, package)]),
        "local": value_check(areas, "local", local, saved=saved),
        "trajectory": value_check(areas, "python", trajectory, growth=True, saved=saved),
    }
    if not saved:
        checks["saved"] = saved_check(areas, trajectory)
    return Report(str(path), engine, sum(area.cells for area in areas), checks)


def _tolerance(default: Tolerance, rtol: float | None, atol: float | None) -> Tolerance:
    return Tolerance(default.rtol if rtol is None else rtol, default.atol if atol is None else atol)


def _headers(book: Book, sheets: Mapping[str, LedgerSheet]) -> Iterator[Failure]:
    """The rows of plain names, and that nothing stands below the last rows."""
    for view in book.views:
        for table in view.tables:
            if not table.headed:
                continue
            yield from _row_of_names(sheets[view.title].file, table.region, table.ledger)
    for region, ledger in book.layout.ledger_sheets:
        grid = sheets[region.sheet].file
        yield from _row_of_names(grid, region, ledger)
        if grid.beyond is not None:
            row, column = grid.beyond
            what = "row below the last visit" if region.sheet == TRAIN else "row below the last"
            yield _outside(region.sheet, row, column, what, "a cell", "nothing")


def _row_of_names(grid: Grid, region: Region, ledger: Ledger) -> Iterator[Failure]:
    row = region.row - 1
    for column, label in enumerate(ledger.labels, region.column):
        found = grid.at(row, column)
        if found != Odd("text", label):
            yield _outside(region.sheet, row, column, "column name", str(found), label)


def _names(book: Book, package: Package) -> Iterator[Failure]:
    """Each name of an input cell must mean that cell, on every sheet."""
    for name, (sheet, row, column) in book.names.items():
        wanted = f"{sheet}!${letter(column)}${row}"
        found = [n for n in package.names if n.name.casefold() == name.casefold()]
        texts = [n.text.replace("'", "") for n in found]
        if texts != [wanted]:
            said = "; ".join(texts) or "not defined"
            yield _outside(sheet, row, column, f"defined name {name}", said, wanted)


def _outside(sheet: str, row: int, column: int, quantity: str, found: str, wanted: str) -> Failure:
    return Failure(sheet, address(row, column), quantity, None, found, wanted, None, None)
