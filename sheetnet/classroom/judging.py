"""Each cell of a hand-in judged: right, wrong, missing, or hard-coded."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from openpyxl.formula import Tokenizer
from openpyxl.formula.tokenizer import Token, TokenizerError

from sheetnet.classroom.hand_in import HandIn
from sheetnet.classroom.local_rows import local_rows
from sheetnet.classroom.plan import Asked
from sheetnet.classroom.prints import near
from sheetnet.classroom.trials import changes
from sheetnet.concepts.arithmetic import Array
from sheetnet.reader.cells import BLANK, Odd
from sheetnet.reader.normal import formula_text
from sheetnet.regions import TRAIN, address

Mask = NDArray[np.bool_]

RIGHT, WRONG, MISSING, HARD_CODED = "right", "wrong", "missing", "hard_coded"
VERDICTS = (RIGHT, WRONG, MISSING, HARD_CODED)

TRIALS = 2
"""Other inputs that formulas are tried under."""


@dataclass(frozen=True)
class Judged:
    """A cell, its verdict, what stands in it, and what is right there."""

    asked: Asked
    verdict: str
    cell: str
    holds: str
    wanted: float


@dataclass(frozen=True)
class _Trial:
    """What the sheet has, and what its own numbers lead to: both (rows, columns)."""

    sheet: Array
    local: Array


def judge(hand_in: HandIn) -> tuple[Judged, ...]:
    """Judge all cells that are asked. It leaves the engine with other inputs."""
    values = hand_in.values()
    numbers = hand_in.numbers(values)
    local = local_rows(hand_in.exercise, numbers)
    formulas = any(hand_in.file.formula(*_place(hand_in, c)) for c in hand_in.exercise.cells)
    # Where errors begin: what follows from them is tried with numbers there.
    begins = np.isnan(numbers.train) & np.isfinite(local)
    trials = [_trial(hand_in, draw, begins) for draw in range(TRIALS)] if formulas else []
    found = []
    for cell in hand_in.exercise.cells:
        verdict = MISSING
        if not _is_blank(hand_in, cell):
            verdict = _verdict(hand_in, cell, numbers.train, local, trials)
        place = _place(hand_in, cell)
        holds = _shown(hand_in, cell, values.at(*place))
        wanted = float(hand_in.exercise.numbers[cell.i, cell.c])
        found.append(Judged(cell, verdict, f"{TRAIN}!{address(*place)}", holds, wanted))
    return tuple(found)


def _place(hand_in: HandIn, cell: Asked) -> tuple[int, int]:
    return hand_in.rows[cell.i], hand_in.columns[cell.label]


def _is_blank(hand_in: HandIn, cell: Asked) -> bool:
    """Nothing, or a text of nothing; a formula is something."""
    if hand_in.file.formula(*_place(hand_in, cell)) is not None:
        return False
    held = hand_in.file.at(*_place(hand_in, cell))
    return isinstance(held, Odd) and (held == BLANK or not held.text.strip())


def _shown(hand_in: HandIn, cell: Asked, value: float | Odd) -> str:
    place = _place(hand_in, cell)
    formula = formula_text(hand_in.file, *place)
    if formula is None:
        value = hand_in.file.at(*place)
    text = f"{value:.6g}" if isinstance(value, float) else str(value)
    return text if formula is None else f"{text} by {formula}"


def _trial(hand_in: HandIn, draw: int, begins: Mask) -> _Trial:
    hand_in.live.change(changes(hand_in, draw, begins))
    numbers = hand_in.numbers(hand_in.values())
    return _Trial(numbers.train, local_rows(hand_in.exercise, numbers))


def _verdict(hand_in: HandIn, cell: Asked, sheet: Array, local: Array, trials: list[_Trial]) -> str:
    """Of a cell with something in it.

    Its number is right where it is the true one, or follows from the sheet's own numbers;
    then a formula has to follow under other inputs, too. An error that follows from errors
    is judged by these alone.
    """
    exercise, at = hand_in.exercise, (cell.i, cell.c)
    value, size, wanted = float(sheet[at]), exercise.sizes[cell.quantity], exercise.numbers[at]

    def agrees(value: float, wanted: float) -> bool:
        known = np.isfinite(value) and np.isfinite(wanted)
        return bool(known) and near(value, wanted, size, exercise.digits)

    formula = formula_text(hand_in.file, *_place(hand_in, cell))
    live = formula is not None and refers(formula)
    tried = [trial for trial in trials if np.isfinite(trial.local[at])]
    follows = all(agrees(float(trial.sheet[at]), float(trial.local[at])) for trial in tried)
    if live and np.isnan(value) and np.isnan(local[at]):
        return RIGHT if tried and follows else WRONG
    true = agrees(value, float(wanted))
    if not (true or agrees(value, float(local[at]))):
        return WRONG
    if not live:
        return HARD_CODED
    if follows:
        return RIGHT
    # A formula of nothing but 0 tells nothing; any other right number has been copied.
    return HARD_CODED if true and wanted != 0 else WRONG


def refers(formula: str) -> bool:
    """Whether a formula reads any cell, or a name."""
    try:
        tokens = Tokenizer(formula).items
    except (TokenizerError, IndexError, AttributeError, KeyError):
        return False
    return any(t.type == Token.OPERAND and t.subtype == Token.RANGE for t in tokens)
