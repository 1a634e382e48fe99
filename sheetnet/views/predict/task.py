"""What a network is asked for, and so what a prediction of it is."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from sheetnet.concepts.losses import LOSSES
from sheetnet.concepts.summaries import BY_ERROR
from sheetnet.epoch_ledgers import without_dropout
from sheetnet.network import Network
from sheetnet.problem import Problem

MAX_MATRIX = 30
"""Classes of which a matrix can still be read."""

NUMBER_NAMES = (0.0, 1.0)
"""What a single output tells apart where its targets are numbers."""


@dataclass(frozen=True)
class Task:
    """What follows from a problem's network and targets.

    A network tells classes apart (by its largest output, or by the side of 0.5 that its
    only output lies on), says yes or no to several questions at once, or gives numbers.
    """

    problem: Problem

    @cached_property
    def network(self) -> Network:
        """The network as it predicts: without dropout."""
        return without_dropout(self.problem.network)

    @property
    def numbers(self) -> bool:
        """Whether it gives numbers."""
        return self.network.measure is BY_ERROR

    @property
    def by_largest(self) -> bool:
        """Whether the largest output is the class told."""
        return self.network.measure.adds_up

    @property
    def classes(self) -> int:
        """How many classes are told apart; 0: none."""
        if self.by_largest:
            return self.network.outputs
        return 2 if not self.numbers and self.network.outputs == 1 else 0

    @property
    def labels(self) -> bool:
        """Whether each output answers a question of its own."""
        return not self.numbers and self.classes == 0

    @property
    def knows_right(self) -> bool:
        """Whether each row has one right class, and not shares of several."""
        return self.classes > 0 and (self.problem.classes is not None or not self.by_largest)

    @property
    def has_matrix(self) -> bool:
        """Whether a confusion matrix is shown."""
        return self.knows_right and self.classes <= MAX_MATRIX

    @property
    def probabilities(self) -> bool:
        """Whether outputs are probabilities."""
        last = self.network.layers[-1].activation
        return LOSSES[last.default_loss].targets != "any"

    @property
    def shows_share(self) -> bool:
        """Whether a map shows an output between 0 and 1 of two classes, not the class told."""
        if self.classes != 2:
            return False
        return not self.by_largest or self.network.layers[-1].activation.coupled

    @property
    def rescales(self) -> bool:
        """Whether numbers in the units of the data differ from the network's own."""
        return bool(self.problem.targets.scaling.statistics)
