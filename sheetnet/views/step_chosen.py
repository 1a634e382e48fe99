"""One weight of ``Step``: why it changes, factor by factor, and a check of its gradient.

∂L/∂W[j,i] = δ[j] · in[i], and δ[j] = what comes back to the unit · f′(z[j]). The check is a
central difference: (L(w + h) − L(w − h)) / 2h, whose error falls with h² until rounding
takes over (Griewank and Walther, "Evaluating Derivatives", 2008).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from sheetnet.forward_formulas import FED, forward_columns
from sheetnet.ledger import input_of
from sheetnet.network import Layer
from sheetnet.pipeline import GRADIENT
from sheetnet.views.step_cells import filled, refs_of
from sheetnet.views.step_layout import (
    BEFORE,
    DOWN,
    NEW,
    UP,
    VALUE_COLUMN,
    StepLayout,
)
from sheetnet.views.view import Live

PLACE, COLUMN, WORDS = 2, 3, 4
"""Which of the wide columns say where a factor stands, here and on Train, and what it is."""

NONE = "–"
"""What a factor is where there is none."""

NEXT, EARLIER = "] next", "] before"
"""Behind a column of Train: as the row after the step has it, and the row in front of it."""

AGREE = "✓ both agree"
APART = "✗ they differ: a kink (relu) within ±h, or h too large or too small"
UNKNOWN = "no check: there are error values in this step"


def chosen_cells(step: StepLayout) -> Iterator[Live]:
    """All formula cells of the chosen weight."""
    yield from _choice(step)
    for name in step.factor_names:
        row = step.factor_place(name)
        yield Live(row, VALUE_COLUMN, _value(step, name), f"{name} of the chosen weight")
        yield Live(row, step.wide[PLACE], _where(step, name), f"place of {name}")
        yield Live(row, step.wide[COLUMN], _label(step, name), f"column of {name}")
    yield from _nudged(step)
    yield from _check(step)


def _choice(step: StepLayout) -> Iterator[Live]:
    """The unit and the input that are meant: no more than the layer has; and its name."""
    row, layers = step.factor_row + 1, step.network.layers
    units = ",".join(str(layer.units) for layer in layers)
    inputs = ",".join(str(layer.inputs) for layer in layers)
    yield Live(row, 2, f"MIN(weight_unit,CHOOSE(weight_layer,{units}))", "chosen unit")
    yield Live(row + 1, 2, f"MIN(weight_input,CHOOSE(weight_layer,{inputs}))", "chosen input")


def _by_layer(step: StepLayout, text: Callable[[Layer], str]) -> str:
    return f"CHOOSE(weight_layer,{','.join(text(layer) for layer in step.network.layers)})"


def _value(step: StepLayout, name: str) -> str:
    """A factor's value, from the matrices above."""
    unit, source = step.chosen_unit, step.chosen_input
    if name == GRADIENT:
        return f"{step.factor_cell('delta')}*{step.factor_cell(FED)}"
    if name == NEW:
        return f"{step.factor_cell('W')}+{step.factor_cell('u')}"

    def text(layer: Layer) -> str:
        l = layer.index
        if name == FED:
            return f"IF({source}=0,1,{step.boxes[f'{FED}{l}'].at('1', source)})"
        if name in ("back", "slope", "delta", "k"):
            box = step.boxes.get(f"{name}{l}")
            return f'"{NONE}"' if box is None else box.at(unit, "1")
        of_weight = step.boxes[named(name, f"W{l}")].at(unit, source)
        bias = step.boxes.get(named(name, f"b{l}"))
        of_bias = _of_fixed(name) if bias is None else bias.at(unit, "1")
        return f"IF({source}=0,{of_bias},{of_weight})"

    return _by_layer(step, text)


def named(name: str, parameter: str) -> str:
    """The box of a factor: ``W1``, ``mW1``, ``mW1 before``."""
    if name == "W":
        return parameter
    if name.endswith(BEFORE):
        return f"{name.removesuffix(BEFORE)}{parameter}{BEFORE}"
    return f"{name}{parameter}"


def _of_fixed(name: str) -> str:
    """What a bias that is not trained has: no state, and no update."""
    return "0" if name == "u" else f'"{NONE}"'


def _where(step: StepLayout, name: str) -> str:
    """The address of a factor on this sheet."""
    unit, source = step.chosen_unit, step.chosen_input

    def text(layer: Layer) -> str:
        l = layer.index
        if name == FED:
            box = step.boxes[f"{FED}{l}"]
            weights = step.boxes[f"W{l}"]
            column = f"IF({source}=0,{box.column + weights.columns},{box.column - 1}+{source})"
            return f"ADDRESS({box.row},{column},4)"
        if name in ("back", "slope", "delta", "k"):
            factor = step.boxes.get(f"{name}{l}")
            if factor is None:
                return f'"{NONE}"'
            return f"ADDRESS({factor.row - 1}+{unit},{factor.column},4)"
        box = step.boxes[named(name, f"W{l}")]
        at = f"{box.column - 1}+IF({source}=0,{box.columns + 1},{source})"
        return f"ADDRESS({box.row - 1}+{unit},{at},4)"

    return _by_layer(step, text)


def _label(step: StepLayout, name: str) -> str:
    """The plain name of a factor's column on Train."""
    unit, source, layer = step.chosen_unit, step.chosen_input, "weight_layer"
    if name in step.unseen:
        return f'"{NONE}"'
    if name == NEW:
        bias, weight = f'"b"&{layer}&"["&{unit}', f'"W"&{layer}&"["&{unit}&","&{source}'
        return f'IF({source}=0,{bias},{weight})&"{NEXT}"'
    if name == FED:
        names = ",".join(f'"{input_of(step.network, each)}"' for each in step.network.layers)
        return f'IF({source}=0,"1",CHOOSE({layer},{names})&"["&{source}&"]")'
    if name in ("delta", "k"):
        return f'"{name}"&{layer}&"["&{unit}&"]"'
    prefix = named(name, "").removesuffix(BEFORE)
    end = EARLIER if name.endswith(BEFORE) else "]"
    bias, weight = f'"{prefix}b"&{layer}&"["&{unit}', f'"{prefix}W"&{layer}&"["&{unit}&","&{source}'
    return f'IF({source}=0,{bias},{weight})&"{end}"'


def _nudged(step: StepLayout) -> Iterator[Live]:
    """The forward pass again, with h added to the chosen weight, and taken from it."""
    network = step.network
    for mark, sign in ((UP, "+"), (DOWN, "-")):
        refs = refs_of(step, mark)
        texts = dict(forward_columns(network, refs))
        for block in (block for block in step.nudged if block.mark == mark):
            layer = block.layer
            texts[f"{FED}{layer.index}"] = list(
                step.boxes[f"{FED}1"].cells if layer.index == 1 else refs[input_of(network, layer)]
            )
            for base in ("W", "b"):
                texts[f"{base}{layer.index}"] = _moved(step, layer, base, sign)
            for box in block.boxes:
                yield from filled(box, texts[box.name.removesuffix(mark)])
        name = "up" if mark == UP else "down"
        text = texts["loss"][0]
        yield Live(step.check_place(name), VALUE_COLUMN, text, f"loss with the weight {name}")


def _moved(step: StepLayout, layer: Layer, base: str, sign: str) -> list[str]:
    """The weights of a layer, the chosen one nudged."""
    unit, source = step.chosen_unit, step.chosen_input
    texts = []
    for n, cell in enumerate(step.boxes[f"{base}{layer.index}"].cells):
        j, i = divmod(n, layer.inputs) if base == "W" else (n, -1)
        test = f"weight_layer={layer.index},{unit}={j + 1},{source}={i + 1}"
        texts.append(f"{cell}{sign}IF(AND({test}),nudge,0)")
    return texts


def _check(step: StepLayout) -> Iterator[Live]:
    """The difference quotient beside the gradient of back propagation."""
    at = {name: f"B{step.check_place(name)}" for name in ("up", "down", "quotient", "analytic")}

    def cell(name: str, text: str, quantity: str) -> Live:
        return Live(step.check_place(name), VALUE_COLUMN, text, quantity)

    yield cell("quotient", f"({at['up']}-{at['down']})/(2*nudge)", "difference quotient")
    yield cell("analytic", step.factor_cell(GRADIENT), "gradient by back propagation")
    yield cell("difference", f"{at['quotient']}-{at['analytic']}", "difference of both gradients")
    apart = f"B{step.check_place('difference')}"
    bound = f"0.0001*MAX(ABS({at['quotient']}),ABS({at['analytic']}),0.001)"
    text = f'IF(ABS({apart})<={bound},"{AGREE}","{APART}")'
    yield cell("verdict", f'IF(ISNUMBER({apart}),{text},"{UNKNOWN}")', "verdict of the check")
