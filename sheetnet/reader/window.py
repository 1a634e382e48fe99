"""Which part of a training a workbook holds, and what it starts from."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping

from sheetnet.concepts.arithmetic import Array
from sheetnet.epoch_ledgers import ledgers_of
from sheetnet.errors import SpecError
from sheetnet.layout import CONFIG_VALUE, InitLayout, carried_blocks
from sheetnet.ledger import Block
from sheetnet.limits import MAX_ROWS
from sheetnet.problem import Problem
from sheetnet.reader.cells import Odd
from sheetnet.reader.config import row_of
from sheetnet.reader.inputs import InputSheet
from sheetnet.regions import CONFIG
from sheetnet.window import (
    ALL_COLUMNS,
    COLUMNS,
    COMPACT,
    FROM_VISIT,
    NEVER,
    STOPPED_AFTER,
    VISITS,
    Window,
)


def with_window(
    problem: Problem,
    config: InputSheet,
    keys: dict[str, int],
    init: Callable[[int, int], InputSheet],
) -> Problem:
    """The problem of the window that ``Config`` tells of; as it is where it tells of none.

    ``init`` gives so many rows and columns of ``Init``.
    """
    if FROM_VISIT not in keys:
        return problem
    first = _whole(config, keys, FROM_VISIT, problem.visits)
    visits = _whole(config, keys, VISITS, min(problem.visits - first + 1, MAX_ROWS))
    stopped_after = None
    if problem.network.stops:
        cell = config.at(row_of(config, keys, STOPPED_AFTER), CONFIG_VALUE)
        if not (isinstance(cell, Odd) and cell.text == NEVER):
            stopped_after = _whole(config, keys, STOPPED_AFTER, problem.spec.training.epochs)
    carried = carried_blocks(problem.network, ledgers_of(problem.network).train)
    layout = InitLayout(problem.network.layers, carried)
    sheet = init(*layout.extent)
    state = _state(sheet, layout)
    return dataclasses.replace(problem, window=Window(first, visits, state, stopped_after))


def with_columns(problem: Problem, config: InputSheet, keys: dict[str, int]) -> Problem:
    """The problem whose workbook leaves out what ``Config`` says."""
    compact = columns_told(config, keys) == COMPACT
    network = dataclasses.replace(problem.network, compact=compact)
    return dataclasses.replace(problem, network=network)


def columns_told(config: InputSheet, keys: dict[str, int]) -> str:
    """Which columns the ledger has: ``all`` or ``compact``."""
    if COLUMNS not in keys:
        return ALL_COLUMNS
    told = config.text(keys[COLUMNS], CONFIG_VALUE, COLUMNS)
    if told not in (ALL_COLUMNS, COMPACT):
        raise SpecError(f"{CONFIG} {COLUMNS} is {told!r}; allowed: {ALL_COLUMNS}, {COMPACT}")
    return told


def _whole(config: InputSheet, keys: dict[str, int], key: str, most: int) -> int:
    number = config.number(row_of(config, keys, key), CONFIG_VALUE, key)
    if not number.is_integer() or not 1 <= number <= most:
        raise SpecError(f"{CONFIG} {key} is {number:g}: a whole number from 1 to {most} is needed")
    return int(number)


def _state(sheet: InputSheet, layout: InitLayout) -> Mapping[str, Array]:
    return {
        block.name: sheet.matrix(layout.state[block.name], _names(block)).reshape(block.shape)
        for block in layout.carried
    }


def _names(block: Block) -> Callable[[int, int], str]:
    columns = block.shape[1] if len(block.shape) == 2 else 1
    return lambda r, c: block.labels[r * columns + c]
