"""Fitted estimators of scikit-learn as layers.

Multi-layer perceptrons and linear models map as they are. Classifiers that learn a
separating line by another loss (hinge and the like) become a sigmoid unit, or softmax
over one line for each class: z is their decision function, and the side on which the
output lies is the class that they predict.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from sheetnet.concepts.arithmetic import Array
from sheetnet.concepts.elsewhere import (
    SCIKIT_ACTIVATIONS,
    counterpart_of,
    rate_factor,
)
from sheetnet.errors import ModelError
from sheetnet.starting.model import Dense, Model, Reference
from sheetnet.starting.sklearn_notes import said_of

REGRESSORS = (
    "LinearRegression",
    "Ridge",
    "RidgeCV",
    "Lasso",
    "LassoCV",
    "ElasticNet",
    "ElasticNetCV",
    "SGDRegressor",
)
BY_SHARES = ("LogisticRegression", "LogisticRegressionCV")
BY_SIDE = ("Perceptron", "SGDClassifier", "RidgeClassifier", "LinearSVC")
BY_LAYERS = ("MLPClassifier", "MLPRegressor")
KNOWN = (*BY_LAYERS, *BY_SIDE, *BY_SHARES, *REGRESSORS)


def layers_of(estimator: Any) -> Model:
    """The layers of a fitted estimator; raises :class:`ModelError` where it has none."""
    kind = type(estimator).__name__
    names = [base.__name__ for base in type(estimator).__mro__ if base.__name__ in KNOWN]
    if not names or not type(estimator).__module__.startswith("sklearn."):
        raise ModelError(f"{kind} does not map onto layers; these do: {', '.join(KNOWN)}")
    name = names[0]
    if not hasattr(estimator, "coefs_" if name in BY_LAYERS else "coef_"):
        raise ModelError(f"{kind} is not fitted: it has no weights")
    parameters = estimator.get_params(deep=False)
    build = next(
        build
        for known, build in (
            (BY_LAYERS, _perceptron),
            (BY_SHARES, _logistic),
            (BY_SIDE, _line),
            (REGRESSORS, _regressor),
        )
        if name in known
    )
    return build(kind, estimator, parameters)


def _perceptron(kind: str, estimator: Any, parameters: Mapping[str, Any]) -> Model:
    """A multi-layer perceptron: all of its layers, and how it was trained."""
    last = estimator.out_activation_
    hidden = parameters["activation"]
    for activation in (hidden, last):
        if activation not in SCIKIT_ACTIVATIONS:
            raise ModelError(f"{kind} has the activation {activation!r}, which is not there")
    count = len(estimator.coefs_)
    layers = tuple(
        Dense(
            np.asarray(w, dtype=np.float64).T,
            np.asarray(b, dtype=np.float64),
            SCIKIT_ACTIVATIONS[last if index == count else hidden],
        )
        for index, (w, b) in enumerate(zip(estimator.coefs_, estimator.intercepts_, strict=True), 1)
    )
    classes = getattr(estimator, "classes_", None)
    outputs = layers[-1].weights.shape[0]
    if outputs > 1 and layers[-1].activation == "sigmoid":
        classes = None  # several targets of 0 and 1
    reference = estimator.predict if classes is None else estimator.predict_proba
    if classes is None and hasattr(estimator, "predict_proba"):
        reference = estimator.predict_proba
    training, notes = _trained(parameters, layers[-1])
    share = float(parameters["validation_fraction"]) if parameters["early_stopping"] else 0.0
    if share:
        training["patience"] = int(parameters["n_iter_no_change"])
        notes = (
            *notes,
            f"It held out {share:g} of the rows, others than are held out here, and judged by "
            "their score, not by their loss.",
        )
    return Model(
        kind,
        layers,
        classes=None if classes is None else tuple(classes),
        training=training,
        share=share,
        reference=Reference(_columns(reference, outputs)),
        notes=(*notes, *said_of(parameters, taken=("early_stopping",))),
    )


def _columns(predict: Callable[[Array], Any], outputs: int) -> Callable[[Array], Array]:
    """Predictions as (rows, outputs): of two shares on one unit the second."""

    def value(x: Array) -> Array:
        found = np.asarray(predict(x), dtype=np.float64).reshape(len(x), -1)
        return found[:, -1:] if outputs == 1 else found

    return value


def _trained(parameters: Mapping[str, Any], last: Dense) -> tuple[dict[str, Any], tuple[str, ...]]:
    """How a multi-layer perceptron was trained, as keys of ``[training]``."""
    training = _common(parameters)
    size = parameters["batch_size"]
    training["batch_size"] = 200 if size == "auto" else int(size)
    found = counterpart_of(parameters)
    if found is None:
        return training | {"batch_size": 1}, (
            f"It was trained by solver = {parameters['solver']!r}, which has no counterpart here.",
        )
    factor = rate_factor(last.activation, len(last.bias)) if found.proportional else 1.0
    rate = float(parameters["learning_rate_init"])
    training |= {"optimizer": found.optimizer, "learning_rate": rate * factor, **found.numbers}
    notes = []
    if factor != 1:
        notes.append(
            f"Its learning rate {rate:g} times {factor:g} makes equal steps: losses are averaged "
            "over outputs here, and mse is not halved."
        )
    if found.remark:
        notes.append(f"Trained by {found.optimizer}: {found.remark}.")
    return training, tuple(notes)


def _common(parameters: Mapping[str, Any]) -> dict[str, Any]:
    seed = parameters.get("random_state")
    known = isinstance(seed, (int, np.integer)) and 0 <= int(seed) < 2**32
    shuffle = {"shuffle": bool(parameters["shuffle"])} if "shuffle" in parameters else {}
    return {**shuffle, **({"seed": int(seed)} if known and seed is not None else {})}


def _linear(estimator: Any, parameters: Mapping[str, Any], activation: str) -> Dense:
    """The one layer of a linear model."""
    coefficients = estimator.coef_
    if hasattr(coefficients, "toarray"):  # sparsified
        coefficients = coefficients.toarray()
    weights = np.atleast_2d(np.asarray(coefficients, dtype=np.float64))
    intercept = np.asarray(estimator.intercept_, dtype=np.float64).reshape(-1)
    bias = np.broadcast_to(intercept, (len(weights),))
    return Dense(weights, bias, activation, bool(parameters["fit_intercept"]))


def _decision(estimator: Any) -> Callable[[Array], Array]:
    return lambda x: np.asarray(estimator.decision_function(x), dtype=np.float64).reshape(
        len(x), -1
    )


def _logistic(kind: str, estimator: Any, parameters: Mapping[str, Any]) -> Model:
    """Shares of classes: a sigmoid, softmax, or a sigmoid for each class against the rest."""
    notes = said_of(parameters)
    layer = _linear(estimator, parameters, "sigmoid")
    outputs = len(layer.weights)
    reference = Reference(_columns(estimator.predict_proba, outputs))
    if outputs == 1 and parameters.get("multi_class") == "multinomial":
        # Softmax over (−z, z) is a sigmoid of 2 z.
        layer = Dense(2 * layer.weights, 2 * layer.bias, layer.activation, layer.train_bias)
    elif outputs > 1 and _one_against_rest(parameters):
        reference = Reference(_decision(estimator), "z")
        notes = (*notes, _ONE_AGAINST_REST)
    elif outputs > 1:
        layer = Dense(layer.weights, layer.bias, "softmax", layer.train_bias)
    return Model(
        kind,
        (layer,),
        classes=tuple(estimator.classes_),
        training=_common(parameters),
        reference=reference,
        notes=notes,
    )


_ONE_AGAINST_REST = (
    "Each sigmoid tells its class from all others. Its predict_proba divides these shares by their "
    "sum, the sheet shows them as they are; the largest is the same."
)


def _one_against_rest(parameters: Mapping[str, Any]) -> bool:
    return parameters.get("multi_class") == "ovr" or parameters["solver"] == "liblinear"


def _line(kind: str, estimator: Any, parameters: Mapping[str, Any]) -> Model:
    """Separating lines: z is the decision function."""
    shares = parameters.get("loss") == "log_loss"
    layer = _linear(estimator, parameters, "sigmoid")
    outputs = len(layer.weights)
    notes = said_of(parameters)
    if shares:
        notes = (*notes, _ONE_AGAINST_REST) if outputs > 1 else notes
    else:
        if outputs > 1:
            layer = Dense(layer.weights, layer.bias, "softmax", layer.train_bias)
        side = "the largest output names" if outputs > 1 else "the side of 0.5 tells"
        notes = (
            *notes,
            f"It learned by another loss ({parameters.get('loss') or 'its own'}): z is its "
            f"decision_function and {side} the class that it predicts, but outputs are no shares "
            "that it knows, and from here on training goes by the loss below.",
        )
    training = _common(parameters)
    rate = _rate(parameters)
    if rate is not None:
        training["learning_rate"] = rate * (outputs if shares else 1)
        if shares and outputs > 1:
            notes = (
                *notes,
                f"Its learning rate {rate:g} times {outputs} makes equal steps: the loss is "
                "averaged over outputs here.",
            )
    # Shares of two classes are compared themselves; of others their z.
    both = shares and outputs == 1
    reference = (
        Reference(_columns(estimator.predict_proba, 1))
        if both
        else Reference(_decision(estimator), "z")
    )
    return Model(
        kind,
        (layer,),
        classes=tuple(estimator.classes_),
        training=training,
        reference=reference,
        notes=notes,
    )


def _rate(parameters: Mapping[str, Any]) -> float | None:
    """The learning rate that training began with, where it is one of its own numbers."""
    if "eta0" not in parameters or parameters.get("learning_rate") == "optimal":
        return None
    return float(parameters["eta0"]) or None


def _regressor(kind: str, estimator: Any, parameters: Mapping[str, Any]) -> Model:
    """A linear unit for each target."""
    layer = _linear(estimator, parameters, "linear")
    training = _common(parameters)
    notes = said_of(parameters)
    rate = _rate(parameters)
    if rate is not None:
        training["learning_rate"] = rate / 2
        notes = (
            *notes,
            f"Half of its learning rate {rate:g} makes equal steps: mse is not halved.",
        )
        if parameters["loss"] != "squared_error":
            notes = (*notes, f"It learned by another loss ({parameters['loss']}) than mse.")
    outputs = len(layer.weights)
    return Model(
        kind,
        (layer,),
        training=training,
        reference=Reference(_columns(estimator.predict, outputs)),
        notes=notes,
    )
