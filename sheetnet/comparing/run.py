"""A comparison from two files to its report."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

from sheetnet.comparing.inputs import compare_inputs
from sheetnet.comparing.report import Comparison
from sheetnet.comparing.trainings import compare_trainings
from sheetnet.errors import EngineError
from sheetnet.reader.cells import Values
from sheetnet.reader.package import open_package
from sheetnet.reader.workbook import Book, read_book
from sheetnet.recalc import ENGINES, Calculated, recalculate
from sheetnet.run import train


def diff(a: str | Path, b: str | Path, engine: str = "ironcalc") -> Comparison:
    """Compare the inputs of two workbooks, and the trainings that Python makes of them.

    The engine is only asked for input cells that hold formulas. Raises
    :class:`WorkbookError` or :class:`EngineError`; a difference is no error.
    """
    if engine not in ENGINES:
        raise EngineError(f"there is no engine {engine!r}; allowed: {', '.join(ENGINES)}")
    first, second = _book(a, engine), _book(b, engine)
    inputs = compare_inputs(first, second)
    trainings = compare_trainings(train(first.problem), train(second.problem))
    return Comparison(str(a), str(b), inputs, trainings)


def _book(path: str | Path, engine: str) -> Book:
    package = open_package(path)
    with ExitStack() as stack:
        opened: list[Calculated] = []

        def values(title: str, rows: int, columns: int) -> Values:
            if not opened:
                opened.append(stack.enter_context(recalculate(package, engine)))
            return opened[0](title, rows, columns)

        return read_book(package, values)
