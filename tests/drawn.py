"""Whole specs drawn at random by hypothesis, with the tables of their CSV files."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from hypothesis.internal.conjecture import providers

from sheetnet.concepts.activations import ACTIVATIONS
from sheetnet.concepts.initializers import INITIALIZERS
from sheetnet.concepts.losses import LOSSES
from sheetnet.concepts.optimizers import OPTIMIZERS
from sheetnet.concepts.scaling import SCALINGS
from sheetnet.spec import Spec, parse_spec
from sheetnet.toys import TOYS

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

EPOCHS = st.integers(2, 6)
MARGINS = st.one_of(
    st.sampled_from([0.0, 1e-300, 1e-17, 1e-9, 1e6, 1.7e308]), st.floats(0, 0.1), st.floats(0, 1e3)
)
"""By how much a validation loss has to improve: in some runs by more than it can."""

POWERS = st.one_of(*[st.floats(-6, 1)] * 9, st.floats(1, 80))
"""Of learning rates."""

TAME = st.one_of(st.integers(-3, 3).map(float), st.floats(-2, 2).map(lambda x: round(x, 3)))

# Hypothesis also draws what stands in the modules that happen to be loaded, other tests among
# them: with the same key, other runs would be drawn each time.
if hasattr(providers, "_get_local_constants"):
    providers._get_local_constants = lambda: providers._local_constants

ROUND = 10
"""So many runs are drawn afresh; after them hypothesis mostly repeats parts of what it had."""

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
def documents(draw: st.DrawFn, *, tame: bool = False) -> tuple[Document, Table | None]:
    """A spec, and the table of its CSV file (None: a toy set).

    ``tame`` keeps to numbers of everyday size.
    """
    activation = draw(st.sampled_from(sorted(ACTIVATIONS)))
    loss = draw(st.sampled_from([n for n, other in LOSSES.items() if other.suits(activation)]))
    table: Table | None = None
    wild = not tame and draw(st.integers(0, 3)) == 0
    numbers, scalings = (WILD, ["none"]) if wild else (NUMBERS, sorted(SCALINGS))
    numbers = TAME if tame else numbers
    validates = draw(st.integers(0, 3)) > 0
    data: Document = {"scale": draw(st.sampled_from(scalings))}
    if draw(st.booleans()):
        coupled = ACTIVATIONS[activation].coupled
        sets = ["xor", "circles", "spiral", *(["blobs"] if coupled else [])]
        if LOSSES[loss].targets == "any" and not coupled:
            sets.append("line")
        name = draw(st.sampled_from(sets))
        rows = draw(st.integers(3, 8))
        data |= {"source": f"toy:{name}", "rows": rows}
        rows = min(rows, TOYS[name].fixed_rows or rows)
        inputs, outputs = (1 if name == "line" else 2), None
    else:
        rows, inputs = draw(st.integers(2, 9) if validates else st.integers(1, 6)), draw(SIZES)
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
    training = draw(trainings(loss, tame=tame))
    if validates:
        data["validation"] = draw(shares_held_out(rows))
        training |= draw(stopping())
    layers = draw(some_layers(inputs, outputs, activation, TAME if tame else WEIGHTS))
    return {"data": data, "layers": layers, "training": training}, table


@st.composite
def shares_held_out(draw: st.DrawFn, rows: int) -> float:
    """A share of the rows, from next to nothing, that leaves at least one to train on."""
    most = min(0.9, (rows - 0.51) / rows)
    fixed = [share for share in (1e-300, 0.2, 0.5, 0.9) if share <= most]
    return draw(
        st.one_of(st.sampled_from([*fixed, most]), *[st.floats(1e-6, share) for share in fixed[1:]])
    )


@st.composite
def stopping(draw: st.DrawFn) -> Document:
    """Early stopping (in most cases), and epochs enough for it to happen."""
    found: Document = {"epochs": draw(st.integers(1, 3))}
    if draw(st.integers(0, 4)) > 0:
        found = {"patience": draw(st.sampled_from([1, 1, 2, 3, 4])), "epochs": draw(EPOCHS)}
    if draw(st.booleans()):
        found["min_delta"] = draw(MARGINS)
    return found


@st.composite
def some_layers(
    draw: st.DrawFn,
    inputs: int,
    outputs: int | None,
    activation: str,
    numbers: st.SearchStrategy[float],
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
            row = st.lists(numbers, min_size=inputs, max_size=inputs)
            layer["weights"] = draw(st.lists(row, min_size=units, max_size=units))
        if units is not None and draw(st.booleans()):
            layer["bias"] = draw(st.lists(numbers, min_size=units, max_size=units))
        layer["train_bias"] = draw(st.booleans())
        if layer is not layers[-1] and draw(st.booleans()):
            layer["dropout"] = draw(RATES)
        inputs = units or 0
    return layers


@st.composite
def trainings(draw: st.DrawFn, loss: str, *, tame: bool) -> Document:
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
        "learning_rate": 10 ** draw(st.floats(-4, -0.5) if tame else POWERS),
        "initializer": draw(st.sampled_from(sorted(INITIALIZERS))),
    }


def spec_of(document: Document, table: Table | None, folder: Path) -> Spec:
    """The spec; its table, if any, is written into the folder."""
    if table is not None:
        with (folder / "d.csv").open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows(table)
    return parse_spec(document, name="drawn", folder=folder)


def draw_round(
    test: Callable[[Document, Table | None], None],
    key: str,
    *,
    tame: bool = False,
    shrink: bool = False,
) -> None:
    """Call the test with :data:`ROUND` runs, the same for the same key.

    ``shrink`` looks for a smaller example where one fails, which takes minutes.
    """

    @seed(key)
    @settings(
        max_examples=ROUND,
        deadline=None,
        database=None,
        phases=[Phase.generate, *([Phase.shrink] if shrink else [])],
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )
    @given(documents(tame=tame))
    def called(run: tuple[Document, Table | None]) -> None:
        test(*run)

    called()


def sample(count: int, *, key: str, tame: bool = False) -> list[tuple[Document, Table | None]]:
    """Different runs, the same each time."""
    found: dict[str, tuple[Document, Table | None]] = {}

    def keep(document: Document, table: Table | None) -> None:
        found[repr((document, table))] = document, table

    part = 0
    while len(found) < count:
        draw_round(keep, f"{key} {part}", tame=tame)
        part += 1
    return list(found.values())[:count]
