"""Optimizers: what is added to a parameter, from its gradient.

Each keeps slots of its own for every parameter (velocity, moments); one record of
:data:`OPTIMIZERS` is all that an optimizer needs. All of it is elementwise, so the
same forms serve one cell and a whole matrix.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np

from sheetnet.concepts import arithmetic
from sheetnet.concepts.arithmetic import Array
from sheetnet.concepts.hyperparameters import Hyperparameter
from sheetnet.concepts.stages import Numbers, Refs, Slot


@dataclass(frozen=True)
class Optimizer:
    """One optimizer.

    Attributes
    ----------
    slots: what it keeps or derives for each parameter, in order; a slot sees
        ``gradient``, ``update`` (the number t of the update, from 1), the slots before
        it, the hyperparameters by name, and its own ``before`` (0 at first).
    step, step_cell, step_code: ΔW from the same.
    torch: the class of ``torch.optim`` that has this definition, with its arguments.
    torch_below: hyperparameters that PyTorch takes below this value only.

    """

    name: str
    hyperparameters: tuple[Hyperparameter, ...]
    step: Callable[[Numbers], Array]
    step_cell: Callable[[Refs], str]
    maths: str
    step_code: str
    torch: str
    slots: tuple[Slot, ...] = ()
    torch_below: Mapping[str, float] = field(default_factory=dict)


LEARNING_RATE = Hyperparameter(
    "learning_rate", 0.1, "α: how far each update goes against the gradient"
)
MOMENTUM = Hyperparameter("momentum", 0.9, "μ: share of the velocity that stays", high=1.0)
BETA1 = Hyperparameter("beta1", 0.9, "β₁: decay of the mean of gradients", high=1.0)
BETA2 = Hyperparameter("beta2", 0.999, "β₂: decay of the mean of squared gradients", high=1.0)
RHO = Hyperparameter("rho", 0.9, "ρ: decay of the mean of squared gradients", high=1.0)
EPSILON = Hyperparameter("epsilon", 1e-8, "ε: keeps the division from 0")


_VELOCITY = Slot(
    "v",
    carried=True,
    value=lambda q: q["momentum"] * q["before"] + q["gradient"],
    cell=lambda c: f"momentum*{c['before']}+{c['gradient']}",
    maths="v ← μv + g",
    code="momentum * before + gradient",
)
_SQUARES = Slot(
    "v",
    carried=True,
    value=lambda q: q["before"] + q["gradient"] * q["gradient"],
    cell=lambda c: f"{c['before']}+{c['gradient']}*{c['gradient']}",
    maths="v ← v + g²",
    code="before + gradient * gradient",
)
_MEAN_SQUARE = Slot(
    "v",
    carried=True,
    value=lambda q: q["rho"] * q["before"] + (1.0 - q["rho"]) * q["gradient"] * q["gradient"],
    cell=lambda c: f"rho*{c['before']}+(1-rho)*{c['gradient']}*{c['gradient']}",
    maths="v ← ρv + (1 − ρ)g²",
    code="rho * before + (1.0 - rho) * gradient * gradient",
)
_ADAM_SLOTS = (
    Slot(
        "m",
        carried=True,
        value=lambda q: q["beta1"] * q["before"] + (1.0 - q["beta1"]) * q["gradient"],
        cell=lambda c: f"beta1*{c['before']}+(1-beta1)*{c['gradient']}",
        maths="m ← β₁m + (1 − β₁)g",
        code="beta1 * before + (1.0 - beta1) * gradient",
    ),
    Slot(
        "v",
        carried=True,
        value=lambda q: (
            q["beta2"] * q["before"] + (1.0 - q["beta2"]) * q["gradient"] * q["gradient"]
        ),
        cell=lambda c: f"beta2*{c['before']}+(1-beta2)*{c['gradient']}*{c['gradient']}",
        maths="v ← β₂v + (1 − β₂)g²",
        code="beta2 * before + (1.0 - beta2) * gradient * gradient",
    ),
    Slot(
        "mhat",
        carried=False,
        value=lambda q: q["m"] / (1.0 - arithmetic.power(float(q["beta1"]), q["update"])),
        cell=lambda c: f"{c['m']}/(1-beta1^{c['update']})",
        maths="m̂ = m / (1 − β₁ᵗ)",
        code="m / (1.0 - math.pow(beta1, update))",
    ),
    Slot(
        "vhat",
        carried=False,
        value=lambda q: q["v"] / (1.0 - arithmetic.power(float(q["beta2"]), q["update"])),
        cell=lambda c: f"{c['v']}/(1-beta2^{c['update']})",
        maths="v̂ = v / (1 − β₂ᵗ)",
        code="v / (1.0 - math.pow(beta2, update))",
    ),
)


def _scaled_step(gradient: str, mean_square: str) -> Callable[[Numbers], Array]:
    return lambda q: -q["learning_rate"] * q[gradient] / (np.sqrt(q[mean_square]) + q["epsilon"])


def _scaled_code(gradient: str, mean_square: str) -> str:
    # An overflow of v is an error, not a division by infinity.
    return f"-learning_rate * {gradient} / (np.sqrt(finite({mean_square})) + epsilon)"


def _scaled_cell(gradient: str, mean_square: str) -> Callable[[Refs], str]:
    return lambda c: f"-learning_rate*{c[gradient]}/(SQRT({c[mean_square]})+epsilon)"


_RECORDS = (
    # Robbins and Monro, "A Stochastic Approximation Method", 1951; the lecture's.
    Optimizer(
        "sgd",
        (LEARNING_RATE,),
        lambda q: -q["learning_rate"] * q["gradient"],
        lambda c: f"-learning_rate*{c['gradient']}",
        "ΔW = −α g",
        "-learning_rate * gradient",
        "SGD(trained, lr=learning_rate)",
    ),
    # Polyak, 1964, in PyTorch's form.
    Optimizer(
        "momentum",
        (LEARNING_RATE, MOMENTUM),
        lambda q: -q["learning_rate"] * q["v"],
        lambda c: f"-learning_rate*{c['v']}",
        "v ← μv + g, ΔW = −α v",
        "-learning_rate * v",
        "SGD(trained, lr=learning_rate, momentum=momentum)",
        (_VELOCITY,),
    ),
    # Nesterov, 1983; Sutskever et al., 2013, in PyTorch's form.
    Optimizer(
        "nesterov",
        (LEARNING_RATE, MOMENTUM),
        lambda q: -q["learning_rate"] * (q["gradient"] + q["momentum"] * q["v"]),
        lambda c: f"-learning_rate*({c['gradient']}+momentum*{c['v']})",
        "v ← μv + g, ΔW = −α (g + μv)",
        "-learning_rate * (gradient + momentum * v)",
        "SGD(trained, lr=learning_rate, momentum=momentum, nesterov=momentum > 0)",
        (_VELOCITY,),
    ),
    # Duchi, Hazan and Singer, "Adaptive Subgradient Methods", 2011.
    Optimizer(
        "adagrad",
        (LEARNING_RATE, EPSILON),
        _scaled_step("gradient", "v"),
        _scaled_cell("gradient", "v"),
        "v ← v + g², ΔW = −α g / (√v + ε)",
        _scaled_code("gradient", "v"),
        "Adagrad(trained, lr=learning_rate, eps=epsilon)",
        (_SQUARES,),
    ),
    # Tieleman and Hinton, Coursera lecture 6.5, 2012.
    Optimizer(
        "rmsprop",
        (LEARNING_RATE, RHO, EPSILON),
        _scaled_step("gradient", "v"),
        _scaled_cell("gradient", "v"),
        "v ← ρv + (1 − ρ)g², ΔW = −α g / (√v + ε)",
        _scaled_code("gradient", "v"),
        "RMSprop(trained, lr=learning_rate, alpha=rho, eps=epsilon)",
        (_MEAN_SQUARE,),
    ),
    # Kingma and Ba, "Adam: A Method for Stochastic Optimization", 2015, algorithm 1.
    Optimizer(
        "adam",
        (LEARNING_RATE, BETA1, BETA2, EPSILON),
        _scaled_step("mhat", "vhat"),
        _scaled_cell("mhat", "vhat"),
        "m, v decaying means of g and g²; ΔW = −α m̂ / (√v̂ + ε)",
        _scaled_code("mhat", "vhat"),
        "Adam(trained, lr=learning_rate, betas=(beta1, beta2), eps=epsilon)",
        _ADAM_SLOTS,
        {"beta1": 1.0, "beta2": 1.0},
    ),
)

OPTIMIZERS: dict[str, Optimizer] = {record.name: record for record in _RECORDS}
