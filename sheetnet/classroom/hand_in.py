"""A hand-in opened: the exercise that it answers, and what its cells come to."""

from __future__ import annotations

import dataclasses
import warnings
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path

import numpy as np
from openpyxl import load_workbook

from sheetnet.classroom.plan import Exercise, without_stopping
from sheetnet.classroom.record import Record, digest_of, read_record
from sheetnet.concepts.arithmetic import Array
from sheetnet.errors import EngineError, WorkbookError
from sheetnet.layout import TRAIN_NAME_ROW
from sheetnet.owned import scratch_folder
from sheetnet.problem import Problem, load_problem
from sheetnet.reader.cells import Grid, Odd, Values, where
from sheetnet.reader.grid import read_grid
from sheetnet.reader.package import Package, open_package
from sheetnet.reader.workbook import Book, read_book
from sheetnet.recalc.ironcalc_engine import LiveBook
from sheetnet.regions import INIT, TRAIN
from sheetnet.spec import load_spec
from sheetnet.workbook.package import saved

MAX_BYTES = 300 * 1024**2
"""Unpacked: an exercise has a few hundred kilobytes."""

SPARE = 20
"""Rows and columns that may have been inserted."""

_LOCKED = bytes.fromhex("d0cf11e0a1b11ae1")
"""How files begin that Excel has encrypted, and those of the old format .xls."""


@dataclass(frozen=True)
class Reference:
    """What was handed out, where that is known: the exercise itself or only its spec."""

    problem: Problem
    record: Record | None


@dataclass(frozen=True)
class Numbers:
    """What the sheet has: rows of ``Train`` (rows, columns), first weights, hyperparameters.

    Blank cells are 0, as formulas take them; texts and errors nan.
    """

    train: Array
    first: Mapping[str, Array]
    hyperparameters: Mapping[str, float]


@dataclass(frozen=True)
class HandIn:
    """An opened hand-in.

    Attributes
    ----------
    exercise: with the right numbers of what was handed out, as far as that is known.
    book: its own inputs; file: what ``Train`` holds.
    columns, rows: where the exercise's columns (plain name) and rows (from 0) stand in it.
    changed: whether its inputs are not those that were handed out.
    certain: whether what was handed out is known: by a reference, or as nothing has changed.

    """

    exercise: Exercise
    book: Book
    file: Grid
    live: LiveBook
    columns: Mapping[str, int]
    rows: tuple[int, ...]
    changed: bool
    certain: bool

    @cached_property
    def moved(self) -> bool:
        """Whether rows or columns were inserted or deleted."""
        first = self.exercise.region.row
        in_place = self.rows == tuple(range(first, first + len(self.rows)))
        return not (in_place and self.columns == self.exercise.columns)

    def values(self) -> Values:
        """What the engine made of ``Train`` last."""
        return self.live.values(TRAIN, *self.file.numbers.shape)

    def numbers(self, train: Values) -> Numbers:
        """The numbers that the engine has now; ``train`` are its values of ``Train``."""
        exercise = self.exercise
        columns = np.array([self.columns[label] for label in exercise.own.labels]) - 1
        rows = np.array(self.rows) - 1
        init = exercise.layout.init
        held = self.live.values(INIT, *init.extent)
        first = {}
        for layer in init.layers:
            first[f"W{layer.index}"] = held.region(init.weights(layer))
            first[f"b{layer.index}"] = held.region(init.bias(layer))[:, 0]
        config = {}
        for name, (sheet, row, column) in self.book.names.items():
            found = self.live.values(sheet, row, column).at(row, column)
            config[name] = found if isinstance(found, float) else float("nan")
        return Numbers(_with_blanks(train)[np.ix_(rows, columns)], first, config)


def _with_blanks(values: Values) -> Array:
    odd = np.zeros(values.numbers.shape, dtype=bool)
    for row, column in values.odd:
        odd[row - 1, column - 1] = True
    return np.where(np.isnan(values.numbers) & ~odd, 0.0, values.numbers)


def open_hand_in(path: Path, reference: Reference | None) -> HandIn:
    """Open and calculate a hand-in; raises :class:`SheetnetError` that says what is wrong."""
    _check_file(path)
    package = open_package(path)
    record = _record(package, reference)
    live = _calculated(package)
    book = read_book(package, live.values)
    digest = digest_of(book.problem)
    problem = book.problem if reference is None else reference.problem
    exercise = _exercise(record, digest_of(problem), problem)
    region = exercise.region
    file = read_grid(package, TRAIN, region.last_row + SPARE, region.last_column + SPARE)
    columns, rows = _columns(file, exercise), _rows(file, exercise)
    changed = digest != record.inputs
    certain = reference is not None or not changed
    return HandIn(exercise, book, file, live, columns, rows, changed, certain)


def reference_of(exercise: str | None, spec: str | None) -> Reference | None:
    """The reference that these paths lead to; read once in each process."""
    return None if exercise is None and spec is None else _reference(exercise, spec)


@lru_cache(maxsize=1)
def _reference(exercise: str | None, spec: str | None) -> Reference:
    if exercise is not None:
        package = open_package(exercise)
        record = read_record(package)
        book = read_book(package, LiveBook(package).values)
        if digest_of(book.problem) != record.inputs:
            raise WorkbookError(f"{exercise}: its inputs have been changed since it was written")
        return Reference(book.problem, record)
    assert spec is not None
    return Reference(without_stopping(load_problem(load_spec(spec))), None)


def _check_file(path: Path) -> None:
    """What is no hand-in for sure is told before anything is unpacked."""
    if path.exists() and not path.is_file():
        raise WorkbookError("no file but a device or a pipe")
    try:
        with path.open("rb") as file:
            start = file.read(len(_LOCKED))
        if start == _LOCKED:
            raise WorkbookError("encrypted with a password, or an old .xls file")
        if not start:
            raise WorkbookError("an empty file")
        with zipfile.ZipFile(path) as package:
            size = sum(part.file_size for part in package.infolist())
    except FileNotFoundError:
        raise WorkbookError("no such file") from None
    except (zipfile.BadZipFile, NotImplementedError, ValueError):
        raise WorkbookError("not an xlsx workbook, or only a part of one") from None
    except OSError as error:
        raise WorkbookError(f"cannot be read ({error.strerror or error})") from None
    if size > MAX_BYTES:
        raise WorkbookError(f"{size / 1e6:.0f} MB unpacked, too large for an exercise")


def _calculated(package: Package) -> LiveBook:
    """The workbook in the engine; what that cannot read is first written anew by openpyxl."""
    try:
        return LiveBook(package)
    except EngineError:
        with scratch_folder() as folder:
            copy = folder / package.path.name
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                try:
                    copy.write_bytes(saved(load_workbook(package.path)).getvalue())
                except Exception:  # whatever openpyxl stumbles over
                    raise WorkbookError("damaged: no application's file reads like this") from None
            return LiveBook(open_package(copy))


def _record(package: Package, reference: Reference | None) -> Record:
    known = None if reference is None else reference.record
    try:
        record = read_record(package)
    except WorkbookError:
        if known is None:
            raise
        return known
    if known is not None and record != known:
        raise WorkbookError("the answer to another exercise")
    if reference is not None and record.inputs != digest_of(reference.problem):
        raise WorkbookError("the answer to an exercise of another spec")
    return record


_EXERCISES: dict[tuple[Record, str], Exercise] = {}
"""One for each: a class hands in the same over and over, and is trained once."""


def _exercise(record: Record, digest: str, problem: Problem) -> Exercise:
    key = record, digest
    if key not in _EXERCISES:
        if len(_EXERCISES) >= 4:
            _EXERCISES.clear()
        _EXERCISES[key] = record.exercise(problem)
    return _EXERCISES[key]


def _columns(file: Grid, exercise: Exercise) -> dict[str, int]:
    """Plain name -> column, from the row of names."""
    found: dict[str, int] = {}
    for column in range(1, file.numbers.shape[1] + 1):
        cell = file.at(TRAIN_NAME_ROW, column)
        if isinstance(cell, Odd) and cell.kind == "text":
            found.setdefault(cell.text, column)
    missing = next((label for label in exercise.columns if label not in found), None)
    if missing is not None:
        column = exercise.columns[missing]
        raise WorkbookError(
            f"the name {missing!r} is gone: it stood in {where(TRAIN, TRAIN_NAME_ROW, column)}"
        )
    return {label: found[label] for label in exercise.columns}


def _rows(file: Grid, exercise: Exercise) -> tuple[int, ...]:
    """The rows of the visits, from the numbers of the first column."""
    numbers = file.numbers[:, 0]
    found = []
    for row in exercise.rows:
        at = np.flatnonzero(numbers == row.visit)
        at = at[at >= TRAIN_NAME_ROW]
        if not len(at):
            raise WorkbookError(f"visit {row.visit} is gone from the first column of {TRAIN}")
        found.append(int(at[0]) + 1)
    return tuple(found)


def handed_out(hand_in: HandIn) -> Book:
    """The book with the inputs that were handed out."""
    return dataclasses.replace(hand_in.book, problem=hand_in.exercise.problem)
