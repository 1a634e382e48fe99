"""The inputs of a workbook as they were at export, beside what they are now."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from sheetnet.concepts.arithmetic import Array, errors_to_nan, running_sum
from sheetnet.concepts.dropout import rate_name
from sheetnet.errors import SheetnetError
from sheetnet.layout import Layout
from sheetnet.ledger import LedgerBuilder
from sheetnet.problem import Problem, assemble, decode
from sheetnet.regions import COMPARE, Region, address
from sheetnet.views.view import Content, Live, Source, Table

NAME, EXPORTED, NOW, APART, CHANGED, NAMES = 1, 4, 5, 6, 7, 8
"""Columns of the list of inputs: what it is called, …, which of it and above have changed."""

MAX_NAME = 30
"""Characters of a name in the list: names come from data and may be of any length."""

MAX_NAMED = 24
"""Columns of data that are listed one by one; more are one input."""


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
        return self.now if isinstance(self.now, str) else f"{self.now.sheet}!{_range(self.now)}"

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
        return _constants(self.region, tuple(f"{shortened(h)} at export" for h in self.heads))


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
        return Region(COMPARE, self.first_row, EXPORTED, len(self.inputs), 1)

    @property
    def changed(self) -> Region:
        """Whether each of them has changed (1 or 0)."""
        return Region(COMPARE, self.first_row, CHANGED, len(self.inputs), 1)

    @property
    def names(self) -> str:
        """The cell that names all that have changed."""
        return address(self.exported.last_row, NAMES)

    @property
    def tables(self) -> tuple[Table, ...]:
        """What was exported, then the copies."""
        listed = _constants(self.exported, ("value at export",))
        return (listed, *(copy.table for copy in self.copies))

    def cells(self) -> Iterator[Live]:
        """The formulas of the list."""
        for row, each in enumerate(self.inputs, self.first_row):
            then, now, apart, changed = (
                address(row, c) for c in (EXPORTED, NOW, APART, CHANGED)
            )
            if each.then is None:
                yield Live(row, NOW, each.place, f"{each.name} now", links=True)
                yield Live(row, APART, f"ABS({now}-{then})", f"{each.name}, how far apart")
                test = f"IF(ISNUMBER({apart}),SIGN({apart}),1)"
            else:
                moved = f"({each.place}-{_range(each.then)})"
                yield Live(row, NOW, f"COUNT({each.place})", f"{each.name}, numbers", links=True)
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
        cells: dict[tuple[int, int], Content] = {}
        sizes: dict[tuple[int, int], float] = {}
        names: list[str] = []
        for n, each in enumerate(self.inputs):
            row = self.first_row + n
            apart = _distance(now[n], then[n], squared=each.then is not None)
            same = apart == 0 and (each.then is None or exported[n, 0] == now[n].size)
            if not same:
                names.append(each.name)
            cells[(row, NOW)] = each.listed(now[n])
            cells[(row, APART)] = apart
            cells[(row, CHANGED)] = 0.0 if same else 1.0
            cells[(row, NAMES)] = ", ".join(names)
            sizes[(row, APART)] = float(np.max(np.abs(now[n])))
        return Found(exported, copies, len(names), cells[(row, NAMES)], cells, sizes)

    def problem_at_export(self, problem: Problem, found: Found) -> Problem | None:
        """The problem with all inputs as the sheet has kept them; None where they are none."""
        spec, names = problem.spec, tuple(problem.hyperparameters)
        numbers = dict(zip(names, found.exported[:, 0].tolist(), strict=False))
        *starts, data = found.copies
        layers = [
            replace(
                layer,
                weights=tuple(map(tuple, start[:, :-1].tolist())),
                bias=tuple(start[:, -1].tolist()),
                dropout=numbers.get(rate_name(index)),
            )
            for index, (layer, start) in enumerate(zip(spec.layers, starts, strict=True), 1)
        ]
        known = {n: numbers[n] for n in spec.training.hyperparameters}
        training = replace(spec.training, hyperparameters=known)
        table, count = problem.table, len(problem.table.input_names)
        goals, labels = data[:, count:], None
        if problem.classes is not None:
            labels = decode(goals, problem.classes)
        table = replace(
            table,
            inputs=np.ascontiguousarray(data[:, :count]),
            targets=None if problem.classes is not None else np.ascontiguousarray(goals),
            labels=labels,
        )
        if not all(np.isfinite(part).all() for part in (found.exported, *found.copies)):
            return None
        try:
            past = replace(spec, layers=tuple(layers), training=training)
            return assemble(past, table, problem.classes)
        except SheetnetError:
            return None


def _distance(now: Array, then: Array, *, squared: bool) -> float:
    """√Σ(now − then)², added row by row, or |now − then|; nan for an error."""
    with np.errstate(all="ignore"):
        apart = now - then
        found = np.sqrt(running_sum((apart * apart).reshape(-1))) if squared else np.abs(apart)
    return float(errors_to_nan(found).item())


def _constants(region: Region, labels: tuple[str, ...]) -> Table:
    build = LedgerBuilder()
    for label in labels:
        build.add(label, "input")
    return Table(region, build.ledger, (None,) * len(labels), headed=False)


def _range(region: Region) -> str:
    first, last = address(region.row, region.column), address(region.last_row, region.last_column)
    return first if first == last else f"{first}:{last}"


def shortened(name: str) -> str:
    """A name that is not too long to be listed."""
    return name if len(name) <= MAX_NAME else f"{name[: MAX_NAME - 1]}…"


def inputs_of(problem: Problem, layout: Layout, first_row: int) -> Inputs:
    """List all inputs; ``first_row`` is the list's."""
    data, init = layout.data, layout.init
    many = len(data.input_names) > MAX_NAMED, len(data.target_names) > MAX_NAMED
    rows = len(problem.hyperparameters) + 2 * len(init.layers)
    rows += 1 if many[0] else len(data.input_names)
    rows += 1 if many[1] or data.coded else len(data.target_names)
    below = _Below(first_row + rows + 1)
    listed = [_number(name) for name in problem.hyperparameters]
    later: list[Input] = []
    for layer in init.layers:
        l, n = layer.index, layer.index - 1
        heads = (*(f"W{l}[·,{i}]" for i in range(1, layer.inputs + 1)), f"b{l}")
        region = below.add(f"Init, layer {l}, at export", heads, layer.units, _start(n))
        weights = Region(COMPARE, region.row, region.column, layer.units, layer.inputs)
        bias = Region(COMPARE, region.row, region.last_column, layer.units, 1)
        later.append(
            Input(f"weights of layer {l}", init.weights(layer), weights, _weights(n))
        )
        later.append(Input(f"biases of layer {l}", init.bias(layer), bias, _biases(n)))
    goals = data.target_names
    if data.coded:
        goals = tuple(f"y[{k}]" for k in range(1, data.outputs + 1))
    heads = (*data.input_names, *goals)
    region = below.add("Data at export", heads, data.rows + data.held_out, _data)
    column, count = region.column, len(data.input_names)

    def part(first: int, columns: int) -> Region:
        return Region(COMPARE, region.row, column + first, region.rows, columns)

    for first, columns in _parts(count, together=many[0]):
        name = f"the {count} input columns" if many[0] else data.input_names[first]
        place = data.body(data.raw_column + first, columns)
        listed.append(Input(shortened(name), place, part(first, columns), _raw(first, columns)))
    for first, columns in _parts(len(goals), together=many[1] or data.coded):
        name = f"the {len(goals)} target columns" if many[1] else data.target_names[first]
        at = data.y_column if data.coded else data.target_column
        place, then = data.body(at + first, columns), part(count + first, columns)
        values = _goals(first, columns)
        listed.append(Input(shortened(name), place, then, values, coded=data.coded))
    return Inputs(first_row, (*listed, *later), tuple(below.copies))


class _Below:
    """Puts copy below copy, each with a title and a row of heads."""

    def __init__(self, row: int) -> None:
        self.row = row
        self.copies: list[Copy] = []

    def add(
        self, title: str, heads: tuple[str, ...], rows: int, values: Callable[[Problem], Array]
    ) -> Region:
        """Add one at the bottom; return where its numbers stand."""
        region = Region(COMPARE, self.row + 2, EXPORTED, rows, len(heads))
        self.copies.append(Copy(title, heads, region, values))
        self.row = region.last_row + 2
        return region


def _parts(count: int, *, together: bool) -> Iterator[tuple[int, int]]:
    """First column and number of columns of each input."""
    if together:
        yield 0, count
    else:
        yield from ((i, 1) for i in range(count))


def _number(name: str) -> Input:
    return Input(name, name, None, lambda problem: np.array([[problem.hyperparameters[name]]]))


def _weights(n: int) -> Callable[[Problem], Array]:
    return lambda problem: problem.weights[n]


def _biases(n: int) -> Callable[[Problem], Array]:
    return lambda problem: problem.biases[n][:, None]


def _start(n: int) -> Callable[[Problem], Array]:
    return lambda problem: np.hstack((problem.weights[n], problem.biases[n][:, None]))


def _raw(first: int, columns: int) -> Callable[[Problem], Array]:
    return lambda problem: problem.inputs.raw[:, first : first + columns]


def _goals(first: int, columns: int) -> Callable[[Problem], Array]:
    return lambda problem: problem.targets.raw[:, first : first + columns]


def _data(problem: Problem) -> Array:
    return np.hstack((problem.inputs.raw, problem.targets.raw))
