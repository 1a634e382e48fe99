"""What a hand-in has changed of what was given."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from sheetnet.classroom.hand_in import HandIn, handed_out
from sheetnet.classroom.train_sheet import text_at
from sheetnet.comparing.inputs import compare_inputs
from sheetnet.formula import Formula
from sheetnet.reader.cells import SharedFormula
from sheetnet.reader.normal import normal
from sheetnet.regions import TRAIN, address

_SAME = 1e-12
"""Relative: applications save 15 digits."""


def altered(hand_in: HandIn) -> tuple[str, ...]:
    """The inputs and the given cells of ``Train`` that are not as they were handed out."""
    return (*_inputs(hand_in), *_given(hand_in))


def _inputs(hand_in: HandIn) -> Iterator[str]:
    if not hand_in.changed:
        return
    found = compare_inputs(handed_out(hand_in), hand_in.book)
    names = [
        f"{each.name} ({each.cell})" if each.cell else each.name
        for each in (*found.structure, *found.hyperparameters, *found.data, *found.weights)
    ]
    # Without the original only that there is a difference is known, not where.
    yield from names or ["inputs"]


def _given(hand_in: HandIn) -> Iterator[str]:
    exercise = hand_in.exercise
    if hand_in.moved:
        # Formulas have moved with them and read differently.
        yield "rows or columns inserted"
        return
    asked = frozenset(exercise.labels)
    for i, row in enumerate(exercise.rows):
        at = hand_in.rows[i]
        for c, label in enumerate(exercise.own.labels):
            if row.asked and label in asked:
                continue
            column = hand_in.columns[label]
            formula = exercise.formulas[label] if row.asked else None
            if formula is None and not hand_in.certain:
                continue
            wanted = float(exercise.numbers[i, c])
            if not _same(hand_in, at, column, formula, row.visit, wanted):
                yield f"{TRAIN}!{address(at, column)} ({label}, visit {row.visit})"


def _same(
    hand_in: HandIn, row: int, column: int, formula: Formula | None, visit: int, wanted: float
) -> bool:
    held = hand_in.file.formula(row, column)
    if formula is None:
        number = float(hand_in.file.numbers[row - 1, column - 1])
        return held is None and bool(np.isclose(number, wanted, rtol=_SAME, atol=0.0))
    if held is None:
        return False
    text = text_at(formula, visit, row)
    if held == text:
        return True
    wanted_form = normal(text, row, column)
    if isinstance(held, SharedFormula):
        return normal(held.text, held.row, held.column) == wanted_form
    return normal(held, row, column) == wanted_form
