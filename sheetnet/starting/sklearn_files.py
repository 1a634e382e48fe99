"""Estimators of scikit-learn from a file, with the scalers of a pipeline before them."""

from __future__ import annotations

import dataclasses
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from sheetnet.concepts.arithmetic import Array
from sheetnet.errors import ModelError
from sheetnet.starting.model import Affine, Model, Reference
from sheetnet.starting.sklearn_models import layers_of

INSTALL = "pip install 'sheetnet[sklearn]'"


def load_estimator(path: Path, *, trust: bool) -> Any:
    """Unpickle a file of joblib or pickle; this runs code that the file holds.

    Raises :class:`ModelError` where ``trust`` is not given, before anything is read.
    """
    if not trust:
        raise ModelError(
            f"{path} is a pickle, and reading a pickle runs whatever code it holds: give "
            "--trust-pickle if you made the file yourself or trust its maker"
        )
    try:
        import joblib
        import sklearn
    except ImportError:
        raise ModelError(f"--from-sklearn needs scikit-learn: {INSTALL}") from None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return joblib.load(path)
    except FileNotFoundError:
        raise ModelError(f"--from-sklearn: {path} is not there") from None
    except OSError as error:
        raise ModelError(f"{path} cannot be read ({error.strerror or error})") from None
    except Exception as error:  # whatever a pickle may raise
        raise ModelError(
            f"{path} cannot be read by scikit-learn {sklearn.__version__} "
            f"({type(error).__name__}: {error})"
        ) from None


def model_of(estimator: Any) -> Model:
    """A fitted estimator, or a pipeline of scalers with one at its end, as layers."""
    chosen = getattr(estimator, "best_estimator_", estimator)  # of a search
    steps = [step for _, step in getattr(chosen, "steps", [("", chosen)])]
    *before, last = steps
    scalers = [step for step in before if step not in (None, "passthrough")]
    model = layers_of(last)
    affine = _scaling(scalers, model.inputs)
    names = getattr(chosen, "feature_names_in_", None)
    reference = model.reference
    if reference is not None and scalers:
        reference = Reference(_after(scalers, reference.value), reference.quantity)
    if reference is not None:
        reference = Reference(_quietly(reference.value), reference.quantity)
    return dataclasses.replace(
        model,
        name=" + ".join(type(step).__name__ for step in (*scalers, last)),
        input_names=None if names is None else tuple(str(name) for name in names),
        affine=affine,
        reference=reference,
    )


def _after(scalers: list[Any], value: Callable[[Array], Array]) -> Callable[[Array], Array]:
    def scaled(x: Array) -> Array:
        for scaler in scalers:
            x = scaler.transform(x)
        return value(x)

    return scaled


def _quietly(value: Callable[[Array], Array]) -> Callable[[Array], Array]:
    """Names of columns are compared here, not by scikit-learn's warnings."""

    def quiet(x: Array) -> Array:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return value(x)

    return quiet


def _scaling(scalers: list[Any], inputs: int) -> Affine | None:
    """All scalers of a pipeline as one: (x − offset) · factor."""
    if not scalers:
        return None
    factor, shift = np.ones(inputs), np.zeros(inputs)  # x · factor + shift
    scale = ""
    for scaler in scalers:
        kind = type(scaler).__name__
        if kind not in _SCALERS or not type(scaler).__module__.startswith("sklearn."):
            raise ModelError(
                f"the pipeline's step {kind} does not map onto layers; these do: "
                f"{', '.join(_SCALERS)}"
            )
        scale, statistics = _SCALERS[kind]
        if not hasattr(scaler, "n_features_in_"):
            raise ModelError(f"the pipeline's step {kind} is not fitted")
        own_factor, own_shift = statistics(scaler, inputs)
        factor, shift = factor * own_factor, shift * own_factor + own_shift
    return Affine(-shift / factor, factor, scale)


def _standard(scaler: Any, inputs: int) -> tuple[Array, Array]:
    mean = np.zeros(inputs) if scaler.mean_ is None or not scaler.with_mean else scaler.mean_
    factor = np.ones(inputs) if scaler.scale_ is None else 1.0 / scaler.scale_
    return factor, -mean * factor


def _minmax(scaler: Any, inputs: int) -> tuple[Array, Array]:
    if scaler.clip:
        raise ModelError(
            "the pipeline's MinMaxScaler clips what lies outside its range, which no layer does"
        )
    return np.broadcast_to(scaler.scale_, (inputs,)), np.broadcast_to(scaler.min_, (inputs,))


_SCALERS: dict[str, tuple[str, Callable[[Any, int], tuple[Array, Array]]]] = {
    "StandardScaler": ("standard", _standard),
    "MinMaxScaler": ("minmax", _minmax),
}
