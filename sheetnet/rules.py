"""How each quantity of a row follows from the others: the network's NumPy side.

Each quantity has one :class:`Rule`, a pure function of quantities before it, for
arrays with any leading axes. The order of operations is the formulas', so that plain
IEEE engines agree to the last bit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sheetnet.concepts import arithmetic
from sheetnet.concepts.arithmetic import Array
from sheetnet.concepts.dropout import DROPOUT, rate_name
from sheetnet.concepts.parts import Part, Quantities
from sheetnet.concepts.stages import Slot
from sheetnet.concepts.stopping import STOPPED
from sheetnet.ledger import input_of, needs_output_slope
from sheetnet.network import Layer, Network
from sheetnet.pipeline import (
    Stage,
    all_parameters,
    last_source,
    parameters_of,
    place_singles,
    stages_of,
)


@dataclass(frozen=True)
class Rule:
    """How one quantity of a row follows from others of the same row.

    ``value`` takes name -> array (..., *shape) and returns the quantity in that form.
    A ``carried`` quantity also sees its own value of the row before, under
    :func:`before`.

    Two fields say of some what ``value`` says too, so that less need be computed:
    ``idle`` is the value in rows that make no update; ``adds`` is what a running sum adds
    to its value of the row before, in rows that are not the first of a batch.
    """

    name: str
    value: Callable[[Quantities], Array]
    carried: bool = False
    idle: Callable[[Quantities], Array] | None = None
    adds: Callable[[Quantities], Array] | None = None


def before(name: str) -> str:
    """The key of a quantity's value in the row before (0 before the first)."""
    return f"{name} before"


def layer_quantities(q: Quantities, layer: Layer) -> dict[str, Array]:
    """A layer's own quantities under their base names: z, a and what is between."""
    names = ("z", *(part.name for part in layer.activation.parts))
    return {name: q[f"{name}{layer.index}"] for name in names if f"{name}{layer.index}" in q}


def rules_of(network: Network, hyperparameters: Mapping[str, float]) -> tuple[Rule, ...]:
    """The rules of a row, from its weights and inputs to its updates, in order."""
    rules = [*forward_rules(network, hyperparameters)]
    if needs_output_slope(network):
        rules.append(_output_slope(network))
    for layer in reversed(network.layers):
        rules.append(
            _output_delta(network) if layer.index == len(network.layers) else _hidden_delta(layer)
        )
        rules.extend(_gradients(network, layer))
    rules.extend(_stages(network, hyperparameters))
    return tuple(rules)


def forward_rules(network: Network, hyperparameters: Mapping[str, float]) -> Iterator[Rule]:
    """The rules from weights and inputs to the loss, in order."""
    yield from prediction_rules(network, hyperparameters)
    yield _loss(network)


def prediction_rules(network: Network, hyperparameters: Mapping[str, float]) -> Iterator[Rule]:
    """The rules from weights and inputs to the outputs, in order."""
    for layer in network.layers:
        yield _weighted_sum(network, layer)
        yield from (_part(layer, part) for part in layer.activation.parts)
        if layer.dropout:
            yield from _dropout(layer, hyperparameters[rate_name(layer.index)])


def _weighted_sum(network: Network, layer: Layer) -> Rule:
    w, b, x = f"W{layer.index}", f"b{layer.index}", input_of(network, layer)
    return Rule(f"z{layer.index}", lambda q: arithmetic.weighted_sum(q[b], q[w], q[x]))


def _part(layer: Layer, part: Part) -> Rule:
    return Rule(f"{part.name}{layer.index}", lambda q: part.value(layer_quantities(q, layer)))


def _output(q: Quantities, network: Network) -> dict[str, Array]:
    return {**layer_quantities(q, network.layers[-1]), "y": q["y"]}


def _loss(network: Network) -> Rule:
    return Rule("loss", lambda q: network.loss.value(_output(q, network)))


def _output_slope(network: Network) -> Rule:
    slope = network.loss.slope
    assert slope is not None  # a loss without closed form for the last layer has a slope
    return Rule(f"da{network.layers[-1].index}", lambda q: slope(_output(q, network)))


def _output_delta(network: Network) -> Rule:
    """δ of the last layer: in closed form, by the units' slope, or by the coupled one."""
    last, loss = network.layers[-1], network.loss
    name, activation = f"delta{last.index}", last.activation
    closed = loss.deltas.get(activation.name)
    if closed is not None:
        return Rule(name, lambda q: closed.value(_output(q, network)))
    back = activation.back
    if back is not None:
        return Rule(name, lambda q: back(q[f"da{last.index}"], q[f"a{last.index}"]))
    slope, loss_slope = activation.slope, loss.slope
    assert slope is not None and loss_slope is not None
    return Rule(
        name,
        lambda q: loss_slope(_output(q, network)) * slope(q[f"z{last.index}"], q[f"a{last.index}"]),
    )


def _dropout(layer: Layer, rate: float) -> Iterator[Rule]:
    """The mask from the uniforms that were drawn, and what it leaves of the outputs."""
    l = layer.index
    yield Rule(f"k{l}", lambda q: DROPOUT.mask(q[f"r{l}"], rate))
    yield Rule(f"d{l}", lambda q: q[f"a{l}"] * q[f"k{l}"])


def _hidden_delta(layer: Layer) -> Rule:
    """δ_l = (Σ_j δ_{l+1,j} W_{l+1,ji}) · k · f′(z), k the mask where there is dropout."""
    l, after, slope = layer.index, layer.index + 1, layer.activation.slope
    assert slope is not None  # spec.py keeps coupled activations to the last layer

    def value(q: Quantities) -> Array:
        back = arithmetic.back_sum(q[f"delta{after}"], q[f"W{after}"])
        if layer.dropout:
            back = back * q[f"k{l}"]
        return back * slope(q[f"z{l}"], q[f"a{l}"])

    return Rule(f"delta{l}", value)


def _gradients(network: Network, layer: Layer) -> Iterator[Rule]:
    """∂L/∂W_ji = δ_j x_i and ∂L/∂b_j = δ_j."""
    l, x = layer.index, input_of(network, layer)
    yield Rule(f"dW{l}", lambda q: q[f"delta{l}"][..., :, None] * q[x][..., None, :])
    if layer.train_bias:
        yield Rule(f"db{l}", lambda q: q[f"delta{l}"])


@dataclass(frozen=True)
class _Sight:
    """What the slots of one parameter see at a stage; its names are made once for all rows.

    ``names`` maps what a slot says (``gradient``, ``m``) to the quantity; those in
    ``singles`` are there once a row and get ``axes`` more axes, as the parameter has.
    """

    names: Mapping[str, str]
    singles: frozenset[str]
    axes: int
    numbers: Mapping[str, float]

    def __call__(self, q: Quantities) -> dict[str, Any]:
        """Name -> number or array that broadcasts to the parameter's."""
        return _Seen(self, q)


class _Seen(dict[str, Any]):
    """Looks a quantity up when a slot asks for it: most ask for few."""

    def __init__(self, sight: _Sight, q: Quantities) -> None:
        super().__init__(sight.numbers)
        self.sight, self.q = sight, q

    def __missing__(self, name: str) -> Array:
        value = self.q[self.sight.names[name]]
        if name in self.sight.singles:
            value = value.reshape(value.shape + (1,) * self.sight.axes)
        self[name] = value
        return value


def _sight(
    parameter: str,
    source: str,
    slots: tuple[str, ...],
    singles: tuple[str, ...],
    numbers: Mapping[str, float],
) -> _Sight:
    """``slots`` and ``singles`` are those that come earlier in the row."""
    names = {slot: f"{slot}{parameter}" for slot in slots} | {name: name for name in singles}
    names["gradient"] = f"{source}{parameter}"
    axes = 2 if parameter.startswith("W") else 1
    return _Sight(names, frozenset(singles), axes, numbers)


def _stages(network: Network, hyperparameters: Mapping[str, float]) -> Iterator[Rule]:
    """From the row's gradients to its updates, quantity by quantity."""
    parameters = all_parameters(network)
    slots: tuple[str, ...] = ()
    singles: tuple[str, ...] = place_singles(network)
    for stage in stages_of(network):
        name = stage.slot.name
        if stage.slot.single:
            yield _single(network, stage, singles, hyperparameters)
            singles = (*singles, name)
            continue
        for parameter in parameters:
            sight = _sight(parameter, stage.source, slots, singles, hyperparameters)
            yield _slot(network, f"{name}{parameter}", stage.slot, sight)
        slots = (*slots, name)
    for parameter in parameters:
        sight = _sight(parameter, last_source(network), slots, singles, hyperparameters)
        yield _step(network, f"u{parameter}", sight)


def _single(
    network: Network, stage: Stage, singles: tuple[str, ...], numbers: Mapping[str, float]
) -> Rule:
    """A slot that is there once for all parameters, whose gradients it sees as one vector."""
    slot = stage.slot
    each = tuple(_each(network))

    def sight(q: Quantities) -> dict[str, Any]:
        seen: dict[str, Any] = {**numbers, **{name: q[name] for name in singles}}
        if slot.sees_all:
            seen["gradient"] = np.concatenate(
                [_flat(q, stage.source, layer, base) for layer, base in each], axis=-1
            )
        return seen

    return _slot(network, slot.name, slot, sight)


def _slot(
    network: Network, name: str, slot: Slot, sight: Callable[[Quantities], dict[str, Any]]
) -> Rule:
    if not slot.carried:
        return Rule(name, lambda q: slot.value(sight(q)))

    def held(q: Quantities) -> Array:
        return q[before(name)]

    def value(q: Quantities) -> Array:
        seen = sight(q)
        seen["before"] = held(q)
        fresh = slot.value(seen)
        return _where_updating(network, q, fresh, held(q)) if slot.holds else fresh

    adds = slot.adds
    return Rule(
        name,
        value,
        carried=True,
        idle=held if slot.holds else None,
        adds=None if adds is None else lambda q: adds(sight(q)),
    )


def _step(network: Network, name: str, sight: _Sight) -> Rule:
    """The optimizer's ΔW, 0 in rows that make no update."""
    none = np.asarray(0.0)

    def value(q: Quantities) -> Array:
        fresh = network.optimizer.step(sight(q))
        return _where_updating(network, q, fresh, none)

    return Rule(name, value, idle=lambda q: none)


def _where_updating(network: Network, q: Quantities, fresh: Array, held: Array) -> Array:
    """Fresh where the row makes an update, else held."""
    updates = updating(network, q)
    if updates is None:
        return fresh
    return np.where(
        updates.reshape(updates.shape + (1,) * (fresh.ndim - updates.ndim)), fresh, held
    )


def updating(network: Network, q: Quantities) -> NDArray[np.bool_] | None:
    """Which rows make an update: (...); None: all do.

    Those inside of a batch and those after the end of training do not.
    """
    if not (network.batches or network.stops):
        return None
    updates: NDArray[np.bool_] = np.asarray(True)
    if network.batches:
        updates = np.asanyarray(q["last"] == 1)
    if network.stops:
        updates = updates & (q[STOPPED] == 0)
    return updates


def _each(network: Network) -> Iterator[tuple[Layer, str]]:
    for layer in network.layers:
        for base, _ in parameters_of(layer):
            yield layer, base


def _flat(q: Quantities, source: str, layer: Layer, base: str) -> Array:
    """The gradients of a parameter in the order of their columns: (..., size)."""
    values = q[f"{source}{base}{layer.index}"]
    return values.reshape(*values.shape[:-2], -1) if base == "W" else values
