"""Training in NumPy, written down as the ledger: every quantity of every visit.

Training applies the rules of ``rules`` to one row after the other, and after each epoch
those of ``epoch_rules``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from sheetnet.concepts import arithmetic
from sheetnet.concepts.arithmetic import Array
from sheetnet.concepts.stopping import STOPPED
from sheetnet.constants import constants
from sheetnet.epoch_ledgers import Ledgers, ledgers_of, without_dropout
from sheetnet.epoch_rules import epoch_rules, starts, training_sums, validation_sums
from sheetnet.guessing import Guesser, traced, worthwhile
from sheetnet.ledger import Ledger
from sheetnet.problem import Problem
from sheetnet.rules import Rule, before, forward_rules, rules_of
from sheetnet.stepping import State, Stepper

BLOCK_CELLS = 1_000_000
"""A block of ledger rows holds about this many numbers (8 MB)."""

GIVEN = ("place", "flag", "input", "target", "drawn")
"""Kinds of quantities that training finds; all others follow."""


@dataclass(frozen=True)
class Part:
    """Rows of ``Train`` (visits, columns), and of ``Epochs`` for each epoch that they end."""

    train: Array
    epochs: Array


def blocks(
    problem: Problem, ledgers: Ledgers | None = None, into: Array | None = None
) -> Iterator[Part]:
    """Train and yield the ledger in blocks of rows, of the matrix ``into`` if there is one.

    A cell that would be infinite or undefined is nan, and so is all that follows
    from it, as errors spread in a sheet.
    """
    ledgers = ledgers or ledgers_of(problem.network)
    for part, _ in steps(problem, ledgers, problem.visits, into=into):
        yield part


def steps(
    problem: Problem, ledgers: Ledgers, visits: int, cut: int = 0, into: Array | None = None
) -> Iterator[tuple[Part, Mapping[str, Array]]]:
    """Train the first ``visits`` rows: (block, what the row after it finds).

    A block ends after ``cut`` rows. A window knows neither the end of an epoch nor what
    validation makes of it.
    """
    ledger = ledgers.train
    filler = Filler(problem, ledger)
    state: State = first_state(problem, ledger, filler.rules)
    stops = problem.network.stops and problem.window is None
    ends = _EpochEnds(problem, ledgers)
    rows = max(1, BLOCK_CELLS // ledger.width)
    for start, end in _blocks_of(visits, rows, cut):
        matrix = np.empty((end - start, ledger.width)) if into is None else into[start:end]
        fixed = constants(problem, start, len(matrix))
        for name, values in fixed.items():
            ledger[name].view(matrix)[:] = values
        sample = ledger["sample"].view(matrix).astype(np.int64) - 1
        ledger["x"].view(matrix)[:] = problem.inputs.values[sample]
        ledger["y"].view(matrix)[:] = problem.targets.values[sample]
        finished = []
        if not stops:
            state = filler.fill(matrix, state)
        cuts = _within_epochs(start, len(matrix), problem.rows) if problem.window is None else ()
        for first, last in cuts:
            part = matrix[first:last]
            if stops:
                ledger[STOPPED].view(part)[:] = ends.stopped
                state = filler.fill(part, state)
            ends.add(part)
            if (start + last) % problem.rows == 0:
                finished.append(ends.close(part[-1:]))
        yield Part(matrix, np.array(finished).reshape(-1, ledgers.epochs.width)), state


def _blocks_of(visits: int, rows: int, cut: int) -> Iterator[tuple[int, int]]:
    """Blocks of at most ``rows``, one of which ends after ``cut``: (first, end) from 0."""
    start = 0
    while start < visits:
        end = min(start + rows, visits)
        if start < cut < end:
            end = cut
        yield start, end
        start = end


def _within_epochs(start: int, count: int, rows: int) -> Iterator[tuple[int, int]]:
    """Cut ``count`` visits from ``start`` (from 0) on at the ends of epochs: (first, end)."""
    first = 0
    while first < count:
        end = min(count, first + rows - (start + first) % rows)
        yield first, end
        first = end


class _EpochEnds:
    """What is carried through an epoch's rows, and from one epoch to the next."""

    def __init__(self, problem: Problem, ledgers: Ledgers) -> None:
        self.problem, self.ledgers = problem, ledgers
        self.sums = training_sums(problem.network)
        self.held_out_sums = validation_sums(problem.network)
        self.rules = epoch_rules(
            problem.network, problem.hyperparameters, problem.rows, problem.held_out
        )
        self.before = starts(problem.network)
        self.totals: list[Array | None] = [None] * len(self.sums)
        self.epoch = 0

    @property
    def stopped(self) -> float:
        """Whether training has ended (1) or goes on (0)."""
        return float(self.before[STOPPED].item())

    def add(self, part: Array) -> None:
        """Carry the sums on over further rows of ``Train``."""
        rows = self.ledgers.train.views(part)
        with np.errstate(all="ignore"):
            self.totals = [
                each.add(total, rows) for each, total in zip(self.sums, self.totals, strict=True)
            ]

    def close(self, last: Array) -> Array:
        """Return the row of ``Epochs`` (columns,) after the epoch's last visit (1, columns)."""
        problem, ledger = self.problem, self.ledgers.epochs
        outputs = problem.network.outputs
        row = np.empty((1, ledger.width))
        q = ledger.views(row)
        self.epoch += 1
        q["epoch"][:] = self.epoch
        for name, value in final_state(problem, self.ledgers.train, last).items():
            q[name][:] = value
        with np.errstate(all="ignore"):
            for each, total in zip(self.sums, self.totals, strict=True):
                assert total is not None  # an epoch has rows
                each.put(q, total, problem.rows, outputs)
            if self.ledgers.validation is not None:
                held_out = validation_rows(problem, self.ledgers, row)
                views = self.ledgers.validation.views(held_out)
                for each in self.held_out_sums:
                    each.put(q, each.add(None, views), problem.held_out, outputs)
            row[:] = arithmetic.errors_to_nan(row)
            known: dict[str, Array] = {**q, **{before(n): v for n, v in self.before.items()}}
            for rule in self.rules:
                q[rule.name][:] = arithmetic.errors_to_nan(rule.value(known))
        self.before = {name: q[name].copy() for name in self.before}
        self.totals = [None] * len(self.sums)
        finished: Array = row[0]
        return finished


def validation_rows(problem: Problem, ledgers: Ledgers, epoch: Array, stopped: float = 0) -> Array:
    """The forward pass of the held-out rows with the weights of a row of ``Epochs``.

    ``epoch`` is (1, columns); ``stopped`` the flag of the epoch before. Returns
    (held-out rows, columns of ``Validation``).
    """
    network, ledger = problem.network, ledgers.validation
    assert ledger is not None  # asked only where rows are held out
    matrix = np.empty((problem.held_out, ledger.width))
    have = ledger.views(matrix)
    if network.stops:
        have[STOPPED][:] = stopped
    have["epoch"][:] = ledgers.epochs["epoch"].view(epoch)
    have["sample"][:] = np.arange(problem.rows + 1, problem.rows + problem.held_out + 1)
    have["x"][:] = problem.inputs.values[problem.rows :]
    have["y"][:] = problem.targets.values[problem.rows :]
    q = {**have, **weights_reached(problem, ledgers, epoch)}
    with np.errstate(all="ignore"):
        for rule in forward_rules(without_dropout(network), problem.hyperparameters):
            have[rule.name][...] = arithmetic.errors_to_nan(rule.value(q))
    return matrix


def weights_reached(problem: Problem, ledgers: Ledgers, epoch: Array) -> dict[str, Array]:
    """The weights in a row of ``Epochs`` (1, columns), the same for each held-out row."""
    found = {}
    for name in first_weights(problem):
        value = ledgers.epochs[name].view(epoch)[0]
        found[name] = np.broadcast_to(value, (problem.held_out, *value.shape))
    return found


def validation_blocks(problem: Problem, ledgers: Ledgers, epochs: Array) -> Iterator[Array]:
    """Yield the rows of ``Validation``, epoch by epoch, from those of ``Epochs``."""
    stopped = np.zeros(len(epochs))
    if problem.network.stops:
        stopped[1:] = ledgers.epochs[STOPPED].view(epochs)[:-1]
    for e in range(len(epochs)):
        yield validation_rows(problem, ledgers, epochs[e : e + 1], float(stopped[e]))


def first_weights(problem: Problem) -> dict[str, Array]:
    """The first weights and biases by name."""
    state = {}
    for layer, w, b in zip(problem.network.layers, problem.weights, problem.biases, strict=True):
        state[f"W{layer.index}"], state[f"b{layer.index}"] = w, b
    return state


def first_state(problem: Problem, ledger: Ledger, rules: tuple[Rule, ...]) -> dict[str, Array]:
    """What the first row finds: the first weights; of what is carried 0, or a window's."""
    zeros = {rule.name: np.zeros(ledger[rule.name].shape) for rule in rules if rule.carried}
    carried = problem.window.carried if problem.window else {}
    return {**first_weights(problem), **zeros, **carried}


class Filler:
    """Fills rows of ``Train``, in which the quantities of :data:`GIVEN` kinds are there."""

    def __init__(self, problem: Problem, ledger: Ledger) -> None:
        self.rules = rules_of(problem.network, problem.hyperparameters)
        known = tuple(block.name for block in ledger.blocks if block.kind in GIVEN)
        self.stepper = Stepper(problem.network, ledger, self.rules, known)
        self.guesser = None
        batch = min(problem.rows, problem.spec.training.batch_size)
        if worthwhile(ledger, self.rules, problem.visits, batch):
            trace = traced(ledger, self.rules, known)
            if trace is not None:
                self.guesser = Guesser(ledger, self.rules, known, trace)

    def fill(self, part: Array, state: State) -> State:
        """Fill the rows of a part in place; return the state after its last row."""
        with np.errstate(all="ignore"):
            if self.guesser is None:
                return self._by_steps(part, state)
            for first in range(0, len(part), self.guesser.rows):
                chunk = part[first : first + self.guesser.rows]
                state = self.guesser.fill(chunk, state) or self._by_steps(chunk, state)
        return state

    def _by_steps(self, part: Array, state: State) -> State:
        after = self.stepper.fill(part, state, careful=False)
        if not arithmetic.all_finite(part):
            after = self.stepper.fill(part, state, careful=True)
        return {name: arithmetic.errors_to_nan(value) for name, value in after.items()}


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


def first_divergence(matrix: Array) -> int | None:
    """The first row (from 1) of a ledger that holds a nan, or None."""
    bad = ~np.isfinite(matrix).all(axis=1)
    return int(np.argmax(bad)) + 1 if bad.any() else None


def first_stop(ledger: Ledger, epochs: Array) -> int | None:
    """The first epoch (from 1) after which training had ended, or None."""
    stopped = ledger[STOPPED].view(epochs) == 1
    return int(np.argmax(stopped)) + 1 if stopped.any() else None
