"""Training in NumPy, written down as the ledger: every quantity of every visit.

Training applies the rules of ``rules`` to one row after the other; the verifier
applies each rule once to all rows of a sheet.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sheetnet.concepts import arithmetic
from sheetnet.concepts.arithmetic import Array
from sheetnet.errors import LimitError
from sheetnet.ledger import Ledger, ledger_of
from sheetnet.problem import Problem
from sheetnet.randomness import dropout_uniforms, epoch_order
from sheetnet.rules import Rule, before, rules_of

MAX_LEDGER = 500_000_000
"""Numbers of a ledger that is kept in memory whole (4 GB)."""

BLOCK_CELLS = 1_000_000
"""A block of ledger rows holds about this many numbers (8 MB)."""


def constants(problem: Problem) -> dict[str, Array]:
    """What stands in the ledger as constants: name -> (visits, *shape).

    Visit, epoch, update and sample (counted from 1), the flags of batches, and the
    uniform numbers of dropout, which are the same for all samples of a batch.
    """
    training, rows = problem.spec.training, problem.rows
    epochs = np.arange(1, training.epochs + 1)
    batches = -(-rows // training.batch_size)
    position = np.tile(np.arange(rows), training.epochs)
    batch = position // training.batch_size
    epoch = np.repeat(epochs, rows)
    orders = [epoch_order(rows, int(e), training.seed, shuffle=training.shuffle) for e in epochs]
    found: dict[str, NDArray[Any]] = {
        "visit": np.arange(1, problem.visits + 1),
        "epoch": epoch,
        "update": (epoch - 1) * batches + batch + 1,
        "sample": np.concatenate(orders),
    }
    if problem.network.batches:
        found["first"] = position % training.batch_size == 0
        found["last"] = (position % training.batch_size == training.batch_size - 1) | (
            position == rows - 1
        )
    for layer in problem.network.layers:
        if layer.dropout:
            drawn = [
                dropout_uniforms(batches, layer.units, layer.index, int(e), training.seed)
                for e in epochs
            ]
            found[f"r{layer.index}"] = np.stack(drawn)[epoch - 1, batch]
    return {name: values.astype(np.float64) for name, values in found.items()}


def blocks(problem: Problem, ledger: Ledger | None = None) -> Iterator[Array]:
    """Train and yield the ledger in blocks of rows, each (rows, columns).

    A cell that would be infinite or undefined is nan, and so is all that follows
    from it, as errors spread in a sheet.
    """
    ledger = ledger or ledger_of(problem.network)
    rules = rules_of(problem.network, problem.hyperparameters)
    fixed = constants(problem)
    state = first_state(problem, ledger, rules)
    rows = max(1, BLOCK_CELLS // ledger.width)
    with np.errstate(all="ignore"):
        for start in range(0, problem.visits, rows):
            matrix = np.empty((min(rows, problem.visits - start), ledger.width))
            for name, values in fixed.items():
                ledger[name].view(matrix)[:] = values[start : start + len(matrix)]
            sample = ledger["sample"].view(matrix).astype(np.int64) - 1
            ledger["x"].view(matrix)[:] = problem.inputs.values[sample]
            ledger["y"].view(matrix)[:] = problem.targets.values[sample]
            known = ("x", "y", *fixed)
            after = _fill(matrix, ledger, rules, state, known, careful=False)
            if not np.isfinite(matrix).all():
                after = _fill(matrix, ledger, rules, state, known, careful=True)
            state = {name: arithmetic.errors_to_nan(value) for name, value in after.items()}
            yield matrix


def first_weights(problem: Problem) -> dict[str, Array]:
    """The first weights and biases by name."""
    state = {}
    for layer, w, b in zip(problem.network.layers, problem.weights, problem.biases, strict=True):
        state[f"W{layer.index}"], state[f"b{layer.index}"] = w, b
    return state


def first_state(problem: Problem, ledger: Ledger, rules: tuple[Rule, ...]) -> dict[str, Array]:
    """What the first row finds: the first weights, and 0 for all that is carried."""
    zeros = {rule.name: np.zeros(ledger[rule.name].shape) for rule in rules if rule.carried}
    return {**first_weights(problem), **zeros}


def _fill(
    matrix: Array,
    ledger: Ledger,
    rules: tuple[Rule, ...],
    state: Mapping[str, Array],
    known: tuple[str, ...],
    *,
    careful: bool,
) -> dict[str, Array]:
    """Fill the rows of a block in place; return the state after its last row.

    ``known`` names the quantities that are there already.

    ``careful`` turns overflow into nan at once, so that it cannot vanish again in a
    function that is finite at infinity; only blocks that overflow need it.
    """
    state = dict(state)
    views = ledger.views(matrix)
    targets = [(rule, views[rule.name]) for rule in rules]
    inputs = [(name, views[name]) for name in known]
    carried = [rule.name for rule in rules if rule.carried]
    kept = [(name, views[name]) for name in state if name not in carried]
    updated = [(name, f"u{name}") for name, _ in kept if f"u{name}" in views]
    for r in range(len(matrix)):
        q: dict[str, Array] = {name: view[r] for name, view in inputs}
        for name in carried:
            q[before(name)] = state[name]
        for name, view in kept:
            view[r] = q[name] = state[name]
        for rule, view in targets:
            value = rule.value(q)
            if careful:
                value = arithmetic.errors_to_nan(value)
            view[r] = q[rule.name] = value
        for name in carried:
            state[name] = q[name]
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
    """Train and keep the whole ledger in memory.

    Raises :class:`LimitError` where it would be larger than :data:`MAX_LEDGER`.
    """
    ledger = ledger_of(problem.network)
    cells = problem.visits * ledger.width
    if cells > MAX_LEDGER:
        fits = MAX_LEDGER // (problem.rows * ledger.width)
        raise LimitError(
            f"the ledger of {problem.visits} visits would have {cells} numbers; allowed: "
            f"{MAX_LEDGER}, which are {fits} epochs"
        )
    matrix = np.concatenate(list(blocks(problem, ledger)))
    final = final_state(problem, ledger, matrix[-1:])
    return Run(problem, ledger, matrix, final)


def final_state(problem: Problem, ledger: Ledger, last: Array) -> dict[str, Array]:
    """Weights and biases after the last visit, from its row (1, columns)."""
    final = {}
    with np.errstate(all="ignore"):
        for name in first_weights(problem):
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
        have, want = ledger.views(sheet), ledger.views(expected)
        fixed = constants(problem)
        for name, values in fixed.items():
            want[name][:] = values
        sample = fixed["sample"].astype(np.int64) - 1
        want["x"][:] = x[sample]
        want["y"][:] = y[sample]
        for name, first in first_weights(problem).items():
            want[name][0] = first
            held = have[name][:-1]
            if f"u{name}" in have:
                held = held + have[f"u{name}"][:-1]
            want[name][1:] = held
        for rule in rules_of(problem.network, problem.hyperparameters):
            if rule.carried:
                shifted = np.zeros_like(have[rule.name])
                shifted[1:] = have[rule.name][:-1]
                have[before(rule.name)] = shifted
            want[rule.name][:] = rule.value(have)
    return arithmetic.errors_to_nan(expected)
