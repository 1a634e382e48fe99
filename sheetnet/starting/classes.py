"""What a model's outputs stand for, put in the order in which the target is coded.

Two classes are coded 0 and 1 on one unit, more of them one-hot, in sorted order.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from sheetnet.concepts.activations import ACTIVATIONS, SOFTMAX
from sheetnet.concepts.arithmetic import Array
from sheetnet.data import label_text
from sheetnet.errors import ModelError
from sheetnet.sources import Columns, listed, parsed
from sheetnet.starting.model import Dense, Model, Reference
from sheetnet.starting.table import sort_classes, task_of


@dataclass(frozen=True)
class Coded:
    """A model whose outputs are in the order of the codes; ``classes`` () : numbers."""

    model: Model
    classes: tuple[object, ...] = ()
    target_scale: str = "none"
    why: str = ""
    notes: tuple[str, ...] = ()


def in_coded_order(model: Model, columns: Columns, target: Sequence[str]) -> Coded:
    """Fit the model's outputs to the target; raises :class:`ModelError` where they do not."""
    unknown = model.classes == ()
    if not model.layers[-1].activation:
        model = _with_last_activation(model, columns, target)
    if model.classes is None or (unknown and not _classifies(model, columns, target)):
        if model.outputs != len(target):
            raise ModelError(
                f"{model.name} has {_outputs(model)}, but {len(target)} target columns are named "
                f"({', '.join(target)})"
            )
        return Coded(model)
    if len(target) > 1:
        raise ModelError(f"{model.name} tells classes apart: one target column is needed")
    cells = columns.column(target[0])
    texts = any(isinstance(cell, str) for cell in cells)
    values = sort_classes(label_text(cell) for cell in cells) if texts else sort_classes(cells)
    classes = values if unknown else tuple(_label(c, texts=texts) for c in model.classes)
    if set(classes) != set(values) or len(classes) != len(values):
        raise ModelError(
            f"{model.name} tells {_listed(model.classes)} apart, but {target[0]!r} holds "
            f"{_listed(values)}: name these with --class, in the order of the model's classes"
        )
    coded = _one_unit(model, classes, values, texts=texts) if model.outputs == 1 else None
    return coded or _one_hot(model, classes, values, unknown=unknown, texts=texts)


def _outputs(model: Model) -> str:
    return f"{model.outputs} output{'s' if model.outputs > 1 else ''}"


def _listed(values: Sequence[object]) -> str:
    numbers = (int, float, np.number)
    return listed(
        f"{value:g}" if isinstance(value, numbers) else repr(str(value)) for value in values
    )


def _label(value: object, *, texts: bool) -> object:
    """A class of the model as the table's cells would have it."""
    if isinstance(value, (bool, np.bool_)):
        return str(value) if texts else float(value)
    cell = parsed(value if isinstance(value, str) else float(str(value)))
    return label_text(cell) if texts else cell


def _classifies(model: Model, columns: Columns, target: Sequence[str]) -> bool:
    """Whether outputs without names stand for the classes of one column."""
    if len(target) > 1:
        return False
    cells = columns.column(target[0])
    if any(isinstance(cell, str) for cell in cells) or model.outputs > 1:
        return True
    return model.layers[-1].activation == "sigmoid" and len(set(cells)) == 2


def _with_last_activation(model: Model, columns: Columns, target: Sequence[str]) -> Model:
    """Choose the last activation by the target, where the model does not say it."""
    last = model.layers[-1]
    classes = len(set(columns.column(target[0]))) if len(target) == 1 else 0
    task = task_of(columns, target)
    if len(target) == 1 and model.outputs == classes > 1:
        activation = SOFTMAX.name
    elif task.classes and model.outputs == (1 if classes == 2 else len(target)):
        if classes > 2:
            raise ModelError(
                f"{model.name} has {_outputs(model)}, but {target[0]!r} has {classes} classes"
            )
        activation = "sigmoid"
    elif not task.classes and model.outputs == len(target):
        activation = "linear"
    else:
        raise ModelError(
            f"{model.name} has {_outputs(model)}, which do not fit the target "
            f"{', '.join(target)} ({task.name}"
            + (f" of {classes} classes)" if task.classes and classes else ")")
        )
    layer = dataclasses.replace(last, activation=activation)
    return dataclasses.replace(model, layers=(*model.layers[:-1], layer))


def _one_unit(
    model: Model, classes: tuple[object, ...], values: tuple[object, ...], *, texts: bool
) -> Coded:
    """Two classes on one unit: its output is the share of the second."""
    if len(values) != 2:
        raise ModelError(f"{model.name} has 1 output, but there are {len(values)} classes")
    why = f"Coded 0 and 1 in this order: {_listed(values)}."
    if classes != values:
        last = model.layers[-1]
        if last.activation != "sigmoid":
            raise ModelError(
                f"{model.name} has its classes in the order {_listed(classes)}: a last layer of "
                f"{last.activation} cannot be turned round"
            )
        turned = dataclasses.replace(last, weights=-last.weights, bias=-last.bias)
        model = _with_last(
            model, turned, lambda q: (lambda out: 1.0 - out) if q == "a" else np.negative
        )
        why += " The model has them the other way round: its last weights have changed sign."
    plain = texts or values == (0.0, 1.0)
    return Coded(model, values, "none" if plain else "minmax", why)


def _one_hot(
    model: Model,
    classes: tuple[object, ...],
    values: tuple[object, ...],
    *,
    unknown: bool,
    texts: bool,
) -> Coded:
    """A unit for each class."""
    if model.outputs != len(values):
        raise ModelError(f"{model.name} has {_outputs(model)}, but there are {len(values)} classes")
    why = f"Coded one-hot in this order: {_listed(values)}."
    notes: tuple[str, ...] = ()
    last = model.layers[-1]
    if unknown:
        notes = (
            f"The file does not say which output stands for which class: they are taken in "
            f"sorted order, {_listed(values)}; --class names another one.",
        )
    if not (texts or ACTIVATIONS[last.activation].coupled):
        if model.reference is None or model.reference.quantity != "z":
            raise ModelError(
                f"classes that are numbers go with a last layer of {SOFTMAX.name}, not with "
                f"{last.activation}: write them as texts"
            )
        last = dataclasses.replace(last, activation=SOFTMAX.name)
        model = _with_last(model, last, lambda q: lambda out: out)
        notes = (
            *notes,
            f"The classes are numbers, so the last layer is {SOFTMAX.name} in place of sigmoids: "
            "z and the class with the largest output are the same, the shares are not.",
        )
    order = [classes.index(value) for value in values]
    if order != sorted(order):
        turned = dataclasses.replace(last, weights=last.weights[order], bias=last.bias[order])
        model = _with_last(model, turned, lambda q: lambda out: out[:, order])
        why += " The units of the last layer are put in this order."
    return Coded(model, values, "none", why, notes)


def _with_last(
    model: Model, layer: Dense, change: Callable[[str], Callable[[Array], Array]]
) -> Model:
    """Another last layer, and what its outputs must be: ``change`` of what they were."""
    reference = model.reference
    if reference is not None:
        value, after = reference.value, change(reference.quantity)
        reference = Reference(lambda x: after(value(x)), reference.quantity)
    return dataclasses.replace(model, layers=(*model.layers[:-1], layer), reference=reference)
