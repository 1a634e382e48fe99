"""A comparison from two files to its report."""

from __future__ import annotations

from pathlib import Path

from sheetnet.comparing.inputs import compare_inputs
from sheetnet.comparing.report import Comparison
from sheetnet.comparing.trainings import compare_trainings
from sheetnet.reader.package import open_package
from sheetnet.reader.workbook import Book, read_book
from sheetnet.recalc import recalculate_if_asked
from sheetnet.run import train


def diff(a: str | Path, b: str | Path, engine: str = "ironcalc") -> Comparison:
    """Compare the inputs of two workbooks, and the trainings that Python makes of them.

    The engine is only asked for input cells that hold formulas. Raises
    :class:`WorkbookError` or :class:`EngineError`; a difference is no error.
    """
    first, second = _book(a, engine), _book(b, engine)
    inputs = compare_inputs(first, second)
    trainings = compare_trainings(train(first.problem), train(second.problem))
    return Comparison(str(a), str(b), inputs, trainings)


def _book(path: str | Path, engine: str) -> Book:
    package = open_package(path)
    with recalculate_if_asked(package, engine) as values:
        return read_book(package, values)
