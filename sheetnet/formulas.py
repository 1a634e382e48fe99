"""The ledger's and the data's formulas: one for each column.

A formula's text holds ``{r}`` for its own row and ``{p}`` for the row before it.
Only the first row of the ledger may differ: it takes the weights from ``Init``.
"""

from __future__ import annotations

from collections.abc import Iterator

from sheetnet.backward_formulas import backward_columns
from sheetnet.concepts.cells import worked_in
from sheetnet.concepts.parts import References
from sheetnet.concepts.scaling import Scaling
from sheetnet.concepts.stopping import STOPPED
from sheetnet.data_layout import DataLayout
from sheetnet.epoch_formulas import stopped_formula
from sheetnet.formula import Formula, same
from sheetnet.forward_formulas import (
    columns_of,
    forward_columns,
    lookups,
)
from sheetnet.layout import Layout
from sheetnet.limits import MAX_ROWS
from sheetnet.network import Layer
from sheetnet.pipeline import (
    parameters_of,
)
from sheetnet.problem import Problem
from sheetnet.regions import INIT, address, letter
from sheetnet.stage_formulas import stage_formulas
from sheetnet.stretches import apart, signed


def ledger_formulas(problem: Problem, layout: Layout) -> tuple[Formula | None, ...]:
    """The formula of each column of ``Train``, on its sheet; None for the constants in front."""
    found: list[Formula | None] = [None] * layout.ledger.width
    for sheet in layout.on_sheets.sheets:
        formulas = _formulas_on(problem, layout, sheet.title)
        for column in sheet.columns.tolist():
            found[column] = formulas[column]
    return tuple(found)


def _formulas_on(problem: Problem, layout: Layout, title: str) -> tuple[Formula | None, ...]:
    """The formulas as they would be on one of the sheets."""
    network, ledger, data = problem.network, layout.ledger, layout.data
    refs = layout.on_sheets.refs_on(title)
    sample = refs["sample"]
    found: dict[str, list[Formula]] = {}
    if network.stops:
        if problem.window is None:
            found[STOPPED] = [stopped_formula(layout, data.rows)]
        refs = apart(refs)
    last = data.last_training_row
    found["x"] = lookups(data, data.x_column, network.inputs, sample, last)
    found["y"] = lookups(data, data.y_column, network.outputs, sample, last)
    for layer in network.layers:
        _parameters(found, layer, layout, refs)
    for name, texts in forward_columns(network, refs):
        found[name] = [same(text) for text in texts]
    for name, texts in list(backward_columns(network, refs)):
        found[name] = [same(text) for text in texts]
        if name not in refs:
            refs[name] = worked_in(texts)
    found.update(stage_formulas(network, refs, start=layout.init.start))
    return columns_of(ledger, signed(found))


def _parameters(
    found: dict[str, list[Formula]], layer: Layer, layout: Layout, refs: References
) -> None:
    """Weights in use: from Init in the first row, then the row before plus its update."""
    trained = [base for base, _ in parameters_of(layer)]
    for base, region in (("W", layout.init.weights(layer)), ("b", layout.init.bias(layer))):
        name = f"{base}{layer.index}"
        formulas = []
        for i, own in enumerate(refs[name]):
            row, column = divmod(i, region.columns)
            first = f"{INIT}!{address(region.row + row, region.column + column)}"
            after = f"{own}+{refs[f'u{name}'][i]}" if base in trained else own
            formulas.append(Formula(first, after.replace("{r}", "{p}")))
        found[name] = formulas


def statistic_formulas(layout: DataLayout, problem: Problem) -> Iterator[tuple[str, list[str]]]:
    """The rows of scaling statistics: (region's name, formulas row by row, left to right)."""
    for name, scaled in (
        ("input statistics", problem.inputs),
        ("target statistics", problem.targets),
    ):
        if name not in layout.regions:
            continue
        region = layout.regions[name]
        texts = []
        for offset, statistic in enumerate(scaled.scaling.statistics):
            for column in range(region.column, region.last_column + 1):
                col = letter(column)
                known = {
                    s.name: f"{col}{region.row + i}"
                    for i, s in enumerate(scaled.scaling.statistics[:offset])
                }
                span = f"{col}{layout.first_row}:{col}{layout.last_training_row}"
                texts.append(statistic.cell(span, known))
        yield name, texts


def data_formulas(layout: DataLayout, problem: Problem) -> tuple[Formula, ...]:
    """The formulas of the columns x and y of ``Data`` (those that are there), in order."""
    formulas = []
    if layout.scales_inputs:
        inputs = len(layout.input_names)
        formulas += _scaled_columns(layout, problem.inputs.scaling, layout.raw_column, inputs)
    if layout.target_statistics:
        targets = len(layout.target_names)
        formulas += _scaled_columns(layout, problem.targets.scaling, layout.target_column, targets)
    if layout.coded:
        label = f"${letter(layout.target_column)}{{r}}"
        texts = isinstance((problem.classes or ("",))[0], str)
        for column in range(layout.y_column, layout.y_column + layout.outputs):
            meaning = f"{letter(column)}${layout.coding_row}"
            test = f"EXACT({label},{meaning})" if texts else f"{label}={meaning}"
            formulas.append(same(f"IF({test},1,0)"))
    return tuple(formulas)


def _scaled_columns(layout: DataLayout, scaling: Scaling, column: int, count: int) -> list[Formula]:
    formulas = []
    for c in range(column, column + count):
        known = {
            s.name: f"{letter(c)}${layout.STATISTICS_ROW + i}"
            for i, s in enumerate(scaling.statistics)
        }
        formulas.append(same(scaling.cell(f"{letter(c)}{{r}}", known)))
    return formulas


def longest(formulas: tuple[Formula | None, ...]) -> int:
    """Characters of the longest formula in the last row that a sheet has."""
    texts = (f.rest for f in formulas if f is not None)
    return max(len(text.replace("{r}", str(MAX_ROWS))) for text in texts)
