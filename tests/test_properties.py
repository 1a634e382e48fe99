"""Whole runs, drawn at random: the sheet and NumPy agree in every cell, to the last bit.

``SHEETNET_EXAMPLES=2000 pytest tests/test_properties.py`` looks further than the normal run.
"""

from __future__ import annotations

import csv
import os
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, event, given, reject, settings
from hypothesis import strategies as st

import sheetnet
from sheetnet.concepts.activations import ACTIVATIONS
from sheetnet.concepts.initializers import INITIALIZERS
from sheetnet.concepts.losses import LOSSES
from sheetnet.concepts.optimizers import OPTIMIZERS
from sheetnet.concepts.scaling import SCALINGS
from sheetnet.errors import DataError
from sheetnet.spec import parse_spec

EXAMPLES = os.environ.get("SHEETNET_EXAMPLES")

HIDDEN = [name for name, a in ACTIVATIONS.items() if not a.last_only]

# Sums of more than eight terms have another form, so some layers are that wide.
SIZES = st.one_of(st.integers(1, 4), st.integers(1, 4), st.integers(1, 4), st.integers(9, 12))

NUMBERS = st.one_of(
    st.integers(-3, 3).map(float),
    st.floats(-10, 10).map(lambda x: round(x, 3)),
    st.floats(-10, 10),
    st.floats(-1e6, 1e6),
    st.sampled_from([1e-300, -5e-17, 1e12, -1e12, 0.1 + 0.2, 1 / 3]),
)
WILD = st.one_of(NUMBERS, st.sampled_from([1e60, -1e80, 1e150, -1e200, 1e300]))
"""Numbers of which a run soon diverges."""

WEIGHTS = st.one_of(
    st.floats(-2, 2), st.integers(-2, 2).map(float), st.floats(-300, 300), st.floats(-1e9, 1e9)
)
RATES = st.one_of(st.sampled_from([0.0, 0.5, 0.1, 0.999]), st.floats(0, 0.9))
LIMITS = st.one_of(st.sampled_from([0.0, 0.2, 1.0, 1e-9]), st.floats(0, 10), st.floats(0, 1e6))
SHARES = st.one_of(st.sampled_from([0.0, 1.0, 0.25, 0.5]), st.floats(0, 1))
LABELS = st.text("abcxyzABC =+-@\"'é&<", min_size=1, max_size=4).map(str.strip).filter(
    lambda text: text.strip("=+-'\"") != ""  # neither empty nor a number's sign alone
)  # fmt: skip

DECAYS = st.one_of(st.sampled_from([0.0, 0.5, 0.9, 0.999, 1.0]), st.floats(0, 1))
EPSILONS = st.one_of(st.sampled_from([0.0, 1e-8, 1e-300, 1.0]), st.floats(0, 1))

Document = dict[str, Any]
Table = list[list[object]]


@st.composite
def targets(
    draw: st.DrawFn, rows: int, loss: str, activation: str, numbers: st.SearchStrategy[float]
) -> tuple[Table, int]:
    """Columns of targets that suit the loss (a list for each row), and how many outputs."""
    coupled = ACTIVATIONS[activation].coupled
    kind = LOSSES[loss].targets
    numeric = draw(st.booleans())
    if numeric or rows == 1:
        outputs = draw(SIZES.filter(lambda n: n > 1 or not coupled))
        if kind == "shares":
            ones = [draw(st.integers(0, outputs - 1)) for _ in range(rows)]
            half = draw(st.booleans())  # all on one output, or half of it beside
            table: Table = [[0.0] * outputs for _ in range(rows)]
            for row, one in zip(table, ones, strict=True):
                row[one] = 0.5 if half else 1.0
                row[one - 1] = 0.5 if half else row[one - 1]
            return table, outputs
        cell = SHARES if kind == "unit" else numbers
        return [[draw(cell) for _ in range(outputs)] for _ in range(rows)], outputs
    most = rows if coupled else 2
    classes = draw(st.lists(LABELS, min_size=2, max_size=min(most, 12), unique=True))
    if coupled and draw(st.booleans()):
        named: list[object] = [float(i) - 0.5 for i in range(len(classes))]
    else:
        named = list(classes)
    order = draw(st.permutations([named[i % len(named)] for i in range(rows)]))
    outputs = len(named) if coupled or draw(st.booleans()) else 1
    return [[label] for label in order], outputs


@st.composite
def documents(draw: st.DrawFn) -> tuple[Document, Table | None]:
    """A spec, and the table of its CSV file (None: a toy set)."""
    activation = draw(st.sampled_from(sorted(ACTIVATIONS)))
    loss = draw(st.sampled_from([n for n, other in LOSSES.items() if other.suits(activation)]))
    table: Table | None = None
    wild = draw(st.integers(0, 3)) == 0
    numbers, scalings = (WILD, ["none"]) if wild else (NUMBERS, sorted(SCALINGS))
    data: Document = {"scale": draw(st.sampled_from(scalings))}
    if draw(st.booleans()):
        coupled = ACTIVATIONS[activation].coupled
        sets = ["xor", "circles", "spiral", *(["blobs"] if coupled else [])]
        if LOSSES[loss].targets == "any" and not coupled:
            sets.append("line")
        name = draw(st.sampled_from(sets))
        data |= {"source": f"toy:{name}", "rows": draw(st.integers(3, 8))}
        inputs, outputs = (1 if name == "line" else 2), None
    else:
        rows, inputs = draw(st.integers(1, 6)), draw(SIZES)
        goals, outputs = draw(targets(rows, loss, activation, numbers))
        names = [f"y{k}" for k in range(len(goals[0]))]
        head: list[object] = [f"x{i}" for i in range(inputs)]
        body = [[*(draw(numbers) for _ in range(inputs)), *goal] for goal in goals]
        table = [[*head, *names], *body]
        data |= {"source": "d.csv", "inputs": head, "target": names}
        numeric = all(isinstance(y, float) for goal in goals for y in goal)
        classes = not numeric or (ACTIVATIONS[activation].coupled and len(names) == 1)
        if LOSSES[loss].targets == "any" and not classes:
            data["target_scale"] = draw(st.sampled_from(scalings))
    layers = draw(some_layers(inputs, outputs, activation))
    return {"data": data, "layers": layers, "training": draw(trainings(loss))}, table


@st.composite
def some_layers(
    draw: st.DrawFn, inputs: int, outputs: int | None, activation: str
) -> list[Document]:
    layers: list[Document] = []
    for _ in range(draw(st.integers(0, 2))):
        layers.append({"units": draw(SIZES), "activation": draw(st.sampled_from(HIDDEN))})
    layers.append({"activation": activation})
    if outputs is not None:
        layers[-1]["units"] = outputs
    for layer in layers:
        units = layer.get("units")
        if units is not None and draw(st.booleans()):
            row = st.lists(WEIGHTS, min_size=inputs, max_size=inputs)
            layer["weights"] = draw(st.lists(row, min_size=units, max_size=units))
        if units is not None and draw(st.booleans()):
            layer["bias"] = draw(st.lists(WEIGHTS, min_size=units, max_size=units))
        layer["train_bias"] = draw(st.booleans())
        if layer is not layers[-1] and draw(st.booleans()):
            layer["dropout"] = draw(RATES)
        inputs = units or 0
    return layers


@st.composite
def trainings(draw: st.DrawFn, loss: str) -> Document:
    optimizer = draw(st.sampled_from(sorted(OPTIMIZERS)))
    numbers = {
        number.name: draw(DECAYS if number.high == 1.0 else EPSILONS)
        for number in OPTIMIZERS[optimizer].hyperparameters
        if number.name != "learning_rate" and draw(st.booleans())
    }
    limits = {name: draw(LIMITS) for name in ("clip", "clip_norm") if draw(st.booleans())}
    return {
        **numbers,
        **limits,
        "batch_size": draw(st.integers(1, 5)),
        "loss": loss,
        "optimizer": optimizer,
        "epochs": draw(st.integers(1, 3)),
        "shuffle": draw(st.booleans()),
        "seed": draw(st.integers(0, 2**32 - 1)),
        "learning_rate": 10 ** draw(st.floats(-6, 1)),
        "initializer": draw(st.sampled_from(sorted(INITIALIZERS))),
    }


def check(document: Document, table: Table | None) -> int | None:
    """Export and verify; return the visit where the run diverges."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if table is not None:
            with (folder / "d.csv").open("w", encoding="utf-8", newline="") as file:
                csv.writer(file).writerows(table)
        spec = parse_spec(document, name="drawn", folder=folder)
        exported = sheetnet.export(spec, folder / "drawn.xlsx")
        report = sheetnet.verify(folder / "drawn.xlsx")
    assert report.agree, report.to_text()
    for question in ("local", "trajectory", "saved"):
        found = report.checks[question]
        assert found.identical == found.cells > 0, report.to_text()
    assert report.checks["trajectory"].sheet_diverged_at == exported.diverged_at
    return exported.diverged_at


@settings(
    max_examples=int(EXAMPLES or 60),
    derandomize=not EXAMPLES,
    deadline=None,
    database=None,
    # A smaller example takes minutes to find: only for those who look for one.
    phases=tuple(Phase) if EXAMPLES else (Phase.generate,),
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(documents())
def test_sheet_and_python_agree_to_the_last_bit(drawn: tuple[Document, Table | None]) -> None:
    try:
        diverged = check(*drawn)
    except DataError as error:
        # Numbers such as 1e-300 cannot be scaled: their squares are 0.
        if "does not give finite numbers" not in str(error):
            raise
        reject()
    event("diverges" if diverged else "stays finite")


def one(
    activation: str, rows: Table, *, outputs: int = 1, epochs: int = 2, **data: Any
) -> tuple[Document, Table]:
    """One layer with weights 1 and biases 0 over a table of inputs x and outputs y."""
    inputs = len(rows[0]) - outputs
    names: list[object] = [f"x{i}" for i in range(inputs)]
    goals: list[object] = [f"y{k}" for k in range(outputs)]
    layer = {"activation": activation, "weights": [[1.0] * inputs for _ in range(outputs)]}
    document = {
        "data": {"source": "d.csv", "inputs": names, "target": goals, **data},
        "layers": [layer],
        "training": {"epochs": epochs, "learning_rate": 0.7},
    }
    return document, [[*names, *goals], *rows]


FOUND = {
    # Engines that compare with a tolerance take these numbers for 0 …
    "relu of a tiny number": one("relu", [[1e-17, 1.0], [2e-16, 2.0], [-1e-17, 1.0]]),
    "leaky relu of a tiny number": one("leaky_relu", [[1e-17, 1.0], [2e-16, 2.0], [-1e-17, 1.0]]),
    "sigmoid of a tiny number": one("sigmoid", [[-2.2e-16, 1.0], [-1.7e-16, 0.0], [1e-16, 0.0]]),
    # … and these for equal.
    "nearly constant, minmax": one("linear", [[1e-17, 1.0], [0.0, 2.0]], scale="minmax"),
    "nearly constant, standard": one("linear", [[1.0, 1e-17], [2.0, 0.0]], target_scale="standard"),
    # IronCalc reads a+(b+c) as a+b+c.
    "several outputs with binary entropy": one(
        "sigmoid", [[i / 7, 1 / (i + 1), i / 9, (i % 3) / 3] for i in range(9)], outputs=3
    ),
    "two visits": one("tanh", [[1.0, 0.5]]),
    "one visit": one("tanh", [[1.0, 0.5]], epochs=1),
}


@pytest.mark.parametrize("name", FOUND)
def test_runs_that_disagreed_once(name: str) -> None:
    check(*FOUND[name])


def test_runs_that_diverge() -> None:
    """Perceptrons that overshoot, some at once and some late."""
    visits = set()
    for rate in (0.7, 1e10, 1e100, 1e200):
        for activation in ("linear", "leaky_relu"):
            document, table = one(activation, [[3.0, 1.0], [-2.0, 5.0], [7.0, -1.0]])
            document["training"] |= {"learning_rate": rate, "epochs": 40}
            visits.add(check(document, table))
    assert len(visits - {None}) >= 3
