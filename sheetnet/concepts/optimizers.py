"""Optimizers: what is added to a parameter, from its gradient.

Plain stochastic gradient descent is the lecture's: ΔW = −learning_rate · ∂L/∂W
(Robbins and Monro, "A Stochastic Approximation Method", 1951).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from sheetnet.concepts.arithmetic import Array


@dataclass(frozen=True)
class Hyperparameter:
    """A number that a person may change in the workbook: an input cell on ``Config``.

    ``low`` and ``high`` bound what makes sense (inclusive); ``high`` None: no bound.
    """

    name: str
    default: float
    meaning: str
    low: float = 0.0
    high: float | None = None


@dataclass(frozen=True)
class Optimizer:
    """One optimizer: update (NumPy) and update_cell (formula) give ΔW from ∂L/∂W.

    ``update`` takes the gradient (any shape) and the hyperparameters by name;
    ``update_cell`` takes the gradient's reference and names hyperparameters.
    """

    name: str
    hyperparameters: tuple[Hyperparameter, ...]
    update: Callable[[Array, Mapping[str, float]], Array]
    update_cell: Callable[[str], str]
    maths: str


LEARNING_RATE = Hyperparameter(
    "learning_rate", 0.1, "α: how far each update goes against the gradient"
)

_RECORDS = (
    Optimizer(
        name="sgd",
        hyperparameters=(LEARNING_RATE,),
        update=lambda gradient, h: -h["learning_rate"] * gradient,
        update_cell=lambda gradient: f"-learning_rate*{gradient}",
        maths="ΔW = −α ∂L/∂W",
    ),
)

OPTIMIZERS: dict[str, Optimizer] = {record.name: record for record in _RECORDS}
