"""Activations: a = f(z), their slopes and what they suit.

An activation is one record of :data:`ACTIVATIONS`; engine, formulas, sheets and
tests loop over the table. Names and definitions follow the lecture; where it is
silent, PyTorch (leaky slope 0.01; relu's slope at 0 is 0).

Some applications take numbers within 1e-16 of each other as equal when they compare
them, so z > 0 would be wrong for a tiny z; SIGN(z) is exact in all of them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from sheetnet.concepts import arithmetic, cells
from sheetnet.concepts.arithmetic import Array
from sheetnet.concepts.cells import Cells
from sheetnet.concepts.parts import Part

LEAKY_SLOPE = 0.01


@dataclass(frozen=True)
class Activation:
    """One activation.

    Attributes
    ----------
    parts: the ledger quantities from z to a, in order; the last one is ``a``.
    slope: ∂a/∂z of each unit from (z, a), shape (..., units); None where units depend
        on each other (softmax).
    slope_cell: the same for one unit's cells (z, a); an empty text where it is 1.
    slope_code: the same as source over z and a; an empty text where it is 1.
    slope_maths: the slope in mathematical notation.
    back, back_cell: δ from ∂L/∂a where units depend on each other: (∂L/∂a, a) -> δ.
    back_code: the same as source over da and a.
    torch: a as PyTorch source over z, the units on the last axis.
    bounded: no two values are further apart than 2.
    last_only: fit for the last layer only.
    default_loss: the loss that a spec gets when it names none.

    """

    name: str
    parts: tuple[Part, ...]
    slope_maths: str
    torch: str
    default_loss: str
    slope: Callable[[Array, Array], Array] | None = None
    slope_cell: Callable[[str, str], str] | None = None
    slope_code: str | None = None
    back: Callable[[Array, Array], Array] | None = None
    back_cell: Callable[[Cells, Cells, int], str] | None = None
    back_code: str | None = None
    bounded: bool = False
    last_only: bool = False

    @property
    def coupled(self) -> bool:
        """Whether the units are shares of one whole, each depending on all z."""
        return self.slope is None


def elementwise(
    name: str,
    *,
    value: Callable[[Array], Array],
    cell: Callable[[str], str],
    maths: str,
    code: str,
    torch: str,
    slope: Callable[[Array, Array], Array],
    slope_cell: Callable[[str, str], str],
    slope_code: str,
    slope_maths: str,
    default_loss: str = "mse",
    bounded: bool = False,
) -> Activation:
    """Make the record of an activation that treats each unit by itself."""
    part = Part("a", True, lambda q: value(q["z"]), lambda c, j: cell(c["z"][j]), maths, code)
    return Activation(
        name,
        (part,),
        slope_maths,
        torch,
        default_loss,
        slope=slope,
        slope_cell=slope_cell,
        slope_code=slope_code,
        bounded=bounded,
    )


def sigmoid(z: Array) -> Array:
    """1 / (1 + e^−z), any shape, without overflow: e^z / (1 + e^z) below 0.

    Gives exactly 0 and 1 far out, never an error.
    """
    e = arithmetic.exp(-np.abs(z))
    return np.where(z >= 0, 1.0, e) / (1.0 + e)


def softmax_back(slopes: Array, a: Array) -> Array:
    """δ_k = a_k (g_k − Σ_m g_m a_m) with g = ∂L/∂a; shapes (..., units)."""
    return a * (slopes - arithmetic.running_sum(slopes * a)[..., None])


SOFTMAX = Activation(
    name="softmax",
    parts=(
        Part(
            "zmax",
            False,
            lambda q: np.max(q["z"], axis=-1),
            lambda c, j: f"MAX({c['z'].span})",
            "max z",
            "np.max(z)",
        ),
        Part(
            "e",
            True,
            lambda q: arithmetic.exp(q["z"] - q["zmax"][..., None]),
            lambda c, j: f"EXP({c['z'][j]}-{c['zmax'][0]})",
            "e^(z − max z)",
            "exp(z - zmax)",
        ),
        Part(
            "esum",
            False,
            lambda q: arithmetic.running_sum(q["e"]),
            lambda c, j: cells.total(c["e"]),
            "Σ e",
            "running_sum(e)",
        ),
        Part(
            "a",
            True,
            lambda q: q["e"] / q["esum"][..., None],
            lambda c, j: f"{c['e'][j]}/{c['esum'][0]}",
            "e^z / Σ e^z",
            "e / esum",
        ),
    ),
    slope_maths="aₖ(1{j=k} − aⱼ)",
    torch="torch.softmax(z, dim=-1)",
    default_loss="cross_entropy",
    back=softmax_back,
    back_cell=lambda g, a, k: f"{a[k]}*({g[k]}-({cells.dot(g, a)}))",
    back_code="a * (da - running_sum(da * a))",
    bounded=True,
    last_only=True,
)

_RECORDS = (
    elementwise(
        "linear",
        value=lambda z: z,
        cell=lambda z: z,
        maths="z",
        code="z",
        torch="z",
        slope=lambda z, a: np.ones_like(z),
        slope_cell=lambda z, a: "",
        slope_code="",
        slope_maths="1",
    ),
    elementwise(
        "sigmoid",
        value=sigmoid,
        cell=lambda z: f"IF(SIGN({z})>=0,1/(1+EXP(-{z})),EXP({z})/(1+EXP({z})))",
        maths="1 / (1 + e^−z)",
        code="np.where(z >= 0, 1.0, exp(-np.abs(z))) / (1.0 + exp(-np.abs(z)))",
        torch="torch.sigmoid(z)",
        slope=lambda z, a: a * (1.0 - a),
        slope_cell=lambda z, a: f"({a}*(1-{a}))",
        slope_code="a * (1.0 - a)",
        slope_maths="a(1 − a)",
        default_loss="binary_entropy",
        bounded=True,
    ),
    elementwise(
        "tanh",
        value=arithmetic.tanh,
        cell=lambda z: f"TANH({z})",
        maths="(e^z − e^−z) / (e^z + e^−z)",
        code="libm(math.tanh, z)",
        torch="torch.tanh(z)",
        slope=lambda z, a: 1.0 - a * a,
        slope_cell=lambda z, a: f"(1-{a}*{a})",
        slope_code="1.0 - a * a",
        slope_maths="1 − a²",
        bounded=True,
    ),
    elementwise(
        "relu",
        value=lambda z: np.maximum(z, 0.0),
        cell=lambda z: f"MAX({z},0)",
        maths="max(z, 0)",
        code="np.maximum(z, 0.0)",
        torch="torch.relu(z)",
        slope=lambda z, a: np.where(z > 0, 1.0, 0.0),
        slope_cell=lambda z, a: f"IF(SIGN({z})>0,1,0)",
        slope_code="np.where(z > 0, 1.0, 0.0)",
        slope_maths="1 if z > 0, else 0",
    ),
    elementwise(
        "leaky_relu",
        value=lambda z: np.where(z > 0, z, LEAKY_SLOPE * z),
        cell=lambda z: f"IF(SIGN({z})>0,{z},0.01*{z})",
        maths="z if z > 0, else 0.01 z",
        code="np.where(z > 0, z, 0.01 * z)",
        torch="F.leaky_relu(z, 0.01)",
        slope=lambda z, a: np.where(z > 0, 1.0, LEAKY_SLOPE),
        slope_cell=lambda z, a: f"IF(SIGN({z})>0,1,0.01)",
        slope_code="np.where(z > 0, 1.0, 0.01)",
        slope_maths="1 if z > 0, else 0.01",
    ),
    SOFTMAX,
)

ACTIVATIONS: dict[str, Activation] = {record.name: record for record in _RECORDS}
