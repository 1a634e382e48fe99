"""The rows of ``Train`` from update to update, by nothing but the rules.

As long as weights stay the same, within a batch, the rules are applied to all rows at
once; only what is carried from row to row there takes one row after the other.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sheetnet.concepts.arithmetic import Array, errors_to_nan
from sheetnet.concepts.parts import Quantities
from sheetnet.ledger import Ledger
from sheetnet.network import Network
from sheetnet.pipeline import BATCH_PLACE
from sheetnet.rules import Rule, before, updating

State = dict[str, Array]
"""Name -> value before a row: weights, biases and carried slots."""

CHUNK_CELLS = 262_144
"""So many numbers (2 MB) are worked on at a time, so that they stay in the cache."""

LONGEST = 512
"""Rows of a batch that go through the network at once."""

WIDE = 1024
"""From so many columns on, sums are carried from row to row one row at a time."""

PER_PARAMETER = ("gradient", "state", "update")
"""Kinds of quantities that there are as many of as weights; others never ask for them."""


WEIGHTS = ("weight", "bias")
"""Kinds of quantities that training is about."""


def early_and_late(
    ledger: Ledger, rules: tuple[Rule, ...]
) -> tuple[tuple[Rule, ...], tuple[Rule, ...]]:
    """From weights forward and back to the units' δ; from there to gradients and updates."""
    late = {rule.name for rule in rules if ledger[rule.name].kind in PER_PARAMETER}
    return (
        tuple(rule for rule in rules if rule.name not in late),
        tuple(rule for rule in rules if rule.name in late),
    )


def updates_of(ledger: Ledger) -> dict[str, str]:
    """Trained parameters, and the quantity that is added to each."""
    names = (block.name for block in ledger.blocks)
    return {name: f"u{name}" for name in names if f"u{name}" in ledger}


def tidy(value: Array, *, careful: bool) -> Array:
    """The value, or if ``careful`` with nan for all that a sheet cannot hold."""
    return errors_to_nan(value) if careful else value


class Stepper:
    """Fills rows of a ledger; ``known`` names the quantities that are there already."""

    def __init__(
        self, network: Network, ledger: Ledger, rules: tuple[Rule, ...], known: tuple[str, ...]
    ) -> None:
        self.network, self.ledger, self.known = network, ledger, known
        self.rules = rules
        self.carried = {rule.name for rule in rules if rule.carried}
        self.updates = updates_of(ledger)
        self.weights = tuple(b.name for b in ledger.blocks if b.kind in WEIGHTS)
        self.early, self.late = early_and_late(ledger, rules)
        self.chunk = max(1, CHUNK_CELLS // ledger.width)

    def fill(self, part: Array, state: Mapping[str, Array], *, careful: bool) -> State:
        """Fill the rows of a part in place; return the state after its last row.

        ``careful`` turns overflow into nan at once, so that it cannot vanish again in a
        function that is finite at infinity; only parts that overflow need it.
        """
        after, views = dict(state), self.ledger.views(part)
        for batch in self._same_weights(views, len(part), after):
            first, end, _ = batch
            if end - first == 1:
                self._row(views, first, after, careful=careful)
                continue
            q = {name: views[name][first:end] for name in self.known}
            for name, value in after.items():
                if name in self.carried:
                    q[before(name)] = np.broadcast_to(value, (end - first, *value.shape))
                else:
                    views[name][first:end] = value
                    q[name] = value[None]
            self._apply(self.early, q, views, batch, after, careful=careful)
            for name in self.weights:
                q[name] = views[name][first:end]
            for some in batch.pieces(self.chunk):
                rows = slice(some.first - first, some.end - first)
                piece = {name: view[rows] for name, view in q.items()}
                self._apply(self.late, piece, views, some, after, careful=careful)
            for name, update in self.updates.items():
                after[name] = tidy(after[name] + views[update][end - 1], careful=careful)
        # A view would keep the whole part.
        return {name: np.array(value) for name, value in after.items()}

    def _row(self, views: Mapping[str, Array], r: int, state: State, *, careful: bool) -> None:
        """Fill one row by itself and move the state on."""
        q = {name: views[name][r] for name in self.known}
        for name, value in state.items():
            if name in self.carried:
                q[before(name)] = value
            else:
                views[name][r] = q[name] = value
        for rule in self.rules:
            value = rule.value(q)
            if careful:
                value = errors_to_nan(value)
            views[rule.name][r] = q[rule.name] = value
        for name in self.carried:
            state[name] = q[name]
        for name, update in self.updates.items():
            state[name] = tidy(state[name] + q[update], careful=careful)

    def _same_weights(
        self, views: Mapping[str, Array], count: int, state: State
    ) -> Iterator[_Rows]:
        """Cut ``count`` rows where weights change, and where batches begin."""
        updates = updating(self.network, views)
        if updates is None:
            updates = np.ones(count, dtype=np.bool_)
        ends: NDArray[np.bool_] = updates.copy()
        if self.network.batches:
            ends[:-1] |= np.asarray(views[BATCH_PLACE[0]][1:] == 1)
        ends[-1] = True
        # Adding no update to it makes -0 a 0.
        ends[0] |= any(np.any((state[n] == 0) & np.signbit(state[n])) for n in self.updates)
        first = 0
        for last in np.flatnonzero(ends).tolist():
            yield from _Rows(first, last + 1, bool(updates[last])).pieces(LONGEST)
            first = last + 1

    def _apply(
        self,
        rules: tuple[Rule, ...],
        q: dict[str, Array],
        views: Mapping[str, Array],
        rows: _Rows,
        state: State,
        *,
        careful: bool,
    ) -> None:
        """Apply rules to rows of the same weights; the carried slots of ``state`` move on."""
        first, end, updates = rows
        for rule in rules:
            view = views[rule.name][first:end]
            if rule.idle is not None:
                view[...] = rule.idle(q)
                if updates:
                    view[-1:] = tidy(rule.value(_Row(q, end - first - 1, {})), careful=careful)
            elif rule.carried:
                _carry(rule, q, view, state[rule.name][None], careful=careful)
            else:
                view[...] = tidy(rule.value(q), careful=careful)
            q[rule.name] = view
            if rule.carried:
                state[rule.name] = view[-1]


def _carry(rule: Rule, q: Quantities, view: Array, held: Array, *, careful: bool) -> None:
    """Fill a column (rows, *shape) that goes from row to row; ``held`` stands before it."""
    if rule.adds is None:
        for r in range(len(view)):
            row = _Row(q, r, {before(rule.name): held})
            held = view[r : r + 1]
            held[...] = tidy(rule.value(row), careful=careful)
        return
    adds = np.broadcast_to(rule.adds(q), view.shape)
    view[:1] = rule.value(_Row(q, 0, {before(rule.name): held}))
    if view[0].size < WIDE:
        view[1:] = adds[1:]
        np.add.accumulate(view, axis=0, out=view)
    else:
        for r in range(1, len(view)):
            np.add(view[r - 1], adds[r], out=view[r])
    if careful:
        view[...] = errors_to_nan(view)


class _Rows(NamedTuple):
    """Rows of the same weights, from ``first`` on; whether the last one updates them."""

    first: int
    end: int
    updates: bool

    def pieces(self, most: int) -> Iterator[_Rows]:
        """Cut into pieces of at most so many rows."""
        for first in range(self.first, self.end, most):
            end = min(first + most, self.end)
            yield _Rows(first, end, self.updates and end == self.end)


class _Row(Mapping[str, Array]):
    """One row of quantities, each sliced when it is asked for, beside ``own`` ones."""

    def __init__(self, rows: Mapping[str, Array], row: int, own: Mapping[str, Array]) -> None:
        self.rows, self.row, self.own = rows, row, own

    def __getitem__(self, name: str) -> Array:
        if name in self.own:
            return self.own[name]
        return self.rows[name][self.row : self.row + 1]

    def __iter__(self) -> Iterator[str]:
        return iter({**self.rows, **self.own})

    def __len__(self) -> int:
        return len({**self.rows, **self.own})
