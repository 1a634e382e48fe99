"""What scikit-learn calls our activations and optimizers, and how its numbers become ours.

Its multi-layer perceptrons descend along (ŷ − y) summed over the outputs, whatever
the loss that they report; ours average over outputs, and mse has the factor 2.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sheetnet.concepts.optimizers import BETA1, BETA2, EPSILON, MOMENTUM

SCIKIT_ACTIVATIONS = {
    "identity": "linear",
    "logistic": "sigmoid",
    "tanh": "tanh",
    "relu": "relu",
    "softmax": "softmax",
}

SCIKIT_SOLVERS = ("sgd", "adam")
"""The solvers of its multi-layer perceptrons that go step by step."""


@dataclass(frozen=True)
class Counterpart:
    """An optimizer of ours with its numbers.

    ``proportional``: a step grows with the gradient, so that a loss that is larger by a
    factor needs a learning rate that is smaller by it.
    """

    optimizer: str
    numbers: Mapping[str, float]
    proportional: bool
    remark: str = ""


def counterpart_of(parameters: Mapping[str, Any]) -> Counterpart | None:
    """The optimizer of a multi-layer perceptron's parameters; None where there is none."""
    if parameters["solver"] == "adam":
        numbers = {
            BETA1.name: float(parameters["beta_1"]),
            BETA2.name: float(parameters["beta_2"]),
            EPSILON.name: float(parameters["epsilon"]),
        }
        remark = "scikit-learn adds epsilon to the root before it corrects the bias, this after"
        return Counterpart("adam", numbers, proportional=False, remark=remark)
    if parameters["solver"] != "sgd":
        return None
    momentum = float(parameters["momentum"])
    if momentum == 0:
        return Counterpart("sgd", {}, proportional=True)
    name = "nesterov" if parameters["nesterovs_momentum"] else "momentum"
    return Counterpart(name, {MOMENTUM.name: momentum}, proportional=True)


def rate_factor(activation: str, outputs: int) -> float:
    """By what a proportional learning rate of scikit-learn becomes ours."""
    each = {"linear": outputs / 2, "sigmoid": float(outputs)}
    return each.get(activation, 1.0)
