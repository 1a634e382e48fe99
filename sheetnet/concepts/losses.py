"""Losses of one sample, their gradients, and the activations they go with.

Definitions follow the lecture: MSE is the mean over outputs of (y − ŷ)², binary
entropy −(y ln ŷ + (1−y) ln(1−ŷ)), averaged over outputs (as PyTorch does), cross
entropy −Σ y ln ŷ. The entropies are computed from z, where nothing overflows and
a saturated prediction keeps a finite, exact loss.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np

from sheetnet.concepts import arithmetic
from sheetnet.concepts.arithmetic import WRITTEN_OUT, Array
from sheetnet.concepts.parts import Quantities, References


@dataclass(frozen=True)
class OutputDelta:
    """δ = ∂L/∂z of the last layer where loss and activation simplify together."""

    value: Callable[[Quantities], Array]
    cell: Callable[[References, int], str]
    maths: str
    code: str


@dataclass(frozen=True)
class Loss:
    """One loss.

    Attributes
    ----------
    goes_with: last activations that it is defined for; None: all.
    value: loss of each row from the output layer's quantities and ``y``: shape (...).
    cell: the same as a formula over the references.
    code: the loss of one row as source over the same names: an expression, or the
        lines of a function.
    torch: the mean loss of a batch as PyTorch source over z or a, and y, (batch, outputs).
    slope, slope_cell, slope_code: ∂L/∂a of each output, shape (..., outputs).
    deltas: activation -> δ in closed form.
    targets: what the targets must be: "any", "unit" (0 to 1) or "shares" (0 to 1,
        adding up to 1).

    """

    name: str
    goes_with: tuple[str, ...] | None
    value: Callable[[Quantities], Array]
    cell: Callable[[References], str]
    maths: str
    code: str
    torch: str
    targets: str = "any"
    slope: Callable[[Quantities], Array] | None = None
    slope_cell: Callable[[References, int], str] | None = None
    slope_code: str | None = None
    slope_maths: str = ""
    deltas: Mapping[str, OutputDelta] = field(default_factory=dict)

    def suits(self, activation: str) -> bool:
        """Whether the loss is defined for this last activation."""
        return self.goes_with is None or activation in self.goes_with


def _outputs(q: Quantities) -> int:
    return int(q["y"].shape[-1])


def _mse_cell(c: References) -> str:
    y, a = c["y"], c["a"]
    if len(y) > WRITTEN_OUT:
        return f"SUMXMY2({y.span},{a.span})/{len(y)}"
    squares = [f"({t}-{p})*({t}-{p})" for t, p in zip(y, a, strict=True)]
    return squares[0] if len(y) == 1 else f"({'+'.join(squares)})/{len(y)}"


def _mse(q: Quantities) -> Array:
    error = q["y"] - q["a"]
    return arithmetic.running_sum(error * error) / _outputs(q)


def _over_outputs(text: str, outputs: int) -> str:
    return text if outputs == 1 else f"{text}/{outputs}"


def _binary_entropy(q: Quantities) -> Array:
    z, y = q["z"], q["y"]
    terms = (np.maximum(z, 0.0), -(z * y), arithmetic.ln(1.0 + arithmetic.exp(-np.abs(z))))
    # All terms of all outputs in one sum: some engines drop the parentheses of a+(b+c).
    each = np.stack(terms, axis=-1).reshape(*z.shape[:-1], -1)
    return arithmetic.running_sum(each) / _outputs(q)


def _binary_entropy_cell(c: References) -> str:
    pairs = zip(c["z"], c["y"], strict=True)
    terms = "+".join(f"MAX({z},0)-{z}*{y}+LN(1+EXP(-ABS({z})))" for z, y in pairs)
    return terms if len(c["y"]) == 1 else f"({terms})/{len(c['y'])}"


def _cross_entropy(q: Quantities) -> Array:
    log_total = q["zmax"] + arithmetic.ln(q["esum"])
    return arithmetic.running_sum(q["y"] * (log_total[..., None] - q["z"]))


def _cross_entropy_cell(c: References) -> str:
    log_total = f"{c['zmax'][0]}+LN({c['esum'][0]})"
    if len(c["y"]) > WRITTEN_OUT:
        return f"SUMPRODUCT({c['y'].span},{log_total}-{c['z'].span})"
    return "+".join(f"{y}*({log_total}-{z})" for y, z in zip(c["y"], c["z"], strict=True))


_RECORDS = (
    Loss(
        name="mse",
        goes_with=None,
        value=_mse,
        cell=_mse_cell,
        maths="mean of (y − ŷ)² over the outputs",
        code="running_sum((y - a) * (y - a)) / len(y)",
        torch="F.mse_loss(a, y)",
        slope=lambda q: 2.0 * (q["a"] - q["y"]) / _outputs(q),
        slope_cell=lambda c, k: _over_outputs(f"2*({c['a'][k]}-{c['y'][k]})", len(c["y"])),
        slope_code="2.0 * (a - y) / len(y)",
        slope_maths="2(ŷ − y) / outputs",
    ),
    Loss(
        name="binary_entropy",
        goes_with=("sigmoid",),
        value=_binary_entropy,
        cell=_binary_entropy_cell,
        maths="mean of −(y ln ŷ + (1−y) ln(1−ŷ)) over the outputs, "
        "written as max(z,0) − z·y + ln(1 + e^−|z|)",
        code=(
            "terms = (np.maximum(z, 0.0), -(z * y), ln(1.0 + exp(-np.abs(z))))\n"
            "return running_sum(np.column_stack(terms).ravel()) / len(y)"
        ),
        torch="F.binary_cross_entropy_with_logits(z, y)",
        targets="unit",
        deltas={
            "sigmoid": OutputDelta(
                lambda q: (q["a"] - q["y"]) / _outputs(q),
                lambda c, k: (
                    f"({c['a'][k]}-{c['y'][k]})/{len(c['y'])}"
                    if len(c["y"]) > 1
                    else f"{c['a'][k]}-{c['y'][k]}"
                ),
                "(ŷ − y) / outputs",
                "(a - y) / len(y)",
            )
        },
    ),
    Loss(
        name="cross_entropy",
        goes_with=("softmax",),
        value=_cross_entropy,
        cell=_cross_entropy_cell,
        maths="−Σ y ln ŷ, written as Σ y (max z + ln Σe − z)",
        code="running_sum(y * ((zmax + ln(esum)) - z))",
        torch="F.cross_entropy(z, y)",
        targets="shares",
        deltas={
            "softmax": OutputDelta(
                lambda q: q["a"] - q["y"],
                lambda c, k: f"{c['a'][k]}-{c['y'][k]}",
                "ŷ − y",
                "a - y",
            )
        },
    ),
)

LOSSES: dict[str, Loss] = {record.name: record for record in _RECORDS}
