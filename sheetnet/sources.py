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

from sheetnet.encodings import not_utf8
from sheetnet.errors import DataError, SheetnetError, nearest
from sheetnet.limits import MAX_TEXT, NOT_IN_XML, text_units, unescaped
from sheetnet.package import check_package

if TYPE_CHECKING:
    from openpyxl import Workbook

_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?")
_COMMA = re.compile(r"[+-]?(\d+|\d{1,3}(\.\d{3})+),\d+([eE][+-]?\d+)?")
_THOUSANDS = re.compile(r"[+-]?[1-9]\d{0,2},\d{3}")
_SEPARATOR = re.compile(r"sep=([,;\t])\r?\n")
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
        if suffix == ".csv" and _separator(path) != ",":
            body = _with_points(body)
    except FileNotFoundError:
        raise DataError(f"data.source: {path} is not there") from None
    except OSError as error:
        raise DataError(f"data.source: {path} cannot be read ({error.strerror or error})") from None
    if not body:
        raise DataError(f"{path.name} has column names but no rows of data")
    return Columns(path.name, names, body, 2)


def _csv_rows(path: Path) -> Iterator[Sequence[object]]:
    try:
        with _opened(path) as file:
            if not _SEPARATOR.match(file.readline()):
                file.seek(0)
            yield from csv.reader(file, delimiter=_separator(path), strict=True)
    except UnicodeDecodeError:
        raise DataError(
            f"{path.name} is {not_utf8(path)}: save it as UTF-8 (in Excel: CSV UTF-8)"
        ) from None
    except csv.Error as error:
        raise DataError(f"{path.name} is not a valid CSV file: {error}") from None


def _opened(path: Path) -> TextIO:
    return path.open(encoding="utf-8-sig", newline="")


def _separator(path: Path) -> str:
    """What a first line that names it says (Excel's), else what makes the most names."""
    with _opened(path) as file:
        if (named := _SEPARATOR.match(file.readline())) is not None:
            return named[1]
        return max(",;\t", key=lambda candidate: _columns_with(file, candidate))


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
    for row in chosen.iter_rows(values_only=True):
        # openpyxl leaves line ends that Excel saved as _x000D_.
        yield [unescaped(cell) if isinstance(cell, str) else cell for cell in row]


def _header(where: str, cells: Sequence[object]) -> tuple[str, ...]:
    names = ["" if cell is None else _text(cell) for cell in cells]
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


def _text(cell: object) -> str:
    """A name or a value as it is kept.

    XML knows one line end only; with it texts read back as they were written.
    """
    return str(cell).strip().replace("\r\n", "\n").replace("\r", "\n")


def parsed(cell: object) -> object:
    """Return None for an empty cell, a float for a number, else the text."""
    if cell is None:
        return None
    if isinstance(cell, (int, float)) and not isinstance(cell, bool):
        try:
            return float(cell)
        except OverflowError:  # a whole number of hundreds of digits
            return math.inf
    text = _text(cell)
    if not text:
        return None
    if _NUMBER.fullmatch(text) or _NOT_FINITE.fullmatch(text):
        return float(text)
    return text


def decimal_comma(cell: object) -> bool:
    """Whether a cell looks like a number with a decimal comma."""
    return isinstance(cell, str) and _COMMA.fullmatch(cell) is not None


Rows = tuple[tuple[object, ...], ...]


def _with_points(rows: Rows) -> Rows:
    """Read decimal commas, where commas separate nothing, as numbers.

    That is a whole column's matter, and only where no number of the file has a point and
    where the commas cannot all stand for thousands; else texts stay, and are complained of.
    """
    commas = [
        n
        for n, cells in enumerate(zip(*rows, strict=True))
        if any(map(decimal_comma, cells)) and all(map(_a_number, cells))
    ]
    if not commas or any(_has_point(cell) for row in rows for cell in row):
        return rows
    found = (row[n] for n in commas for row in rows if isinstance(row[n], str))
    if all(_THOUSANDS.fullmatch(str(cell)) for cell in found):
        return rows
    return tuple(
        tuple(_pointed(cell) if n in commas else cell for n, cell in enumerate(row)) for row in rows
    )


def _a_number(cell: object) -> bool:
    return cell is None or isinstance(cell, float) or decimal_comma(cell)


def _has_point(cell: object) -> bool:
    return isinstance(cell, float) and math.isfinite(cell) and not cell.is_integer()


def _pointed(cell: object) -> object:
    return parsed(cell.replace(".", "").replace(",", ".")) if isinstance(cell, str) else cell


def check_text(place: str, text: str) -> None:
    """Raise DataError for a text that no cell can hold."""
    if NOT_IN_XML.search(text):
        raise DataError(f"{place} holds a control character, which a workbook cannot")
    if text_units(text) > MAX_TEXT:
        raise DataError(f"{place} has {text_units(text)} characters; a cell holds {MAX_TEXT}")


def listed(names: Iterable[str]) -> str:
    """Names for a message, the first twenty of many."""
    shown = list(names)
    return ", ".join(shown[:20]) + (f" … ({len(shown)} in all)" if len(shown) > 20 else "")
