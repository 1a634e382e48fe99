"""What a cross validation found of a candidate, and how candidates are ranked."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from sheetnet.spec import Spec
from sheetnet.tuning.folds import Score


@dataclass(frozen=True)
class Result:
    """A candidate, and its scores of all folds in order.

    Means and deviations are those over the folds, each fold counting the same; nan
    where one of them is not finite.
    """

    spec: Spec
    network: str
    parameters: int
    scores: tuple[Score, ...]

    @property
    def validation_loss(self) -> float:
        """Mean of the folds' validation losses: what candidates are ranked by."""
        return mean(score.validation_loss for score in self.scores)

    @property
    def deviation(self) -> float:
        """Sample deviation of the folds' validation losses: √(Σ(l − mean)² / (folds − 1))."""
        return deviation(score.validation_loss for score in self.scores)

    @property
    def train_loss(self) -> float:
        """Mean of the folds' training losses."""
        return mean(score.train_loss for score in self.scores)

    @property
    def measure(self) -> float:
        """Mean of the folds' validation accuracy or rmse."""
        return mean(score.measure for score in self.scores)

    @property
    def diverged_folds(self) -> int:
        """How many folds have no finite validation loss."""
        return sum(not math.isfinite(score.validation_loss) for score in self.scores)

    @property
    def diverges(self) -> bool:
        """Whether there is no mean to be ranked by."""
        return not math.isfinite(self.validation_loss)

    @property
    def hidden(self) -> tuple[int, ...]:
        """Units of each hidden layer."""
        return tuple(layer.units or 0 for layer in self.spec.layers[:-1])


def ranked(results: Iterable[Result]) -> tuple[Result, ...]:
    """Order by mean validation loss; of equals the one with fewer parameters is better.

    Candidates that diverge come last. What is still equal stays in the order given.
    """
    return tuple(
        sorted(
            results,
            key=lambda r: (r.diverges, 0.0 if r.diverges else r.validation_loss, r.parameters),
        )
    )


def mean(values: Iterable[float]) -> float:
    """The mean; nan where it is not finite."""
    with np.errstate(all="ignore"):
        return _finite(float(np.mean(np.fromiter(values, np.float64))))


def deviation(values: Iterable[float]) -> float:
    """The sample deviation (n − 1) of at least two values; nan where it is not finite."""
    with np.errstate(all="ignore"):
        return _finite(float(np.std(np.fromiter(values, np.float64), ddof=1)))


def _finite(value: float) -> float:
    return value if math.isfinite(value) else math.nan
