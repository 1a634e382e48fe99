"""What is said of a ledger column: in words, and in mathematical notation."""

from __future__ import annotations

import re
from dataclasses import dataclass

from sheetnet.concepts.dropout import DROPOUT, rate_name
from sheetnet.concepts.stopping import STOPPED, judgements
from sheetnet.concepts.summaries import GRADIENT_NORM, MEAN_LOSS
from sheetnet.epoch_ledgers import VALIDATION as HELD_OUT
from sheetnet.ledger import Block, input_of, output_of
from sheetnet.network import Layer, Network
from sheetnet.pipeline import last_source, stages_of
from sheetnet.problem import Problem
from sheetnet.workbook.headers import slot_title, subscript, symbol

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

_SOURCES = {"g": "the batch mean", "c": "after clip", "n": "after clip_norm"}
"""What g is in an optimizer's formula, by the prefix of its columns."""

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


@dataclass(frozen=True)
class Told:
    """What a quantity is in a few words, and its formula (or nothing)."""

    words: str = ""
    maths: str = ""


def note(problem: Problem, block: Block, index: Index) -> str:
    """What people read who hover over a column's head; empty for nothing."""
    told = explanation(problem, block, index)
    text = "\n".join(part for part in (told.words, told.maths) if part)
    return f"{symbol(block, index)}: {text}" if text and block.kind != "place" else text


def explanation(problem: Problem, block: Block, index: Index) -> Told:
    """Words and formula of a column."""
    if block.name in _PLACES and block.layer is None and block.kind in ("place", "flag"):
        return Told(_PLACES[block.name])
    network = problem.network
    if block.layer is None:
        return _of_run(problem, block)
    return _of_layer(network, network.layers[block.layer - 1], block, index)


def _of_run(problem: Problem, block: Block) -> Told:
    """Quantities that belong to no layer."""
    network = problem.network
    if block.kind == "input":
        return Told("input as the network sees it", _from_data(problem.inputs.scaling.maths))
    if block.kind == "target":
        coded = "= 1 for this class, else 0" if problem.classes is not None else None
        return Told("target", coded or _from_data(problem.targets.scaling.maths))
    if block.kind == "loss":
        return Told(
            f"loss of this row, {network.loss.name}", f"= {_over(network, network.loss.maths)}"
        )
    if block.base == GRADIENT_NORM:
        return Told("gradient norm of a layer", "= √(mean of ‖∂L/∂(W, b)‖² over the epoch's rows)")
    told = {j.name: Told(j.maths) for j in judgements(stops=network.stops)}
    measure = network.measure
    told |= {s.slot.name: Told("", s.slot.maths) for s in stages_of(network) if s.slot.single}
    for prefix, rows in (("", "epoch's rows"), (HELD_OUT, "held-out rows")):
        told[f"{prefix}{MEAN_LOSS}"] = Told(f"mean loss of the {rows}")
        told[f"{prefix}{measure.summary.name}"] = Told(f"{measure.summary.maths}, {rows}")
        if measure.adds_up:
            told[f"{prefix}{measure.name}"] = Told(f"share of the {rows} that are told right")
    told |= {name: Told(words) for name, words in PREDICTED.items()}
    return told.get(block.base, Told())


def _from_data(maths: str) -> str:
    return "= the value on Data" if maths == "x" else f"= {maths}, on Data"


def _of_layer(network: Network, layer: Layer, block: Block, index: Index) -> Told:
    """Quantities of a layer."""
    l = subscript(layer.index)
    fed = _fed(network, layer)
    j, i = (index[0] if index else "j"), (index[-1] if index else "i")
    if block.kind in ("weight", "bias"):
        return _in_use(layer, block, symbol(block, index))
    told = {
        "z": Told("weighted sum", f"= b{l}[{j}] + Σᵢ W{l}[{j},i]·{fed}[i]"),
        "r": Told("uniform number", "drawn once for each batch, a constant"),
        "k": Told("dropout mask", f"{DROPOUT.maths}; the rate is {rate_name(layer.index)}"),
        "d": Told("what dropout leaves", f"= a{l}[{j}]·k{l}[{j}]"),
        "da": Told("slope of the loss", f"= {_over(network, network.loss.slope_maths)}"),
        "delta": Told("error signal ∂L/∂z", _delta(network, layer, j)),
        "dW": Told("gradient of this row", f"= δ{l}[{j}]·{fed}[{i}]"),
        "db": Told("gradient of this row", f"= δ{l}[{j}]"),
        "uW": Told("added for the next row", _step(network, "W")),
        "ub": Told("added for the next row", _step(network, "b")),
    }
    parts = layer.activation.parts
    for part in parts:
        of_z = f"= f(z{l}[{j}]), f(z) = " if len(parts) == 1 else "= "
        words = f"output, {layer.activation.name}" if part is parts[-1] else ""
        told[part.name] = Told(words, of_z + part.maths)
    told |= {
        f"{stage.slot.name}{base}": Told(slot_title(stage.slot.name), stage.slot.maths)
        for stage in stages_of(network)
        for base in ("W", "b")
    }
    return told.get(block.base, Told())


def _fed(network: Network, layer: Layer) -> str:
    """The symbol of what feeds a layer: x, or a₁."""
    name = input_of(network, layer)
    return name if layer.index == 1 else name[0] + subscript(layer.index - 1)


def _in_use(layer: Layer, block: Block, own: str) -> Told:
    words = "weight in use" if block.kind == "weight" else "bias in use"
    if block.kind == "bias" and not layer.train_bias:
        return Told(f"{words}, not trained", "= the row above's; in the first row from Init")
    return Told(words, f"= {own} + Δ{own} of the row above; in the first row from Init")


def _step(network: Network, base: str) -> str:
    """The optimizer's formula, and what its g is."""
    text = network.optimizer.maths if base == "W" else network.optimizer.maths.replace("ΔW", "Δb")
    text += f"; g: {_SOURCES.get(last_source(network), f'∂L/∂{base}')}"
    if network.batches:
        text += "; 0 until the batch's last row"
    return text + "; 0 after the end of training" if network.stops else text


def _over(network: Network, maths: str) -> str:
    """The formula with the number of outputs put in; one output needs no mean."""
    if network.outputs > 1:
        return maths.replace(" / outputs", f" / {network.outputs}")
    text = re.sub("mean of (.*?) over the outputs", r"\1", maths)
    return re.sub(r"^\((.*)\)$", r"\1", text.replace(" / outputs", ""))


def _delta(network: Network, layer: Layer, j: int | str) -> str:
    l, slope = subscript(layer.index), layer.activation.slope_maths
    if layer.index < len(network.layers):
        after = subscript(layer.index + 1)
        mask = f"·k{l}[{j}]" if output_of(layer) != f"a{layer.index}" else ""
        back = f"= (Σₖ δ{after}[k]·W{after}[k,{j}]){mask}"
        return f"{back} · f′(z{l}[{j}]), f′ = {slope}" if slope != "1" else back
    closed = network.loss.deltas.get(layer.activation.name)
    if closed is not None:
        return f"= {_over(network, closed.maths)}"
    if layer.activation.coupled:
        return f"= Σₖ ∂L/∂a[k]·∂a[k]/∂z[j], with ∂a[k]/∂z[j] = {slope}"
    outer = _over(network, network.loss.slope_maths)
    return f"= {outer} · f′(z{l}[{j}]), f′ = {slope}" if slope != "1" else f"= {outer}"
