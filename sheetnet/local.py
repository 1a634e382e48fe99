"""What each cell of a sheet should be, taking the sheet's own inputs of it as given.

One vectorised pass over all rows finds a wrong cell itself, not its consequences.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from sheetnet.concepts.arithmetic import Array, errors_to_nan
from sheetnet.concepts.stopping import STOPPED
from sheetnet.constants import constants
from sheetnet.engine import first_state, first_weights, weights_reached
from sheetnet.epoch_ledgers import Ledgers, without_dropout
from sheetnet.epoch_rules import epoch_rules, starts, training_sums, validation_sums
from sheetnet.ledger import Ledger
from sheetnet.problem import Problem
from sheetnet.rules import Rule, before, forward_rules, rules_of


@dataclass(frozen=True)
class Sheets:
    """The sheet's own numbers, nan for errors.

    ``train`` (visits, columns), ``epochs`` (epochs, columns) and ``validation``
    (epochs × held-out rows, columns) are the ledgers; ``x`` (rows, inputs) and ``y``
    (rows, outputs) the data, those held out last.
    """

    train: Array
    epochs: Array
    validation: Array | None
    x: Array
    y: Array


def local_train(problem: Problem, ledgers: Ledgers, sheets: Sheets) -> Array:
    """The cells of ``Train``: (visits, columns).

    Places come from the spec, inputs from the data, weights from the row before, the
    end of training from ``Epochs``, all else from the row by the rules.
    """
    ledger, sheet = ledgers.train, sheets.train
    expected = np.empty_like(sheet)
    with np.errstate(all="ignore"):
        have, want = ledger.views(sheet), ledger.views(expected)
        fixed = constants(problem)
        for name, values in fixed.items():
            want[name][:] = values
        if problem.network.stops and problem.window is None:
            want[STOPPED][:] = np.repeat(_stopped_before(ledgers, sheets), problem.rows)
        sample = fixed["sample"].astype(np.int64) - 1
        want["x"][:] = sheets.x[sample]
        want["y"][:] = sheets.y[sample]
        for name, first in first_weights(problem).items():
            want[name][0] = first
            held = have[name][:-1]
            if f"u{name}" in have:
                held = held + have[f"u{name}"][:-1]
            want[name][1:] = held
        rules = rules_of(problem.network, problem.hyperparameters)
        by_rules(rules, have, want, first_state(problem, ledger, rules))
    return errors_to_nan(expected)


def by_rules(
    rules: Iterable[Rule],
    have: dict[str, Array],
    want: Mapping[str, Array],
    start: Mapping[str, Array] | None = None,
) -> None:
    """Put into ``want`` what the rules make of the sheet's own rows, each (rows, *shape).

    The row before the first holds ``start`` of what is carried; None: 0.
    """
    for rule in rules:
        if rule.carried:
            shifted = np.zeros_like(have[rule.name])
            shifted[1:] = have[rule.name][:-1]
            if start is not None:
                shifted[0] = start[rule.name]
            have[before(rule.name)] = shifted
        want[rule.name][:] = rule.value(have)


def fill_in(problem: Problem, ledger: Ledger, rows: Array, names: Collection[str]) -> None:
    """Put into the ledger's rows, in place, some quantities that follow within their row."""
    have = ledger.views(rows)
    with np.errstate(all="ignore"):
        for rule in rules_of(problem.network, problem.hyperparameters):
            if rule.name in names:
                have[rule.name][...] = errors_to_nan(rule.value(have))


def local_epochs(problem: Problem, ledgers: Ledgers, sheets: Sheets) -> Array:
    """The cells of ``Epochs``: (epochs, columns)."""
    network, sheet = problem.network, sheets.epochs
    expected = np.empty_like(sheet)
    have, want = ledgers.epochs.views(sheet), ledgers.epochs.views(expected)
    train = ledgers.train.views(sheets.train)
    epochs = problem.spec.training.epochs
    with np.errstate(all="ignore"):
        want["epoch"][:] = np.arange(1, epochs + 1)
        for name in first_weights(problem):
            reached = train[name]
            if f"u{name}" in train:
                reached = reached + train[f"u{name}"]
            want[name][:] = reached[problem.rows - 1 :: problem.rows]
        sides = [(training_sums(network), ledgers.train, sheets.train, problem.rows)]
        if ledgers.validation is not None and sheets.validation is not None:
            sums = validation_sums(network)
            sides.append((sums, ledgers.validation, sheets.validation, problem.held_out))
        for sums, ledger, matrix, rows in sides:
            for e in range(epochs):
                below = ledger.views(matrix[e * rows : (e + 1) * rows])
                row = {name: view[e : e + 1] for name, view in want.items()}
                for each in sums:
                    each.put(row, each.add(None, below), rows, network.outputs)
        for name, start in starts(network).items():
            have[before(name)] = np.concatenate((start[None], have[name][:-1]))
        hyperparameters = problem.hyperparameters
        for rule in epoch_rules(network, hyperparameters, problem.rows, problem.held_out):
            want[rule.name][:] = rule.value(have)
    return errors_to_nan(expected)


def local_validation(problem: Problem, ledgers: Ledgers, sheets: Sheets) -> Array:
    """The cells of ``Validation``: (epochs × held-out rows, columns)."""
    ledger, sheet = ledgers.validation, sheets.validation
    assert ledger is not None and sheet is not None  # asked only where rows are held out
    expected = np.empty_like(sheet)
    rows, first = problem.held_out, problem.rows
    rules = tuple(forward_rules(without_dropout(problem.network), problem.hyperparameters))
    with np.errstate(all="ignore"):
        for e in range(problem.spec.training.epochs):
            part = slice(e * rows, (e + 1) * rows)
            have, want = ledger.views(sheet[part]), ledger.views(expected[part])
            want["epoch"][:] = e + 1
            want["sample"][:] = np.arange(first + 1, first + rows + 1)
            if problem.network.stops:
                want[STOPPED][:] = _stopped_before(ledgers, sheets)[e]
            want["x"][:] = sheets.x[first:]
            want["y"][:] = sheets.y[first:]
            have |= weights_reached(problem, ledgers, sheets.epochs[e : e + 1])
            for rule in rules:
                want[rule.name][:] = rule.value(have)
    return errors_to_nan(expected)


def _stopped_before(ledgers: Ledgers, sheets: Sheets) -> Array:
    """The flag of the epoch before, for each epoch."""
    stopped = ledgers.epochs[STOPPED].view(sheets.epochs)
    return np.concatenate((np.zeros(1), stopped[:-1]))
