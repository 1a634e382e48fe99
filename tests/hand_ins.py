"""Hand-ins as students make them: an exercise filled in with openpyxl."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from openpyxl import load_workbook
from openpyxl.worksheet.worksheet import Worksheet
from support import make_spec

import sheetnet
from sheetnet.classroom.plan import Asked, Exercise
from sheetnet.classroom.report import Count, Graded
from sheetnet.classroom.train_sheet import text_at
from sheetnet.spec import Spec

Content = float | str | None
Answer = Callable[[Asked, str, float], Content]
"""(the cell, its true formula with ``=``, its true number) -> what the student types."""

BLANK = "deltas,gradients,updates"


def moons(**training: object) -> Spec:
    """Six points of two moons on 2-2-1: no number of its first visits is 0 or there twice."""
    layers = [{"units": 2, "activation": "tanh"}, {"units": 1, "activation": "sigmoid"}]
    data = {"rows": 6}
    return make_spec(source="toy:moons", data=data, layers=layers, epochs=2, **training)


def hand_out(path: Path, spec: Spec | None = None, **asked: object) -> Exercise:
    """Write an exercise."""
    made = sheetnet.exercise(spec or moons(), path, **{"blank": BLANK, "visits": "1:2", **asked})
    return made.exercise


def formula(_: Asked, text: str, __: float) -> Content:
    """The answer of the best student."""
    return text


def number(_: Asked, __: str, true: float) -> Content:
    """The answer of one who calculates on paper, with four digits."""
    return float(f"{true:.4g}")


def answered(
    source: Path,
    target: Path,
    exercise: Exercise,
    answer: Answer = formula,
    *,
    also: Mapping[str, Content] | None = None,
    change: Callable[[Worksheet], None] = lambda sheet: None,
) -> Path:
    """Fill in all cells; ``also`` are cells ("Config!B6") typed over, ``change`` edits Train."""
    book = load_workbook(source)
    train = book["Train"]
    for cell in exercise.cells:
        form = exercise.formulas[cell.label]
        assert form is not None
        text = f"={text_at(form, cell.visit, cell.row)}"
        true = float(exercise.numbers[cell.i, cell.c])
        train.cell(cell.row, cell.column).value = answer(cell, text, true)
    for place, content in (also or {}).items():
        sheet, _, where = place.partition("!")
        book[sheet][where].value = content
    change(train)
    book.save(target)
    return target


def but(others: Mapping[tuple[str, int], Content], rest: Answer = formula) -> Answer:
    """Some cells (column's name, visit) answered otherwise."""

    def answer(cell: Asked, text: str, true: float) -> Content:
        key = cell.label, cell.visit
        return others[key] if key in others else rest(cell, text, true)

    return answer


def by_name(graded: Graded) -> dict[str, Count]:
    """The counts of a hand-in."""
    assert graded.problem is None, graded.problem
    return {count.quantity: count for count in graded.counts}


def numbers_of(count: Count) -> tuple[int, int, int, int]:
    """Right, wrong, missing, hard-coded."""
    assert count.asked == count.right + count.wrong + count.missing + count.hard_coded
    return count.right, count.wrong, count.missing, count.hard_coded


def place(exercise: Exercise, label: str, visit: int) -> str:
    """The address of a cell of ``Train``."""
    from sheetnet.regions import address

    row = next(n for n, r in enumerate(exercise.rows, exercise.region.row) if r.visit == visit)
    return address(row, exercise.columns[label])
