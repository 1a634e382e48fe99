"""The network in full: what the columns of the ledger follow from."""

from __future__ import annotations

from dataclasses import dataclass

from sheetnet.concepts.activations import Activation
from sheetnet.concepts.losses import Loss
from sheetnet.concepts.optimizers import Optimizer
from sheetnet.concepts.summaries import BY_ERROR, Measure

BRIEF = 200
"""Characters of a network's name in messages."""


@dataclass(frozen=True)
class Layer:
    """A layer as it is built: ``index`` counts from 1, ``weights`` are (units, inputs)."""

    index: int
    units: int
    inputs: int
    activation: Activation
    train_bias: bool
    dropout: bool = False


@dataclass(frozen=True)
class Network:
    """What the columns of the ledger follow from.

    ``compact``: sheets leave out what follows at once from other columns.
    """

    inputs: int
    layers: tuple[Layer, ...]
    loss: Loss
    optimizer: Optimizer
    batches: bool = False
    clips: bool = False
    clips_norm: bool = False
    validates: bool = False
    stops: bool = False
    measure: Measure = BY_ERROR
    compact: bool = False

    @property
    def outputs(self) -> int:
        """Units of the last layer."""
        return self.layers[-1].units

    @property
    def label(self) -> str:
        """The network in one line: ``2-3-1: tanh, sigmoid; binary_entropy; sgd``."""
        sizes = "-".join(str(n) for n in (self.inputs, *(layer.units for layer in self.layers)))
        names = ", ".join(layer.activation.name for layer in self.layers)
        return f"{sizes}: {names}; {self.loss.name}; {self.optimizer.name}"

    @property
    def brief(self) -> str:
        """The same for messages: of a deep network only its ends."""
        if len(self.label) <= BRIEF:
            return self.label
        return f"{self.inputs}-{self.layers[0].units}-…-{self.outputs} of {len(self.layers)} layers"
