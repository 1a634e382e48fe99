"""Tables of data from CSV, xlsx and toy sets, checked cell by cell.

A :class:`Table` holds raw values as the user's file has them; ``problem`` scales
and encodes them.
"""

from __future__ import annotations

import csv
import itertools
import math
import re
import warnings
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

import numpy as np

from sheetnet.concepts.arithmetic import Array
from sheetnet.errors import DataError, SheetnetError, nearest
from sheetnet.randomness import toy_stream
from sheetnet.spec import DataSpec
from sheetnet.toys import DEFAULT_ROWS, TOYS, unknown_toy

if TYPE_CHECKING:
    from openpyxl import Workbook

Label = str | float

MAX_TEXT = 32_767
"""Characters that a spreadsheet cell can hold."""

_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?")
_NOT_FINITE = re.compile(r"[+-]?(nan|inf|infinity)", re.IGNORECASE)


@dataclass(frozen=True)
class Table:
    """Raw rows: the columns in use, in the order of the file or of the spec.

    Attributes
    ----------
    inputs: shape (rows, inputs).
    targets: shape (rows, targets); None where the target is a class label.
    labels: the class of each row (a text or a number); None where targets are numbers.

    """

    input_names: tuple[str, ...]
    inputs: Array
    target_names: tuple[str, ...]
    targets: Array | None = None
    labels: tuple[Label, ...] | None = None

    @property
    def rows(self) -> int:
        """How many rows there are."""
        return int(self.inputs.shape[0])


@dataclass(frozen=True)
class _Columns:
    """The cells of a source as they were read: None is an empty cell."""

    where: str
    names: tuple[str, ...]
    cells: tuple[tuple[object, ...], ...]
    first_line: int

    def column(self, name: str) -> list[object]:
        index = self.names.index(name)
        return [row[index] for row in self.cells]


def load_table(spec: DataSpec, folder: Path, seed: int, *, labelled: bool) -> Table:
    """Read the table of a spec.

    ``labelled`` asks for classes even where the target is one column of numbers
    (a softmax network). Raises :class:`DataError` that names file, row and column.
    """
    if spec.source.startswith("toy:"):
        columns, inputs, targets = _toy(spec, seed)
    else:
        columns = _read(spec, folder)
        inputs, targets = None, None
    if spec.target is None and targets is None:
        raise DataError(
            f"data.target is missing: it names one or several of the columns of "
            f"{columns.where}: {_listed(columns.names)}"
        )
    target_names = spec.target or targets or ()
    for name in (*(spec.inputs or ()), *target_names):
        if name not in columns.names:
            raise DataError(
                f"{columns.where} has no column {name!r}{nearest(name, columns.names)}; "
                f"it has: {_listed(columns.names)}"
            )
    both = [name for name in spec.inputs or () if name in target_names]
    if both:
        raise DataError(f"column {both[0]!r} is both an input and a target")
    input_names = spec.inputs or inputs or _numeric(columns, target_names)
    values = np.column_stack([_numbers(columns, name) for name in input_names])
    if len(target_names) == 1:
        cells = columns.column(target_names[0])
        if labelled or any(isinstance(cell, str) for cell in cells):
            return Table(
                input_names, values, target_names, labels=_labels(columns, target_names[0])
            )
    goal = np.column_stack([_numbers(columns, name) for name in target_names])
    return Table(input_names, values, target_names, targets=goal)


def _toy(spec: DataSpec, seed: int) -> tuple[_Columns, tuple[str, ...] | None, tuple[str, ...]]:
    name = spec.source.removeprefix("toy:")
    if name not in TOYS:
        raise DataError(f"data.source: {unknown_toy(name)}")
    toy = TOYS[name]
    rows = toy.fixed_rows or spec.rows or DEFAULT_ROWS
    drawn = toy.draw(toy_stream(seed), rows)[: spec.rows]
    names = (*toy.inputs, toy.target)
    cells = tuple(tuple(_parsed(cell) for cell in row) for row in drawn)
    targets = spec.target or (toy.target,)
    return _Columns(f"toy:{name}", names, cells, 2), None, targets


def _read(spec: DataSpec, folder: Path) -> _Columns:
    path = folder / spec.source
    suffix = path.suffix.lower()
    if suffix not in (".csv", ".xlsx"):
        raise DataError(
            f"data.source is {spec.source!r}: a .csv or .xlsx file, or toy:…, is needed"
        )
    if suffix == ".csv" and spec.sheet is not None:
        raise DataError(f"data.sheet goes with an .xlsx source, not with {spec.source}")
    try:
        rows = _csv_rows(path) if suffix == ".csv" else _xlsx_rows(path, spec.sheet)
        header = next(rows, None)
        if header is None:
            raise DataError(
                f"{path.name} is empty: a row of column names and rows of data are needed"
            )
        names = _header(path.name, header)
        # One row more than asked for costs nothing and keeps islice simple.
        body = tuple(itertools.islice(_body(path.name, rows, len(names)), spec.rows))
    except FileNotFoundError:
        raise DataError(f"data.source: {path} is not there") from None
    except OSError as error:
        raise DataError(f"data.source: {path} cannot be read ({error.strerror or error})") from None
    if not body:
        raise DataError(f"{path.name} has column names but no rows of data")
    return _Columns(path.name, names, body, 2)


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

    from sheetnet.package import check_package

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
            f"it has: {_listed(book.sheetnames)}"
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
        _check_text(f"{where}: name of column {index}", name)
    if all(_NUMBER.fullmatch(name) for name in names):
        raise DataError(f"{where}: the first row holds numbers; column names are needed there")
    for name in names:
        if names.count(name) > 1:
            raise DataError(f"{where}: two columns are named {name!r}")
    return tuple(names)


def _body(where: str, rows: Iterable[Sequence[object]], width: int) -> Iterator[tuple[object, ...]]:
    for line, row in enumerate(rows, 2):
        cells = [_parsed(cell) for cell in row]
        while len(cells) > width and cells[-1] is None:
            cells.pop()
        if all(cell is None for cell in cells):
            continue
        if len(cells) > width:
            raise DataError(
                f"{where} row {line} has {len(cells)} cells, but there are {width} names"
            )
        yield tuple(cells + [None] * (width - len(cells)))


def _parsed(cell: object) -> object:
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


def _numeric(columns: _Columns, targets: tuple[str, ...]) -> tuple[str, ...]:
    """All columns but the targets that hold numbers; a column of texts is left out."""
    names = []
    for name in columns.names:
        cells = columns.column(name)
        if name not in targets and any(isinstance(cell, float) for cell in cells):
            names.append(name)
    if not names:
        raise DataError(f"{columns.where} has no column of numbers beside the target")
    return tuple(names)


def _numbers(columns: _Columns, name: str) -> Array:
    values = []
    for line, cell in enumerate(columns.column(name), columns.first_line):
        place = f"{columns.where}, data row {line - 1}, column {name!r}"
        if cell is None:
            raise DataError(f"{place} is empty: a number is needed")
        if isinstance(cell, str):
            hint = " (decimal comma? a point is needed)" if re.fullmatch(r"-?\d+,\d+", cell) else ""
            raise DataError(f"{place} holds the text {_short(cell)}: a number is needed{hint}")
        value = float(str(cell)) if not isinstance(cell, float) else cell
        if not math.isfinite(value):
            raise DataError(f"{place} holds {value}: a finite number is needed")
        values.append(value)
    return np.array(values, dtype=np.float64)


def _labels(columns: _Columns, name: str) -> tuple[Label, ...]:
    cells = columns.column(name)
    for line, cell in enumerate(cells, columns.first_line):
        place = f"{columns.where}, data row {line - 1}, column {name!r}"
        if cell is None:
            raise DataError(f"{place} is empty: a class is needed")
        if isinstance(cell, float) and not math.isfinite(cell):
            raise DataError(f"{place} holds {cell}: a class is needed")
        if isinstance(cell, str):
            _check_text(place, cell)
    if any(isinstance(cell, str) for cell in cells):
        return tuple(_label_text(cell) for cell in cells)
    return tuple(float(str(cell)) for cell in cells)


def _label_text(cell: object) -> str:
    """A number among texts is a class whose name is that number."""
    return repr(cell).removesuffix(".0") if isinstance(cell, float) else str(cell)


def _check_text(place: str, text: str) -> None:
    if _CONTROL.search(text):
        raise DataError(f"{place} holds a control character, which a workbook cannot")
    if len(text) > MAX_TEXT:
        raise DataError(f"{place} has {len(text)} characters; a cell holds {MAX_TEXT}")


def _listed(names: Iterable[str]) -> str:
    shown = list(names)
    return ", ".join(shown[:20]) + (f" … ({len(shown)} in all)" if len(shown) > 20 else "")


def _short(text: str) -> str:
    return repr(text if len(text) <= 40 else text[:37] + "...")
