"""The training that Python had at export, from the inputs that ``Compare`` has kept."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from sheetnet.concepts.arithmetic import Array
from sheetnet.concepts.dropout import rate_name
from sheetnet.data import Label
from sheetnet.engine import blocks
from sheetnet.epoch_ledgers import Ledgers
from sheetnet.errors import SheetnetError
from sheetnet.problem import Problem, assemble
from sheetnet.views.compare_inputs import Found


def problem_at_export(problem: Problem, found: Found) -> Problem | None:
    """The problem with all inputs as the sheet has kept them; None where that is none."""
    if not all(np.isfinite(part).all() for part in (found.exported, *found.copies)):
        return None
    spec = problem.spec
    names = tuple(problem.hyperparameters)
    numbers = dict(zip(names, found.exported[: len(names), 0].tolist(), strict=True))
    *starts, data = found.copies
    layers = tuple(
        replace(
            layer,
            weights=tuple(map(tuple, start[:, :-1].tolist())),
            bias=tuple(start[:, -1].tolist()),
            dropout=numbers.get(rate_name(index)),
        )
        for index, (layer, start) in enumerate(zip(spec.layers, starts, strict=True), 1)
    )
    known = {name: numbers[name] for name in spec.training.hyperparameters}
    training = replace(spec.training, hyperparameters=known)
    count, classes = len(problem.table.input_names), problem.classes
    raw, goals = np.ascontiguousarray(data[:, :count]), np.ascontiguousarray(data[:, count:])
    table = replace(
        problem.table,
        inputs=raw,
        targets=goals if classes is None else None,
        labels=None if classes is None else decode(goals, classes),
    )
    try:
        made = assemble(replace(spec, layers=layers, training=training), table, classes)
        return replace(made, network=problem.network)
    except SheetnetError:
        return None


def decode(coded: Array, classes: tuple[Label, ...]) -> tuple[Label, ...]:
    """The labels that are coded, (rows, outputs)."""
    if coded.shape[1] == 1:
        return tuple(classes[int(row[0] == 1)] for row in coded)
    return tuple(classes[int(np.argmax(row))] for row in coded)


def rows_of(problem: Problem, ledgers: Ledgers, visits: frozenset[int]) -> dict[int, Array]:
    """Train and return the rows of ``Train`` of some visits (from 1)."""
    found, done = {}, 0
    for part in blocks(problem, ledgers):
        for visit in range(done + 1, done + len(part.train) + 1):
            if visit in visits:
                found[visit] = part.train[visit - done - 1].copy()
        done += len(part.train)
    return found
