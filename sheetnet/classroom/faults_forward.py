"""Mistakes in the forward pass: weighted sums, what units make of them, the loss."""

from __future__ import annotations

from sheetnet.classroom.kinds import Case, Kind, all_rows, later_rows, put, texts
from sheetnet.concepts import cells
from sheetnet.concepts.cells import Cells
from sheetnet.forward_formulas import fed


def _bias_left_out(text: str, case: Case) -> str | None:
    if case.column.block.base != "z":
        return None
    bias = case.refs[f"b{case.column.block.layer}"][case.column.position]
    return text.removeprefix(f"{bias}+")


def _term_left_out(text: str, case: Case) -> str | None:
    """The last term of a weighted sum, or of the sum that softmax divides by."""
    if case.column.block.base == "esum":
        all_of = case.refs[f"e{case.column.block.layer}"]
        return text.replace(cells.total(all_of), cells.total(_short(all_of)))
    if case.column.block.base != "z":
        return None
    layer = case.layer
    if layer.inputs == 1:
        return None
    weights, inputs = _weights(case), fed(case.network, layer, case.refs)
    bias = case.refs[f"b{layer.index}"][case.column.position]
    short = cells.weighted_sum(bias, _short(weights), _short(inputs))
    return text.replace(cells.weighted_sum(bias, weights, inputs), short)


def _short(all_of: Cells) -> Cells:
    return Cells(all_of.refs[:-1])


def _weights(case: Case) -> Cells:
    """The weights of a unit."""
    layer = case.layer
    first = case.column.position * layer.inputs
    return Cells(case.refs[f"W{layer.index}"].refs[first : first + layer.inputs])


def _weights_above(text: str, case: Case) -> str | None:
    if case.column.block.base != "z":
        return None
    for weight in _weights(case):
        text = put(text, weight, weight.replace("{r}", "{p}"))
    return text


def _common_logarithm(text: str, case: Case) -> str | None:
    if case.column.block.kind != "loss":
        return None
    return text.replace("LN(", "LOG(")


def _not_scaled_up(text: str, case: Case) -> str | None:
    if case.column.block.base != "k":
        return None
    start, comma, _ = text.rpartition(",")
    return f"{start}{comma}1)"


FORWARD = (
    Kind(
        "bias_left_out",
        "The bias is left out",
        "The weighted sum adds up weights times inputs but not the bias. The bias then has no "
        "effect, and is trained all the same.",
        texts(_bias_left_out),
        all_rows,
        wide=True,
    ),
    Kind(
        "sum_too_short",
        "A sum stops one term short",
        "The last term of the sum is missing: a range drawn one cell too short, or a term "
        "forgotten when the sum was written out.",
        texts(_term_left_out),
        all_rows,
    ),
    Kind(
        "weights_of_row_above",
        "Weights are read from the row above",
        "The weighted sum takes its weights from the wrong row: those that the visit before "
        "used, without its update. The first row has none above it and is right.",
        texts(_weights_above),
        later_rows,
        wide=True,
    ),
    Kind(
        "common_logarithm",
        "LOG for LN",
        "LOG is the logarithm to base 10 in a spreadsheet; the loss needs the natural one, LN. "
        "The loss comes out too small; training itself does not read it.",
        texts(_common_logarithm),
        all_rows,
    ),
    Kind(
        "dropout_not_scaled",
        "What dropout keeps is not scaled up",
        "The mask is 1, not 1 / (1 − rate), where a unit is kept: the layer hands on less than "
        "it does without dropout.",
        texts(_not_scaled_up),
        all_rows,
        wide=True,
    ),
)
