"""The numbers of ``Step``, in NumPy: the ledger's row itself, and a forward pass nudged twice."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from sheetnet.concepts import arithmetic
from sheetnet.concepts.arithmetic import Array, errors_to_nan
from sheetnet.forward_formulas import FED
from sheetnet.ledger import Ledger, input_of
from sheetnet.network import Layer
from sheetnet.pipeline import GRADIENT, parameters_of
from sheetnet.problem import Problem
from sheetnet.regions import address
from sheetnet.rules import forward_rules, layer_quantities
from sheetnet.views.step_chosen import (
    AGREE,
    APART,
    COLUMN,
    EARLIER,
    NEXT,
    NONE,
    PLACE,
    UNKNOWN,
    named,
)
from sheetnet.views.step_formulas import SAME
from sheetnet.views.step_layout import (
    BEFORE,
    CHECK_ROW,
    DOWN,
    NEW,
    UP,
    VALUE_COLUMN,
    StepLayout,
    before_of,
)
from sheetnet.views.step_parts import Box
from sheetnet.views.view import Chosen, Content, Filled, Source

Row = dict[str, Array]
"""Quantity -> its numbers in a step: shape (units, inputs), (units,) or ()."""

Cells = dict[tuple[int, int], Content]


def step_values(problem: Problem, step: StepLayout, source: Source, chosen: Chosen) -> Filled:
    """All cells of the sheet for the chosen step and weight."""
    visit = int(chosen["step"])
    q = _row(step.ledger, source.train(visit))
    for name in list(q):
        if before_of(name) in step.boxes:
            q[before_of(name)] = (
                _row(step.ledger, source.train(visit - 1))[name]
                if visit > problem.first_visit
                else problem.window.carried[name]
                if problem.window
                else np.zeros_like(q[name])
            )
    with np.errstate(all="ignore"):
        q |= dict(_derived(step, q))
        cells: Cells = {}
        slopes: Cells = {}
        for block in step.blocks:
            for box in block.boxes:
                _put(slopes if box.name.startswith("slope") else cells, box, q[box.name])
        # Of a saturated unit 1 − a² is a small difference of numbers of the size of 1.
        sizes = dict.fromkeys(slopes, 1.0)
        cells |= slopes
        for name, box in step.panel.items():
            if name in q:
                _put(cells, box, q[name])
        weight = _Weight.of(step, chosen)
        _chosen(problem, step, q, weight, cells, sizes)
        if step.compares:
            _list(step, q, cells)
    return Filled((), cells, sizes)


def _row(ledger: Ledger, row: Array) -> Row:
    return {name: view[0] for name, view in ledger.views(row[None, :]).items()}


def _put(cells: Cells, box: Box, values: Array) -> None:
    numbers = errors_to_nan(np.asarray(values, dtype=np.float64)).ravel().tolist()
    cells.update(zip(box.places, numbers, strict=True))


def _derived(step: StepLayout, q: Row) -> Iterator[tuple[str, Array]]:
    """What the ledger has no columns for: inputs of layers, factors of δ, new weights."""
    network = step.network
    for layer in network.layers:
        l = layer.index
        yield f"{FED}{l}", q[input_of(network, layer)]
        if step.factors(layer):
            yield from _factors(step, layer, q)
        trained = {base for base, _ in parameters_of(layer)}
        for base in ("W", "b"):
            update = q[f"u{base}{l}"] if base in trained else 0.0
            yield f"{NEW}{base}{l}", q[f"{base}{l}"] + update


def _factors(step: StepLayout, layer: Layer, q: Row) -> Iterator[tuple[str, Array]]:
    network, l = step.network, layer.index
    slope, loss_slope = layer.activation.slope, network.loss.slope
    assert slope is not None
    if l == len(network.layers):
        assert loss_slope is not None
        yield f"back{l}", loss_slope({**layer_quantities(q, layer), "y": q["y"]})
    else:
        yield f"back{l}", arithmetic.back_sum(q[f"delta{l + 1}"], q[f"W{l + 1}"])
    z, cell = q[f"z{l}"], layer.activation.slope_cell
    found = slope(z, q[f"a{l}"])
    if cell is not None and cell("z", "a"):
        # Comparisons make a number of nan; a sheet keeps the error.
        found = np.where(np.isfinite(z), found, np.nan)
    yield f"slope{l}", found


class _Weight:
    """The chosen weight: layer, unit and input from 1; input 0 is the bias."""

    def __init__(self, layer: Layer, unit: int, source: int, h: float) -> None:
        self.layer, self.unit, self.source, self.h = layer, unit, source, h

    @staticmethod
    def of(step: StepLayout, chosen: Chosen) -> _Weight:
        """No more than the layer has."""
        layer = step.network.layers[int(chosen["weight_layer"]) - 1]
        unit = min(int(chosen["weight_unit"]), layer.units)
        return _Weight(layer, unit, min(int(chosen["weight_input"]), layer.inputs), chosen["nudge"])

    @property
    def name(self) -> str:
        """``W1`` or ``b1``."""
        return f"{'W' if self.source else 'b'}{self.layer.index}"

    @property
    def at(self) -> tuple[int, ...]:
        """Its place in the array."""
        return (self.unit - 1, self.source - 1) if self.source else (self.unit - 1,)

    @property
    def index(self) -> str:
        """``[2,1]``, or ``[2]`` of a bias."""
        return f"[{','.join(str(n + 1) for n in self.at)}]"


def _chosen(
    problem: Problem,
    step: StepLayout,
    q: Row,
    weight: _Weight,
    cells: Cells,
    sizes: dict[tuple[int, int], float],
) -> None:
    head = step.factor_row + 1
    cells[(head, 2)], cells[(head + 1, 2)] = float(weight.unit), float(weight.source)
    for name in step.factor_names:
        row = step.factor_place(name)
        value, where, label = _factor(step, q, weight, name)
        cells[(row, VALUE_COLUMN)] = value
        cells[(row, step.wide[PLACE])], cells[(row, step.wide[COLUMN])] = where, label
    losses = {}
    for mark, h in ((UP, weight.h), (DOWN, -weight.h)):
        moved = dict(q)
        moved[weight.name] = q[weight.name].copy()
        moved[weight.name][weight.at] += h
        # The masks stay as they are in the step: only what follows is computed again.
        drawn = {f"k{each.index}" for each in problem.network.layers}
        for rule in forward_rules(problem.network, problem.hyperparameters):
            if rule.name not in drawn:
                moved[rule.name] = errors_to_nan(np.asarray(rule.value(moved)))
        for each in problem.network.layers:
            moved[f"{FED}{each.index}"] = moved[input_of(problem.network, each)]
        for block in (block for block in step.nudged if block.mark == mark):
            for box in block.boxes:
                _put(cells, box, moved[box.name.removesuffix(mark)])
        losses[mark] = float(moved["loss"])
    analytic = cells[(step.factor_place(GRADIENT), VALUE_COLUMN)]
    assert isinstance(analytic, float)
    quotient = (losses[UP] - losses[DOWN]) / (2.0 * weight.h)
    values: dict[str, Content] = {
        "up": losses[UP],
        "down": losses[DOWN],
        "quotient": quotient,
        "analytic": analytic,
        "difference": quotient - analytic,
    }
    bound = 0.0001 * max(abs(quotient), abs(analytic), 0.001)
    close = abs(quotient - analytic) <= bound
    finite = np.isfinite(quotient - analytic)
    values["verdict"] = (AGREE if close else APART) if finite else UNKNOWN
    for name, content in values.items():
        place = (step.check_place(name), VALUE_COLUMN)
        cells[place] = content if isinstance(content, str) else _number(content)
        if name in ("quotient", "difference") and finite:
            # Rounding of the losses, divided by 2h, is what they are exact to.
            sizes[place] = max(abs(losses[UP]), abs(losses[DOWN])) / (2.0 * weight.h)


def _factor(step: StepLayout, q: Row, weight: _Weight, name: str) -> tuple[Content, str, str]:
    """Value, place on the sheet and column of Train of a factor."""
    l, j, i = weight.layer.index, weight.unit, weight.source
    label = f"{'' if name == 'W' else name}{weight.name}{weight.index}"
    if name == FED:
        box = step.boxes[f"{FED}{l}"]
        bias = box.column + step.boxes[f"W{l}"].columns
        value = float(q[f"{FED}{l}"][i - 1]) if i else 1.0
        label = f"{input_of(step.network, weight.layer)}[{i}]" if i else "1"
        return value, address(box.row, box.column + i - 1 if i else bias), label
    if name in ("back", "slope", "delta", "k"):
        label = NONE if name in step.unseen else f"{name}{l}[{j}]"
        column = step.boxes.get(f"{name}{l}")
        if column is None:
            return NONE, NONE, label
        return float(q[f"{name}{l}"][j - 1]), address(column.row + j - 1, column.column), label
    if name in step.unseen:
        label = NONE
    box = step.boxes[named(name, f"W{l}")]
    place = address(box.row + j - 1, box.column + (i - 1 if i else box.columns))
    if name == GRADIENT:
        fed = float(q[f"{FED}{l}"][i - 1]) if i else 1.0
        return _number(q[f"delta{l}"][j - 1] * fed), place, label
    known = q.get(named(name, weight.name))
    if name == NEW:
        label = f"{weight.name}{weight.index.removesuffix(']')}{NEXT}"
    elif name.endswith(BEFORE):
        start = name.removesuffix(BEFORE)
        label = f"{start}{weight.name}{weight.index.removesuffix(']')}{EARLIER}"
    if known is None:
        return (0.0 if name == "u" else NONE), place, label
    return _number(known[weight.at]), place, label


def _number(value: float) -> float:
    """The value as a cell holds it: nan for what is too large."""
    return float(errors_to_nan(np.asarray(value)))


def _list(step: StepLayout, q: Mapping[str, Array], cells: Cells) -> None:
    """The ledger's row as a list: what stands above is the same."""
    for n, (name, i, _) in enumerate(step.listed):
        row = step.list_row + 2 + n
        value = float(errors_to_nan(q[name]).ravel()[i])
        values = (value, value, value - value, 0.0)
        cells.update(zip(((row, c) for c in step.wide[1:5]), values, strict=True))
    cells[(CHECK_ROW, 1)] = SAME
