"""Mistakes in back propagation: δ of the last layer and of hidden ones, gradients."""

from __future__ import annotations

import re
from collections.abc import Sequence

from sheetnet.backward_formulas import products_back, slope_of
from sheetnet.classroom.kinds import Case, Kind, all_rows, put, texts
from sheetnet.concepts import cells
from sheetnet.forward_formulas import own_refs
from sheetnet.ledger import input_of


def _delta(case: Case) -> bool:
    return case.column.block.base == "delta"


def _slope(case: Case) -> str:
    """The factor f′(z) of a δ; empty where there is none."""
    layer = case.layer
    if layer.activation.slope_cell is None:
        return ""
    return slope_of(layer, own_refs(layer, case.refs), case.column.position)


def _without_slope(text: str, case: Case) -> str | None:
    factor = _slope(case) if _delta(case) else ""
    return text.removesuffix(f"*{factor}") if factor else None


def _slope_of_sum(text: str, case: Case) -> str | None:
    """a(1 − a) written with z, say."""
    factor = _slope(case) if _delta(case) else ""
    if not factor or not text.endswith(f"*{factor}"):
        return None
    own = own_refs(case.layer, case.refs)
    j = case.column.position
    return text.removesuffix(factor) + put(factor, own["a"][j], own["z"][j])


def _back(case: Case) -> list[str] | None:
    """The terms δ·w that come back to a hidden unit."""
    if not _delta(case) or case.is_last:
        return None
    layer = case.layer
    return products_back(case.network.layers[layer.index], case.refs, case.column.position)


def _transposed(text: str, case: Case) -> str | None:
    terms = _back(case)
    if terms is None:
        return None
    after = case.network.layers[case.layer.index]
    delta, w = case.refs[f"delta{after.index}"], case.refs[f"W{after.index}"]
    i = case.column.position
    wrong = [f"{delta[j]}*{w[i * after.units + j]}" for j in range(after.units)]
    return text.replace(cells.written_sum(terms), cells.written_sum(wrong), 1)


def _back_too_short(text: str, case: Case) -> str | None:
    terms = _back(case)
    if terms is None or len(terms) == 1:
        return None
    return text.replace(cells.written_sum(terms), cells.written_sum(terms[:-1]), 1)


def _swapped(text: str, case: Case) -> str | None:
    """Y and ŷ of each output, in δ or in the slope of the loss."""
    if case.column.block.kind != "backward" or not case.is_last:
        return None
    outputs = case.refs[f"a{case.column.block.layer}"]
    for y, a in zip(case.refs["y"], outputs, strict=True):
        # In the difference only: elsewhere, in a slope, the output has its place.
        text = put(text, f"{a}-{y}", f"{y}-{a}")
    return text


def _factor_forgotten(text: str, case: Case) -> str | None:
    """The 2 of the square's derivative."""
    if case.column.block.kind != "backward" or not case.is_last:
        return None
    return re.sub(r"^2\*", "", text)


def _mask_forgotten(text: str, case: Case) -> str | None:
    if not _delta(case) or not case.layer.dropout:
        return None
    mask = case.refs[f"k{case.column.block.layer}"][case.column.position]
    return text.replace(f"*{mask}", "", 1)


def _of_sum(text: str, case: Case) -> str | None:
    """The layer before's weighted sum for its output, in a gradient."""
    if case.column.block.base != "dW" or case.column.block.layer == 1:
        return None
    layer = case.layer
    i = case.column.position % layer.inputs
    taken = case.refs[input_of(case.network, layer)][i]
    return put(text, taken, case.refs[f"z{layer.index - 1}"][i])


def _of_own_output(text: str, case: Case) -> str | None:
    """The layer's own output for its input, in a gradient."""
    if case.column.block.base != "dW":
        return None
    layer = case.layer
    j, i = divmod(case.column.position, layer.inputs)
    taken = case.refs[input_of(case.network, layer)][i]
    return put(text, taken, case.refs[f"a{layer.index}"][j])


BACKWARD: Sequence[Kind] = (
    Kind(
        "missing_derivative",
        "The derivative of the activation is missing",
        "What comes back to the unit is not multiplied by f′(z), the slope of its activation. "
        "The gradients of this layer, and of those before it, come out too large.",
        texts(_without_slope),
        all_rows,
        wide=True,
    ),
    Kind(
        "derivative_of_sum",
        "The derivative is taken of z, not of a",
        "The slope is written in terms of the output a, but the weighted sum z was put in.",
        texts(_slope_of_sum),
        all_rows,
        wide=True,
    ),
    Kind(
        "transposed_weights",
        "The weights are read the wrong way round on the way back",
        "δ goes back through the column of the weight matrix that belongs to the unit; here the "
        "weights are taken in the other order, as if the matrix lay the other way.",
        texts(_transposed),
        all_rows,
        wide=True,
    ),
    Kind(
        "back_too_short",
        "δ of one unit does not come back",
        "The sum over the units of the layer after stops one short: what the last of them hands "
        "back is missing.",
        texts(_back_too_short),
        all_rows,
        wide=True,
    ),
    Kind(
        "target_swapped",
        "Target and prediction are swapped",
        "y − ŷ where it must be ŷ − y: δ has the wrong sign, and all gradients with it. "
        "Training climbs instead of descending.",
        texts(_swapped),
        all_rows,
        wide=True,
    ),
    Kind(
        "factor_forgotten",
        "The 2 of the square's derivative is forgotten",
        "The loss is the square itself, not half of it: its slope is 2(ŷ − y). All gradients are "
        "half of what they should be.",
        texts(_factor_forgotten),
        all_rows,
        wide=True,
    ),
    Kind(
        "mask_forgotten",
        "The dropout mask is forgotten on the way back",
        "A unit that was left out in the forward pass gets a δ all the same, and one that was "
        "kept gets it unscaled.",
        texts(_mask_forgotten),
        all_rows,
        wide=True,
    ),
    Kind(
        "gradient_of_sum",
        "The gradient takes z instead of a",
        "The gradient is δ times what the weight was multiplied by: the output of the layer "
        "before, not its weighted sum.",
        texts(_of_sum),
        all_rows,
        wide=True,
    ),
    Kind(
        "gradient_of_own_output",
        "The gradient takes the layer's own output",
        "The gradient is δ times the input of the weight, not times the output of the unit that "
        "it leads to.",
        texts(_of_own_output),
        all_rows,
        wide=True,
    ),
)
