"""Whole runs, drawn at random: the sheet and NumPy agree in every cell, to the last bit.

``SHEETNET_EXAMPLES=2000 SHEETNET_SEED=7 pytest -rP tests/test_properties.py`` looks further,
and at other runs, than the normal run, which sees the same ones each time; it says what was
drawn.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zlib import crc32

import pytest
from drawn import ROUND, Document, Table, draw_round, sample, spec_of
from hypothesis import reject
from support import WITHOUT_VIEWS

import sheetnet
from sheetnet.errors import DataError
from sheetnet.spec import Spec
from sheetnet.verification import Report
from sheetnet.workbook.export import Exported

WIDE = "SHEETNET_EXAMPLES" in os.environ
EXAMPLES = int(os.environ.get("SHEETNET_EXAMPLES", "160"))
SEED = os.environ.get("SHEETNET_SEED", "0")


@dataclass(frozen=True)
class Checked:
    """A run that was exported and verified."""

    spec: Spec
    exported: Exported
    report: Report

    def kinds(self) -> Counter[str]:
        """What happened in it, and how many cells were compared."""
        cells = sum(self.report.checks[name].cells for name in ("local", "trajectory", "saved"))
        stopped, epochs = self.exported.stopped_after, self.spec.training.epochs
        return Counter(
            {
                "runs": 1,
                "cells": cells,
                "validate": int(self.spec.data.validation > 0),
                "stop": int(stopped is not None and stopped < epochs),
                "diverge": int(self.exported.diverged_at is not None),
                "go on after their best epoch": int((self.exported.best_epoch or epochs) < epochs),
            }
        )


def check(document: Document, table: Table | None) -> Checked:
    """Export, verify, and fail where any cell differs."""
    with tempfile.TemporaryDirectory() as name:
        spec = spec_of(document, table, Path(name))
        # Every fifth with all sheets, the same ones each time: they have most of the cells.
        whole = crc32(repr(document).encode()) % 5 == 0
        exported = sheetnet.export(
            spec, Path(name) / "drawn.xlsx", sheets=None if whole else WITHOUT_VIEWS
        )
        report = sheetnet.verify(exported.path)
    assert report.agree, report.to_text()
    for question in ("local", "trajectory", "saved"):
        found = report.checks[question]
        assert found.identical == found.cells > 0, report.to_text()
    assert report.checks["trajectory"].sheet_diverged_at == exported.diverged_at
    return Checked(spec, exported, report)


@pytest.mark.parametrize("part", range(-(-EXAMPLES // ROUND)))
def test_sheet_and_python_agree_to_the_last_bit(part: int) -> None:
    drawn: Counter[str] = Counter()

    def agree(document: Document, table: Table | None) -> None:
        try:
            drawn.update(check(document, table).kinds())
        except DataError as error:
            # Numbers such as 1e-300 cannot be scaled: their squares are 0.
            if "does not give finite numbers" not in str(error):
                raise
            reject()

    draw_round(agree, f"{SEED} {part}", shrink=WIDE)
    print(", ".join(f"{count:,} {kind}" for kind, count in drawn.items()))


def one(
    activation: str, rows: Table, *, outputs: int = 1, epochs: int = 2, **data: Any
) -> tuple[Document, Table]:
    """One layer with weights 1 and biases 0 over a table of inputs x and outputs y."""
    inputs = len(rows[0]) - outputs
    names: list[object] = [f"x{i}" for i in range(inputs)]
    goals: list[object] = [f"y{k}" for k in range(outputs)]
    layer = {"activation": activation, "weights": [[1.0] * inputs for _ in range(outputs)]}
    document = {
        "data": {"source": "d.csv", "inputs": names, "target": goals, **data},
        "layers": [layer],
        "training": {"epochs": epochs, "learning_rate": 0.7},
    }
    return document, [[*names, *goals], *rows]


def classes(activation: str, *inputs: float, other: float = 0.0) -> tuple[Document, Table]:
    """Two classes, each told once: its z is the input, that of the other one always the same."""
    document, _ = one(activation, [[0.0, 0.0]])
    layer = {"activation": activation, "units": 2, "weights": [[1.0, 0.0], [0.0, 1.0]]}
    document |= {"data": {"source": "d.csv", "inputs": ["x0", "x1"], "target": "class"}}
    document["layers"] = [layer]
    document["training"]["learning_rate"] = 0.0
    pairs = [pair for z in inputs for pair in ([z, other], [other, z])]
    return document, [["x0", "x1", "class"], *([*p, label] for p in pairs for label in "ab")]


FOUND = {
    # Engines that compare with a tolerance take these numbers for 0 …
    "relu of a tiny number": one("relu", [[1e-17, 1.0], [2e-16, 2.0], [-1e-17, 1.0]]),
    "leaky relu of a tiny number": one("leaky_relu", [[1e-17, 1.0], [2e-16, 2.0], [-1e-17, 1.0]]),
    "sigmoid of a tiny number": one("sigmoid", [[-2.2e-16, 1.0], [-1.7e-16, 0.0], [1e-16, 0.0]]),
    # … and these for equal.
    "nearly constant, minmax": one("linear", [[1e-17, 1.0], [0.0, 2.0]], scale="minmax"),
    "nearly constant, standard": one("linear", [[1.0, 1e-17], [2.0, 0.0]], target_scale="standard"),
    # IronCalc reads a+(b+c) as a+b+c.
    "several outputs with binary entropy": one(
        "sigmoid", [[i / 7, 1 / (i + 1), i / 9, (i % 3) / 3] for i in range(9)], outputs=3
    ),
    # Outputs so near that engines take them for equal, or so far that what tells them apart
    # must not overflow.
    "classes, sigmoid near 0": classes("sigmoid", -300.0, -700.0, -744.0, other=-1e4),
    "classes, tanh near 0": classes("tanh", 1e-200, 1e-320, 5e-324, -5e-324),
    "classes, small numbers": classes("linear", 1e-200, 1e-320, 5e-324, -5e-324),
    "classes, large numbers": classes("linear", 2.0, 2.0 + 2**-51, 1e150, -1e153, other=-1e60),
    "two visits": one("tanh", [[1.0, 0.5]]),
    "one visit": one("tanh", [[1.0, 0.5]], epochs=1),
}


@pytest.mark.parametrize("name", FOUND)
def test_runs_that_disagreed_once(name: str) -> None:
    check(*FOUND[name])


def stopping(run: tuple[Document, Table], **training: Any) -> tuple[Document, Table]:
    """The run with early stopping, half of its rows held out."""
    document, table = run
    document["data"]["validation"] = 0.5
    document["training"] |= {"patience": 1, "epochs": 4, **training}
    return document, table


HAIR = [-2.2e-16, -1.7e-16, -4e-16, 1e-16, 3e-16, -1e-16] * 2
EDGES = {
    "outputs a hair from 0.5": stopping(one("sigmoid", [[z, 1.0] for z in HAIR])),
    "targets a hair from 0.5": stopping(one("sigmoid", [[0.0, 0.5 + z / 2] for z in HAIR])),
    "classes a hair apart": stopping(
        one("softmax", [[z, -z, int(z > 0), int(z <= 0)] for z in HAIR], outputs=2)
    ),
    "classes that tie": stopping(
        one("softmax", [[z, int(z > 0), int(z <= 0)] for z in HAIR], outputs=2), learning_rate=0.0
    ),
    "a best loss that cannot be had": stopping(one("linear", [[1.0, 1e200], [1.0, 1e200]])),
    "losses whose sum is too large": stopping(
        one("linear", [[1.3e154, 0.0]] * 4), learning_rate=0.0
    ),
    "a margin that overflows": stopping(
        one("linear", [[1e150, 0.0], [1e150, 0.0]]), min_delta=1.7e308, patience=2
    ),
    "an improvement by exactly the margin": stopping(
        one("linear", [[1.0, 0.0], [1.0, 0.0]]), learning_rate=0.25, min_delta=0.1875
    ),
    "patience beyond all epochs": stopping(one("linear", [[1.0, 0.5]] * 2), patience=1e300),
}


@pytest.mark.parametrize("name", EDGES)
def test_edges_of_what_is_said_of_an_epoch(name: str) -> None:
    check(*EDGES[name])


def test_what_is_drawn() -> None:
    """Runs of each kind, so that the many cannot all be of one."""
    drawn: Counter[str] = Counter()
    for run in sample(100, key="kinds"):
        with tempfile.TemporaryDirectory() as folder, contextlib.suppress(DataError):
            done = sheetnet.train(spec_of(*run, Path(folder)))
            drawn["validate"] += done.problem.network.validates
            drawn["stop"] += done.stopped_after is not None
            drawn["diverge"] += done.diverged_at is not None
    assert drawn["validate"] >= 40 and drawn["stop"] >= 15 and drawn["diverge"] >= 5, drawn


def test_runs_that_diverge() -> None:
    """Perceptrons that overshoot, some at once and some late."""
    visits = set()
    for rate in (0.7, 1e10, 1e100, 1e200):
        for activation in ("linear", "leaky_relu"):
            document, table = one(activation, [[3.0, 1.0], [-2.0, 5.0], [7.0, -1.0]])
            document["training"] |= {"learning_rate": rate, "epochs": 40}
            visits.add(check(document, table).exported.diverged_at)
    assert len(visits - {None}) >= 3
