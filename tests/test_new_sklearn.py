"""Specs that start from estimators of scikit-learn: first predictions are the model's own."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from support import WITHOUT_VIEWS, run

import sheetnet
from sheetnet.errors import ModelError, SheetnetError
from sheetnet.problem import load_problem

sklearn = pytest.importorskip("sklearn")
joblib = pytest.importorskip("joblib")

from sklearn.decomposition import PCA  # noqa: E402
from sklearn.ensemble import RandomForestClassifier  # noqa: E402
from sklearn.linear_model import (  # noqa: E402
    ElasticNet,
    Lasso,
    LinearRegression,
    LogisticRegression,
    Perceptron,
    Ridge,
    RidgeClassifier,
    SGDClassifier,
    SGDRegressor,
)
from sklearn.model_selection import GridSearchCV  # noqa: E402
from sklearn.multiclass import OneVsRestClassifier  # noqa: E402
from sklearn.neural_network import MLPClassifier, MLPRegressor  # noqa: E402
from sklearn.pipeline import make_pipeline  # noqa: E402
from sklearn.preprocessing import MinMaxScaler, StandardScaler  # noqa: E402
from sklearn.svm import LinearSVC  # noqa: E402

EXAMPLES = Path(__file__).parent.parent / "examples"
WITHIN = 1e-12

Array = NDArray[Any]


def table(name: str, target: str) -> tuple[Array, Array, list[str]]:
    """A data set of examples/: inputs, target, names of the inputs."""
    lines = [line.split(",") for line in (EXAMPLES / name).read_text().splitlines()]
    head, rows = lines[0], lines[1:]
    inputs = [k for k, column in enumerate(head) if column != target]
    x = np.array([[float(row[k]) for k in inputs] for row in rows])
    y = np.array([row[head.index(target)] for row in rows])
    return x, y, [head[k] for k in inputs]


IRIS_X, IRIS_Y, IRIS_NAMES = table("iris.csv", "species")
DIABETES_X, DIABETES_TEXT, _ = table("diabetes.csv", "progression")
DIABETES_Y = DIABETES_TEXT.astype(float)


def fitted(estimator: Any, x: Array, y: Array) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # not converged, on purpose
        return estimator.fit(x, y)


def write_csv(path: Path, x: Array, **targets: Any) -> Path:
    names = [f"x{i}" for i in range(1, x.shape[1] + 1)]
    rows = [",".join([*names, *targets])]
    for k, row in enumerate(x):
        rows.append(",".join([*map(repr, row.tolist()), *(str(y[k]) for y in targets.values())]))
    path.write_text("\n".join(rows) + "\n")
    return path


def first_pass(spec: Any, quantity: str = "a") -> Array:
    """The first forward pass of all rows by plain matrices, from what the spec says."""
    problem = load_problem(spec)
    values = problem.inputs.values
    for layer, w, b in zip(problem.network.layers, problem.weights, problem.biases, strict=True):
        z = values @ w.T + b
        values = ACTIVATIONS[layer.activation.name](z)
    order = np.argsort([problem.table.source_row(k) for k in range(problem.table.rows)])
    return (z if quantity == "z" else values)[order]


def _softmax(z: Array) -> Array:
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


ACTIVATIONS: dict[str, Callable[[Array], Array]] = {
    "linear": lambda z: z,
    "sigmoid": lambda z: np.exp(np.minimum(z, 0)) / (1 + np.exp(-np.abs(z))),
    "tanh": np.tanh,
    "relu": lambda z: np.maximum(z, 0),
    "softmax": _softmax,
}


def of_iris(tmp_path: Path, model: Any, **options: Any) -> Any:
    return sheetnet.new(tmp_path / "net.toml", data=EXAMPLES / "iris.csv", target="species",
                        model=model, **options)  # fmt: skip


def agrees(spec: Any, expected: Array, quantity: str = "a") -> None:
    found = first_pass(spec, quantity)
    rows = len(found)
    assert rows > 10
    assert np.abs(found - expected[:rows]).max() <= WITHIN * max(1, np.abs(expected).max())
    # The engine's own first pass: in one batch of all training rows no weight moves.
    problem = load_problem(spec)
    run = sheetnet.train(spec.override(epochs=1, batch_size=problem.rows))
    sources = [problem.table.source_row(int(sample) - 1) - 1 for sample in run["sample"]]
    assert len(set(sources)) == problem.rows
    found = run[f"{quantity}{len(spec.layers)}"]
    assert np.abs(found - expected[sources]).max() <= WITHIN * max(1, np.abs(expected).max())


def small(**extra: Any) -> dict[str, Any]:
    return {"hidden_layer_sizes": (4,), "max_iter": 30, "random_state": 1, **extra}


# --- multi-layer perceptrons


@pytest.mark.parametrize("activation", ["identity", "logistic", "tanh", "relu"])
def test_mlp_classifier(tmp_path: Path, activation: str) -> None:
    model = fitted(MLPClassifier(**small(activation=activation)), IRIS_X, IRIS_Y)
    spec = of_iris(tmp_path, model)
    agrees(spec, model.predict_proba(IRIS_X))
    assert (spec.data.scale, spec.training.optimizer, spec.training.seed) == ("none", "adam", 1)
    assert spec.training.learning_rate == 0.001
    assert spec.training.loss == "cross_entropy"
    weights = np.array(spec.layers[0].weights)
    assert (weights == model.coefs_[0].T).all()  # all digits


def test_mlp_of_two_classes(tmp_path: Path) -> None:
    x, y = IRIS_X[:100], IRIS_Y[:100]
    data = write_csv(tmp_path / "two.csv", x, kind=y)
    model = fitted(MLPClassifier(**small(solver="sgd", momentum=0)), x, y)
    spec = sheetnet.new(tmp_path / "n.toml", data=data, target="kind", model=model)
    agrees(spec, model.predict_proba(x)[:, 1:])
    assert spec.training.optimizer == "sgd"
    assert spec.layers[-1].activation == "sigmoid"


@pytest.mark.parametrize(("nesterov", "name"), [(True, "nesterov"), (False, "momentum")])
def test_mlp_regressor(tmp_path: Path, nesterov: bool, name: str) -> None:
    extra = {"solver": "sgd", "learning_rate_init": 1e-5, "momentum": 0.8, "batch_size": 32,
             "nesterovs_momentum": nesterov}  # fmt: skip
    model = fitted(MLPRegressor(**small(**extra)), DIABETES_X, DIABETES_Y)
    spec = sheetnet.new(tmp_path / "n.toml", data=EXAMPLES / "diabetes.csv", target="progression",
                        model=model)  # fmt: skip
    agrees(spec, model.predict(DIABETES_X)[:, None])
    assert (spec.training.optimizer, spec.training.batch_size) == (name, 32)
    assert spec.training.learning_rate == 0.5e-5  # mse is not halved here
    assert spec.training.hyperparameters["momentum"] == 0.8


@pytest.mark.parametrize("solver", [{"solver": "sgd", "momentum": 0.9}, {"solver": "adam"}])
@pytest.mark.parametrize("kind", ["classes", "two classes", "number", "numbers", "flags"])
def test_training_goes_on_as_scikit_learn_would(
    tmp_path: Path, kind: str, solver: dict[str, Any]
) -> None:
    """One more epoch, both from the same weights: the same steps, batch by batch."""
    random = np.random.RandomState(3)
    x = random.normal(size=(24, 3))
    y: Any = {
        "classes": np.array(["u", "v", "w"])[random.randint(0, 3, 24)],
        "two classes": np.array(["u", "v"])[random.randint(0, 2, 24)],
        "number": x[:, 0] - 0.5 * x[:, 1] ** 2,
        "numbers": np.column_stack((x[:, 0] * 2, x[:, 1] - x[:, 2], x[:, 0])),
        "flags": (x[:, :2] > 0).astype(int),
    }[kind]
    build = MLPRegressor if kind.startswith("number") else MLPClassifier
    options = small(activation="tanh", alpha=0.0, batch_size=6, shuffle=False, epsilon=1e-15,
                    learning_rate_init=0.01, **solver)  # fmt: skip
    model = fitted(build(**options | {"max_iter": 1}), x, y)
    targets = (
        {f"y{k}": y[:, k].tolist() for k in range(y.shape[1])} if y.ndim > 1 else {"y0": y.tolist()}
    )
    data = write_csv(tmp_path / "d.csv", x, **targets)
    sheetnet.new(tmp_path / "n.toml", data=data, target=list(targets), model=model)
    spec = sheetnet.load_spec(tmp_path / "n.toml").override(epochs=1)
    # A fresh optimizer on both sides, from the same weights.
    again = build(**options | {"max_iter": 1, "warm_start": True})
    fitted(again, x, y)
    again.coefs_ = [w.copy() for w in model.coefs_]
    again.intercepts_ = [b.copy() for b in model.intercepts_]
    del again._optimizer
    fitted(again, x, y)
    final = sheetnet.train(spec).final
    for layer, (w, b) in enumerate(zip(again.coefs_, again.intercepts_, strict=True), 1):
        assert np.abs(w.T - model.coefs_[layer - 1].T).max() > 1e-4  # it has moved
        assert np.abs(final[f"W{layer}"] - w.T).max() < 1e-9
        assert np.abs(final[f"b{layer}"] - b).max() < 1e-9


def test_early_stopping_becomes_patience(tmp_path: Path) -> None:
    model = fitted(MLPClassifier(**small(early_stopping=True, validation_fraction=0.25,
                                         n_iter_no_change=4)), IRIS_X, IRIS_Y)  # fmt: skip
    spec = of_iris(tmp_path, model)
    assert spec.data.validation == 0.25
    assert spec.training.hyperparameters["patience"] == 4
    agrees(spec, model.predict_proba(IRIS_X))


def test_solver_without_steps(tmp_path: Path) -> None:
    model = fitted(MLPClassifier(**small(solver="lbfgs")), IRIS_X, IRIS_Y)
    spec = of_iris(tmp_path, model)
    agrees(spec, model.predict_proba(IRIS_X))
    assert "solver = 'lbfgs', which has no counterpart" in (tmp_path / "net.toml").read_text()
    assert spec.training.batch_size == 1


def test_what_is_not_taken_over_is_named(tmp_path: Path) -> None:
    model = fitted(MLPClassifier(**small(alpha=0.3)), IRIS_X, IRIS_Y)
    of_iris(tmp_path, model)
    text = " ".join((tmp_path / "net.toml").read_text().replace("\n# ", " ").split())
    for name in ("alpha = 0.3 (the penalty on large weights)", "max_iter = 30", "tol = 0.0001",
                 "adds epsilon to the root before"):  # fmt: skip
        assert name in text
    assert "early_stopping" not in text
    fitted(model.set_params(alpha=0.0), IRIS_X, IRIS_Y)
    of_iris(tmp_path, model)
    assert "alpha" not in (tmp_path / "net.toml").read_text()


# --- linear models


@pytest.mark.parametrize(
    "model",
    [LinearRegression(), Ridge(2.0), Lasso(0.5), ElasticNet(0.1), LinearRegression(positive=True),
     LinearRegression(fit_intercept=False), SGDRegressor(eta0=1e-7, random_state=0)],
    ids=lambda model: type(model).__name__,
)  # fmt: skip
def test_linear_regressors(tmp_path: Path, model: Any) -> None:
    x, y = DIABETES_X[:60], DIABETES_Y[:60]
    fitted(model, x, y)
    data = write_csv(tmp_path / "d.csv", x, y=y)
    spec = sheetnet.new(tmp_path / "n.toml", data=data, target="y", model=model)
    agrees(spec, model.predict(x)[:, None])
    assert spec.layers[0].train_bias is model.fit_intercept
    if isinstance(model, SGDRegressor):
        assert spec.training.learning_rate == 0.5e-7
    assert sheetnet.train(spec.override(epochs=1)).diverged_at is None


def test_several_targets(tmp_path: Path) -> None:
    x, y = DIABETES_X[:60], np.column_stack((DIABETES_Y[:60], DIABETES_Y[60:120]))
    model = LinearRegression().fit(x, y)
    data = write_csv(tmp_path / "d.csv", x, y1=y[:, 0], y2=y[:, 1])
    spec = sheetnet.new(tmp_path / "n.toml", data=data, target=("y1", "y2"), model=model)
    agrees(spec, model.predict(x))
    with pytest.raises(ModelError, match=r"has 2 outputs, but 1 target"):
        sheetnet.new(tmp_path / "m.toml", data=data, target="y1", inputs=spec.data.inputs,
                     model=model)  # fmt: skip


def test_logistic_regression_of_three_classes(tmp_path: Path) -> None:
    model = fitted(LogisticRegression(max_iter=100), IRIS_X, IRIS_Y)
    spec = of_iris(tmp_path, model)
    agrees(spec, model.predict_proba(IRIS_X))
    assert spec.layers[0].activation == "softmax"


def test_one_class_against_the_rest(tmp_path: Path) -> None:
    try:
        model = fitted(LogisticRegression(solver="liblinear"), IRIS_X, IRIS_Y)
    except ValueError:
        pytest.skip("this scikit-learn does so with two classes only")
    spec = of_iris(tmp_path, model)
    agrees(spec, 1 / (1 + np.exp(-model.decision_function(IRIS_X))))


def test_two_classes_by_two_shares(tmp_path: Path) -> None:
    if "multi_class" not in LogisticRegression().get_params():
        pytest.skip("this scikit-learn has one way only")
    x, y = IRIS_X[50:], IRIS_Y[50:]
    model = fitted(LogisticRegression(multi_class="multinomial"), x, y)
    data = write_csv(tmp_path / "d.csv", x, kind=y)
    spec = sheetnet.new(tmp_path / "n.toml", data=data, target="kind", model=model)
    agrees(spec, model.predict_proba(x)[:, 1:])


@pytest.mark.parametrize("labels", [("a", "b"), (0, 1), (-1, 1), (1, 2), (False, True)], ids=str)
def test_two_classes_whatever_they_are_called(tmp_path: Path, labels: tuple[Any, Any]) -> None:
    x, y = IRIS_X[50:], np.array([labels[kind == "virginica"] for kind in IRIS_Y[50:]])
    model = fitted(LogisticRegression(), x, y)
    spec = sheetnet.new(tmp_path / "n.toml", data=write_csv(tmp_path / "d.csv", x, kind=y),
                        target="kind", model=model)  # fmt: skip
    expected = model.predict_proba(x)[:, 1:]
    agrees(spec, expected)
    run = sheetnet.train(spec.override(epochs=1))  # accuracy is the model's own
    assert spec.data.target_scale == ("minmax" if labels in ((-1, 1), (1, 2)) else "none")
    assert (load_problem(spec).targets.values.ravel() == (y == labels[1])).all()
    assert run.measures[1] == "accuracy"


@pytest.mark.parametrize(
    "model",
    [Perceptron(random_state=0), SGDClassifier(random_state=0), RidgeClassifier(),
     SGDClassifier(loss="modified_huber", random_state=0), LinearSVC()],
    ids=lambda model: type(model).__name__,
)  # fmt: skip
@pytest.mark.parametrize("kinds", [2, 3])
def test_lines_tell_the_same_side(tmp_path: Path, model: Any, kinds: int) -> None:
    rows = slice(50, None) if kinds == 2 else slice(None)
    x, y = IRIS_X[rows], IRIS_Y[rows]
    fitted(model, x, y)
    data = write_csv(tmp_path / "d.csv", x, kind=y)
    spec = sheetnet.new(tmp_path / "n.toml", data=data, target="kind", model=model)
    decision = model.decision_function(x).reshape(len(x), -1)
    agrees(spec, decision, "z")
    outputs = first_pass(spec)
    side = outputs[:, 0] > 0.5 if kinds == 2 else outputs.argmax(axis=1)
    assert (model.classes_[side.astype(int)] == model.predict(x)).all()
    text = " ".join((tmp_path / "n.toml").read_text().replace("\n# ", " ").split())
    assert "z is its decision_function" in text and "outputs are no shares" in text


@pytest.mark.parametrize("kinds", [2, 3])
def test_sgd_classifier_with_shares(tmp_path: Path, kinds: int) -> None:
    rows = slice(50, None) if kinds == 2 else slice(None)
    x, y = IRIS_X[rows], IRIS_Y[rows]
    model = SGDClassifier(loss="log_loss", learning_rate="constant", eta0=0.01, random_state=0)
    fitted(model, x, y)
    data = write_csv(tmp_path / "d.csv", x, kind=y)
    spec = sheetnet.new(tmp_path / "n.toml", data=data, target="kind", model=model)
    if kinds == 2:
        agrees(spec, model.predict_proba(x)[:, 1:])
        assert spec.training.learning_rate == 0.01
    else:
        shares = 1 / (1 + np.exp(-model.decision_function(x)))
        agrees(spec, shares)  # of each class against the rest
        assert (spec.layers[0].activation, spec.training.learning_rate) == ("sigmoid", 0.03)


def test_numbered_classes_of_lines_go_by_softmax(tmp_path: Path) -> None:
    y = np.unique(IRIS_Y, return_inverse=True)[1] + 1
    model = fitted(SGDClassifier(loss="log_loss", random_state=0), IRIS_X, y)
    data = write_csv(tmp_path / "d.csv", IRIS_X, kind=y)
    spec = sheetnet.new(tmp_path / "n.toml", data=data, target="kind", model=model)
    agrees(spec, model.decision_function(IRIS_X), "z")
    assert spec.layers[0].activation == "softmax"
    assert "The classes are numbers" in (tmp_path / "n.toml").read_text()


# --- what the outputs stand for


def test_classes_in_another_order(tmp_path: Path) -> None:
    """Numbers kept as texts sort otherwise than numbers: units change places."""
    y = np.array(["10", "9", "2"])[np.unique(IRIS_Y, return_inverse=True)[1]]
    model = fitted(MLPClassifier(**small()), IRIS_X, y)
    assert model.classes_.tolist() == ["10", "2", "9"]
    data = write_csv(tmp_path / "d.csv", IRIS_X, kind=y)
    spec = sheetnet.new(tmp_path / "n.toml", data=data, target="kind", model=model)
    agrees(spec, model.predict_proba(IRIS_X)[:, [1, 2, 0]])
    x, two = IRIS_X[:100], y[:100]
    model = fitted(LogisticRegression(), x, two)
    assert model.classes_.tolist() == ["10", "9"]
    data = write_csv(tmp_path / "d.csv", x, kind=two)
    spec = sheetnet.new(tmp_path / "n.toml", data=data, target="kind", model=model)
    agrees(spec, model.predict_proba(x)[:, :1])  # the share of 10, which is coded 1


def test_classes_that_the_target_calls_otherwise(tmp_path: Path) -> None:
    y = np.array([{"setosa": 2, "versicolor": 0, "virginica": 1}[kind] for kind in IRIS_Y])
    model = fitted(MLPClassifier(**small()), IRIS_X, y)
    with pytest.raises(ModelError, match=r"tells 0, 1, 2 apart.*'setosa'.*--class"):
        of_iris(tmp_path, model)
    spec = of_iris(tmp_path, model, classes=("versicolor", "virginica", "setosa"))
    agrees(spec, model.predict_proba(IRIS_X)[:, [2, 0, 1]])
    with pytest.raises(ModelError, match=r"--class names 2 classes, but MLPClassifier has 3"):
        of_iris(tmp_path, model, classes=("a", "b"))
    assert [p.name for p in tmp_path.iterdir()] == ["net.toml"]


# --- pipelines


def with_scaler(scaler: Any, x: Array = IRIS_X, y: Array = IRIS_Y, **extra: Any) -> Any:
    return fitted(make_pipeline(scaler, MLPClassifier(**small(**extra))), x, y)


@pytest.mark.parametrize(
    ("scaler", "scale"), [(StandardScaler(), "standard"), (MinMaxScaler(), "minmax")]
)
def test_a_scaler_of_these_rows_becomes_the_scale(tmp_path: Path, scaler: Any, scale: str) -> None:
    model = with_scaler(scaler)
    spec = of_iris(tmp_path, model)
    agrees(spec, model.predict_proba(IRIS_X))
    assert spec.data.scale == scale
    assert (np.array(spec.layers[0].weights) == model[-1].coefs_[0].T).all()
    assert "with the same numbers" in (tmp_path / "net.toml").read_text()


@pytest.mark.parametrize(
    "scaler",
    [StandardScaler(), StandardScaler(with_mean=False), StandardScaler(with_std=False),
     MinMaxScaler(), MinMaxScaler(feature_range=(-1, 1))],
    ids=str,
)  # fmt: skip
def test_a_scaler_of_other_rows_is_worked_into_the_weights(tmp_path: Path, scaler: Any) -> None:
    part = slice(None, None, 2)  # as a split into training and test rows does
    model = with_scaler(scaler, IRIS_X[part], IRIS_Y[part])
    spec = of_iris(tmp_path, model)
    agrees(spec, model.predict_proba(IRIS_X))
    assert not (np.array(spec.layers[0].weights) == model[-1].coefs_[0].T).all()
    assert "worked into" in (tmp_path / "net.toml").read_text()


def test_a_scaler_with_held_out_rows(tmp_path: Path) -> None:
    """The spec's statistics are of its training rows only: the rest is in the weights."""
    model = with_scaler(StandardScaler(), early_stopping=True)
    spec = of_iris(tmp_path, model)
    assert (spec.data.scale, spec.data.validation) == ("standard", 0.1)
    agrees(spec, model.predict_proba(IRIS_X))


def test_constant_columns_and_two_scalers(tmp_path: Path) -> None:
    x = np.column_stack((IRIS_X, np.full(len(IRIS_X), 7.0)))
    model = fitted(make_pipeline(MinMaxScaler(), "passthrough", StandardScaler(),
                                 LogisticRegression()), x, IRIS_Y)  # fmt: skip
    data = write_csv(tmp_path / "d.csv", x, kind=IRIS_Y)
    spec = sheetnet.new(tmp_path / "n.toml", data=data, target="kind", model=model)
    agrees(spec, model.predict_proba(x))
    assert len(spec.data.inputs or ()) == 5


def test_inputs_scaled_by_hand(tmp_path: Path) -> None:
    scaled = StandardScaler().fit_transform(IRIS_X)
    model = fitted(MLPClassifier(**small()), scaled, IRIS_Y)
    spec = of_iris(tmp_path, model, scale="standard")
    agrees(spec, model.predict_proba(scaled))
    with pytest.raises(ModelError, match="scales its inputs itself"):
        of_iris(tmp_path, with_scaler(StandardScaler()), scale="minmax")


def test_names_of_columns(tmp_path: Path) -> None:
    order = [2, 0, 3, 1]
    model = fitted(make_pipeline(StandardScaler(), LogisticRegression()), IRIS_X[:, order], IRIS_Y)
    names = [IRIS_NAMES[k] for k in order]
    model[0].feature_names_in_ = np.array(names, dtype=object)  # as a data frame gives them
    spec = of_iris(tmp_path, model)
    assert list(spec.data.inputs or ()) == names
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        agrees(spec, model.predict_proba(IRIS_X[:, order]))
    model[0].feature_names_in_ = np.array(["sepal_length", *names[1:]], dtype=object)
    with pytest.raises(SheetnetError, match=r"'sepal_length'.*did you mean"):
        of_iris(tmp_path, model)


def test_inputs_by_number_of_columns(tmp_path: Path) -> None:
    model = fitted(LogisticRegression(), IRIS_X[:, :2], IRIS_Y)
    with pytest.raises(ModelError, match=r"takes 2 inputs, but iris.csv has 4 columns.*--input"):
        of_iris(tmp_path, model)
    spec = of_iris(tmp_path, model, inputs=IRIS_NAMES[:2])
    agrees(spec, model.predict_proba(IRIS_X[:, :2]))
    with pytest.raises(ModelError, match=r"takes 2 inputs, but 3 are named"):
        of_iris(tmp_path, model, inputs=IRIS_NAMES[:3])


def test_the_best_of_a_search(tmp_path: Path) -> None:
    search = GridSearchCV(make_pipeline(StandardScaler(), LogisticRegression()),
                          {"logisticregression__C": [0.1, 1.0]}, cv=2)  # fmt: skip
    model = fitted(search, IRIS_X, IRIS_Y)
    agrees(of_iris(tmp_path, model), model.predict_proba(IRIS_X))


# --- what does not map


def of_counts() -> Any:
    if "loss" not in MLPRegressor().get_params():
        pytest.skip("this scikit-learn has no such loss")
    y = np.unique(IRIS_Y, return_inverse=True)[1]
    return fitted(MLPRegressor(loss="poisson", **small()), IRIS_X, y)


class Bent(LogisticRegression):
    """Says otherwise than its weights."""

    def predict_proba(self, x: Array) -> Array:
        return np.full((len(x), 3), 1 / 3)


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: fitted(RandomForestClassifier(2), IRIS_X, IRIS_Y), "does not map onto layers"),
        (lambda: fitted(OneVsRestClassifier(LogisticRegression()), IRIS_X, IRIS_Y), "does not map"),
        (lambda: fitted(make_pipeline(PCA(4), LogisticRegression()), IRIS_X, IRIS_Y), "step PCA"),
        (lambda: with_scaler(MinMaxScaler(clip=True)), "clips what lies outside"),
        (MLPClassifier, "MLPClassifier is not fitted"),
        (LogisticRegression, "LogisticRegression is not fitted"),
        (of_counts, "MLPRegressor has the activation"),
        (lambda: {"a": 1}, "'a' is a int, not a tensor"),
        (lambda: "model", "str does not map onto layers"),
        (lambda: fitted(Bent(), IRIS_X, IRIS_Y), "does not map"),
    ],
)
def test_refused(tmp_path: Path, build: Callable[[], Any], message: str) -> None:
    with pytest.raises(ModelError, match=re.escape(message)) as caught:
        of_iris(tmp_path, build())
    assert "\n" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_predictions_are_compared_before_anything_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = fitted(LogisticRegression(), IRIS_X, IRIS_Y)
    monkeypatch.setattr(LogisticRegression, "predict_proba", Bent.predict_proba)
    with pytest.raises(ModelError, match=r"for data row 1 it gives 0.333333333, the layers 0.9"):
        of_iris(tmp_path, model)
    assert list(tmp_path.iterdir()) == []


# --- on the command line


@pytest.fixture
def saved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    joblib.dump(with_scaler(StandardScaler(), max_iter=200), "model.joblib")
    (tmp_path / "iris.csv").write_bytes((EXAMPLES / "iris.csv").read_bytes())
    return tmp_path


LINE = ("new", "net.toml", "--data", "iris.csv", "--target", "species", "--from-sklearn")


def test_from_a_file_to_a_verified_workbook(saved: Path) -> None:
    result = run(*LINE, "model.joblib", "--trust-pickle")
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.startswith("net.toml: 4-4-3: relu, softmax; cross_entropy; adam; iris.csv")
    agrees(sheetnet.load_spec("net.toml"), joblib.load("model.joblib").predict_proba(IRIS_X))
    exported = run("export", "net.toml", "--rows", 60)
    assert exported.exit_code == 2  # two classes are left of three: nothing is guessed
    assert run("export", "net.toml", "--epochs", 1).exit_code == 0
    assert sheetnet.verify("net.xlsx").agree


def test_a_pickle_is_read_only_if_it_is_trusted(saved: Path) -> None:
    (saved / "evil.pkl").write_bytes(
        b"cposix\nsystem\n(S'touch executed'\ntR."  # a pickle that runs a command
    )
    for name in ("model.joblib", "evil.pkl"):
        result = run(*LINE, name)
        assert (result.exit_code, result.stdout) == (2, "")
        assert "runs whatever code it holds: give --trust-pickle" in result.stderr
    assert not (saved / "executed").exists() and not (saved / "net.toml").exists()
    assert "RUNS THE CODE" in " ".join(run("new", "--help").stdout.split())


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "cannot be read by scikit-learn"),
        (b"no pickle", "cannot be read by scikit-learn"),
        (b"cno_such_module\nthing\n.", "No module named 'no_such_module'"),
        (None, "model.pkl is not there"),
    ],
)
def test_broken_files(saved: Path, content: bytes | None, message: str) -> None:
    if content is not None:
        (saved / "model.pkl").write_bytes(content)
    result = run(*LINE, "model.pkl", "--trust-pickle")
    assert (result.exit_code, result.stdout) == (2, "")
    assert message in result.stderr and result.stderr.count("\n") == 1
    assert not (saved / "net.toml").exists()


def test_without_scikit_learn(saved: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "sklearn", None)
    result = run(*LINE, "model.joblib", "--trust-pickle")
    assert result.exit_code == 2
    assert "needs scikit-learn: pip install 'sheetnet[sklearn]'" in result.stderr


KINDS: dict[str, tuple[Any, Any, str]] = {
    "layers": (None, MLPClassifier(**small(activation="tanh", batch_size=8)), "kind"),
    "number of layers": (MinMaxScaler(), MLPRegressor(**small(activation="logistic")), "number"),
    "shares": (StandardScaler(), LogisticRegression(), "kind"),
    "side": (StandardScaler(), SGDClassifier(random_state=0), "side"),
    "sides": (None, Perceptron(random_state=0), "kind"),
    "number": (StandardScaler(), LinearRegression(), "number"),
    "stopping": (StandardScaler(), MLPClassifier(**small(early_stopping=True)), "side"),
}


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_verified_in_a_recalculated_sheet(tmp_path: Path, kind: str) -> None:
    scaler, model, target = KINDS[kind]
    x = IRIS_X[::5]
    y = {
        "kind": IRIS_Y[::5],
        "side": np.where(IRIS_Y[::5] == "setosa", -1, 1),
        "number": x[:, 0] * 0.5 - x[:, 3],
    }[target]
    model = fitted(make_pipeline(scaler, model), x[::2], y[::2])
    data = write_csv(tmp_path / "d.csv", x, **{target: y})
    spec = sheetnet.new(tmp_path / "n.toml", data=data, target=target, model=model)
    sheetnet.export(spec.override(epochs=2), tmp_path / "n.xlsx", sheets=WITHOUT_VIEWS)
    report = sheetnet.verify(tmp_path / "n.xlsx")
    assert report.agree, report.to_text()
