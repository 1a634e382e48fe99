"""The note on a ledger column's head: what it is, in words and in mathematical notation."""

from __future__ import annotations

from sheetnet.concepts.dropout import DROPOUT, rate_name
from sheetnet.concepts.stopping import STOPPED, judgements
from sheetnet.concepts.summaries import GRADIENT_NORM, MEAN_LOSS
from sheetnet.epoch_ledgers import VALIDATION as HELD_OUT
from sheetnet.ledger import Block, input_of, output_of
from sheetnet.network import Layer, Network
from sheetnet.pipeline import stages_of
from sheetnet.problem import Problem
from sheetnet.workbook.headers import symbol

_PLACES = {
    "visit": "One visit of one sample: a forward pass, its loss, its gradients, its update.",
    "epoch": "One pass over all training rows.",
    "update": "The number t of the update that this visit belongs to.",
    "sample": "The row of Data that is visited; drawn once, a constant.",
    "first": "1 at the first sample of a batch: its sums begin anew.",
    "last": "1 at the last sample of a batch: the weights change after it.",
    "cell": "The cells of the map, row by row from the top.",
    "column": "Its column on the map, from the left.",
    "row": "Its row on the map, from the top.",
    "point": "Points along the axis.",
    STOPPED: "1 after the end of training: the weights stay as they are.",
}

PREDICTED = {
    "told": "the number of the largest output so far; the last one is the class told",
    "right": "the number of the true class",
    "hit": "the target of the class told: 1 where it is right",
    "pred": "the output in the units of the data",
    "goal": "the target in the units of the data, from Data",
    "value": "what the picture shows",
    "raw": "the input in its own units",
    "cell": "the number of the map's cell that this row falls into",
    "here": "the first training row that falls into this cell; 0: none",
}
"""Columns of ``Predict``."""

Index = tuple[int | str, ...]
"""Of one column (2, 1), or of all of a quantity ("j", "i")."""


def note(problem: Problem, block: Block, index: Index) -> str:
    """What stands in a column, for people who hover over its head; empty for nothing."""
    text = explanation(problem, block, index)
    return f"{symbol(block, index)}: {text}" if text and block.kind != "place" else text


def explanation(problem: Problem, block: Block, index: Index) -> str:
    """The same without the symbol in front."""
    if block.name in _PLACES and block.layer is None and block.kind in ("place", "flag"):
        return _PLACES[block.name]
    network = problem.network
    if block.layer is None:
        return _of_run(problem, block)
    return _of_layer(network, network.layers[block.layer - 1], block, index)


def _of_run(problem: Problem, block: Block) -> str:
    """Quantities that belong to no layer."""
    network = problem.network
    if block.kind == "input":
        return f"the input as the network sees it, from Data: {problem.inputs.scaling.maths}"
    if block.kind == "target":
        return "the target, from Data"
    if block.kind == "loss":
        return f"the loss of this row, {network.loss.name}: {network.loss.maths}"
    if block.base == GRADIENT_NORM:
        return "√(mean over the epoch's rows of ‖∂L/∂(W, b)‖²) of this layer"
    told = {j.name: j.maths for j in judgements(stops=network.stops)}
    measure = network.measure
    told |= {s.slot.name: s.slot.maths for s in stages_of(network) if s.slot.single}
    for prefix, rows in (("", "epoch's rows"), (HELD_OUT, "held-out rows")):
        told[f"{prefix}{MEAN_LOSS}"] = f"mean loss of the {rows}"
        told[f"{prefix}{measure.summary.name}"] = f"{measure.summary.maths}, {rows}"
        if measure.adds_up:
            told[f"{prefix}{measure.name}"] = f"share of the {rows} that are told right"
    return {**told, **PREDICTED}.get(block.base, "")


def _of_layer(network: Network, layer: Layer, block: Block, index: Index) -> str:
    """Quantities of a layer."""
    l, last = layer.index, layer.index == len(network.layers)
    feeds = input_of(network, layer)
    if block.kind in ("weight", "bias"):
        return "in use in this row: the row above's plus its update"
    parts = {part.name: part.maths for part in layer.activation.parts}
    if block.base in parts:
        return f"{layer.activation.name}: {parts[block.base]}"
    slope = layer.activation.slope_maths
    j = index[0] if index else 0
    told = {
        "z": f"weighted sum b{l}[{j}] + Σᵢ W{l}[{j},i]·{feeds}[i]",
        "r": "uniform number, drawn once for each batch, a constant",
        "k": f"{DROPOUT.maths}, with {rate_name(l)} from Config",
        "d": f"what dropout leaves of a{l}[{j}]: a·k",
        "da": f"∂L/∂a: {network.loss.slope_maths}",
        "delta": _delta(network, layer, slope, last),
        "dW": f"this row's gradient δ{l}[{j}] · {feeds}[{index[-1] if index else 0}]",
        "db": f"this row's gradient δ{l}[{j}]",
        "uW": f"what is added for the next row: {network.optimizer.maths}",
        "ub": f"what is added for the next row: {network.optimizer.maths}",
    }
    told |= {
        f"{stage.slot.name}{base}": stage.slot.maths
        for stage in stages_of(network)
        for base in ("W", "b")
    }
    return told.get(block.base, "")


def _delta(network: Network, layer: Layer, slope: str, last: bool) -> str:
    if not last:
        after = layer.index + 1
        mask = f" · k{layer.index}" if output_of(layer) != f"a{layer.index}" else ""
        return f"∂L/∂z = (Σⱼ δ{after}[j]·W{after}[j,i]){mask} · f′(z), f′ = {slope}"
    closed = network.loss.deltas.get(layer.activation.name)
    if closed is not None:
        return f"∂L/∂z = {closed.maths}"
    return f"∂L/∂z from ∂L/∂a = {network.loss.slope_maths} and the slope {slope}"
