"""The network as a drawing made of cells: a column for each layer, a cell for each unit."""

from __future__ import annotations

from dataclasses import dataclass

from openpyxl.worksheet.worksheet import Worksheet

from sheetnet.problem import Problem
from sheetnet.workbook import styles
from sheetnet.workbook.init import output_name
from sheetnet.workbook.styles import put

MAX_UNITS, MAX_STACKS = 6, 7
"""More units, or layers, than this are cut short in the middle."""


@dataclass(frozen=True)
class Stack:
    """One column of the drawing: its title, what its units are called, what is below."""

    title: str
    kind: str
    units: tuple[str, ...]
    below: str


def stacks(problem: Problem) -> list[Stack]:
    """Inputs and layers, from left to right."""
    names = problem.table.input_names
    found = [Stack(f"{len(names)} input{_s(len(names))}", "input", names, "")]
    last = len(problem.network.layers)
    for layer in problem.network.layers:
        own = range(layer.units)
        if layer.index == last:
            units = tuple(output_name(problem, k) for k in own)
        else:
            units = tuple(f"unit {j + 1}" for j in own)
        title = f"layer {layer.index}: {layer.units} × {layer.activation.name}"
        biases = layer.units if layer.train_bias else 0
        below = f"{layer.units * layer.inputs} weights, {layer.units} bias{_es(layer.units)}"
        if not biases:
            below += " (fixed)"
        found.append(Stack(title, "forward", units, below))
    return found


def _s(count: int) -> str:
    return "" if count == 1 else "s"


def _es(count: int) -> str:
    return "" if count == 1 else "es"


def draw(sheet: Worksheet, problem: Problem, row: int) -> int:
    """Draw it from a row on; return the row after it."""
    shown: list[Stack | None] = [*stacks(problem)]
    height = max(len(_cut(stack.units)) for stack in stacks(problem))
    middle = row + 1 + (height - 1) // 2
    if len(shown) > MAX_STACKS:
        half = MAX_STACKS // 2
        shown = [*shown[:half], None, *shown[-half:]]
    for place, stack in enumerate(shown):
        column = 1 + 2 * place
        if place:
            put(sheet, middle, column - 1, "→", styles.HEADING, align=styles.CENTRE)
        if stack is None:
            put(sheet, middle, column, "…", styles.HEADING, align=styles.CENTRE)
            continue
        put(sheet, row, column, stack.title, styles.BOLD, align=styles.CENTRE)
        units = _cut(stack.units)
        top = row + 1 + (height - len(units)) // 2
        for offset, text in enumerate(units):
            fill = styles.band(stack.kind)
            put(
                sheet, top + offset, column, text, styles.BODY, fill,
                border=styles.BOX, align=styles.CENTRE,
            )  # fmt: skip
        below = row + 1 + height
        put(sheet, below, column, stack.below or None, styles.NOTE, align=styles.CENTRE)
    return row + height + 2


def _cut(units: tuple[str, ...]) -> tuple[str, ...]:
    if len(units) <= MAX_UNITS:
        return units
    return (*units[: MAX_UNITS - 2], f"… {len(units) - MAX_UNITS + 1} more", units[-1])
