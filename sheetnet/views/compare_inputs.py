"""The inputs of a workbook as they were at export, beside what they are now."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np

from sheetnet.concepts.arithmetic import Array, errors_to_nan, running_sum
from sheetnet.ledger import LedgerBuilder
from sheetnet.problem import Problem
from sheetnet.regions import COMPARE, Region, address
from sheetnet.views.view import Content, Live, Source, Table

NAME, EXPORTED, NOW, APART, CHANGED, NAMES = 1, 4, 5, 6, 7, 8
"""Columns of the list of inputs: what it is called, …, which of it and above have changed."""

LIST_TITLE = "The inputs that Python was trained on"
DATA_TITLE = "Data at export"
"""Titles of the list, two rows above it, and of the copy of the data, likewise."""

MAX_NAME = 30
"""Characters of a name in the list: names come from data and may be of any length."""


@dataclass(frozen=True)
class Input:
    """A number, or a rectangle of numbers that is one input.

    Attributes
    ----------
    now: where it stands; the defined name of a single number.
    then: where its copy stands; None for a single number, which stands in the list.
    values: what it holds, (rows, columns), according to a problem.
    coded: whether it is the classes as the network sees them, which are formulas.

    """

    name: str
    now: Region | str
    then: Region | None
    values: Callable[[Problem], Array]
    coded: bool = False

    @property
    def place(self) -> str:
        """Where it can be changed."""
        return self.now if isinstance(self.now, str) else f"{self.now.sheet}!{range_of(self.now)}"

    def listed(self, values: Array) -> float:
        """What the list says of it: the number, or how many there are."""
        return float(values.item() if self.then is None else values.size)


@dataclass(frozen=True)
class Copy:
    """Numbers as they were at export: constants with a title and a head for each column."""

    title: str
    heads: tuple[str, ...]
    region: Region
    values: Callable[[Problem], Array]

    @property
    def table(self) -> Table:
        """As a table of the sheet."""
        return constants(self.region, tuple(f"{shortened(h)} at export" for h in self.heads))


@dataclass(frozen=True)
class Found:
    """What follows for the list: its cells, and the names of what has changed."""

    exported: Array
    copies: tuple[Array, ...]
    changed: int
    names: str
    cells: Mapping[tuple[int, int], Content]
    sizes: Mapping[tuple[int, int], float] = field(default_factory=dict)


@dataclass(frozen=True)
class Inputs:
    """All inputs, listed from ``first_row`` on, and the copies below them."""

    first_row: int
    inputs: tuple[Input, ...]
    copies: tuple[Copy, ...]

    @property
    def exported(self) -> Region:
        """Of single numbers what they were, of others how many numbers they are."""
        return self._column(EXPORTED)

    @property
    def changed(self) -> Region:
        """Whether each of them has changed (1 or 0)."""
        return self._column(CHANGED)

    @property
    def names(self) -> str:
        """The cell that names all that have changed."""
        return address(self.exported.last_row, NAMES)

    @property
    def tables(self) -> tuple[Table, ...]:
        """What was exported, then the copies."""
        listed = constants(self.exported, ("value at export",))
        return (listed, *(copy.table for copy in self.copies))

    def cells(self) -> Iterator[Live]:
        """The formulas of the list."""
        for row, each in enumerate(self.inputs, self.first_row):
            then, now, apart, changed = (address(row, c) for c in (EXPORTED, NOW, APART, CHANGED))
            if each.then is None:
                yield Live(row, NOW, each.place, f"{each.name} now")
                yield Live(row, APART, f"ABS({now}-{then})", f"{each.name}, how far apart")
                test = f"IF(ISNUMBER({apart}),SIGN({apart}),1)"
            else:
                moved = f"({each.place}-{range_of(each.then)})"
                yield Live(row, NOW, f"COUNT({each.place})", f"{each.name}, numbers")
                text = f"SQRT(SUMPRODUCT({moved}*{moved}))"
                yield Live(row, APART, text, f"{each.name}, how far apart")
                test = f"IF(ISNUMBER({apart}),IF({now}={then},SIGN({apart}),1),1)"
            yield Live(row, CHANGED, test, f"{each.name} changed")
            name, above = address(row, NAME), address(row - 1, NAMES)
            text = f'IF({changed}=1,{name},"")'
            if row > self.first_row:
                text = f'{above}&IF({changed}=1,IF({above}="","",", ")&{name},"")'
            yield Live(row, NAMES, text, "names of what has changed")

    def values(self, problem: Problem, source: Source) -> Found:
        """What its cells hold, from the inputs as they are and as the sheet has kept them."""
        now = [source.y if i.coded else i.values(problem) for i in self.inputs]
        if source.held is None:
            then = now
            exported = np.array([[i.listed(v)] for i, v in zip(self.inputs, now, strict=True)])
            copies = tuple(copy.values(problem) for copy in self.copies)
        else:
            held = source.held
            exported = held(self.exported)
            then = [
                exported[n : n + 1] if i.then is None else held(i.then)
                for n, i in enumerate(self.inputs)
            ]
            copies = tuple(held(copy.region) for copy in self.copies)
        apart = np.array(
            [
                [_distance(a, b, squared=i.then is not None)]
                for i, a, b in zip(self.inputs, now, then, strict=True)
            ]
        )
        distance = source.seen(self._column(APART), apart)
        counts = np.array([[i.then is None or exported[n, 0] == now[n].size]
                           for n, i in enumerate(self.inputs)])  # fmt: skip
        changed = np.where((distance == 0) & counts, 0.0, 1.0)
        told = source.seen(self.changed, changed)[:, 0] == 1
        cells: dict[tuple[int, int], Content] = {}
        sizes: dict[tuple[int, int], float] = {}
        names: list[str] = []
        for n, each in enumerate(self.inputs):
            row = self.first_row + n
            if told[n]:
                names.append(each.name)
            cells[(row, NOW)] = each.listed(now[n])
            cells[(row, APART)] = float(apart[n, 0])
            cells[(row, CHANGED)] = float(changed[n, 0])
            cells[(row, NAMES)] = ", ".join(names)
            sizes[(row, APART)] = float(np.max(np.abs(now[n])))
        return Found(exported, copies, len(names), ", ".join(names), cells, sizes)

    def _column(self, column: int) -> Region:
        return Region(COMPARE, self.first_row, column, len(self.inputs), 1)


def _distance(now: Array, then: Array, *, squared: bool) -> float:
    """√Σ(now − then)², added row by row, or |now − then|; nan for an error."""
    with np.errstate(all="ignore"):
        apart = now - then
        found = np.sqrt(running_sum((apart * apart).reshape(-1))) if squared else np.abs(apart)
    return float(errors_to_nan(found).item())


def start_title(layer: int) -> str:
    """The title of the copy of a layer's first weights and biases."""
    return f"Init, layer {layer}, at export"


def constants(region: Region, labels: tuple[str, ...]) -> Table:
    """A table without formulas, and without plain names above it."""
    build = LedgerBuilder()
    for label in labels:
        build.add(label, "input")
    return Table(region, build.ledger, (None,) * len(labels), headed=False)


def range_of(region: Region) -> str:
    """A region as a range, or as its one cell."""
    first, last = address(region.row, region.column), address(region.last_row, region.last_column)
    return first if first == last else f"{first}:{last}"


def shortened(name: str) -> str:
    """A name that is not too long to be listed."""
    return name if len(name) <= MAX_NAME else f"{name[: MAX_NAME - 1]}…"
