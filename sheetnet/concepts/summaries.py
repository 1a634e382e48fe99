"""What is said of an epoch as a whole: sums over its rows, in NumPy and as a cell.

Accuracy is the share of rows whose likeliest class is the right one; RMSE the root of
the mean of (y − ŷ)², in the units that the network sees; the gradient norm of a layer
the root of the mean, over the epoch's rows, of ‖∂L/∂(W, b)‖².
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from sheetnet.concepts.arithmetic import Array
from sheetnet.concepts.parts import Quantities

HALF = 0.5
"""From here on an output counts as 1."""

WIDEST = 2
"""Outputs of a bounded activation are this far apart at most (tanh: from −1 to 1)."""

ENLARGE = 8e307
"""Times this, ``WIDEST`` is a number yet, and the smallest subnormal above 2^−52."""


@dataclass(frozen=True)
class Spans:
    """The cells of an epoch's rows: each output's ``y`` and ``a``, and all of them.

    ``bounded``: whether no two outputs can be further apart than ``WIDEST``.
    """

    y: tuple[str, ...]
    a: tuple[str, ...]
    all_y: str
    all_a: str
    bounded: bool


@dataclass(frozen=True)
class Summary:
    """A sum over the rows of an epoch, and what is made of it.

    Attributes
    ----------
    per_output: one column for each output, or a single one.
    terms: from the rows' quantities the terms (n, *shape) in the order in which a
        sheet adds them: row by row, in each from left to right.
    finish: (sum (*shape), rows, outputs) -> the value.
    cell: the same as a formula; takes the spans and the output's index from 0.

    """

    name: str
    per_output: bool
    terms: Callable[[Quantities], Array]
    finish: Callable[[Array, int, int], Array]
    cell: Callable[[Spans, int], str]
    maths: str


MEAN_LOSS = "loss"
GRADIENT_NORM = "grad_norm"


def loss_terms(loss: Array) -> Array:
    """The terms of the mean loss: (rows,)."""
    return loss.copy()


def mean(total: Array, rows: int, _: int = 1) -> Array:
    """Sum / rows."""
    return total / rows


def mean_cell(span: str) -> str:
    """The same over the cells of one column."""
    return f"AVERAGE({span})"


def squares(gradients: Array) -> Array:
    """What a gradient's norm adds up, in each row: (rows, parameters)."""
    return gradients * gradients


def root_mean(total: Array, rows: int, _: int = 1) -> Array:
    """√(sum / rows)."""
    return np.sqrt(total / rows)


def norm_cell(span: str) -> str:
    """The same over the cells of a layer's gradients, which stand side by side."""
    return f"SQRT(SUMSQ({span})/ROWS({span}))"


def _over(text: str, outputs: int, rows: str) -> str:
    return f"{text}/ROWS({rows})" if outputs == 1 else f"{text}/(ROWS({rows})*{outputs})"


def _threshold_terms(q: Quantities) -> Array:
    """1 where output and target lie on the same side; an error is on neither."""
    y, a = q["y"], q["a"]
    right = np.asarray(((a >= HALF) & (y >= HALF)) | ((a < HALF) & (y < HALF)))
    return right.astype(np.float64).reshape(-1)


def _chosen(a: Array) -> Array:
    """1 for the first of the largest outputs of each row, else 0; nan where that is an error."""
    found = np.zeros_like(a)
    for k in range(a.shape[-1]):
        ahead = a[..., k, None] - a
        wins = (ahead[..., :k] > 0).all(axis=-1) & (ahead[..., k + 1 :] >= 0).all(axis=-1)
        found[..., k] = np.where(np.isfinite(ahead).all(axis=-1), wins, np.nan)
    return found


def _enlarged(difference: str, *, bounded: bool) -> str:
    """The difference times so much that only 0 can be taken for 0.

    Comparisons of some applications take all numbers up to 2^−52 for 0.
    """
    factor = f"{ENLARGE:.0E}"
    if bounded:
        return f"{difference}*{factor}"
    near = f"({difference}<{WIDEST})*({difference}>-{WIDEST})"
    return f"{difference}*(1+{factor}*{near})"


def _hits_cell(s: Spans, k: int) -> str:
    # Operators only: Gnumeric takes one cell of a range for SIGN here.
    factors = [
        f"({_enlarged(f'({s.a[k]}-{other})', bounded=s.bounded)}{'>' if j < k else '>='}0)"
        for j, other in enumerate(s.a)
        if j != k
    ]
    return f"SUMPRODUCT({'*'.join([s.y[k], *factors])})"


def _squared_errors(q: Quantities) -> Array:
    error = q["y"] - q["a"]
    return (error * error).reshape(-1)


THRESHOLD = Summary(
    "accuracy",
    per_output=False,
    terms=_threshold_terms,
    finish=lambda total, rows, outputs: total / (rows * outputs),
    cell=lambda s, k: _over(
        # The number stands apart: in a text, 0.5 would not be one where decimals have commas.
        f'(COUNTIFS({s.all_a},">="&{HALF},{s.all_y},">="&{HALF})'
        f'+COUNTIFS({s.all_a},"<"&{HALF},{s.all_y},"<"&{HALF}))',
        len(s.y),
        s.all_y,
    ),
    maths="share of outputs on the right side of 0.5",
)

HITS = Summary(
    "hits",
    per_output=True,
    terms=lambda q: q["y"] * _chosen(q["a"]),
    finish=lambda total, rows, outputs: total,
    cell=_hits_cell,
    maths="rows of this class whose largest output is this class's",
)

RMSE = Summary(
    "rmse",
    per_output=False,
    terms=_squared_errors,
    finish=lambda total, rows, outputs: np.sqrt(total / (rows * outputs)),
    cell=lambda s, k: f"SQRT({_over(f'SUMXMY2({s.all_y},{s.all_a})', len(s.y), s.all_y)})",
    maths="√(mean of (y − ŷ)²)",
)

ACCURACY = "accuracy"
"""Where there are hits, they are added up and divided by the rows."""


@dataclass(frozen=True)
class Measure:
    """How well a network does, beside its loss: a summary, and perhaps what it adds up to."""

    summary: Summary
    adds_up: bool = False

    @property
    def name(self) -> str:
        """The column that tells it."""
        return ACCURACY if self.adds_up else self.summary.name


BY_THRESHOLD = Measure(THRESHOLD)
BY_LARGEST = Measure(HITS, adds_up=True)
BY_ERROR = Measure(RMSE)


def measure_of(*, targets: str, classes: bool, outputs: int) -> Measure:
    """Accuracy where targets are classes or shares of them, else RMSE.

    ``targets`` is what the loss asks of them ("any", "unit" or "shares").
    """
    if targets == "shares" or (classes and outputs > 1):
        return BY_LARGEST
    return BY_THRESHOLD if classes or targets == "unit" else BY_ERROR
