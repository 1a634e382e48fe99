"""Training in NumPy, written down as the ledger: every quantity of every visit.

Each quantity has one :class:`Rule`, a pure function of quantities before it, for
arrays with any leading axes. Training applies the rules to one row after the
other; the verifier applies each rule once to all rows of a sheet. The order of
operations is the formulas', so that plain IEEE engines agree to the last bit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from sheetnet.concepts import arithmetic
from sheetnet.concepts.arithmetic import Array
from sheetnet.concepts.parts import Part, Quantities
from sheetnet.ledger import Ledger, input_of, ledger_of, needs_output_slope, parameters_of
from sheetnet.problem import Layer, Network, Problem
from sheetnet.randomness import epoch_order

BLOCK_CELLS = 1_000_000
"""A block of ledger rows holds about this many numbers (8 MB)."""


@dataclass(frozen=True)
class Rule:
    """How one quantity of a row follows from others of the same row.

    ``value`` takes name -> array (..., *shape) and returns the quantity in that form.
    """

    name: str
    value: Callable[[Quantities], Array]


def layer_quantities(q: Quantities, layer: Layer) -> dict[str, Array]:
    """A layer's own quantities under their base names: z, a and what is between."""
    names = ("z", *(part.name for part in layer.activation.parts))
    return {name: q[f"{name}{layer.index}"] for name in names if f"{name}{layer.index}" in q}


def rules_of(network: Network, hyperparameters: Mapping[str, float]) -> tuple[Rule, ...]:
    """The rules of a row, from its weights and inputs to its updates, in order."""
    rules: list[Rule] = []
    for layer in network.layers:
        rules.append(_weighted_sum(layer))
        rules.extend(_part(layer, part) for part in layer.activation.parts)
    rules.append(_loss(network))
    if needs_output_slope(network):
        rules.append(_output_slope(network))
    for layer in reversed(network.layers):
        rules.append(
            _output_delta(network) if layer.index == len(network.layers) else _hidden_delta(layer)
        )
        rules.extend(_gradients(layer))
    for layer in network.layers:
        for base, _ in parameters_of(layer):
            rules.append(_update(network, f"{base}{layer.index}", hyperparameters))
    return tuple(rules)


def _weighted_sum(layer: Layer) -> Rule:
    w, b, x = f"W{layer.index}", f"b{layer.index}", input_of(layer)
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


def _hidden_delta(layer: Layer) -> Rule:
    """δ_l = (Σ_j δ_{l+1,j} W_{l+1,ji}) · f′(z)."""
    l, after, slope = layer.index, layer.index + 1, layer.activation.slope
    assert slope is not None  # spec.py keeps coupled activations to the last layer
    return Rule(
        f"delta{l}",
        lambda q: (
            arithmetic.back_sum(q[f"delta{after}"], q[f"W{after}"]) * slope(q[f"z{l}"], q[f"a{l}"])
        ),
    )


def _gradients(layer: Layer) -> Iterator[Rule]:
    """∂L/∂W_ji = δ_j x_i and ∂L/∂b_j = δ_j."""
    l, x = layer.index, input_of(layer)
    yield Rule(f"dW{l}", lambda q: q[f"delta{l}"][..., :, None] * q[x][..., None, :])
    if layer.train_bias:
        yield Rule(f"db{l}", lambda q: q[f"delta{l}"])


def _update(network: Network, parameter: str, hyperparameters: Mapping[str, float]) -> Rule:
    return Rule(
        f"u{parameter}",
        lambda q: network.optimizer.update(q[f"d{parameter}"], hyperparameters),
    )


def places(problem: Problem) -> Iterator[tuple[int, Array]]:
    """Yield (epoch, samples in the order of their visits), both counted from 1."""
    training = problem.spec.training
    for epoch in range(1, training.epochs + 1):
        order = epoch_order(problem.rows, epoch, training.seed, shuffle=training.shuffle)
        yield epoch, order.astype(np.float64)


def place_columns(problem: Problem) -> Array:
    """The constant columns visit, epoch, update, sample of all visits: (visits, 4)."""
    samples = np.concatenate([order for _, order in places(problem)])
    visit = np.arange(1.0, problem.visits + 1)
    epoch = np.repeat(np.arange(1.0, problem.spec.training.epochs + 1), problem.rows)
    return np.column_stack((visit, epoch, visit, samples))


def blocks(problem: Problem, ledger: Ledger | None = None) -> Iterator[Array]:
    """Train and yield the ledger in blocks of rows, each (rows, columns).

    A cell that would be infinite or undefined is nan, and so is all that follows
    from it, as errors spread in a sheet.
    """
    ledger = ledger or ledger_of(problem.network)
    rules = rules_of(problem.network, problem.spec.training.hyperparameters)
    place = place_columns(problem)
    state = first_state(problem)
    rows = max(1, BLOCK_CELLS // ledger.width)
    with np.errstate(all="ignore"):
        for start in range(0, problem.visits, rows):
            matrix = np.empty((min(rows, problem.visits - start), ledger.width))
            matrix[:, : place.shape[1]] = place[start : start + len(matrix)]
            sample = matrix[:, place.shape[1] - 1].astype(np.int64) - 1
            ledger["x"].view(matrix)[:] = problem.inputs.values[sample]
            ledger["y"].view(matrix)[:] = problem.targets.values[sample]
            after = _fill(matrix, ledger, rules, state, careful=False)
            if not np.isfinite(matrix).all():
                after = _fill(matrix, ledger, rules, state, careful=True)
            state = {name: arithmetic.errors_to_nan(value) for name, value in after.items()}
            yield matrix


def first_state(problem: Problem) -> dict[str, Array]:
    """The first weights and biases by name."""
    state = {}
    for layer, w, b in zip(problem.network.layers, problem.weights, problem.biases, strict=True):
        state[f"W{layer.index}"], state[f"b{layer.index}"] = w, b
    return state


def _fill(
    matrix: Array,
    ledger: Ledger,
    rules: tuple[Rule, ...],
    state: Mapping[str, Array],
    *,
    careful: bool,
) -> dict[str, Array]:
    """Fill the rows of a block in place; return the weights after its last row.

    ``careful`` turns overflow into nan at once, so that it cannot vanish again in a
    function that is finite at infinity; only blocks that overflow need it.
    """
    state = dict(state)
    views = ledger.views(matrix)
    targets = [(rule, views[rule.name]) for rule in rules]
    inputs = [(name, views[name]) for name in ("x", "y")]
    kept = [(name, views[name]) for name in state]
    updated = [(name, f"u{name}") for name in state if f"u{name}" in views]
    for r in range(len(matrix)):
        q: dict[str, Array] = {name: view[r] for name, view in inputs}
        for name, view in kept:
            view[r] = q[name] = state[name]
        for rule, view in targets:
            value = rule.value(q)
            if careful:
                value = arithmetic.errors_to_nan(value)
            view[r] = q[rule.name] = value
        for name, update in updated:
            state[name] = q[name] + q[update]
            if careful:
                state[name] = arithmetic.errors_to_nan(state[name])
    return state


@dataclass(frozen=True)
class Run:
    """A finished training: the ledger in memory and the weights after the last visit."""

    problem: Problem
    ledger: Ledger
    matrix: Array
    final: Mapping[str, Array]

    def __getitem__(self, name: str) -> Array:
        """A quantity of all visits: ``run["W1"]`` is (visits, units, inputs)."""
        return self.ledger[name].view(self.matrix)

    @property
    def epoch_losses(self) -> Array:
        """Mean loss of the visits of each epoch: (epochs,)."""
        return epoch_means(self["loss"], self.problem.rows)

    def summary(self) -> dict[str, object]:
        """Final weights and losses as plain values for JSON; None for nan."""
        return {
            "spec": self.problem.spec.name,
            "network": self.problem.network.label,
            "visits": self.problem.visits,
            "epoch_losses": plain(self.epoch_losses),
            "last_visit_loss": plain(self["loss"][-1:])[0],
            "weights": {name: plain(value) for name, value in self.final.items()},
            "diverged_at": self.diverged_at,
        }

    @property
    def diverged_at(self) -> int | None:
        """The first visit with a number that a sheet cannot hold, or None."""
        return first_divergence(self.matrix)


def plain(values: Array) -> list[Any]:
    """Nested lists of floats, None for nan."""
    cells = values.astype(object)
    cells[~np.isfinite(values)] = None
    listed: list[Any] = cells.tolist()
    return listed


def epoch_means(loss: Array, rows: int) -> Array:
    """Mean over each epoch's visits: (visits,) -> (epochs,)."""
    return arithmetic.running_sum(loss.reshape(-1, rows)) / rows


def first_divergence(matrix: Array) -> int | None:
    """The first row (from 1) of a ledger that holds a nan, or None."""
    bad = ~np.isfinite(matrix).all(axis=1)
    return int(np.argmax(bad)) + 1 if bad.any() else None


def train(problem: Problem) -> Run:
    """Train and keep the whole ledger in memory."""
    ledger = ledger_of(problem.network)
    matrix = np.concatenate(list(blocks(problem, ledger)))
    final = final_state(problem, ledger, matrix[-1:])
    return Run(problem, ledger, matrix, final)


def final_state(problem: Problem, ledger: Ledger, last: Array) -> dict[str, Array]:
    """Weights and biases after the last visit, from its row (1, columns)."""
    final = {}
    with np.errstate(all="ignore"):
        for name in first_state(problem):
            value = ledger[name].view(last)[0]
            if f"u{name}" in ledger:
                value = value + ledger[f"u{name}"].view(last)[0]
            final[name] = arithmetic.errors_to_nan(value)
    return final


def local(problem: Problem, ledger: Ledger, sheet: Array, x: Array, y: Array) -> Array:
    """What each cell should be, taking the sheet's own inputs of each row as given.

    ``sheet`` (visits, columns) holds nan for errors; ``x`` (rows, inputs) and ``y``
    (rows, outputs) are the sheet's data. Returns the shape of ``sheet``: places from
    the spec, inputs from the data, weights from the row before, all else by the rules.
    """
    expected = np.empty_like(sheet)
    with np.errstate(all="ignore"):
        place = place_columns(problem)
        expected[:, : place.shape[1]] = place
        have, want = ledger.views(sheet), ledger.views(expected)
        sample = place[:, -1].astype(np.int64) - 1
        want["x"][:] = x[sample]
        want["y"][:] = y[sample]
        for name, first in first_state(problem).items():
            want[name][0] = first
            before = have[name][:-1]
            if f"u{name}" in have:
                before = before + have[f"u{name}"][:-1]
            want[name][1:] = before
        for rule in rules_of(problem.network, problem.spec.training.hyperparameters):
            want[rule.name][:] = rule.value(have)
    return arithmetic.errors_to_nan(expected)
