"""IronCalc (PyPI ``ironcalc``): a Rust engine in a wheel; ignores the saved values."""

from __future__ import annotations

import os
import shutil
import sys
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from sheetnet.errors import EngineError, WorkbookError
from sheetnet.owned import scratch_folder
from sheetnet.reader.cells import Odd, Values
from sheetnet.reader.package import Package

_RELATIONS, _ABSOLUTE = "xl/worksheets/_rels/", b'Target="/xl/'


@contextmanager
def calculated(package: Package) -> Iterator[Callable[[str, int, int], Values]]:
    """Load and evaluate the workbook."""
    yield LiveBook(package).values


class LiveBook:
    """A workbook in the engine's memory, calculated; its cells can be changed."""

    def __init__(self, package: Package) -> None:
        """Load and evaluate; raises :class:`EngineError`."""
        self.name = package.path.name
        try:
            import ironcalc
        except ImportError:
            raise EngineError(
                "the engine ironcalc is not installed: pip install ironcalc"
            ) from None
        self._error_value = ironcalc.CellType.ErrorValue
        with self._said_in_one_line(), _silenced():
            with readable(package.path) as path:
                self.model = ironcalc.load_from_xlsx(str(path), "en", "UTC")
            self.model.evaluate()
            self.titles = [sheet["name"] for sheet in self.model.get_worksheets_properties()]

    def change(self, numbers: Mapping[tuple[str, int, int], float]) -> None:
        """Put numbers into cells (sheet, row, column), whatever stands there, and calculate."""
        with self._said_in_one_line(), _silenced():
            for (title, row, column), number in numbers.items():
                self.model.update_cell_with_number(self._index(title), row, column, number)
            self.model.evaluate()

    def values(self, title: str, rows: int, columns: int) -> Values:
        """The top left cells of a sheet; raises :class:`WorkbookError` where it is missing."""
        sheet = self._index(title)
        get, kind_of = self.model.get_cell_value, self.model.get_cell_type
        numbers = np.full((rows, columns), np.nan)
        odd: dict[tuple[int, int], Odd] = {}
        span = range(1, columns + 1)
        for row in range(1, rows + 1):
            cells = [get(sheet, row, column) for column in span]
            for column, cell in enumerate(cells, 1):
                if isinstance(cell, (str, bool)):
                    kind = kind_of(sheet, row, column)
                    odd[(row, column)] = _odd(cell, kind == self._error_value)
                    cells[column - 1] = None
            numbers[row - 1] = cells
        return Values(title, numbers, odd)

    def _index(self, title: str) -> int:
        if title not in self.titles:
            raise WorkbookError(f"{self.name} has no sheet {title!r}")
        return self.titles.index(title)

    @contextmanager
    def _said_in_one_line(self) -> Iterator[None]:
        """The engine raises its own kind, and bare ones on panics."""
        try:
            yield
        except Exception as error:
            raise EngineError(f"ironcalc cannot calculate {self.name}: {error}") from None
        except BaseException as error:
            if type(error).__name__ != "PanicException":
                raise
            raise EngineError(f"ironcalc cannot calculate {self.name}: {error}") from None


@contextmanager
def readable(path: Path) -> Iterator[Path]:
    """The workbook, or a copy that the engine can read.

    It looks for the notes of a sheet under relative names only, and openpyxl writes
    absolute ones; and it takes the names of files for UTF-8, whatever the system's are.
    """
    spelled = os.fsencode(path) == str(path).encode("utf-8", "replace")
    with zipfile.ZipFile(path) as source:
        changed = {}
        for name in source.namelist():
            if name.startswith(_RELATIONS) and _ABSOLUTE in (content := source.read(name)):
                changed[name] = content.replace(_ABSOLUTE, b'Target="../')
        if not changed and spelled:
            yield path
            return
        with scratch_folder() as folder:
            copy = folder / "book.xlsx"
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
