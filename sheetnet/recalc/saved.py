"""The values that Excel or LibreOffice saved, taken as they stand in the file."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from sheetnet.errors import EngineError
from sheetnet.reader.cells import Values
from sheetnet.reader.grid import read_grid
from sheetnet.reader.package import Package


@contextmanager
def calculated(package: Package) -> Iterator[Callable[[str, int, int], Values]]:
    """Read saved values; raises where no calculating application saved the file last."""
    application = package.application
    calculating = application.startswith(("LibreOffice", "Microsoft")) and (
        "openpyxl" not in application.lower()
    )
    if not calculating:
        last = application or "an application that does not say its name"
        raise EngineError(
            f"{package.path.name} was last saved by {last}, which does not calculate: save it "
            f"in Excel or LibreOffice first, or use --engine ironcalc"
        )
    yield lambda title, rows, columns: read_grid(package, title, rows, columns)
