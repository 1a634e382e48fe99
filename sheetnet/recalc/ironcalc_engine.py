"""IronCalc (PyPI ``ironcalc``): a Rust engine in a wheel; ignores the saved values."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from sheetnet.errors import EngineError, WorkbookError
from sheetnet.reader.cells import Odd, Values
from sheetnet.reader.package import Package

_RELATIONS, _ABSOLUTE = "xl/worksheets/_rels/", b'Target="/xl/'


@contextmanager
def calculated(package: Package) -> Iterator[Callable[[str, int, int], Values]]:
    """Load and evaluate the workbook."""
    try:
        import ironcalc
    except ImportError:
        raise EngineError("the engine ironcalc is not installed: pip install ironcalc") from None
    try:
        with _silenced():
            with readable(package.path) as path:
                model = ironcalc.load_from_xlsx(str(path), "en", "UTC")
            model.evaluate()
        titles = [sheet["name"] for sheet in model.get_worksheets_properties()]
    except Exception as error:  # the engine raises its own kind, and bare ones on panics
        raise EngineError(f"ironcalc cannot calculate {package.path.name}: {error}") from None
    except BaseException as error:
        if type(error).__name__ != "PanicException":
            raise
        raise EngineError(f"ironcalc cannot calculate {package.path.name}: {error}") from None

    def values(title: str, rows: int, columns: int) -> Values:
        if title not in titles:
            raise WorkbookError(f"{package.path.name} has no sheet {title!r}")
        sheet = titles.index(title)
        get, kind_of = model.get_cell_value, model.get_cell_type
        numbers = np.full((rows, columns), np.nan)
        odd: dict[tuple[int, int], Odd] = {}
        span = range(1, columns + 1)
        for row in range(1, rows + 1):
            cells = [get(sheet, row, column) for column in span]
            for column, cell in enumerate(cells, 1):
                if isinstance(cell, (str, bool)):
                    kind = kind_of(sheet, row, column)
                    odd[(row, column)] = _odd(cell, kind == ironcalc.CellType.ErrorValue)
                    cells[column - 1] = None
            numbers[row - 1] = cells
        return Values(title, numbers, odd)

    yield values


@contextmanager
def readable(path: Path) -> Iterator[Path]:
    """The workbook, or a copy that the engine can read.

    It looks for the notes of a sheet under relative names only, and openpyxl writes
    absolute ones.
    """
    with zipfile.ZipFile(path) as source:
        changed = {}
        for name in source.namelist():
            if name.startswith(_RELATIONS) and _ABSOLUTE in (content := source.read(name)):
                changed[name] = content.replace(_ABSOLUTE, b'Target="../')
        if not changed:
            yield path
            return
        with tempfile.TemporaryDirectory(prefix="sheetnet-") as folder:
            copy = Path(folder) / "book.xlsx"
            with zipfile.ZipFile(copy, "w") as target:
                for part in source.infolist():
                    if part.filename in changed:
                        target.writestr(part.filename, changed[part.filename])
                        continue
                    with source.open(part) as old, target.open(part.filename, "w") as new:
                        shutil.copyfileobj(old, new)
            yield copy


@contextmanager
def _silenced() -> Iterator[None]:
    """Keep what the engine itself prints (about types it does not know) from our output."""
    sys.stdout.flush()
    sys.stderr.flush()
    kept = [(stream, os.dup(stream)) for stream in (1, 2)]
    with Path(os.devnull).open("wb") as nowhere:
        try:
            for stream, _ in kept:
                os.dup2(nowhere.fileno(), stream)
            yield
        finally:
            for stream, copy in kept:
                os.dup2(copy, stream)
                os.close(copy)


def _odd(cell: str | bool, error: bool) -> Odd:
    if isinstance(cell, bool):
        return Odd("boolean", str(cell).upper())
    return Odd("error" if error else "text", cell)
