"""Drafts without a model: a toy problem, or a small network for a table of data."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sheetnet.epoch_ledgers import ledgers_of
from sheetnet.limits import MAX_COLUMNS
from sheetnet.problem import Problem
from sheetnet.sources import Columns, read_columns
from sheetnet.starting.draft import Document, Draft, Place, with_data, with_training
from sheetnet.starting.size import Size, best_rate, rows_with_all, said_of, size_of
from sheetnet.starting.table import (
    Inputs,
    Task,
    check_target,
    inputs_of,
    scale_of,
    task_of,
)

ROWS_TO_HOLD_OUT = 50
"""From so many rows on some are held out."""

SHARE = 0.2
FEW_UNITS, MORE_UNITS = 4, 6
SEED = 1


@dataclass(frozen=True)
class Source:
    """A file of data as the command line names it."""

    file: Path
    sheet: str | None
    target: tuple[str, ...]
    inputs: tuple[str, ...] = ()
    scale: str | None = None

    def read(self) -> Columns:
        """All cells of the file; the target is checked."""
        columns = read_columns(self.file.name, self.sheet, None, self.file.parent)
        check_target(columns, self.target)
        return columns

    def table(self, source: str, inputs: Sequence[str]) -> dict[str, Any]:
        """The keys of ``[data]``; ``source`` is the file as the spec names it."""
        sheet = {} if self.sheet is None else {"sheet": self.sheet}
        target = self.target[0] if len(self.target) == 1 else list(self.target)
        return {"source": source, **sheet, "inputs": list(inputs), "target": target}


def export_line(name: str) -> str:
    """The command that makes the workbook of a spec."""
    return f"sheetnet export {shlex.quote(f'{name}.toml')}"


def toy_draft(name: str) -> Draft:
    """XOR on 2-3-1: runs at once, and learns."""
    document = {
        "data": {"source": "toy:xor"},
        "layers": [{"units": 3, "activation": "tanh"}, {"activation": "sigmoid"}],
        "training": {
            "loss": "binary_entropy",
            "epochs": 200,
            "learning_rate": 0.3,
            "seed": SEED,
            "initializer": "glorot",
        },
    }
    heading = (
        f"{name}: XOR, which no perceptron can learn: three tanh units in a hidden layer can.",
        f"Make the workbook with: {export_line(name)}",
        "Other toy sets: and or line circles moons spiral blobs. For your own data: sheetnet new "
        "SPEC.toml --data FILE --target COLUMN",
    )
    notes = {
        "layers": ("One table for each layer, input side first; a perceptron has one only.",),
        "last layer": ("The last layer: its activation decides what its outputs are.",),
    }
    return Draft(document, heading, notes)


def data_draft(place: Place, source: Source, written: str) -> Draft:
    """A small network for a table; ``written``: the file as the spec names it."""
    columns = source.read()
    rows = len(columns.cells)
    task = task_of(columns, source.target)
    inputs = inputs_of(columns, source.target, source.inputs)
    scale, scaled = scale_of(columns, inputs.names)
    if source.scale is not None:
        scale, scaled = source.scale, "As asked for."
    data = source.table(written, inputs.names) | {"scale": scale}
    if task.name == "regression":
        data["target_scale"] = task.target_scale
    hidden = _hidden_units(task, inputs)
    document: Document = {
        "data": data,
        "layers": [
            {"units": hidden, "activation": "tanh"},
            {"units": task.units, "activation": task.activation},
        ],
        "training": {"epochs": 1, "shuffle": True, "seed": SEED, "initializer": "glorot"},
    }
    needed = rows_with_all(columns.column(source.target[0])) if task.classes else 0
    document, sizes = fitted(place, document, rows, needed, hold_out=True)
    problem = place.problem(document)
    rate, tried = best_rate(place, document, visits_cells(problem))
    loss = problem.network.loss.name
    document = with_training(document, loss=loss, learning_rate=rate)
    heading = (
        f"{place.name}: a spec fitted to {columns.where} ({rows} rows, {len(columns.names)} "
        f"columns): {task.name} of {', '.join(source.target)} with {problem.network.label}.",
        f"Make the workbook with: {export_line(place.name)}",
    )
    notes = {
        "data.inputs": _said_of_inputs(inputs),
        "data.target": (task.why,),
        "data.scale": (scaled,),
        "data.target_scale": _said_of_target_scale(data.get("target_scale")),
        "data.validation": said_of_validation(problem),
        "layers": (
            "One table for each layer, input side first. A small hidden layer to start from; "
            "without this table the network is a perceptron.",
        ),
        "training.learning_rate": (tried,),
        **sizes,
    }
    return Draft(document, heading, notes)


def _hidden_units(task: Task, inputs: Inputs) -> int:
    """Few enough for the width of a sheet, more where there are many classes."""
    wide = len(inputs.names) > 30
    return MORE_UNITS if task.units > FEW_UNITS and not wide else FEW_UNITS


def fitted(
    place: Place, document: Document, rows: int, needed: int, *, hold_out: bool
) -> tuple[Document, dict[str, tuple[str, ...]]]:
    """Put in rows, epochs and (``hold_out``) the share held out; with what to say of it."""
    share = SHARE if hold_out and rows >= ROWS_TO_HOLD_OUT else 0.0
    sized = _sized(place, document, rows, needed, share) if hold_out else None
    if sized is None or (share and sized[1].rows < ROWS_TO_HOLD_OUT):
        share = 0.0 if hold_out else document["data"].get("validation", 0.0)
        sized = _sized(place, document, rows, needed, share)
    document, size, width = sized
    notes = said_of(size, rows, width)
    if width > MAX_COLUMNS:
        notes["training"] = (
            f"The ledger of this network has {width:,} columns, a sheet {MAX_COLUMNS:,}: it goes "
            "over several sheets, by layer.",
        )
    document = with_data(document, rows=size.rows if size.rows < rows else None)
    return with_training(document, epochs=size.epochs), notes


def _sized(
    place: Place, document: Document, rows: int, needed: int, share: float
) -> tuple[Document, Size, int]:
    """The document with this share held out, its size, and the columns of its ledger."""
    document = with_data(document, validation=share or None)
    ledgers = ledgers_of(place.problem(document).network)
    return document, size_of(ledgers, rows, share, needed), ledgers.train.width


def visits_cells(problem: Problem) -> int:
    """Cells of the ledger of training."""
    return problem.visits * ledgers_of(problem.network).train.width


def said_of_validation(problem: Problem) -> tuple[str, ...]:
    """What is held out."""
    if problem.held_out:
        return (
            f"{problem.held_out} of {problem.table.rows} rows are held out, drawn from the seed.",
        )
    return (f"Too few rows ({problem.table.rows}) to hold some of them out.",)


def _said_of_inputs(inputs: Inputs) -> tuple[str, ...]:
    if not inputs.left_out:
        return ()
    by_reason: dict[str, list[str]] = {}
    for name, reason in inputs.left_out:
        by_reason.setdefault(reason, []).append(repr(name))
    each = (f"{', '.join(names)} ({reason})" for reason, names in by_reason.items())
    return (f"Left out: {'; '.join(each)}.",)


def _said_of_target_scale(scale: str | None) -> tuple[str, ...]:
    if scale is None:
        return ()
    if scale == "none":
        return ("The targets are small: no scaling.",)
    return ("Scaled, so that a loss of 1 means: no better than the mean.",)
