"""Which inputs a workbook has, and where on ``Compare`` their copies stand."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from sheetnet.concepts.arithmetic import Array
from sheetnet.layout import Layout
from sheetnet.problem import Problem
from sheetnet.regions import COMPARE, Region
from sheetnet.views.compare_inputs import (
    DATA_TITLE,
    EXPORTED,
    Copy,
    Input,
    Inputs,
    shortened,
    start_title,
)

MAX_NAMED = 24
"""Columns of data that are listed one by one; more are one input."""


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
        region = below.add(start_title(l), heads, layer.units, _start(n))
        weights = Region(COMPARE, region.row, region.column, layer.units, layer.inputs)
        bias = Region(COMPARE, region.row, region.last_column, layer.units, 1)
        later.append(Input(f"weights of layer {l}", init.weights(layer), weights, _weights(n)))
        later.append(Input(f"biases of layer {l}", init.bias(layer), bias, _biases(n)))
    goals = data.target_names
    if data.coded:
        goals = tuple(f"y[{k}]" for k in range(1, data.outputs + 1))
    heads = (*data.input_names, *goals)
    region = below.add(DATA_TITLE, heads, data.rows + data.held_out, _data)
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
