"""The rows of ``Train`` for small networks: a kernel goes ahead, the rules follow.

Only the state (weights, biases, carried slots) goes from row to row. Once a kernel has
said what it will be before each row, all other columns follow by the rules for many rows
at once. What they make of each row must lead to the state of the next, to the last bit:
so the rules alone decide what is right, and a kernel that goes astray costs time only.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping

import numpy as np

from sheetnet.concepts.arithmetic import Array, all_finite, errors_to_nan
from sheetnet.kernel import Kernel, Leaf, kernel_of
from sheetnet.ledger import Ledger
from sheetnet.rules import Rule, before
from sheetnet.stepping import State, tidy, updates_of
from sheetnet.tracing import leaves, symbols

CHUNK_CELLS = 32_768
"""So many numbers (256 kB) are worked on at a time, so that they stay in the cache."""


# Microseconds on a common machine; only how they compare matters, and that roughly.
CALL = 14.0
"""For a rule, whatever its number of columns: the calls of NumPy in it."""
MOVED, COMPUTED, TRACED = 0.02, 0.09, 40.0
"""For a column of a visit in NumPy and in a kernel, and for one that is traced at first."""


def worthwhile(ledger: Ledger, rules: tuple[Rule, ...], visits: int, batch: int) -> bool:
    """Whether a kernel saves more time in so many visits than it takes to make it."""
    row_by_row = sum(rule.carried and rule.idle is None for rule in rules) / 4
    steps = CALL * (len(rules) / batch + row_by_row) + MOVED * ledger.width
    return visits * (steps - COMPUTED * ledger.width) > TRACED * ledger.width


def traced(ledger: Ledger, rules: tuple[Rule, ...], known: tuple[str, ...]) -> Kernel | None:
    """The kernel of these rules; None where a rule cannot be traced."""
    q: dict[str, Array] = {name: leaves(name, ledger[name].shape) for name in known}
    after: dict[Leaf, object] = {}
    try:
        for block in ledger.blocks:
            if block.kind in ("weight", "bias"):
                q[block.name] = leaves(block.name, block.shape)
        for rule in rules:
            shape = ledger[rule.name].shape
            if rule.carried:
                q[before(rule.name)] = leaves(before(rule.name), shape)
            q[rule.name] = np.broadcast_to(symbols(rule.value(q)), shape, subok=True)
        for name, update in updates_of(ledger).items():
            for i, node in enumerate((q[name] + q[update]).flat):
                after[name, i] = node
        for rule in rules:
            if rule.carried:
                for i, node in enumerate(q[rule.name].flat):
                    after[before(rule.name), i] = node
        return kernel_of(after)
    except Exception:  # whatever a rule does to what is not a number, numbers do without it
        return None


class Guesser:
    """Fills rows of a ledger from the states that a kernel goes through.

    ``known`` names the quantities that are there already.
    """

    def __init__(
        self, ledger: Ledger, rules: tuple[Rule, ...], known: tuple[str, ...], kernel: Kernel
    ) -> None:
        self.ledger, self.rules, self.kernel = ledger, rules, kernel
        self.updates = updates_of(ledger)
        self.carried = tuple(rule.name for rule in rules if rule.carried)
        self.columns: dict[str, slice] = {}
        width = 0
        for name in (*self.updates, *self.carried):
            self.columns[name] = slice(width, width + ledger[name].size)
            width += ledger[name].size
        weights = (block.name for block in ledger.blocks if block.kind in ("weight", "bias"))
        self.fixed = tuple(name for name in weights if name not in self.updates)
        self.given = (*known, *self.fixed)
        self.inputs = [ledger[name].first + column for name, column in kernel.inputs]
        self.rows = max(1, CHUNK_CELLS // ledger.width)
        self.pack = struct.Struct(f"{width}d").pack_into
        # As the kernel gives it, row by row, and as NumPy likes it, column by column.
        self.states = np.empty((self.rows + 1, width))
        self.buffer = memoryview(self.states.data).cast("B")
        self.by_column = np.empty((width, self.rows + 1)).T
        self.scratch = np.empty((ledger.width, self.rows)).T

    def fill(self, part: Array, state: Mapping[str, Array]) -> State | None:
        """Fill up to :attr:`rows` rows in place; return the state after the last one.

        Returns None, and the part is not filled, where the kernel was wrong.
        """
        for name in self.fixed:
            self.ledger[name].view(part)[:] = state[name]
        start = [number for name in self.columns for number in state[name].ravel().tolist()]
        rows = zip(*(part[:, column].tolist() for column in self.inputs), strict=True)
        try:
            end = self.kernel.run(start, rows, self.pack, self.buffer)
        except (ArithmeticError, ValueError):  # where NumPy goes on with inf or nan
            return None
        self.states[len(part)] = end
        right = self._follow(part, careful=False)
        if not all_finite(self.scratch[: len(part)]):
            right = self._follow(part, careful=True)
        if not right:
            return None
        part[:] = self.scratch[: len(part)]
        after = dict(state)
        for name, columns in self.columns.items():
            last = errors_to_nan(self.by_column[len(part), columns])
            after[name] = last.reshape(self.ledger[name].shape)
        return after

    def _follow(self, part: Array, *, careful: bool) -> bool:
        """Fill the scratch by the rules; whether each row leads to the state after it."""
        count = len(part)
        states = self.by_column[: count + 1]
        states[:] = tidy(self.states[: count + 1], careful=careful)
        views = self.ledger.views(self.scratch[:count])
        q: dict[str, Array] = {}
        for name in self.given:
            views[name][:] = self.ledger[name].view(part)
            q[name] = views[name]
        after = {}
        for name, columns in self.columns.items():
            found = states[:, columns].reshape(count + 1, *self.ledger[name].shape)
            after[name] = found[1:]
            if name in self.updates:
                views[name][:] = found[:-1]
                q[name] = views[name]
            else:
                q[before(name)] = found[:-1]
        for rule in self.rules:
            views[rule.name][:] = tidy(rule.value(q), careful=careful)
            q[rule.name] = views[rule.name]
        for name, found in after.items():
            expected = q[name]
            if name in self.updates:
                expected = tidy(expected + q[self.updates[name]], careful=careful)
            if not _identical(expected, found):
                return False
        return True


def _identical(one: Array, other: Array) -> bool:
    """To the last bit, so that -0 is not 0, and nan is nan."""
    return bool((one.view(np.int64) == other.view(np.int64)).all())
