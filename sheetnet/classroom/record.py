"""What an exercise says of itself, so that what is handed in can be graded.

It stands on top of the sheet ``Checks``, a key and a value in each row.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass

from sheetnet.classroom.plan import Exercise, make_exercise
from sheetnet.errors import WorkbookError
from sheetnet.problem import Problem
from sheetnet.reader.cells import Odd
from sheetnet.reader.grid import read_grid
from sheetnet.reader.package import Package
from sheetnet.regions import CHECKS

KIND, VERSION = "sheetnet exercise", 1
KEYS = (KIND, "blank", "visits", "digits", "inputs")


@dataclass(frozen=True)
class Record:
    """What was asked for, and a digest of the inputs as they were handed out."""

    blank: str
    visits: str
    digits: int
    inputs: str

    @property
    def values(self) -> tuple[float | str, ...]:
        """In the order of :data:`KEYS`."""
        return VERSION, self.blank, self.visits, float(self.digits), self.inputs

    def exercise(self, problem: Problem) -> Exercise:
        """The exercise that a problem makes of it."""
        return make_exercise(problem, self.blank, self.visits, self.digits)


def read_record(package: Package) -> Record:
    """Read it; raises :class:`WorkbookError` where there is none."""
    if CHECKS not in package.sheets:
        known = " (a workbook of sheetnet export)" if "Train" in package.sheets else ""
        raise WorkbookError(f"no exercise{known}: it has no sheet {CHECKS!r}")
    grid = read_grid(package, CHECKS, len(KEYS), 2)
    found = [grid.at(row, 2) for row in range(1, len(KEYS) + 1)]
    if grid.at(1, 1) != Odd("text", KIND) or found[0] != VERSION:
        raise WorkbookError(f"the sheet {CHECKS!r} is not that of an exercise")
    _, blank, visits, digits, inputs = found
    if not isinstance(digits, float) or not digits.is_integer():
        raise WorkbookError(f"the sheet {CHECKS!r} has been changed: digits is {digits}")
    # One visit stands there as a number, once an application has saved it.
    plain = f"{visits:g}" if isinstance(visits, float) else visits.text
    return Record(str(getattr(blank, "text", blank)), plain, int(digits), _text(inputs))


def _text(cell: float | Odd) -> str:
    return cell.text if isinstance(cell, Odd) else repr(cell)


def digest_of(problem: Problem) -> str:
    """A digest of all that the training depends on, to 12 digits."""
    table, training = problem.table, problem.spec.training
    held = {
        "network": problem.network.label,
        "biases": [layer.train_bias for layer in problem.network.layers],
        "scale": [problem.spec.data.scale, problem.spec.data.target_scale],
        "training": [training.epochs, training.batch_size, training.shuffle, training.seed],
        "numbers": {name: f"{v:.12g}" for name, v in problem.hyperparameters.items()},
        "rows": [problem.rows, problem.held_out],
        "inputs": _digits(table.inputs.ravel().tolist()),
        "targets": [] if table.targets is None else _digits(table.targets.ravel().tolist()),
        "labels": [] if table.labels is None else [str(label) for label in table.labels],
        "weights": [
            _digits(w.ravel().tolist()) for pair in (problem.weights, problem.biases) for w in pair
        ],
    }
    text = json.dumps(held, sort_keys=True)
    # Letters alone: no application takes it for a number.
    whole = int.from_bytes(hashlib.sha256(text.encode()).digest()[:12])
    return "".join(chr(97 + (whole >> shift) % 16) for shift in range(0, 96, 4))


def _digits(values: list[float]) -> list[str]:
    return [f"{value + 0.0:.12g}" for value in values]
