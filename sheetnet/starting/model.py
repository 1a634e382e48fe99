"""A trained model as layers, whatever library it comes from."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sheetnet.concepts.arithmetic import Array


@dataclass(frozen=True)
class Dense:
    """One layer: ``weights`` is (units, inputs), ``bias`` (units,)."""

    weights: Array
    bias: Array
    activation: str
    train_bias: bool = True


@dataclass(frozen=True)
class Affine:
    """What was done to the inputs before the first layer: (x − offset) · factor.

    ``scale`` names the record of scaling that is nearest to it.
    """

    offset: Array
    factor: Array
    scale: str


@dataclass(frozen=True)
class Reference:
    """What the model itself makes of raw inputs (rows, inputs): (rows, outputs).

    ``quantity`` says with what of the last layer it is compared: ``a``, or ``z``.
    """

    value: Callable[[Array], Array]
    quantity: str = "a"


@dataclass(frozen=True)
class Model:
    """A trained model as layers.

    Attributes
    ----------
    input_names: the columns that it was trained on; None where it does not know.
    classes: what its outputs stand for, in its order; None where they are numbers, ()
        where it does not know.
    training: keys of ``[training]`` that follow from it.
    share: of the rows that it held out while training.
    notes: what else is said of it.

    """

    name: str
    layers: tuple[Dense, ...]
    input_names: tuple[str, ...] | None = None
    classes: tuple[object, ...] | None = None
    affine: Affine | None = None
    training: Mapping[str, Any] = field(default_factory=dict)
    share: float = 0.0
    reference: Reference | None = None
    notes: tuple[str, ...] = ()

    @property
    def inputs(self) -> int:
        """How many inputs it takes."""
        return int(self.layers[0].weights.shape[1])

    @property
    def outputs(self) -> int:
        """How many outputs it has."""
        return int(self.layers[-1].weights.shape[0])
