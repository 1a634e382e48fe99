"""IronCalc (PyPI ``ironcalc``): a Rust engine in a wheel; ignores the saved values."""

from __future__ import annotations

import importlib.util
import weakref
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sheetnet.concepts.arithmetic import Array
from sheetnet.errors import EngineError, SheetnetError, WorkbookError
from sheetnet.owned import scratch_folder
from sheetnet.reader.cells import Odd, Values
from sheetnet.reader.package import Package, reading
from sheetnet.recalc.copies import copied, relations
from sheetnet.recalc.process import (
    LEAST_MEMORY,
    LEAST_SECONDS,
    MEMORY_PER_BYTE,
    SECONDS_PER_MB,
    engine_process,
    give_back,
)

_RELATIONS, _ABSOLUTE = "xl/worksheets/_rels/", b'Target="/xl/'


@contextmanager
def calculated(package: Package) -> Iterator[Callable[[str, int, int], Values]]:
    """Load and evaluate the workbook."""
    book = LiveBook(package)
    try:
        yield book.values
    finally:
        book.close()


class LiveBook:
    """A workbook in the engine's memory, calculated; its cells can be changed.

    The engine has a process of its own. Time for each call and memory are bounded in
    proportion to the size of the workbook; all methods raise :class:`EngineError` where
    the engine fails, :class:`LimitError` where it takes more.
    """

    def __init__(self, package: Package) -> None:
        """Load and evaluate."""
        self.name = package.path.name
        if not _installed():
            raise EngineError("the engine ironcalc is not installed: pip install ironcalc")
        self.engine = engine_process()
        self.close = weakref.finalize(self, give_back, self.engine)
        with reading(package.path), readable(package.path) as path:
            with zipfile.ZipFile(path) as parts:
                size = sum(part.file_size for part in parts.infolist())
            self.engine.seconds = LEAST_SECONDS + int(SECONDS_PER_MB * size / 1e6)
            memory = LEAST_MEMORY + MEMORY_PER_BYTE * size
            told, _ = self._ask("load", str(path.resolve()), memory)
        self.titles: list[str] = told["titles"]

    def change(self, numbers: Mapping[tuple[str, int, int], float]) -> None:
        """Put numbers into cells (sheet, row, column), whatever stands there, and calculate."""
        cells = [(self._index(title), *place, float(n)) for (title, *place), n in numbers.items()]
        self._ask("change", cells)

    def values(self, title: str, rows: int, columns: int) -> Values:
        """The top left cells of a sheet; raises :class:`WorkbookError` where it is missing."""
        told, numbers = self._ask("values", self._index(title), rows, columns)
        odd = {(row, column): _odd(cell, error) for row, column, error, cell in told["odd"]}
        return Values(title, numbers.reshape(rows, columns), odd)

    def _index(self, title: str) -> int:
        if title not in self.titles:
            raise WorkbookError(f"{self.name} has no sheet {title!r}")
        return self.titles.index(title)

    def _ask(self, do: str, *what: Any) -> tuple[dict[str, Any], Array]:
        try:
            return self.engine.ask(do, *what)
        except SheetnetError as error:
            raise type(error)(f"ironcalc cannot calculate {self.name}: {error}") from None


def _installed() -> bool:
    try:
        return importlib.util.find_spec("ironcalc") is not None
    except ValueError:  # None in its place
        return False


@contextmanager
def readable(path: Path) -> Iterator[Path]:
    """A copy of the workbook that the engine can read, and quickly.

    It looks for the notes of a sheet under relative names only, and openpyxl writes
    absolute ones; it takes the names of files for UTF-8, whatever the system's are; and it
    applies conditional formats to one cell after the other, twice.
    """
    changed = {
        name: content.replace(_ABSOLUTE, b'Target="../')
        for name, content in relations(path, _RELATIONS)
        if _ABSOLUTE in content
    }
    with scratch_folder() as folder:
        yield copied(path, folder / "book.xlsx", changed, formats=False)


def _odd(cell: str | bool, error: bool) -> Odd:
    if isinstance(cell, bool):
        return Odd("boolean", str(cell).upper())
    return Odd("error" if error else "text", cell)
