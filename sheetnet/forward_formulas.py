"""The formulas from inputs and weights to the loss, for ``Train`` and ``Validation`` alike."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from sheetnet.concepts import cells
from sheetnet.concepts.cells import Cells
from sheetnet.concepts.dropout import DROPOUT, rate_name
from sheetnet.concepts.parts import References
from sheetnet.data_layout import DataLayout
from sheetnet.formula import Formula, same
from sheetnet.ledger import Ledger, input_of
from sheetnet.network import Layer, Network
from sheetnet.regions import DATA, letter

FED = "in"
"""With a layer's number, the name of cells that repeat what it takes in."""


def cells_of(ledger: Ledger, column: int = 1) -> dict[str, Cells]:
    """The cells of each quantity in the row of the formula; the first stands in ``column``."""
    return {
        block.name: Cells(
            tuple(f"{letter(block.first + column + i)}{{r}}" for i in range(block.size))
        )
        for block in ledger.blocks
    }


def columns_of(
    ledger: Ledger, found: Mapping[str, Sequence[Formula]]
) -> tuple[Formula | None, ...]:
    """The formulas of all columns in order, from those of each quantity; None: constants."""
    columns: list[Formula | None] = []
    for block in ledger.blocks:
        columns.extend(found.get(block.name, [None] * block.size))
    return tuple(columns)


def lookups(
    data: DataLayout, column: int, columns: int, sample: Cells, last_row: int
) -> list[Formula]:
    """X and y: the sample's row of the data, whose columns depend on no other sheet."""
    found = []
    for c in range(column, column + columns):
        place = f"${sample[0]}"
        text = cells.look_up(f"{DATA}!{letter(c)}", data.first_row, last_row, place)
        found.append(same(text))
    return found


def forward_columns(network: Network, refs: References) -> Iterator[tuple[str, list[str]]]:
    """From weighted sums to the loss: (quantity, the text of each of its columns)."""
    yield from prediction_columns(network, refs)
    yield "loss", [network.loss.cell(output_refs(network, refs))]


def prediction_columns(network: Network, refs: References) -> Iterator[tuple[str, list[str]]]:
    """From weighted sums to the outputs, where there is no target."""
    for layer in network.layers:
        yield from _layer(network, layer, refs)


def _layer(network: Network, layer: Layer, refs: References) -> Iterator[tuple[str, list[str]]]:
    l = layer.index
    w, b, x = refs[f"W{l}"], refs[f"b{l}"], fed(network, layer, refs)
    yield (
        f"z{l}",
        [cells.weighted_sum(b[j], _row_of(w, j, layer.inputs), x) for j in range(layer.units)],
    )
    own = own_refs(layer, refs)
    for part in layer.activation.parts:
        columns = layer.units if part.per_unit else 1
        yield f"{part.name}{l}", [part.cell(own, j) for j in range(columns)]
    if layer.dropout:
        rate = rate_name(l)
        yield f"k{l}", [DROPOUT.mask_cell(u, rate) for u in refs[f"r{l}"]]
        pairs = zip(refs[f"a{l}"], refs[f"k{l}"], strict=True)
        yield f"d{l}", [f"{a}*{k}" for a, k in pairs]


def fed(network: Network, layer: Layer, refs: References) -> Cells:
    """What a layer takes in: cells of its own where there are any (``in2``)."""
    return refs.get(f"{FED}{layer.index}") or refs[input_of(network, layer)]


def _row_of(block: Cells, j: int, inputs: int) -> Cells:
    """The weights of unit j (from 0) of a block that lists unit after unit."""
    return Cells(block.refs[j * inputs : (j + 1) * inputs])


def own_refs(layer: Layer, refs: References) -> dict[str, Cells]:
    """A layer's own quantities under their base names: z, a and what is between."""
    names = ("z", *(part.name for part in layer.activation.parts))
    return {name: refs[f"{name}{layer.index}"] for name in names}


def output_refs(network: Network, refs: References) -> dict[str, Cells]:
    """The output layer's quantities, and y."""
    return {**own_refs(network.layers[-1], refs), "y": refs["y"]}
