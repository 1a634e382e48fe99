"""Reading rows from CSV and xlsx files: names in the first row, a cell at a time.

Numbers become floats, empty cells None, all else text; ``data`` says what is needed
where.
"""

from __future__ import annotations

import csv
import itertools
import math
import re
import warnings
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from sheetnet.errors import DataError, SheetnetError, nearest
from sheetnet.limits import MAX_TEXT, NOT_IN_XML
from sheetnet.package import check_package

if TYPE_CHECKING:
    from openpyxl import Workbook

_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?")
_NOT_FINITE = re.compile(r"[+-]?(nan|inf|infinity)", re.IGNORECASE)


@dataclass(frozen=True)
class Columns:
    """The cells of a source as they were read: None is an empty cell."""

    where: str
    names: tuple[str, ...]
    cells: tuple[tuple[object, ...], ...]
    first_line: int

    def column(self, name: str) -> list[object]:
        """The cells of one column."""
        index = self.names.index(name)
        return [row[index] for row in self.cells]


def read_columns(source: str, sheet: str | None, rows: int | None, folder: Path) -> Columns:
    """Read a .csv or .xlsx file; ``rows`` None: all. Raises DataError that says where."""
    path = folder / source
    suffix = path.suffix.lower()
    if suffix not in (".csv", ".xlsx"):
        raise DataError(f"data.source is {source!r}: a .csv or .xlsx file, or toy:…, is needed")
    if suffix == ".csv" and sheet is not None:
        raise DataError(f"data.sheet goes with an .xlsx source, not with {source}")
    try:
        lines = _csv_rows(path) if suffix == ".csv" else _xlsx_rows(path, sheet)
        header = next(lines, None)
        if header is None:
            raise DataError(
                f"{path.name} is empty: a row of column names and rows of data are needed"
            )
        names = _header(path.name, header)
        body = tuple(itertools.islice(_body(path.name, lines, len(names)), rows))
    except FileNotFoundError:
        raise DataError(f"data.source: {path} is not there") from None
    except OSError as error:
        raise DataError(f"data.source: {path} cannot be read ({error.strerror or error})") from None
    if not body:
        raise DataError(f"{path.name} has column names but no rows of data")
    return Columns(path.name, names, body, 2)


def _csv_rows(path: Path) -> Iterator[Sequence[object]]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            separator = max(",;\t", key=lambda candidate: _columns_with(file, candidate))
            yield from csv.reader(file, delimiter=separator, strict=True)
    except UnicodeDecodeError:
        raise DataError(f"{path.name} is not UTF-8 text") from None
    except csv.Error as error:
        raise DataError(f"{path.name} is not a valid CSV file: {error}") from None


def _columns_with(file: TextIO, separator: str) -> int:
    """How many names the header has if this separates them (the first best one counts)."""
    file.seek(0)
    header = next(csv.reader(file, delimiter=separator), [])
    file.seek(0)
    return len(header)


def _xlsx_rows(path: Path, sheet: str | None) -> Iterator[Sequence[object]]:
    import openpyxl

    check_package(path)
    with path.open("rb") as file, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            yield from _sheet_rows(
                openpyxl.load_workbook(file, read_only=True, data_only=True), path, sheet
            )
        except (SheetnetError, OSError, GeneratorExit):
            raise
        except Exception as error:  # whatever openpyxl meets in a broken file
            raise DataError(
                f"{path.name} is not a workbook that can be read ({type(error).__name__}: {error})"
            ) from None


def _sheet_rows(book: Workbook, path: Path, sheet: str | None) -> Iterator[Sequence[object]]:
    if not book.worksheets:
        raise DataError(f"{path.name} has no sheet of cells")
    if sheet is not None and sheet not in book.sheetnames:
        raise DataError(
            f"{path.name} has no sheet {sheet!r}{nearest(sheet, book.sheetnames)}; "
            f"it has: {listed(book.sheetnames)}"
        )
    chosen = book[sheet] if sheet is not None else book.worksheets[0]
    chosen.reset_dimensions()
    yield from chosen.iter_rows(values_only=True)


def _header(where: str, cells: Sequence[object]) -> tuple[str, ...]:
    names = ["" if cell is None else str(cell).strip() for cell in cells]
    while names and not names[-1]:
        names.pop()
    if not any(names):
        raise DataError(f"{where}: the first row is empty; column names are needed there")
    for index, name in enumerate(names, 1):
        if not name:
            raise DataError(f"{where}: column {index} has no name in the first row")
        check_text(f"{where}: name of column {index}", name)
    if all(_NUMBER.fullmatch(name) for name in names):
        raise DataError(f"{where}: the first row holds numbers; column names are needed there")
    for name, count in Counter(names).items():
        if count > 1:
            raise DataError(f"{where}: two columns are named {name!r}")
    return tuple(names)


def _body(where: str, rows: Iterable[Sequence[object]], width: int) -> Iterator[tuple[object, ...]]:
    for line, row in enumerate(rows, 2):
        cells = [parsed(cell) for cell in row]
        while len(cells) > width and cells[-1] is None:
            cells.pop()
        if all(cell is None for cell in cells):
            continue
        if len(cells) > width:
            raise DataError(
                f"{where} row {line} has {len(cells)} cells, but there are {width} names"
            )
        yield tuple(cells + [None] * (width - len(cells)))


def parsed(cell: object) -> object:
    """Return None for an empty cell, a float for a number, else the text."""
    if cell is None:
        return None
    if isinstance(cell, (int, float)) and not isinstance(cell, bool):
        try:
            return float(cell)
        except OverflowError:  # a whole number of hundreds of digits
            return math.inf
    # XML knows one line end only; with it texts read back as they were written.
    text = str(cell).strip().replace("\r\n", "\n").replace("\r", "\n")
    if not text:
        return None
    if _NUMBER.fullmatch(text) or _NOT_FINITE.fullmatch(text):
        return float(text)
    return text


def check_text(place: str, text: str) -> None:
    """Raise DataError for a text that no cell can hold."""
    if NOT_IN_XML.search(text):
        raise DataError(f"{place} holds a control character, which a workbook cannot")
    if len(text) > MAX_TEXT:
        raise DataError(f"{place} has {len(text)} characters; a cell holds {MAX_TEXT}")


def listed(names: Iterable[str]) -> str:
    """Names for a message, the first twenty of many."""
    shown = list(names)
    return ", ".join(shown[:20]) + (f" … ({len(shown)} in all)" if len(shown) > 20 else "")
