"""The rows of ``Train`` for small networks: a kernel goes ahead, the rules follow.

Only the state (weights, biases, carried slots) goes from row to row. Once a kernel has
said a few numbers of each row, all columns follow by the rules for many rows at once; and
the rules must give these numbers again, to the last bit. So the rules alone decide what is
right, and a kernel that goes astray costs time only.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from sheetnet.concepts.arithmetic import Array, all_finite, errors_to_nan
from sheetnet.kernel import Kernel, Leaf, kernel_of
from sheetnet.ledger import Ledger
from sheetnet.rules import Rule, before
from sheetnet.stepping import WEIGHTS, State, early_and_late, tidy, updates_of
from sheetnet.tracing import leaves, symbols

CHUNK_CELLS = 131_072
"""So many numbers (1 MB) are worked on at a time, so that they stay in the cache."""


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


@dataclass(frozen=True)
class Trace:
    """A kernel, and the quantities whose values it hands over in each row, in order.

    Those are what the row before left of ``carried`` ones, and what the late rules need of
    the early ones (``needed``).
    """

    kernel: Kernel
    carried: tuple[str, ...]
    needed: tuple[str, ...]


def traced(ledger: Ledger, rules: tuple[Rule, ...], known: tuple[str, ...]) -> Trace | None:
    """The kernel of these rules; None where a rule cannot be traced."""
    q = _Asked({name: leaves(name, ledger[name].shape) for name in known})
    carried = tuple(rule.name for rule in rules if rule.carried)
    try:
        for block in ledger.blocks:
            if block.kind in WEIGHTS:
                q[block.name] = leaves(block.name, block.shape)
        for name in carried:
            q[before(name)] = leaves(before(name), ledger[name].shape)
        early, late = early_and_late(ledger, rules)
        for rule in early:
            q[rule.name] = _symbols(rule, q, ledger)
        there = dict(q)
        q.asked.clear()
        for rule in late:
            q[rule.name] = _symbols(rule, q, ledger)
        found = [n for n in there if n in q.asked and n not in known]
        needed = tuple(n for n in found if n in ledger)
        after: dict[Leaf, Any] = {}
        for name, update in updates_of(ledger).items():
            after |= {(name, i): node for i, node in enumerate((q[name] + q[update]).flat)}
        for name in carried:
            after |= {(before(name), i): node for i, node in enumerate(q[name].flat)}
        told = [node for name in carried for node in q[before(name)].flat]
        told += [node for name in needed for node in there[name].flat]
        return Trace(kernel_of(after, told), carried, needed)
    except Exception:  # whatever a rule does to what is no number, it can do it to numbers
        return None


class _Asked(dict[str, Array]):
    """Remembers what has been looked up."""

    def __init__(self, quantities: Mapping[str, Array]) -> None:
        super().__init__(quantities)
        self.asked: set[str] = set()

    def __getitem__(self, name: str) -> Array:
        self.asked.add(name)
        return super().__getitem__(name)


def _symbols(rule: Rule, q: Mapping[str, Array], ledger: Ledger) -> Array:
    return np.broadcast_to(symbols(rule.value(q)), ledger[rule.name].shape, subok=True)


class Guesser:
    """Fills rows of a ledger from what a kernel says of them.

    ``known`` names the quantities that are there already.
    """

    def __init__(
        self, ledger: Ledger, rules: tuple[Rule, ...], known: tuple[str, ...], trace: Trace
    ) -> None:
        self.ledger, self.known, self.trace = ledger, known, trace
        self.early, self.late = early_and_late(ledger, rules)
        self.updates = updates_of(ledger)
        self.weights = tuple(b.name for b in ledger.blocks if b.kind in WEIGHTS)
        self.fixed = tuple(name for name in self.weights if name not in self.updates)
        self.inputs = [ledger[name].first + column for name, column in trace.kernel.inputs]
        self.rows = max(1, CHUNK_CELLS // ledger.width)
        self.columns: dict[str, slice] = {}
        width = 0
        for name in (*trace.carried, *trace.needed):
            self.columns[name] = slice(width, width + ledger[name].size)
            width += ledger[name].size
        self.pack = struct.Struct(f"{width}d").pack_into
        # As the kernel tells it, row by row, and as NumPy likes it, column by column.
        self.told = np.empty((self.rows, width))
        self.buffer = memoryview(self.told.data).cast("B")
        self.by_column = np.empty((width, self.rows)).T
        self.scratch = np.empty((ledger.width, self.rows)).T

    def fill(self, part: Array, state: State) -> State | None:
        """Fill up to :attr:`rows` rows in place; return the state after the last one.

        Returns None, and the part is not filled, where the kernel was wrong.
        """
        for name in self.fixed:
            self.ledger[name].view(part)[:] = state[name]
        names = (*self.updates, *self.trace.carried)
        start = [number for name in names for number in state[name].ravel().tolist()]
        rows = zip(*(part[:, column].tolist() for column in self.inputs), strict=True)
        try:
            self.trace.kernel.run(start, rows, self.pack, self.buffer)
        except (ArithmeticError, ValueError):  # where NumPy goes on with inf or nan
            return None
        after = self._follow(part, state, careful=False)
        if not all_finite(self.scratch[: len(part)]):
            after = self._follow(part, state, careful=True)
        if after is not None:
            part[:] = self.scratch[: len(part)]
        return after

    def _follow(self, part: Array, state: State, *, careful: bool) -> State | None:
        """Fill the scratch by the rules; None where they contradict what was told.

        From what was told of a row follow its updates, from all updates the weights, and
        from these, once more, what was told. If it is the same in the first row then the
        second row's state is right, and so on.
        """
        count = len(part)
        told = self.by_column[:count]
        told[:] = tidy(self.told[:count], careful=careful)
        views = self.ledger.views(self.scratch[:count])
        q: dict[str, Array] = {}
        for name in (*self.known, *self.fixed):
            views[name][:] = self.ledger[name].view(part)
            q[name] = views[name]
        guess = {
            name: told[:, columns].reshape(count, *self.ledger[name].shape)
            for name, columns in self.columns.items()
        }
        for name in self.trace.needed:
            q[name] = guess[name]
        for name in self.trace.carried:
            q[before(name)] = guess[name]
        self._apply(self.late, q, views, careful=careful)
        after = {name: state[name] for name in self.fixed}
        for name, update in self.updates.items():
            columns = views[name]
            columns[0] = state[name]
            columns[1:] = views[update][:-1]
            np.add.accumulate(columns, axis=0, out=columns)
            if careful:
                columns[:] = errors_to_nan(columns)
            after[name] = errors_to_nan(columns[-1] + views[update][-1])
            q[name] = columns
        self._apply(self.early, q, views, careful=careful)
        for name in self.trace.carried:
            if not _identical(views[name][:-1], guess[name][1:]):
                return None
            after[name] = errors_to_nan(views[name][-1])
        if not all(_identical(views[name], guess[name]) for name in self.trace.needed):
            return None
        return after

    def _apply(
        self,
        rules: tuple[Rule, ...],
        q: dict[str, Array],
        views: Mapping[str, Array],
        *,
        careful: bool,
    ) -> None:
        for rule in rules:
            views[rule.name][:] = tidy(rule.value(q), careful=careful)
            q[rule.name] = views[rule.name]


def _identical(one: Array, other: Array) -> bool:
    """To the last bit, so that -0 is not 0, and nan is nan."""
    return bool((one.view(np.int64) == other.view(np.int64)).all())
