"""Dropout of a hidden layer's outputs while training, inverted: kept ones are scaled up.

Srivastava et al., "Dropout: A Simple Way to Prevent Neural Networks from Overfitting",
2014. A unit is dropped where its uniform number, drawn once for each batch and standing
in the sheet as a constant, is below the rate.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from sheetnet.concepts.arithmetic import Array
from sheetnet.concepts.hyperparameters import Hyperparameter

HIGHEST_RATE = 0.999


@dataclass(frozen=True)
class Dropout:
    """``mask(uniform, rate)`` gives 0 or 1/(1 − rate); the output is a · mask.

    ``code`` is the mask as source over ``uniform`` and ``rate``.
    """

    mask: Callable[[Array, float], Array]
    mask_cell: Callable[[str, str], str]
    maths: str
    code: str


DROPOUT = Dropout(
    mask=lambda uniform, rate: np.where(uniform < rate, 0.0, 1.0 / (1.0 - rate)),
    mask_cell=lambda uniform, rate: f"IF({uniform}<{rate},0,1/(1-{rate}))",
    maths="k = 0 where r < rate, else 1 / (1 − rate)",
    code="np.where(uniform < rate, 0.0, 1.0 / (1.0 - rate))",
)


def rate_name(layer: int) -> str:
    """The defined name of a layer's rate: ``dropout_1``."""
    return f"dropout_{layer}"


def rate_of(layer: int) -> Hyperparameter:
    """The rate of a layer as a number that may be changed."""
    meaning = f"share of layer {layer}'s outputs that are dropped while training"
    return Hyperparameter(rate_name(layer), 0.5, meaning, high=HIGHEST_RATE)
