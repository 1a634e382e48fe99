"""The ledger's and the data's formulas: one for each column.

A formula's text holds ``{r}`` for its own row and ``{p}`` for the row before it.
Only the first row of the ledger may differ: it takes the weights from ``Init``.
"""

from __future__ import annotations

from collections.abc import Iterator

from sheetnet.concepts import cells
from sheetnet.concepts.parts import References
from sheetnet.concepts.scaling import Scaling
from sheetnet.concepts.stopping import STOPPED
from sheetnet.data_layout import DataLayout
from sheetnet.epoch_formulas import stopped_formula
from sheetnet.formula import Formula, same
from sheetnet.forward_formulas import (
    cells_of,
    columns_of,
    forward_columns,
    lookups,
    output_refs,
    own_refs,
)
from sheetnet.layout import Layout
from sheetnet.ledger import input_of, needs_output_slope
from sheetnet.limits import MAX_ROWS
from sheetnet.network import Layer, Network
from sheetnet.pipeline import (
    parameters_of,
)
from sheetnet.problem import Problem
from sheetnet.regions import INIT, address, letter
from sheetnet.stage_formulas import stage_formulas
from sheetnet.stretches import apart, signed


def ledger_formulas(problem: Problem, layout: Layout) -> tuple[Formula | None, ...]:
    """The formula of each column of ``Train``; None for the constants in front."""
    network, ledger, data = problem.network, layout.ledger, layout.data
    refs = cells_of(ledger)
    sample = refs["sample"]
    found: dict[str, list[Formula]] = {}
    if network.stops:
        found[STOPPED] = [stopped_formula(layout, data.rows)]
        refs = apart(refs)
    last = data.last_training_row
    found["x"] = lookups(data, data.x_column, network.inputs, sample, last)
    found["y"] = lookups(data, data.y_column, network.outputs, sample, last)
    for layer in network.layers:
        _parameters(found, layer, layout, refs)
    for name, texts in forward_columns(network, refs):
        found[name] = [same(text) for text in texts]
    out = output_refs(network, refs)
    if needs_output_slope(network):
        slope = network.loss.slope_cell
        assert slope is not None
        name = f"da{network.layers[-1].index}"
        found[name] = [same(slope(out, k)) for k in range(network.outputs)]
    for layer in network.layers:
        found[f"delta{layer.index}"] = (
            _output_delta(network, refs, out)
            if layer.index == len(network.layers)
            else _hidden_delta(layer, network.layers[layer.index], refs)
        )
        _gradients(found, network, layer, refs)
    found.update(stage_formulas(network, refs))
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


def _output_delta(network: Network, refs: References, out: References) -> list[Formula]:
    last, loss = network.layers[-1], network.loss
    units = range(last.units)
    closed = loss.deltas.get(last.activation.name)
    if closed is not None:
        return [same(closed.cell(out, k)) for k in units]
    back = last.activation.back_cell
    if back is not None:
        return [same(back(refs[f"da{last.index}"], out["a"], k)) for k in units]
    loss_slope = loss.slope_cell
    assert loss_slope is not None
    return [same(_times_slope(loss_slope(out, k), last, out, k)) for k in units]


def _hidden_delta(layer: Layer, after: Layer, refs: References) -> list[Formula]:
    delta, w = refs[f"delta{after.index}"], refs[f"W{after.index}"]
    own = own_refs(layer, refs)
    formulas = []
    for i in range(layer.units):
        products = [f"{delta[j]}*{w[j * after.inputs + i]}" for j in range(after.units)]
        back = cells.written_sum(products)
        if layer.dropout:
            back += f"*{refs[f'k{layer.index}'][i]}"
        formulas.append(same(_times_slope(back, layer, own, i)))
    return formulas


def _times_slope(text: str, layer: Layer, own: References, j: int) -> str:
    slope = layer.activation.slope_cell
    assert slope is not None
    factor = slope(own["z"][j], own["a"][j])
    return f"{text}*{factor}" if factor else text


def _gradients(
    found: dict[str, list[Formula]], network: Network, layer: Layer, refs: References
) -> None:
    l = layer.index
    delta, x = refs[f"delta{l}"], refs[input_of(network, layer)]
    found[f"dW{l}"] = [same(f"{d}*{value}") for d in delta for value in x]
    if layer.train_bias:
        found[f"db{l}"] = [same(d) for d in delta]


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
