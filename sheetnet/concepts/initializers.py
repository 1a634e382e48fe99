"""Initial weights where the spec gives none.

Drawn values are rounded to six decimals: every spreadsheet writes them exactly,
and they are easier to read. Biases start at 0.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from sheetnet.concepts.arithmetic import Array

DECIMALS = 6


@dataclass(frozen=True)
class Initializer:
    """``draw(random, units, inputs)`` returns weights of shape (units, inputs).

    ``code`` is the same as source.
    """

    name: str
    draw: Callable[[np.random.RandomState, int, int], Array]
    maths: str
    code: str


def _uniform(random: np.random.RandomState, units: int, inputs: int, limit: float) -> Array:
    return np.round(random.uniform(-limit, limit, (units, inputs)), DECIMALS)


_RECORDS = (
    Initializer(
        "uniform",
        lambda r, u, i: _uniform(r, u, i, 0.5),
        "uniform in ±0.5",
        "np.round(random.uniform(-0.5, 0.5, (units, inputs)), 6)",
    ),
    # Glorot and Bengio, "Understanding the difficulty of training deep feedforward
    # neural networks", 2010, equation 16.
    Initializer(
        "glorot",
        lambda r, u, i: _uniform(r, u, i, math.sqrt(6.0 / (i + u))),
        "uniform in ±√(6 / (inputs + units))",
        "limit = math.sqrt(6.0 / (inputs + units))\n"
        "return np.round(random.uniform(-limit, limit, (units, inputs)), 6)",
    ),
    # He et al., "Delving Deep into Rectifiers", 2015, equation 10.
    Initializer(
        "he",
        lambda r, u, i: np.round(math.sqrt(2.0 / i) * r.standard_normal((u, i)), DECIMALS),
        "normal with deviation √(2 / inputs)",
        "np.round(math.sqrt(2.0 / inputs) * random.standard_normal((units, inputs)), 6)",
    ),
    Initializer("zeros", lambda r, u, i: np.zeros((u, i)), "0", "np.zeros((units, inputs))"),
)

INITIALIZERS: dict[str, Initializer] = {record.name: record for record in _RECORDS}
