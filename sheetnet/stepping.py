"""The rows of ``Train`` from update to update, by nothing but the rules.

As long as weights stay the same, within a batch, the rules are applied to all rows at
once; only slots that are carried from row to row there take one row after the other.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from sheetnet.concepts.arithmetic import Array, errors_to_nan
from sheetnet.concepts.stopping import STOPPED
from sheetnet.ledger import Ledger
from sheetnet.rules import Rule, before

State = dict[str, Array]
"""Name -> value before a row: weights, biases and carried slots."""

CHUNK_CELLS = 32_768
"""So many numbers (256 kB) are worked on at a time, so that they stay in the cache."""

LONGEST = 512
"""Rows of a batch that go through the network at once."""

PER_PARAMETER = ("gradient", "state", "update")
"""Kinds of quantities that there are as many of as weights; others never ask for them."""


def updates_of(ledger: Ledger) -> dict[str, str]:
    """Trained parameters, and the quantity that is added to each."""
    names = (block.name for block in ledger.blocks)
    return {name: f"u{name}" for name in names if f"u{name}" in ledger}


def tidy(value: Array, *, careful: bool) -> Array:
    """The value, or if ``careful`` with nan for all that a sheet cannot hold."""
    return errors_to_nan(value) if careful else value


class Stepper:
    """Fills rows of a ledger; ``known`` names the quantities that are there already."""

    def __init__(self, ledger: Ledger, rules: tuple[Rule, ...], known: tuple[str, ...]) -> None:
        self.ledger, self.known = ledger, known
        self.carried = {rule.name for rule in rules if rule.carried}
        self.updates = updates_of(ledger)
        late = {rule.name for rule in rules if ledger[rule.name].kind in PER_PARAMETER}
        self.early = tuple(rule for rule in rules if rule.name not in late)
        self.late = tuple(rule for rule in rules if rule.name in late)
        self.chunk = max(1, CHUNK_CELLS // ledger.width)

    def fill(self, part: Array, state: Mapping[str, Array], *, careful: bool) -> State:
        """Fill the rows of a part in place; return the state after its last row.

        ``careful`` turns overflow into nan at once, so that it cannot vanish again in a
        function that is finite at infinity; only parts that overflow need it.
        """
        after, views = dict(state), self.ledger.views(part)
        for first, end in self._same_weights(views, len(part), after):
            q = {name: views[name][first:end] for name in self.known}
            for name, value in after.items():
                held = np.broadcast_to(value, (end - first, *value.shape))
                if name in self.carried:
                    q[before(name)] = held
                else:
                    q[name] = views[name][first:end] = held
            self._apply(self.early, q, views, (first, end), after, careful)
            for top in range(first, end, self.chunk):
                below = min(end, top + self.chunk)
                some = q
                if below - top < end - first:
                    some = {name: view[top - first : below - first] for name, view in q.items()}
                self._apply(self.late, some, views, (top, below), after, careful)
            for name, update in self.updates.items():
                after[name] = tidy(after[name] + views[update][end - 1], careful=careful)
        return {name: value.copy() for name, value in after.items()}

    def _same_weights(
        self, views: Mapping[str, Array], count: int, state: State
    ) -> Iterator[tuple[int, int]]:
        """Cut ``count`` rows where weights change: (first, end)."""
        changes = np.ones(count, dtype=bool)
        if "last" in views:
            changes &= views["last"] == 1
        if STOPPED in views:
            changes &= views[STOPPED] == 0
        changes[-1] = True
        # Adding no update to it makes -0 a 0.
        changes[0] |= any(np.any((state[n] == 0) & np.signbit(state[n])) for n in self.updates)
        first = 0
        for last in np.flatnonzero(changes).tolist():
            for top in range(first, last + 1, LONGEST):
                yield top, min(top + LONGEST, last + 1)
            first = last + 1

    def _apply(
        self,
        rules: tuple[Rule, ...],
        q: dict[str, Array],
        views: Mapping[str, Array],
        rows: tuple[int, int],
        state: State,
        careful: bool,
    ) -> None:
        """Apply rules to rows of the same weights; the carried slots of ``state`` move on."""
        first, end = rows
        for rule in rules:
            view = views[rule.name][first:end]
            if rule.carried and not rule.holds and end - first > 1:
                held = state[rule.name][None]
                for r in range(end - first):
                    row = _Row(q, r, {before(rule.name): held})
                    held = view[r : r + 1]
                    held[...] = tidy(rule.value(row), careful=careful)
            else:
                if rule.carried and not rule.holds:
                    q[before(rule.name)] = state[rule.name][None]
                view[...] = tidy(rule.value(q), careful=careful)
            q[rule.name] = view
            if rule.carried:
                state[rule.name] = view[-1]


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
