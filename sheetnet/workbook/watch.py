"""What is kept of a training that passes by in blocks, for the sheets after ``Train``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from sheetnet import engine
from sheetnet.concepts.arithmetic import Array
from sheetnet.concepts.stopping import STOPPED
from sheetnet.layout import Layout
from sheetnet.problem import Problem
from sheetnet.regions import EPOCHS
from sheetnet.views.view import Content, Filled, Source, View
from sheetnet.workbook.epochs import cache_best

Tables = Sequence[Iterator[Array]]
"""The rows of a view's tables, each made when it is written."""


class Watch:
    """Keeps the rows of ``Epochs``, some of ``Train``, and where the run diverged.

    The sheets after ``Train`` are written from what it has kept by then; it fills in
    ``cached`` for their single cells.
    """

    def __init__(
        self,
        problem: Problem,
        layout: Layout,
        views: Sequence[View],
        cached: dict[tuple[str, int, int], Content],
    ) -> None:
        self.problem, self.layout, self.views, self.cached = problem, layout, views, cached
        self.epochs: list[Array] = []
        self.kept: dict[int, Array] = {}
        self.filled: dict[str, Filled] = {}
        self.diverged_at: int | None = None
        self.losses: list[float] = []
        wanted = frozenset[int]().union(*(view.visits(view.defaults) for view in views))
        self.wanted = np.array(sorted(wanted), dtype=np.int64)

    def passing(self, blocks: Iterator[engine.Part]) -> Iterator[Array]:
        """Pass the blocks on; after the last one fill in what follows from them."""
        done = self.layout.first_visit - 1
        for block in blocks:
            self.epochs.append(block.epochs)
            if self.diverged_at is None:
                row = engine.first_divergence(block.train)
                self.diverged_at = None if row is None else done + row
            losses = self.layout.ledger["loss"].view(block.train)
            self.losses = [*self.losses[:1], *losses[[0, -1]].tolist()]
            inside = (self.wanted > done) & (self.wanted <= done + len(block.train))
            for visit in self.wanted[inside].tolist():
                self.kept[visit] = block.train[visit - done - 1].copy()
            done += len(block.train)
            yield block.train
        if self.layout.best_row is not None and EPOCHS in self.layout.sheets:
            cache_best(self.layout, self.all_epochs, self.cached)
        for view in self.views:
            filled = view.values(source_of(self.problem, self.kept), view.defaults)
            self.filled[view.title] = filled
            for (row, column), value in {**filled.cells, **filled.unread}.items():
                self.cached[(view.title, row, column)] = value

    def tables(self, view: View) -> Tables:
        """The rows of a view's tables, known once all blocks have passed."""

        def rows(n: int) -> Iterator[Array]:
            yield self.filled[view.title].tables[n]

        return [rows(n) for n in range(len(view.tables))]

    @property
    def all_epochs(self) -> Array:
        """The rows of ``Epochs``."""
        return np.concatenate(self.epochs)

    def validation(self) -> Iterator[Array]:
        """The rows of ``Validation``, made when they are written."""
        yield from engine.validation_blocks(self.problem, self.layout.ledgers, self.all_epochs)

    def last(self, name: str) -> int | None:
        """A whole number in the last row of ``Epochs``, if there is such a column."""
        ledger = self.layout.ledgers.epochs
        if name not in ledger or self.problem.window is not None:
            return None
        return int(ledger[name].view(self.all_epochs)[-1])

    @property
    def stopped_after(self) -> int | None:
        """The epoch (from 1) after which training ended early, or None."""
        ledger = self.layout.ledgers.epochs
        if STOPPED not in ledger:
            return None
        return engine.first_stop(ledger, self.all_epochs)


def source_of(problem: Problem, kept: Mapping[int, Array]) -> Source:
    """What a view's first values are made from: the rows of ``Train`` in ``kept``."""
    return Source(
        train=kept.__getitem__,
        python=kept.__getitem__,
        x=problem.inputs.values,
        y=problem.targets.values,
    )
