"""Drafts that start from the weights of a trained model."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np

from sheetnet.concepts.arithmetic import Array
from sheetnet.epoch_ledgers import without_dropout
from sheetnet.errors import ModelError
from sheetnet.problem import Problem
from sheetnet.rules import forward_rules
from sheetnet.sources import Columns, listed
from sheetnet.starting.classes import in_coded_order
from sheetnet.starting.draft import Document, Draft, Place, with_training
from sheetnet.starting.fitted import (
    Source,
    export_line,
    fitted,
    visits_cells,
)
from sheetnet.starting.model import Model
from sheetnet.starting.size import LEAST_EPOCHS, best_rate, rows_with_all
from sheetnet.starting.table import inputs_of

FAITHFUL = 1e-9
"""By how much, relative to their size, first predictions may differ from the model's."""

SAME = 1e-13
"""Scaled inputs that differ by no more than this are taken as scaled with the same numbers."""


def model_draft(place: Place, source: Source, written: str, model: Model) -> Draft:
    """A spec whose network is the model's."""
    columns = source.read()
    names = _input_names(columns, source, model)
    coded = in_coded_order(model, columns, source.target)
    model = coded.model
    data = source.table(written, names) | {"target_scale": coded.target_scale}
    data = {key: value for key, value in data.items() if (key, value) != ("target_scale", "none")}
    data["scale"] = _scale(source, model)
    if model.share:
        data["validation"] = model.share
    training = {"epochs": 1, "shuffle": True, **model.training}
    document = _with_layers({"data": data, "layers": [], "training": training}, model)
    needed = rows_with_all(columns.column(source.target[0])) if coded.classes else 0
    document, sizes = fitted(place, document, len(columns.cells), needed, hold_out=False)
    document = _small_batches(document, place)
    problem = place.problem(document)
    document, folded = _folded(document, model, problem)
    problem = place.problem(document)
    _check(problem, model, raw=model.affine is not None)
    notes = {**sizes, "data.inputs": (_said_of_inputs(columns, model),), "data.scale": folded}
    if coded.why:
        notes["data.target"] = (coded.why,)
    if "learning_rate" not in document["training"]:
        short = with_training(document, epochs=min(problem.spec.training.epochs, LEAST_EPOCHS))
        rate, tried = best_rate(place, short, visits_cells(problem))
        document = with_training(document, learning_rate=rate)
        notes["training.learning_rate"] = (tried,)
    document = with_training(document, loss=problem.network.loss.name)
    heading = (
        f"{place.name}: the weights of {model.name}, on {columns.where} "
        f"({len(columns.cells)} rows): {problem.network.label}.",
        f"Make the workbook with: {export_line(place.name)}",
        *model.notes,
        *coded.notes,
    )
    notes["layers"] = ("One table for each layer, input side first.",)
    return Draft(document, heading, notes)


def _input_names(columns: Columns, source: Source, model: Model) -> tuple[str, ...]:
    """The columns that feed the model: those chosen, those it knows, or all of numbers."""
    chosen = source.inputs or model.input_names
    if chosen:
        names = inputs_of(columns, source.target, chosen).names
    else:
        names = tuple(
            name
            for name in columns.names
            if name not in source.target
            and any(isinstance(cell, float) for cell in columns.column(name))
        )
    if len(names) != model.inputs:
        raise ModelError(
            f"{model.name} takes {model.inputs} inputs, but {columns.where} has {len(names)} "
            f"columns of numbers beside the target ({listed(names)}): name them with --input"
            if not chosen
            else f"{model.name} takes {model.inputs} inputs, but {len(names)} are named"
        )
    return names


def _said_of_inputs(columns: Columns, model: Model) -> str:
    if model.input_names is not None:
        return "The columns that the model was trained on, in its order."
    return (
        f"The model does not know the names of its inputs: they are taken in this order, from "
        f"{columns.where}."
    )


def _scale(source: Source, model: Model) -> str:
    if model.affine is None:
        return source.scale or "none"
    if source.scale is not None:
        raise ModelError(f"--scale is {source.scale}, but {model.name} scales its inputs itself")
    return model.affine.scale


def _with_layers(document: Document, model: Model) -> Document:
    layers = []
    for layer in model.layers:
        table: dict[str, Any] = {
            "units": int(layer.weights.shape[0]),
            "activation": layer.activation,
            "weights": layer.weights.astype(np.float64).tolist(),
            "bias": layer.bias.astype(np.float64).tolist(),
        }
        layers.append(table if layer.train_bias else {**table, "train_bias": False})
    return {**document, "layers": layers}


def _small_batches(document: Document, place: Place) -> Document:
    """A batch holds all training rows at most."""
    rows = place.problem(document).rows
    size = document["training"].get("batch_size", 1)
    return with_training(document, batch_size=rows) if size > rows else document


def _folded(document: Document, model: Model, problem: Problem) -> tuple[Document, tuple[str, ...]]:
    """Put what the model did to its inputs into the spec, all of it or what is left of it.

    Where the statistics of the data are not those that the model has, the difference
    goes into the first layer: with x = mean + deviation · s,
    W (x − offset) · factor + b is a sum over s again.
    """
    if model.affine is None:
        return document, ("The inputs as the model took them.",)
    offset, factor = _affine_of(problem)
    mine = model.affine
    shift = np.abs(offset - mine.offset) * np.abs(factor)
    alike = (shift <= SAME) & np.isclose(factor, mine.factor, rtol=SAME, atol=0)
    if alike.all():
        return document, (f"As {model.name} does, with the same numbers.",)
    first = model.layers[0]
    ratio = mine.factor / factor
    weights = first.weights * ratio
    bias = first.bias + (first.weights * mine.factor) @ (offset - mine.offset)
    layers = (dataclasses.replace(first, weights=weights, bias=bias), *model.layers[1:])
    folded = _with_layers(document, dataclasses.replace(model, layers=layers))
    return folded, (
        f"{model.name} scales with numbers that are not those of these {problem.rows} training "
        "rows. The difference is worked into the weights and biases of the first layer, which "
        "are not the model's own therefore; the predictions are the same up to rounding.",
    )


def _affine_of(problem: Problem) -> tuple[Array, Array]:
    """Offset and factor of the spec's own scaling, from what it makes of 0 and 1."""
    scaled = problem.inputs
    names = list(scaled.statistics)
    if not names:
        inputs = scaled.raw.shape[1]
        return np.zeros(inputs), np.ones(inputs)
    offset, divisor = (scaled.statistics[name] for name in names)
    return offset, 1.0 / divisor


def first_outputs(problem: Problem) -> Mapping[str, Array]:
    """The forward pass of all rows with the first weights, held-out rows included."""
    network = without_dropout(problem.network)
    q: dict[str, Array] = {"x": problem.inputs.values, "y": problem.targets.values}
    for layer, w, b in zip(network.layers, problem.weights, problem.biases, strict=True):
        for name, value in ((f"W{layer.index}", w), (f"b{layer.index}", b)):
            q[name] = np.broadcast_to(value, (problem.table.rows, *value.shape))
    with np.errstate(all="ignore"):
        for rule in forward_rules(network, problem.hyperparameters):
            q[rule.name] = rule.value(q)
    return q


def _check(problem: Problem, model: Model, *, raw: bool) -> None:
    """Raise :class:`ModelError` where first predictions are not the model's own."""
    if model.reference is None:
        return
    last = len(model.layers)
    found = first_outputs(problem)[f"{model.reference.quantity}{last}"]
    wanted = model.reference.value(problem.inputs.raw if raw else problem.inputs.values)
    size = np.maximum(1.0, np.abs(wanted))
    wrong = ~(np.abs(found - wanted) <= FAITHFUL * size)
    if wrong.any():
        row, k = map(int, np.argwhere(wrong)[0])
        raise ModelError(
            f"{model.name} cannot be shown as layers: for data row "
            f"{problem.table.source_row(row)} it gives {wanted[row, k]:.9g}, the layers "
            f"{found[row, k]:.9g}"
        )
