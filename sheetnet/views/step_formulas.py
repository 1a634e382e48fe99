"""The formulas of ``Step``: what the ledger's row holds, recomputed from its inputs and weights."""

from __future__ import annotations

from collections.abc import Iterator

from sheetnet.backward_formulas import backward_columns, products_back, slope_of
from sheetnet.concepts import cells
from sheetnet.concepts.cells import Cells
from sheetnet.forward_formulas import FED, forward_columns, output_refs, own_refs
from sheetnet.layout import Layout
from sheetnet.ledger import input_of
from sheetnet.network import Layer
from sheetnet.pipeline import parameters_of
from sheetnet.regions import STEP, address, letter
from sheetnet.stage_formulas import stage_formulas
from sheetnet.views.step_cells import filled, refs_of
from sheetnet.views.step_chosen import chosen_cells
from sheetnet.views.step_layout import CHECK_ROW, NEW, StepLayout, before_of
from sheetnet.views.view import Live

SAME = "✓ every number of this step equals the ledger's row on Train"
OTHER = "✗ some numbers differ from the ledger's row on Train: see the list at the bottom"


def step_cells(layout: Layout, step: StepLayout) -> Iterator[Live]:
    """All formula cells in the order in which data flows."""
    yield from _looked_up(layout, step)
    texts = dict(_computed(step))
    for block in step.blocks:
        for box in block.boxes:
            if box.name in texts:
                yield from filled(box, texts[box.name])
    for name, box in step.panel.items():
        if name in texts:
            yield from filled(box, texts[name])
    yield from chosen_cells(step)
    if step.compares:
        yield from _list(layout, step)


def _looked_up(layout: Layout, step: StepLayout) -> Iterator[Live]:
    """What the step is given: its place, inputs, targets, weights, uniforms, the row before."""

    def train(name: str, row: str) -> list[str]:
        region, size = layout.train, layout.ledger[name].size
        first, last = region.row, region.last_row
        places = (layout.on_sheets.place(name, i) for i in range(size))
        return [cells.look_up(f"{sheet}!${c}", first, last, row) for sheet, c in places]

    given = {"x": f"{FED}1", "y": "y"}
    for block in layout.ledger.blocks:
        name = given.get(block.name, block.name)
        fixed = block.kind in ("place", "flag", "input", "target", "weight", "bias", "drawn")
        if fixed and block.name != "visit":
            yield from filled(step.boxes[name], train(block.name, _place(layout, 0)))
        before = before_of(name)
        if before in step.boxes:
            texts = [
                f"IF(step={layout.first_visit},{layout.init.start(name, i)},{text})"
                for i, text in enumerate(train(name, _place(layout, 1)))
            ]
            yield from filled(step.boxes[before], texts)


def _place(layout: Layout, back: int) -> str:
    """Where the step stands among the rows of ``Train``, or so many rows back."""
    before = layout.first_visit - 1 + back
    return f"step-{before}" if before else "step"


def _computed(step: StepLayout) -> Iterator[tuple[str, list[str]]]:
    """The formulas of each quantity that follows from these."""
    network, refs = step.network, refs_of(step)
    for layer in network.layers[1:]:
        yield f"{FED}{layer.index}", list(refs[input_of(network, layer)])
    yield from forward_columns(network, refs)
    for layer in network.layers:
        if step.factors(layer):
            yield from _factors(step, layer, refs)
    closed = {f"delta{layer.index}" for layer in network.layers if step.factors(layer)}
    yield from ((n, texts) for n, texts in backward_columns(network, refs) if n not in closed)

    def carried(name: str, i: int) -> str:
        cells = refs.get(before_of(name))
        return cells[i] if cells else ""

    for name, formulas in stage_formulas(network, refs, carried).items():
        yield name, [formula.rest for formula in formulas]
    for layer in network.layers:
        trained = {base for base, _ in parameters_of(layer)}
        for base in ("W", "b"):
            name = f"{base}{layer.index}"
            old = refs[name]
            if base in trained:
                pairs = zip(old, refs[f"u{name}"], strict=True)
                yield f"{NEW}{name}", [f"{w}+{u}" for w, u in pairs]
            else:
                yield f"{NEW}{name}", list(old)


def _factors(
    step: StepLayout, layer: Layer, refs: dict[str, Cells]
) -> Iterator[tuple[str, list[str]]]:
    """δ = what comes back · mask · slope, each in cells of its own."""
    l, network = layer.index, step.network
    own = own_refs(layer, refs)
    units = range(layer.units)
    if l == len(network.layers):
        loss_slope = network.loss.slope_cell
        assert loss_slope is not None  # a loss without closed form has a slope
        out = output_refs(network, refs)
        back = [loss_slope(out, j) for j in units]
    else:
        back = ["+".join(products_back(network.layers[l], refs, j)) for j in units]
    yield f"back{l}", back
    yield f"slope{l}", [slope_of(layer, own, j) or "1" for j in units]
    factors = [refs[f"back{l}"], *([refs[f"k{l}"]] if layer.dropout else []), refs[f"slope{l}"]]
    yield f"delta{l}", ["*".join(factor[j] for factor in factors) for j in units]


def _list(layout: Layout, step: StepLayout) -> Iterator[Live]:
    """Every number of the ledger's row beside the one above, and whether they are the same."""
    region = layout.train
    first = step.list_row + 2
    for n, (name, i, label) in enumerate(step.listed):
        row = first + n
        sheet, column = layout.on_sheets.place(name, i)
        held = cells.look_up(f"{sheet}!${column}", region.row, region.last_row, _place(layout, 0))
        box = step.boxes["x" if name == "x" else name]
        cell = box.cells[i]
        at = step.wide[1:5]
        train, own = address(row, at[0]), address(row, at[1])
        yield Live(row, at[0], held, f"{label} on Train")
        yield Live(row, at[1], cell, f"{label} on {STEP}")
        yield Live(row, at[2], f"{own}-{train}", f"difference of {label}")
        close = f"IF(ABS({own}-{train})<=0.000000001*MAX(1,ABS({train})),0,1)"
        flag = f"IF(ISNUMBER({train}),IF(ISNUMBER({own}),{close},1),IF(ISNUMBER({own}),1,0))"
        yield Live(row, at[3], flag, f"whether {label} differs")
    column = letter(step.wide[4])
    flags = f"{column}{first}:{column}{first + len(step.listed) - 1}"
    yield Live(
        CHECK_ROW,
        1,
        f'IF(SUM({flags})=0,"{SAME}","{OTHER}")',
        "check of the whole step",
    )
