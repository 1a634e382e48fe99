"""The first weights and biases: those that the spec gives, and others drawn from its seed."""

from __future__ import annotations

import numpy as np

from sheetnet.concepts.arithmetic import Array
from sheetnet.concepts.initializers import INITIALIZERS
from sheetnet.errors import SpecError
from sheetnet.network import Layer, Network
from sheetnet.randomness import weights_stream
from sheetnet.spec import LayerSpec, Spec


def first_weights(spec: Spec, network: Network) -> tuple[tuple[Array, ...], tuple[Array, ...]]:
    """Of each layer (units, inputs) and (units,); raises :class:`SpecError` for another size."""
    draw = INITIALIZERS[spec.training.initializer].draw
    weights, biases = [], []
    for given, layer in zip(spec.layers, network.layers, strict=True):
        _check_given(given, layer)
        random = weights_stream(spec.training.seed, layer.index)
        drawn = given.weights is None
        w = (
            draw(random, layer.units, layer.inputs)
            if drawn
            else np.array(given.weights, dtype=float)
        )
        weights.append(w)
        bias = np.zeros(layer.units) if given.bias is None else np.array(given.bias, dtype=float)
        biases.append(bias)
    return tuple(weights), tuple(biases)


def _check_given(given: LayerSpec, layer: Layer) -> None:
    where = f"layers[{layer.index}]"
    if given.weights is not None:
        shape = (len(given.weights), len(given.weights[0]))
        if shape != (layer.units, layer.inputs):
            raise SpecError(
                f"{where}.weights has {shape[0]} rows of {shape[1]} numbers: needed are "
                f"{layer.units} rows (units) of {layer.inputs} (inputs of the layer)"
            )
    if given.bias is not None and len(given.bias) != layer.units:
        raise SpecError(
            f"{where}.bias has {len(given.bias)} numbers: needed are {layer.units} (units)"
        )
