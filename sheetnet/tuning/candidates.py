"""The candidates of a cross validation: the product of the values of each axis.

An axis is what differs between candidates. Those of the structure make the hidden
layers; the others are keys of ``[training]``.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sheetnet import values
from sheetnet.concepts.activations import ACTIVATIONS
from sheetnet.concepts.dropout import HIGHEST_RATE
from sheetnet.concepts.optimizers import LEARNING_RATE, OPTIMIZERS
from sheetnet.errors import SpecError
from sheetnet.spec import LayerSpec, Spec

MAX_LAYERS = 100
MAX_CANDIDATES = 10_000
DEFAULT_ACTIVATION = "tanh"
"""Of hidden layers where the spec has none to go by."""


@dataclass(frozen=True)
class Axis:
    """What may differ between candidates.

    ``check`` takes (name, value as given) and returns the value, or raises SpecError.
    ``structural``: it makes the hidden layers.
    """

    name: str
    check: Callable[[str, Any], Any]
    structural: bool = False


def _layers(key: str, value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= MAX_LAYERS:
        raise SpecError(
            f"{key} is {values.shown(value)}: a whole number from 0 (a perceptron) to "
            f"{MAX_LAYERS} is needed"
        )
    return value


_HIDDEN = {name: a for name, a in ACTIVATIONS.items() if not a.last_only}

AXES = {
    axis.name: axis
    for axis in (
        Axis("layers", _layers, structural=True),
        Axis("units", values.units, structural=True),
        Axis("activation", lambda k, v: values.choice(k, v, _HIDDEN), structural=True),
        Axis("dropout", lambda k, v: values.bounded(k, v, 0.0, HIGHEST_RATE), structural=True),
        Axis("optimizer", lambda k, v: values.choice(k, v, OPTIMIZERS)),
        Axis("batch_size", values.count),
        Axis("learning_rate", lambda k, v: values.hyperparameter(k, v, LEARNING_RATE)),
    )
}
"""Every axis, in the order of the columns of a report."""


def read_values(axis: str, text: str, *, key: str) -> tuple[Any, ...]:
    """Read the values of an axis from a text such as ``2,4,8``; ``key`` names it in errors."""
    return check_values(axis, [_read(part.strip()) for part in text.split(",")], key=key)


def _read(text: str) -> int | float | str:
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            pass
    return text


def check_values(axis: str, given: Any, *, key: str | None = None) -> tuple[Any, ...]:
    """Check the values of an axis: a sequence, or a single one; none may come twice."""
    key = key or axis
    listed = [given] if isinstance(given, str) or not isinstance(given, Iterable) else list(given)
    if not listed:
        raise SpecError(f"{key} is empty: at least one value is needed")
    checked = tuple(AXES[axis].check(key, value) for value in listed)
    for value in checked:
        if checked.count(value) > 1:
            raise SpecError(f"{key} names {value!r} more than once")
    return checked


def candidates(spec: Spec, axes: Mapping[str, Sequence[Any] | None]) -> tuple[Spec, ...]:
    """Return the spec of every candidate: all combinations of the values of the axes.

    ``axes`` maps names of :data:`AXES` to values; None: the spec's own. Combinations
    that come to the same spec (a perceptron has no units to differ in) are there once.
    Raises :class:`SpecError` for values that cannot be, or too many of them.
    """
    given = {name: check_values(name, axes[name]) for name in AXES if axes.get(name) is not None}
    count = 1
    for several in given.values():
        count *= len(several)
    if count > MAX_CANDIDATES:
        sizes = " × ".join(f"{len(several)} {name}" for name, several in given.items())
        raise SpecError(f"{sizes} are {count} candidates; allowed: {MAX_CANDIDATES}")
    found: dict[object, Spec] = {}
    for combination in itertools.product(*given.values()):
        made = _candidate(spec, dict(zip(given, combination, strict=True)))
        found.setdefault((made.layers, repr(made.training)), made)
    shaped = [name for name in given if AXES[name].structural and name != "layers"]
    if shaped and not any(len(made.layers) > 1 for made in found.values()):
        raise SpecError(f"{shaped[0]} is given, but no candidate has a hidden layer")
    return tuple(found.values())


def _candidate(spec: Spec, chosen: Mapping[str, Any]) -> Spec:
    structure = {name: value for name, value in chosen.items() if AXES[name].structural}
    training = {name: value for name, value in chosen.items() if not AXES[name].structural}
    return with_structure(spec, **structure).override(**training)


def with_structure(
    spec: Spec,
    *,
    layers: int | None = None,
    units: int | None = None,
    activation: str | None = None,
    dropout: float | None = None,
) -> Spec:
    """Return the spec with other hidden layers; None: as the spec has them.

    Another number of layers makes all of them copies of the first (of tanh, where there
    is none). Given weights and biases of hidden layers, and the weights of the last, go
    where the sizes change: they would not fit.
    """
    *own, last = spec.layers
    first = own[0] if own else LayerSpec(None, DEFAULT_ACTIVATION)
    count = layers if layers is not None else max(len(own), units is not None)
    hidden = own if count == len(own) else [first] * count
    if hidden and units is None and first.units is None:
        raise SpecError(
            f"layers is {count}, but the spec has no hidden layer to take units from: "
            "give units as well"
        )
    changes: dict[str, Any] = {}
    if units is not None:
        changes["units"] = units
    if activation is not None:
        changes["activation"] = activation
    if dropout is not None:
        changes["dropout"] = dropout or None
    made = [dataclasses.replace(layer, **changes) for layer in hidden]
    if [layer.units for layer in made] != [layer.units for layer in own]:
        made = [dataclasses.replace(layer, weights=None, bias=None) for layer in made]
        last = dataclasses.replace(last, weights=None)
    return dataclasses.replace(spec, layers=(*made, last))
