"""What stands above a ledger column: its group, a few words, its mathematical symbol."""

from __future__ import annotations

from sheetnet.concepts.summaries import GRADIENT_NORM
from sheetnet.epoch_ledgers import VALIDATION as HELD_OUT
from sheetnet.ledger import Block, input_of
from sheetnet.problem import Problem
from sheetnet.workbook.init import output_name

_SUBSCRIPTS = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")

_GROUPS = {
    "place": ("where we are", "where we are"),
    "input": ("inputs x", "input x"),
    "target": ("targets y", "target y"),
    "weight": ("weights in use", "weight"),
    "bias": ("biases in use", "bias"),
    "z": ("weighted sums z", "sum z"),
    "zmax": ("max z", "max z"),
    "e": ("e^(z − max z)", "e^z"),
    "esum": ("Σe", "Σe"),
    "a": ("activations a", "output a"),
    "r": ("uniforms for dropout", "uniform"),
    "k": ("dropout mask k", "mask k"),
    "d": ("outputs kept a·k", "kept a·k"),
    "loss": ("loss", "loss"),
    "val_loss": ("validation", "validation"),
    "improved": ("best so far", "best"),
    "wait": ("stopping", "stopping"),
    "stopped": ("", ""),
    "summary": ("", ""),
    "validation": ("", ""),
    "flag": ("", ""),
    GRADIENT_NORM: ("gradient norms ‖∂L/∂(W, b)‖", "‖∂L‖"),
    "da": ("∂L/∂a", "∂L/∂a"),
    "delta": ("error signal δ", "error δ"),
    "told": ("class told", "told"),
    "right": ("true class", "true class"),
    "hit": ("told right", "told right"),
    "pred": ("predictions in units of the data", "prediction"),
    "goal": ("targets in units of the data", "target"),
    "value": ("what is shown", "shown"),
    "raw": ("input in its units", "input"),
    "cell": ("on the map", "on map"),
    "here": ("row there", "row there"),
    "dW": ("gradients of weights", "gradient"),
    "db": ("gradients of biases", "gradient"),
    "uW": ("updates of weights", "update"),
    "ub": ("updates of biases", "update"),
}
"""Titles of a block by its base or kind: the long one, and one for a narrow block."""

_COLUMN_CHARACTERS = 11

_SYMBOLS = {
    "delta": "δ",
    "dW": "∂L/∂W",
    "db": "∂L/∂b",
    "da": "∂L/∂a",
    "uW": "ΔW",
    "ub": "Δb",
    "zmax": "max z",
    "esum": "Σe",
    "loss": "L",
    "norm": "‖g‖",
    GRADIENT_NORM: "‖∂L‖",
}


_EPOCH_WORDS = {
    "loss": "mean",
    "accuracy": "share right",
    "rmse": "root mean square error",
    "improved": "on the best",
    "best_loss": "so far",
    "best_epoch": "that reached it",
    "wait": "epochs since",
    "stopped": "1: it ended",
}
"""What stands under the names of ``Epochs``."""


_PREDICTED = {
    "right": "its number",
    "hit": "1: right",
    "raw": "in its units",
    "cell": "its cell",
    "here": "0: none",
}
"""What stands under the names of ``Predict``."""


_PREFIXES = {
    "s": ("sums over the batch", "Σ"),
    "g": ("means over the batch", "g"),
    "c": ("clipped gradients", "clip g"),
    "n": ("gradients after clip_norm", "g′"),
    "m": ("means of gradients m", "m"),
    "v": ("optimizer's v", "v"),
    "mhat": ("m̂, bias-corrected", "m̂"),
    "vhat": ("v̂, bias-corrected", "v̂"),
}
"""Titles and symbols of what is kept for each parameter, by the slot's name."""


def slot_title(name: str) -> str:
    """What a slot keeps, in a few words."""
    return _PREFIXES[name][0] if name in _PREFIXES else ""


def _slot_of(block: Block) -> tuple[str, str] | None:
    return _PREFIXES.get(block.base[:-1]) if block.kind == "state" else None


def subscript(number: int) -> str:
    """A layer's number as it stands in symbols: ₁₂."""
    return str(number).translate(_SUBSCRIPTS)


def group_title(block: Block) -> str | None:
    """The title of a block of columns; the place has one title for all its columns."""
    if block.kind == "place":
        # In the corner stands the way back to the guide.
        return _GROUPS["place"][0] if block.name == "epoch" and block.first else None
    slot = _slot_of(block)
    if slot is not None:
        long, short = slot
    else:
        long, short = _GROUPS.get(block.base) or _GROUPS.get(block.kind) or (block.base, block.base)
    if block.layer is not None:
        long, short = f"layer {block.layer}: {long}", f"L{block.layer} {short}"
    return long if len(long) <= _COLUMN_CHARACTERS * block.size else short


def symbol(block: Block, index: tuple[int | str, ...]) -> str:
    """The mathematical symbol of one column: ``∂L/∂W₁[2,1]``, ``m̂ W₁[2,1]``."""
    slot = _slot_of(block)
    text = f"{slot[1]} {block.base[-1]}" if slot else _SYMBOLS.get(block.base, block.base)
    if block.layer is not None:
        text += subscript(block.layer)
    return text + (f"[{','.join(map(str, index))}]" if index else "")


def words(problem: Problem, block: Block, index: tuple[int, ...]) -> str:
    """The column in a few words: ``petal_width → unit 2``."""
    if block.kind == "place":
        return {
            "visit": "row of this table",
            "sample": "row of Data",
            "first": "in batch",
            "last": "in batch",
        }.get(block.name, "")
    if block.base == GRADIENT_NORM:
        return f"layer {index[0]}"
    if block.kind in ("summary", "validation", "flag"):
        name = block.base.removeprefix(HELD_OUT)
        return output_name(problem, index[0] - 1) if index else _EPOCH_WORDS.get(name, "")
    if block.kind == "input":
        return problem.table.input_names[index[0] - 1]
    if block.kind == "target":
        return output_name(problem, index[0] - 1)
    if block.kind in ("told", "predicted"):
        return _PREDICTED.get(block.base, "") or _of_output(problem, block, index)
    if block.kind == "loss":
        return problem.network.loss.name
    if len(index) == 2:
        return f"{_source(problem, block, index[1])} → unit {index[0]}"
    last = len(problem.network.layers)
    if block.layer == last and index:
        return output_name(problem, index[0] - 1)
    return f"unit {index[0]}" if index else ""


def _of_output(problem: Problem, block: Block, index: tuple[int, ...]) -> str:
    """The output that a column is about, or of several those before it too."""
    name = output_name(problem, index[0] - 1)
    return f"up to {name}" if block.base == "told" and index[0] > 1 else name


def _source(problem: Problem, block: Block, i: int) -> str:
    if block.layer == 1:
        return problem.table.input_names[i - 1]
    assert block.layer is not None
    layer = problem.network.layers[block.layer - 1]
    return f"{input_of(problem.network, layer)}[{i}]"
