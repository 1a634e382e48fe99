"""Writing an exercise: the workbook with blank cells, all of it or nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from openpyxl import Workbook

from sheetnet.classroom.asking import group_of, written
from sheetnet.classroom.checks_sheet import Cached, write_checks
from sheetnet.classroom.front_sheet import write_front
from sheetnet.classroom.plan import Exercise, make_exercise
from sheetnet.classroom.record import Record, digest_of
from sheetnet.classroom.train_sheet import write_exercise_train
from sheetnet.layout import CONFIG_KEY, CONFIG_NOTE
from sheetnet.output import check_target
from sheetnet.owned import scratch_folder
from sheetnet.problem import Problem
from sheetnet.reader.package import open_package
from sheetnet.recalc import recalculate
from sheetnet.regions import CONFIG, DATA, INIT
from sheetnet.workbook.config import write_config
from sheetnet.workbook.data import write_data
from sheetnet.workbook.fitting import check_formulas, check_limits
from sheetnet.workbook.init import write_init
from sheetnet.workbook.package import save
from sheetnet.workbook.stream import Stream
from sheetnet.workbook.styles import put

_TELLS: Mapping[str, tuple[str, ...]] = {
    "loss": ("loss", "deltas"),
    "optimizer": ("updates", "optimizer"),
}
"""Keys of ``Config`` whose notes are formulas, and the groups that they would give away."""


@dataclass(frozen=True)
class Written:
    """An exercise as it was written; ``stopping``: early stopping had to be left out."""

    path: Path
    exercise: Exercise
    stopping: bool


def write_exercise(
    problem: Problem,
    path: Path,
    *,
    blank: str,
    visits: str | None,
    digits: int,
    overwrite: bool,
) -> Written:
    """Write the workbook; raises :class:`SheetnetError`."""
    check_target(path, overwrite=overwrite, read=problem.spec.files)
    stopping = problem.network.stops
    exercise = make_exercise(problem, blank, visits, digits)
    check_limits(exercise.problem, exercise.layout)
    check_formulas(exercise.problem, tuple(exercise.formulas.values()))
    book = Workbook()
    book.remove(book.worksheets[0])
    book.properties.creator = "sheetnet"
    cached: Cached = {}
    live: Cached = {}
    write_front(book, exercise, live)
    write_config(book, exercise.problem, exercise.layout.sheets)
    streams: dict[str, Sequence[Stream]] = {}
    streams[DATA] = [write_data(book, exercise.problem, exercise.layout.data, cached)]
    write_init(book, exercise.problem, exercise.layout.init)
    _say_no_formula(book, exercise)
    write_exercise_train(book, exercise, live)
    write_checks(book, exercise, _record(exercise), live)
    save(
        book,
        path,
        streams,
        {**cached, **_as_blank(book, streams, {**cached, **live}, live)},
        overwrite=overwrite,
    )
    return Written(path, exercise, stopping)


def _record(exercise: Exercise) -> Record:
    visits = written(exercise.visits)
    return Record(exercise.blank, visits, exercise.digits, digest_of(exercise.problem))


def _as_blank(
    book: Workbook, streams: dict[str, Sequence[Stream]], cached: Cached, live: Cached
) -> Cached:
    """What the formulas come to as long as the cells are blank."""
    with scratch_folder() as folder:
        path = folder / "blank.xlsx"
        save(book, path, streams, cached, overwrite=True)
        with recalculate(open_package(path), "ironcalc") as values:
            found = {}
            for title in {title for title, _, _ in live}:
                places = [(row, column) for sheet, row, column in live if sheet == title]
                size = max(row for row, _ in places), max(column for _, column in places)
                held = values(title, *size)
                for row, column in places:
                    cell = held.at(row, column)
                    found[(title, row, column)] = (
                        cell if isinstance(cell, float) else _content(cell.kind, cell.text)
                    )
            return found


def _content(kind: str, text: str) -> float | str:
    return float("nan") if kind == "error" else text


def _say_no_formula(book: Workbook, exercise: Exercise) -> None:
    """Take away notes on ``Config`` and ``Init`` that tell how something is computed."""
    for title in (CONFIG, INIT):
        for cells in book[title].iter_rows():
            for cell in cells:
                cell.comment = None
    labels = set(exercise.labels)
    asked = {group_of(block) for block in exercise.own.blocks if labels & set(block.labels)}
    config = book[CONFIG]
    for row in range(1, config.max_row + 1):
        groups = _TELLS.get(str(config.cell(row, CONFIG_KEY).value), ())
        if asked & set(groups):
            put(config, row, CONFIG_NOTE, None)
