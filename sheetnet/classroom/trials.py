"""Other inputs, under which a formula has to be right as well."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from sheetnet.classroom.hand_in import HandIn
from sheetnet.concepts.arithmetic import Array
from sheetnet.randomness import changes_stream
from sheetnet.regions import DATA, INIT, TRAIN, Region

Place = tuple[str, int, int]

_KEPT = ("weight", "bias", "state", "update")
"""Kinds of columns that the next row reads."""


def changes(hand_in: HandIn, draw: int, begins: NDArray[np.bool_]) -> dict[Place, float]:
    """Numbers to be typed over all inputs: data, weights, hyperparameters, given rows.

    So are blank cells and those that hold a number of the student's own: what is built
    upon them can then be told from what is not. ``begins`` (rows, columns) tells the cells
    where errors begin, which become numbers as well.
    """
    random = changes_stream(draw)

    def some(low: float = 0.3, high: float = 0.8) -> float:
        return float(random.uniform(low, high))

    found: dict[Place, float] = {}
    for place, value, spread in _data(hand_in):
        found[place] = value + spread * some()
    for place, value in _bounded_targets(hand_in):
        found[place] = 0.2 + 0.6 * value * some(0.5, 1.0)
    for place, value in _init(hand_in):
        found[place] = value * some() + some() * float(random.choice([-1, 1]))
    for place, number in _config(hand_in):
        found[place] = number * some() if number else some(0.1, 0.3)
    for place, number in _given(hand_in):
        found[place] = number * some()
    for place, number in _own(hand_in, begins):
        found[place] = number * some() if number else some()
    return found


def _data(hand_in: HandIn) -> Iterator[tuple[Place, float, float]]:
    problem, layout = hand_in.book.problem, hand_in.book.layout.data
    yield from _visited(hand_in, layout.regions["raw inputs"], problem.table.inputs)
    if problem.table.targets is not None and problem.network.loss.targets == "any":
        yield from _visited(hand_in, layout.regions["raw targets"], problem.table.targets)


def _bounded_targets(hand_in: HandIn) -> Iterator[tuple[Place, float]]:
    """Numbers from 0 to 1; classes stay as they are."""
    problem, layout = hand_in.book.problem, hand_in.book.layout.data
    if problem.table.targets is not None and problem.network.loss.targets != "any":
        region = layout.regions["raw targets"]
        for place, value, _ in _visited(hand_in, region, problem.table.targets):
            yield place, value


def _visited(
    hand_in: HandIn, region: Region, values: Array
) -> Iterator[tuple[Place, float, float]]:
    """The cells of the samples that are visited, and how far their columns reach."""
    exercise = hand_in.exercise
    samples = exercise.own["sample"].view(exercise.numbers).astype(int)
    spread = np.std(values, axis=0)
    for sample in sorted(set(samples.tolist())):
        for c, value in enumerate(values[sample - 1].tolist()):
            place = DATA, region.row + sample - 1, region.column + c
            yield place, value, float(spread[c]) or 1.0


def _init(hand_in: HandIn) -> Iterator[tuple[Place, float]]:
    init, problem = hand_in.exercise.layout.init, hand_in.book.problem
    for layer, w, b in zip(init.layers, problem.weights, problem.biases, strict=True):
        for region, values in ((init.weights(layer), w), (init.bias(layer), b[:, None])):
            for (r, c), value in np.ndenumerate(values):
                yield (INIT, region.row + r, region.column + c), float(value)


def _config(hand_in: HandIn) -> Iterator[tuple[Place, float]]:
    problem = hand_in.book.problem
    for parameter in problem.changeable:
        if not parameter.whole:
            yield hand_in.book.names[parameter.name], problem.hyperparameters[parameter.name]


def _given(hand_in: HandIn) -> Iterator[tuple[Place, float]]:
    """What the first asked visit of a run takes over from the given one above it."""
    exercise = hand_in.exercise
    for i, row in enumerate(exercise.rows):
        if row.asked:
            continue
        for block in exercise.own.blocks:
            if block.kind in _KEPT:
                for offset, label in enumerate(block.labels):
                    number = float(exercise.numbers[i, block.first + offset])
                    yield (TRAIN, hand_in.rows[i], hand_in.columns[label]), number


def _own(hand_in: HandIn, begins: NDArray[np.bool_]) -> Iterator[tuple[Place, float]]:
    """Asked cells without a formula, or with one that leads to the first error."""
    for cell in hand_in.exercise.cells:
        row, column = hand_in.rows[cell.i], hand_in.columns[cell.label]
        if hand_in.file.formula(row, column) is None or begins[cell.i, cell.c]:
            number = float(hand_in.file.numbers[row - 1, column - 1])
            yield (TRAIN, row, column), 0.0 if np.isnan(number) else number
