"""One hand-in graded, whatever it is."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from sheetnet.classroom.altered import altered
from sheetnet.classroom.hand_in import open_hand_in, reference_of
from sheetnet.classroom.judging import HARD_CODED, MISSING, RIGHT, WRONG, Judged, judge
from sheetnet.classroom.report import Count, FirstWrong, Graded
from sheetnet.errors import SheetnetError

ALL = "all"
"""The name of the count of all quantities."""


def grade_file(path: str, exercise: str | None, spec: str | None) -> Graded:
    """Grade a hand-in; what is wrong with the file itself is told in the result."""
    try:
        hand_in = open_hand_in(Path(path), reference_of(exercise, spec))
        changes = altered(hand_in)  # before the engine gets other inputs
        return Graded(path, _counts(judge(hand_in)), changes)
    except SheetnetError as error:
        return Graded(path, problem=_without_name(str(error), Path(path)))
    except MemoryError:
        return Graded(path, problem="it takes more memory than there is")
    except RecursionError:
        return Graded(path, problem="its formulas are nested too deeply")
    except Exception as error:  # one strange file must not stop a class
        return Graded(path, problem=f"cannot be graded ({type(error).__name__}: {error})")


def _without_name(message: str, path: Path) -> str:
    """The file stands in front of the line already."""
    for name in (f"{path}: ", f"{path} ", f"{path.name}: ", f"{path.name} "):
        message = message.removeprefix(name)
    return message


def _counts(cells: Sequence[Judged]) -> tuple[Count, ...]:
    """Of all cells, then of each quantity in the order of the ledger."""
    quantities = dict.fromkeys(cell.asked.quantity for cell in cells)
    parts = {ALL: list(cells)}
    parts |= {q: [cell for cell in cells if cell.asked.quantity == q] for q in quantities}
    return tuple(_count(name, part) for name, part in parts.items())


def _count(name: str, cells: Sequence[Judged]) -> Count:
    def number(verdict: str) -> int:
        return sum(cell.verdict == verdict for cell in cells)

    wrong = next((cell for cell in cells if cell.verdict == WRONG), None)
    first = None
    if wrong is not None:
        asked = wrong.asked
        first = FirstWrong(wrong.cell, asked.label, asked.visit, wrong.holds, wrong.wanted)
    return Count(
        name, len(cells), number(RIGHT), number(WRONG), number(MISSING), number(HARD_CODED), first
    )
