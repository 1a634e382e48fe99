"""Runs whose ``Predict`` differs as much as it can, and a forward pass in plain Python."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
from ledgers import Model
from support import make_spec

import sheetnet
from sheetnet.ledger import Ledger
from sheetnet.problem import Problem
from sheetnet.regions import PREDICT, Region
from sheetnet.run import Run
from sheetnet.spec import Spec
from sheetnet.views.predict.plan import Plan

SURFACE = "u,v,z,w\n" + "".join(
    f"{u},{v},{200 + 30 * u - 7 * v},{u * v}\n"
    for u, v in [(0.5, 1), (1.5, -2), (-1, 0.25), (2, 2), (0, -1), (-2, 1.5), (1, 0.75)]
)
FLOWERS = "width,kind\n" + "".join(
    f"{0.2 + 0.13 * i},{('=1+1', '-b', 'c &<')[i % 3]}\n" for i in range(14)
)
WIDE = "a,b,c,d,y\n" + "".join(
    f"{i % 5},{i % 3 - 1},{i / 4},7,{i % 5 * 40 - i * 3}\n" for i in range(12)
)
LABELS = "a,b,p,q\n" + "".join(
    f"{i % 4 - 1.5},{i % 3 - 0.9},{int(i % 4 > 1)},{int(i % 3 == 0)}\n" for i in range(9)
)
TANH = {"units": 3, "activation": "tanh"}


def spec_of(kind: str, folder: Path, **training: Any) -> Spec:
    """One of the runs; its table is written into the folder."""
    for name, text in (("s", SURFACE), ("f", FLOWERS), ("w", WIDE), ("l", LABELS)):
        (folder / f"{name}.csv").write_text(text, encoding="utf-8")
    dropped = {**TANH, "dropout": 0.5}
    found: dict[str, dict[str, Any]] = {
        # One output tells two classes apart; batches whose last is smaller; dropout.
        "moons": {
            "source": "toy:moons",
            "data": {"rows": 17, "scale": "minmax", "validation": 0.3},
            "layers": [dropped, {"activation": "sigmoid"}],
            "batch_size": 5,
            "shuffle": True,
        },
        # Several classes on a map.
        "blobs": {
            "source": "toy:blobs",
            "data": {"rows": 15, "scale": "standard"},
            "layers": [TANH, {"activation": "softmax"}],
        },
        # Classes along one input, with names that look like formulas.
        "flowers": {
            "source": "f.csv",
            "data": {"target": "kind", "validation": 0.2},
            "layers": [{"activation": "softmax"}],
        },
        # Two numbers from two inputs, in units of their own; a bias that stays.
        "surface": {
            "source": "s.csv",
            "data": {"target": ["z", "w"], "scale": "minmax", "target_scale": "standard"},
            "layers": [{**TANH, "train_bias": False, "bias": [0.1, 0.2, 0.3]}, {}],
        },
        # A curve; early stopping.
        "curve": {
            "source": "s.csv",
            "data": {
                "inputs": ["u"],
                "target": "z",
                "target_scale": "minmax",
                "validation": 0.3,
            },
            "layers": [TANH, {}],
            "patience": 1,
        },
        # No picture but predictions against targets; a column that is constant.
        "wide": {
            "source": "w.csv",
            "data": {"target": "y", "scale": "standard", "target_scale": "standard"},
            "layers": [{"units": 2, "activation": "relu"}, {}],
            "batch_size": 4,
        },
        # Two questions at once.
        "labels": {
            "source": "l.csv",
            "data": {"target": ["p", "q"]},
            "layers": [{"activation": "sigmoid"}],
        },
    }
    chosen = {**found[kind], **training}
    chosen["layers"] = [{"activation": "linear", **layer} for layer in chosen["layers"]]
    return make_spec(folder=folder, **{"epochs": 4, "learning_rate": 0.3, "seed": 3, **chosen})


KINDS = ("moons", "blobs", "flowers", "surface", "curve", "wide", "labels")


class Predicted:
    """A workbook with ``Predict``, its training in Python, and IronCalc's numbers of it."""

    def __init__(self, spec: Spec, folder: Path) -> None:
        self.path = folder / f"{spec.name}.xlsx"
        sheetnet.export(spec, self.path, sheets=["Predict"])
        self.run: Run = sheetnet.train(spec)
        self.problem: Problem = self.run.problem
        self.plan = plan_of(self.problem)
        self.model = Model(self.path)

    @cached_property
    def book(self) -> openpyxl.Workbook:
        return openpyxl.load_workbook(self.path)

    def put(self, row: int, column: int, number: float) -> None:
        """Type a number on ``Predict``."""
        self.model.put(PREDICT, row, column, number)

    def at_update(self, update: int) -> None:
        self.put(3, 2, update)

    def reset(self) -> None:
        """Put back what has been typed."""
        self.type(self.problem.inputs.raw[0].tolist())
        self.at_update(self.plan.updates)

    def type(self, numbers: Sequence[float]) -> None:
        sheet = self.model.sheets.index(PREDICT)
        for i, number in enumerate(numbers):
            self.model.model.update_cell_with_number(sheet, self.plan.inputs_row + 1 + i, 2, number)
        self.model.model.evaluate()

    def cell(self, row: int, column: int) -> Any:
        """What IronCalc has there."""
        sheet = self.model.sheets.index(PREDICT)
        return self.model.model.get_cell_value(sheet, row, column)

    def table(self, ledger: Ledger, region: Region) -> dict[str, Any]:
        """The quantities of a table."""
        return ledger.views(self.model.numbers(region))

    @property
    def rows(self) -> dict[str, Any]:
        return self.table(self.plan.rows, self.plan.rows_region)

    @property
    def points(self) -> dict[str, Any]:
        assert self.plan.points is not None and self.plan.points_region is not None
        return self.table(self.plan.points, self.plan.points_region)

    def weights(self, update: int) -> dict[str, Any]:
        """Those that the visits of the next update begin with, or the final ones."""
        later = np.flatnonzero(self.run["update"] == update + 1)
        names = [b.name for b in self.run.ledger.blocks if b.kind in ("weight", "bias")]
        if not len(later):
            return {name: self.run.final[name] for name in names}
        return {name: self.run[name][later[0]] for name in names}

    def forward(self, raw: Sequence[float], update: int) -> list[float]:
        """The outputs for an input in units of the data."""
        statistics = self.problem.inputs.statistics
        x = [
            scaled(
                self.problem.inputs.scaling.name, number, {n: s[i] for n, s in statistics.items()}
            )
            for i, number in enumerate(raw)
        ]
        weights = self.weights(update)
        for layer in self.problem.network.layers:
            w, b = weights[f"W{layer.index}"].tolist(), weights[f"b{layer.index}"].tolist()
            z = [b[j] + sum(p * q for p, q in zip(w[j], x, strict=True)) for j in range(len(b))]
            x = activated(layer.activation.name, z)
        return x

    def in_units(self, outputs: Sequence[float]) -> list[float]:
        """Outputs in the units of the data."""
        held, name = self.problem.targets.statistics, self.problem.targets.scaling.name
        if name == "standard":
            return [a * held["deviation"][k] + held["mean"][k] for k, a in enumerate(outputs)]
        if name == "minmax":
            return [a * held["spread"][k] + held["minimum"][k] for k, a in enumerate(outputs)]
        return list(outputs)

    def told(self, outputs: Sequence[float]) -> int:
        """The class told, from 1."""
        if len(outputs) == 1:
            return 2 if outputs[0] >= 0.5 else 1
        return outputs.index(max(outputs)) + 1

    def right(self, row: int) -> int:
        """The true class of a row of ``Data`` (from 0)."""
        y = self.problem.targets.values[row].tolist()
        return (2 if y[0] == 1 else 1) if len(y) == 1 else y.index(1.0) + 1


def scaled(name: str, x: float, held: dict[str, float]) -> float:
    if name == "standard":
        return (x - held["mean"]) / held["deviation"]
    return (x - held["minimum"]) / held["spread"] if name == "minmax" else x


def activated(name: str, z: list[float]) -> list[float]:
    if name == "softmax":
        parts = [math.exp(value - max(z)) for value in z]
        return [part / sum(parts) for part in parts]
    function = {
        "linear": lambda v: v,
        "tanh": math.tanh,
        "sigmoid": lambda v: 1 / (1 + math.exp(-v)),
        "relu": lambda v: max(v, 0.0),
    }[name]
    return [function(value) for value in z]


def plan_of(problem: Problem) -> Plan:
    from sheetnet.layout import layout_of

    return Plan(problem, layout_of(problem))
