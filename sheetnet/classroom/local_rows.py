"""What each cell of some visits should be, taking the row's own numbers as given.

A wrong cell is found itself, and what follows from it is right.
"""

from __future__ import annotations

import numpy as np

from sheetnet.classroom.hand_in import Numbers
from sheetnet.classroom.plan import Exercise
from sheetnet.concepts.arithmetic import Array, errors_to_nan
from sheetnet.rules import before, rules_of


def local_rows(exercise: Exercise, numbers: Numbers) -> Array:
    """The cells of the rows: (rows, columns); of given rows and constants, as they are."""
    network, ledger = exercise.problem.network, exercise.own
    held = numbers.train
    expected = held.copy()
    have, want = ledger.views(held), ledger.views(expected)
    with np.errstate(all="ignore"):
        for name, first in numbers.first.items():
            reached = have[name]
            if f"u{name}" in have:
                reached = reached + have[f"u{name}"]
            want[name][1:] = reached[:-1]
            if exercise.rows[0].visit == 1:
                want[name][0] = first
        for rule in rules_of(network, numbers.hyperparameters):
            if rule.carried:
                shifted = np.zeros_like(have[rule.name])
                shifted[1:] = have[rule.name][:-1]
                have[before(rule.name)] = shifted
            want[rule.name][:] = rule.value(have)
    return errors_to_nan(expected)
