"""The formulas of back propagation: from the loss to each layer's gradients."""

from __future__ import annotations

from collections.abc import Iterator

from sheetnet.concepts import cells
from sheetnet.concepts.parts import References
from sheetnet.forward_formulas import fed, output_refs, own_refs
from sheetnet.ledger import needs_output_slope
from sheetnet.network import Layer, Network


def backward_columns(network: Network, refs: References) -> Iterator[tuple[str, list[str]]]:
    """From the loss's slope to the first layer's gradients: (quantity, text of each column)."""
    out = output_refs(network, refs)
    if needs_output_slope(network):
        slope = network.loss.slope_cell
        assert slope is not None
        name = f"da{network.layers[-1].index}"
        yield name, [slope(out, k) for k in range(network.outputs)]
    for layer in reversed(network.layers):
        yield (
            f"delta{layer.index}",
            _output_delta(network, refs, out)
            if layer.index == len(network.layers)
            else _hidden_delta(layer, network.layers[layer.index], refs),
        )
        yield from _gradients(network, layer, refs)


def _output_delta(network: Network, refs: References, out: References) -> list[str]:
    last, loss = network.layers[-1], network.loss
    units = range(last.units)
    closed = loss.deltas.get(last.activation.name)
    if closed is not None:
        return [closed.cell(out, k) for k in units]
    back = last.activation.back_cell
    if back is not None:
        return [back(refs[f"da{last.index}"], out["a"], k) for k in units]
    loss_slope = loss.slope_cell
    assert loss_slope is not None
    return [_times_slope(loss_slope(out, k), last, out, k) for k in units]


def _hidden_delta(layer: Layer, after: Layer, refs: References) -> list[str]:
    own = own_refs(layer, refs)
    texts = []
    for i in range(layer.units):
        back = cells.written_sum(products_back(after, refs, i))
        if layer.dropout:
            back += f"*{refs[f'k{layer.index}'][i]}"
        texts.append(_times_slope(back, layer, own, i))
    return texts


def products_back(after: Layer, refs: References, i: int) -> list[str]:
    """The terms of what a layer hands back to unit i (from 0) of the one before: δ_j w_ji."""
    delta, w = refs[f"delta{after.index}"], refs[f"W{after.index}"]
    return [f"{delta[j]}*{w[j * after.inputs + i]}" for j in range(after.units)]


def slope_of(layer: Layer, own: References, j: int) -> str:
    """f′(z) of unit j (from 0); an empty text where it is 1."""
    slope = layer.activation.slope_cell
    assert slope is not None  # units that depend on each other have none
    return slope(own["z"][j], own["a"][j])


def _times_slope(text: str, layer: Layer, own: References, j: int) -> str:
    factor = slope_of(layer, own, j)
    return f"{text}*{factor}" if factor else text


def _gradients(network: Network, layer: Layer, refs: References) -> Iterator[tuple[str, list[str]]]:
    l = layer.index
    delta, x = refs[f"delta{l}"], fed(network, layer, refs)
    yield f"dW{l}", [f"{d}*{value}" for d in delta for value in x]
    if layer.train_bias:
        yield f"db{l}", list(delta)
