"""The state_dict of a plain stack of linear layers as layers, whatever file holds it.

Its names are those of PyTorch: ``0.weight``, ``net.2.bias``; weights are (units,
inputs) there as here. It does not hold activations, nor what the outputs stand for.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from sheetnet.concepts.activations import ACTIVATIONS
from sheetnet.errors import ModelError
from sheetnet.starting.model import Dense, Model
from sheetnet.values import choice

Stack = list[tuple[str, Any, Any | None]]
"""Of each layer: name, weights (units, inputs), bias (units,) or None."""

ORDERS = 2
"""Orders that are looked for: a second one means that the first is a guess."""


def stack_of(state: Mapping[str, Any], *, ordered: bool) -> Stack:
    """The linear layers of a state_dict, in the order in which they chain.

    ``ordered``: the mapping has them in the order in which the model defines them.
    Raises :class:`ModelError` that names the first tensor that belongs to none.
    """
    parts: dict[str, dict[str, Any]] = {}
    for name, tensor in state.items():
        prefix, _, kind = name.rpartition(".")
        dimensions = {"weight": 2, "bias": 1}.get(kind)
        if dimensions is None or tensor.ndim != dimensions or not tensor.size:
            shape = "×".join(map(str, tensor.shape)) or "a single number"
            raise ModelError(
                f"tensor {name!r} ({shape}) is not one of a linear layer: 2-D weights and 1-D "
                "biases are, and nothing else maps onto layers"
            )
        if tensor.dtype.kind != "f":
            raise ModelError(f"tensor {name!r} holds {tensor.dtype}: real numbers are needed")
        if not np.isfinite(tensor).all():
            raise ModelError(f"tensor {name!r} holds a number that is not finite")
        parts.setdefault(prefix, {})[kind] = tensor
    if not parts:
        raise ModelError("the state_dict holds no tensor")
    for prefix, own in parts.items():
        if "weight" not in own:
            raise ModelError(f"tensor {_name(prefix, 'bias')!r} has no weights beside it")
        if "bias" in own and len(own["bias"]) != len(own["weight"]):
            raise ModelError(
                f"tensor {_name(prefix, 'bias')!r} has {len(own['bias'])} numbers, but its layer "
                f"{len(own['weight'])} units"
            )
    stack: Stack = [(prefix, own["weight"], own.get("bias")) for prefix, own in parts.items()]
    return _in_order(stack, ordered=ordered)


def _name(prefix: str, kind: str) -> str:
    return f"{prefix}.{kind}" if prefix else kind


def _in_order(stack: Stack, *, ordered: bool) -> Stack:
    if not ordered:
        stack = sorted(stack, key=lambda layer: _natural(layer[0]))
    numbered = len({re.sub(r"\d+", "#", name) for name, _, _ in stack}) == 1
    if not (ordered or numbered):
        found = list(itertools.islice(_chains([], stack), ORDERS))
        if len(found) > 1:
            raise ModelError(
                f"the order of the layers {', '.join(name for name, _, _ in stack)} cannot be told "
                "from their names and sizes: number them, or save them with torch.save"
            )
        stack = found[0] if found else stack
    for (before, weights, _), (name, next_weights, _) in itertools.pairwise(stack):
        if len(weights) != next_weights.shape[1]:
            raise ModelError(
                f"tensor {_name(name, 'weight')!r} takes {next_weights.shape[1]} inputs, but "
                f"{_name(before, 'weight')!r} before it has {len(weights)} units: "
                "only layers that follow one another map"
            )
    return stack


def _natural(name: str) -> list[tuple[int, int, str]]:
    """So that ``net.10`` stands behind ``net.2``."""
    parts = re.findall(r"\d+|\D+", name)
    return [(0, int(p), "") if p.isdigit() else (1, 0, p) for p in parts]


def _chains(done: Stack, left: Stack) -> Any:
    """All orders in which each layer takes what the one before gives."""
    if not left:
        yield done
    for index, layer in enumerate(left):
        if not done or len(done[-1][1]) == layer[1].shape[1]:
            yield from _chains([*done, layer], [*left[:index], *left[index + 1 :]])


def model_of(
    name: str, stack: Stack, activations: Sequence[str], last_activation: str | None
) -> Model:
    """Layers with the activations given: one for all hidden layers, or one for each."""
    hidden = len(stack) - 1
    for given in activations:
        choice("--activation", given, _hidden_activations())
    if last_activation is not None:
        choice("--last-activation", last_activation, ACTIVATIONS)
    if hidden and not activations:
        raise ModelError(
            f"{name} does not say the activations of its {hidden} hidden layers: name them with "
            f"--activation ({', '.join(_hidden_activations())})"
        )
    if len(activations) not in (0, 1, hidden) or (activations and not hidden):
        raise ModelError(
            f"--activation names {len(activations)}, but {name} has {hidden} hidden layers: one "
            "for all of them, or one for each, is needed"
        )
    each = list(activations) if len(activations) == hidden else list(activations) * hidden
    layers = tuple(
        Dense(
            np.asarray(weights, dtype=np.float64),
            np.zeros(len(weights)) if bias is None else np.asarray(bias, dtype=np.float64),
            activation,
            bias is not None,
        )
        for (_, weights, bias), activation in zip(
            stack, [*each, last_activation or ""], strict=True
        )
    )
    order = " → ".join(prefix or "weight" for prefix, _, _ in stack)
    notes = [
        f"Layers in this order: {order}. The file holds no activations: those below were named."
    ]
    narrow = sorted({str(w.dtype) for _, w, _ in stack} - {"float64"})
    if narrow:
        notes.append(f"Its weights are {', '.join(narrow)}; all is computed in float64 here.")
    return Model(name, layers, classes=(), notes=tuple(notes))


def _hidden_activations() -> dict[str, Any]:
    return {name: record for name, record in ACTIVATIONS.items() if not record.last_only}
