"""A verification from file to report."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from sheetnet.errors import EngineError, SheetnetError
from sheetnet.progress import Progress, untold
from sheetnet.reader.cells import Grid, Odd
from sheetnet.reader.package import Package, open_package
from sheetnet.reader.workbook import Book
from sheetnet.recalc import SAVED
from sheetnet.regions import TRAIN, address, letter
from sheetnet.verification.checks import Tolerance, saved_check, value_check
from sheetnet.verification.formula_checks import formula_check
from sheetnet.verification.liveness import liveness_check
from sheetnet.verification.look import Looked, look
from sheetnet.verification.report import Check, Failure, Report
from sheetnet.verification.structure import structure_failures

LOCAL = Tolerance(rtol=1e-10, atol=1e-10)
"""Measured by ``tests/tolerances.py``: IronCalc 0, LibreOffice up to 2.3e-13 of a column's size.

LibreOffice saves 15 digits (5e-15); where a column holds differences (y − ŷ, 1 − a²) of numbers
n times as large, that is n times as much. So n may be 20,000 before a right sheet fails.
"""

TRAJECTORY = Tolerance(rtol=1e-6, atol=1e-6)
"""Measured: IronCalc 0, LibreOffice up to 1.4e-14, in runs of 5,000 visits as well.

Adam divides by √v, which makes last digits of small gradients large, and a run near the edge
of chaos doubles what it has every few steps; a fault in a formula moves weights by far more.
"""


def verify(
    path: str | Path,
    engine: str = "ironcalc",
    *,
    rtol: float | None = None,
    atol: float | None = None,
    perturb: bool = False,
    progress: Progress | None = None,
) -> Report:
    """Recalculate a workbook and compare it with Python; see the package's docstring.

    ``rtol`` and ``atol`` replace the tolerances of all checks of values; ``perturb`` asks
    for liveness too, in copies of the workbook with other inputs; ``progress`` is told of
    steps: reading and recalculating are one, each check is one. Raises
    :class:`WorkbookError` or :class:`EngineError`; a disagreement is no error.
    """
    for name, value in (("rtol", rtol), ("atol", atol)):
        if value is not None and not 0 <= value < math.inf:
            raise SheetnetError(f"{name} is {value}: a finite number from 0 is needed")
    if perturb and engine == SAVED:
        raise EngineError(
            "--perturb changes inputs and needs an engine that recalculates, and saved does not: "
            "use --engine ironcalc or libreoffice"
        )
    tell = progress or untold
    saved = engine == SAVED
    steps = 5 - saved + perturb
    tell(0, steps)
    package = open_package(path)
    local, trajectory = _tolerance(LOCAL, rtol, atol), _tolerance(TRAJECTORY, rtol, atol)
    seen = look(package, engine)
    book, areas = seen.book, seen.areas
    others = [*_headers(seen), *_names(book, package)]
    before = list(structure_failures(book, package))
    run: dict[str, Callable[[], Check]] = {
        "formulas": lambda: formula_check(areas, others, before=before),
        "local": lambda: value_check(areas, "local", local, saved=saved, own=True),
        "trajectory": lambda: value_check(areas, "python", trajectory, growth=True, saved=saved),
    }
    if not saved:
        run["saved"] = lambda: saved_check(areas, trajectory)
    if perturb:
        run["liveness"] = lambda: liveness_check(package, engine, seen, local, trajectory)
    checks: dict[str, Check] = {}
    for done, (name, check) in enumerate(run.items(), 1):
        tell(done, steps)
        checks[name] = check()
    tell(steps, steps)
    return Report(str(path), engine, sum(area.cells for area in areas), checks)


def _tolerance(default: Tolerance, rtol: float | None, atol: float | None) -> Tolerance:
    return Tolerance(default.rtol if rtol is None else rtol, default.atol if atol is None else atol)


def _headers(seen: Looked) -> Iterator[Failure]:
    """The rows of plain names, and that nothing stands below the last rows."""
    book, sheets = seen.book, seen.sheets
    data = book.layout.data
    for derived, column, name, count in (
        (data.scales_inputs, data.x_column, "x", book.problem.network.inputs),
        (data.derives_targets, data.y_column, "y", data.outputs),
    ):
        if derived:
            labels = tuple(f"{name}[{n}]" for n in range(1, count + 1))
            yield from _row_of_names(book.data, data.name_row, column, labels)
    for view in book.views:
        for table in view.tables:
            if table.headed:
                region = table.region
                yield from _row_of_names(
                    sheets[view.title].file, region.row - 1, region.column, table.ledger.labels
                )
    for region, ledger in book.layout.ledger_sheets:
        grid = sheets[region.sheet].file
        yield from _row_of_names(grid, region.row - 1, region.column, ledger.labels)
        if grid.beyond is not None:
            row, column = grid.beyond
            what = "row below the last visit" if region.sheet == TRAIN else "row below the last"
            yield _outside(region.sheet, row, column, what, "a cell", "nothing")


def _row_of_names(grid: Grid, row: int, first: int, labels: Sequence[str]) -> Iterator[Failure]:
    for column, label in enumerate(labels, first):
        found = grid.at(row, column)
        if found != Odd("text", label):
            yield _outside(grid.title, row, column, "column name", str(found), label)


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
