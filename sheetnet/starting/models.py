"""Trained models from wherever they are: a file, an estimator, a mapping of tensors."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from sheetnet.errors import ModelError
from sheetnet.starting import sklearn_files, torch_files, torch_models
from sheetnet.starting.model import Model


@dataclasses.dataclass(frozen=True)
class Unsaid:
    """What a state_dict does not say, and what no model says of the data's classes."""

    activation: Sequence[str] = ()
    last_activation: str | None = None
    classes: Sequence[str] = ()


def from_sklearn(path: Path, unsaid: Unsaid, *, trust: bool) -> Model:
    """The layers of an estimator in a pickle, which is read only if it is trusted."""
    return model_of(sklearn_files.load_estimator(path, trust=trust), unsaid)


def from_torch(path: Path, unsaid: Unsaid) -> Model:
    """The layers of a state_dict in a file."""
    state, ordered = torch_files.load_state(path)
    return _of_state(path.name, state, unsaid, ordered=ordered)


def model_of(model: Any, unsaid: Unsaid) -> Model:
    """The layers of a fitted estimator, or of a state_dict."""
    if isinstance(model, Mapping):
        state = torch_files.arrays_of(model)
        return _of_state("the state_dict", state, unsaid, ordered=True)
    if unsaid.activation or unsaid.last_activation:
        raise ModelError(
            "--activation and --last-activation go with --from-torch: others say theirs"
        )
    return _named(sklearn_files.model_of(model), unsaid.classes)


def _of_state(name: str, state: Mapping[str, Any], unsaid: Unsaid, *, ordered: bool) -> Model:
    stack = torch_models.stack_of(state, ordered=ordered)
    model = torch_models.model_of(name, stack, unsaid.activation, unsaid.last_activation)
    return _named(model, unsaid.classes)


def _named(model: Model, classes: Sequence[str]) -> Model:
    """The model with other names for its classes, in its own order."""
    if not classes:
        return model
    if model.classes is None:
        raise ModelError(f"--class names classes, but {model.name} has none: it predicts numbers")
    if model.classes and len(classes) != len(model.classes):
        raise ModelError(
            f"--class names {len(classes)} classes, but {model.name} has {len(model.classes)}: "
            f"{', '.join(map(str, model.classes))}"
        )
    return dataclasses.replace(model, classes=tuple(classes))
