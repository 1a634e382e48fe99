"""Filling rows by kernel and by whole batches, against the rules applied to row after row."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support import make_spec

from sheetnet import engine, guessing
from sheetnet.concepts.activations import ACTIVATIONS, elementwise
from sheetnet.concepts.arithmetic import Array, errors_to_nan
from sheetnet.concepts.losses import LOSSES
from sheetnet.concepts.optimizers import OPTIMIZERS
from sheetnet.epoch_ledgers import ledgers_of
from sheetnet.problem import Problem, load_problem
from sheetnet.rules import before, rules_of
from sheetnet.stepping import Stepper

EXAMPLES = Path(__file__).parent.parent / "examples"
MODES = ("kernel", "steps")


def use(mode: str, patch: pytest.MonkeyPatch) -> None:
    """Always make a kernel, or never."""
    patch.setattr(engine, "worthwhile", lambda *_: mode == "kernel")


def row_by_row(problem: Problem, matrix: Array) -> Array:
    """The ledger anew, from its given columns: the rules for one row after the other.

    Every value that a sheet cannot hold becomes nan at once.
    """
    ledger = ledgers_of(problem.network).train
    rules = rules_of(problem.network, problem.hyperparameters)
    result = matrix.copy()
    result[:, [i for b in ledger.blocks if b.kind not in engine.GIVEN for i in columns(b)]] = 7.0
    views = ledger.views(result)
    state = engine.first_state(problem, ledger, rules)
    carried = [rule.name for rule in rules if rule.carried]
    with np.errstate(all="ignore"):
        for r in range(len(result)):
            q: dict[str, Array] = {
                b.name: views[b.name][r : r + 1] for b in ledger.blocks if b.kind in engine.GIVEN
            }
            for name, value in state.items():
                if name in carried:
                    q[before(name)] = value[None]
                else:
                    views[name][r] = value
                    q[name] = value[None]
            for rule in rules:
                q[rule.name] = errors_to_nan(rule.value(q))
                views[rule.name][r] = q[rule.name][0]
            for name in state:
                if name in carried:
                    state[name] = q[name][0]
                elif f"u{name}" in q:
                    state[name] = errors_to_nan(state[name] + q[f"u{name}"][0])
    return result


def columns(block: Any) -> range:
    return range(block.first, block.first + block.size)


def ledger_rows(problem: Problem) -> Array:
    return np.concatenate([part.train for part in engine.blocks(problem)])


def assert_bits(problem: Problem) -> Array:
    """Each cell to the last bit; returns the ledger."""
    found = ledger_rows(problem)
    wanted = row_by_row(problem, found)
    differing = np.argwhere(found.view(np.int64) != wanted.view(np.int64))
    labels = ledgers_of(problem.network).train.labels
    assert not len(differing), f"row {differing[0][0]}: {labels[differing[0][1]]}"
    return found


SOURCES: dict[str, list[tuple[str, str]]] = {
    "toy:moons": [("sigmoid", "binary_entropy"), ("sigmoid", "mse"), ("relu", "mse")],
    "toy:blobs": [("softmax", "cross_entropy"), ("softmax", "mse")],
    "toy:line": [("linear", "mse"), ("leaky_relu", "mse")],
}
RATES = (0.05, 0.5, 3.0, 1e30, 1e308)


def drawn(seed: int) -> Problem:
    """Any mixture of what a spec can ask for, a third of them with rates that diverge."""
    draw = random.Random(seed)
    source = draw.choice(list(SOURCES))
    last, loss = draw.choice(SOURCES[source])
    layers: list[dict[str, Any]] = []
    for _ in range(draw.choice([0, 1, 1, 2])):
        hidden = [name for name, record in ACTIVATIONS.items() if not record.last_only]
        layer = {"units": draw.choice([1, 2, 5, 9, 12]), "activation": draw.choice(hidden)}
        layer |= {"train_bias": False} if draw.random() < 0.2 else {}
        layer |= {"dropout": 0.4} if draw.random() < 0.3 else {}
        layers.append(layer)
    data: dict[str, Any] = {"rows": draw.randint(6, 20)}
    training: dict[str, Any] = {"epochs": draw.randint(1, 5), "batch_size": draw.choice([1, 3, 64])}
    training |= {"clip": draw.choice([0.01, 1.0])} if draw.random() < 0.3 else {}
    training |= {"clip_norm": draw.choice([0.01, 1.0])} if draw.random() < 0.3 else {}
    if draw.random() < 0.5:
        data["validation"] = 0.3
        training |= {"patience": 1} if draw.random() < 0.6 else {}
    return load_problem(
        make_spec(
            source=source,
            data=data,
            layers=[*layers, {"activation": last}],
            loss=loss,
            optimizer=draw.choice(list(OPTIMIZERS)),
            learning_rate=draw.choice(RATES),
            shuffle=draw.random() < 0.5,
            seed=seed,
            **training,
        )
    )


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("seed", range(30))
def test_any_mixture_is_what_the_rules_say(
    mode: str, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(mode, monkeypatch)
    problem = drawn(seed)
    width = ledgers_of(problem.network).train.width
    # Blocks and chunks that end within epochs and within batches.
    monkeypatch.setattr(engine, "BLOCK_CELLS", width * (5 + seed % 11))
    monkeypatch.setattr(guessing, "CHUNK_CELLS", width * (1 + seed % 7))
    assert_bits(problem)


@pytest.mark.parametrize("mode", MODES)
def test_long_batches_go_in_pieces(mode: str, monkeypatch: pytest.MonkeyPatch) -> None:
    use(mode, monkeypatch)
    monkeypatch.setattr("sheetnet.stepping.CHUNK_CELLS", 1000)
    monkeypatch.setattr("sheetnet.stepping.LONGEST", 13)
    layers = [{"units": 4, "activation": "tanh"}, {"activation": "sigmoid"}]
    for optimizer in ("momentum", "adam"):
        spec = make_spec(
            source="toy:moons", data={"rows": 70}, layers=layers, batch_size=32, optimizer=optimizer
        )
        assert_bits(load_problem(spec))


@pytest.mark.parametrize("mode", MODES)
def test_a_weight_of_minus_zero(mode: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Within a batch nothing is added to it: −0 + 0 is 0."""
    use(mode, monkeypatch)
    layers = [{"activation": "sigmoid", "weights": [[-0.0, 0.5]], "bias": [-0.0]}]
    found = assert_bits(load_problem(make_spec(layers=layers, batch_size=4)))
    assert np.signbit(found[0]).any()


def every_record() -> Iterator[tuple[str, str, str, str]]:
    """Each hidden activation, each pair at the end, each optimizer: (hidden, last, loss, how)."""
    for name, record in ACTIVATIONS.items():
        if not record.last_only:
            yield name, "linear", "mse", "sgd"
    for loss in LOSSES.values():
        for last in ACTIVATIONS:
            if loss.suits(last):
                yield "tanh", last, loss.name, "sgd"
    for optimizer in OPTIMIZERS:
        yield "tanh", "linear", "mse", optimizer


@pytest.mark.parametrize(("hidden", "last", "loss", "optimizer"), list(every_record()))
@pytest.mark.parametrize("batch_size", [1, 2])
def test_every_record_makes_a_kernel_that_is_right(
    hidden: str,
    last: str,
    loss: str,
    optimizer: str,
    batch_size: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """No row is left to the slow way."""
    (tmp_path / "two.csv").write_text("p,s,t\n0.5,0.25,0.75\n-0.7,1,0\n1.3,0.5,0.5\n")
    layers = [
        {"units": 3, "activation": hidden, "dropout": 0.3},
        {"units": 2, "activation": last},
    ]
    spec = make_spec(
        source="two.csv",
        folder=tmp_path,
        data={"target": ["s", "t"]},
        layers=layers,
        loss=loss,
        optimizer=optimizer,
        batch_size=batch_size,
        learning_rate=0.01,
        clip=0.5,
        clip_norm=0.4,
    )
    use("kernel", monkeypatch)
    problem = load_problem(spec)
    with monkeypatch.context() as patch:
        patch.setattr(Stepper, "fill", lambda *_, **__: pytest.fail("the kernel was wrong"))
        patch.setattr(guessing, "CHUNK_CELLS", 4 * ledgers_of(problem.network).train.width)
        ledger_rows(problem)
    assert_bits(problem)


def with_activation(value: Any, slope: Any, patch: pytest.MonkeyPatch) -> Problem:
    """A network whose hidden layer has an activation of one's own."""
    text = {"maths": "?", "code": "?", "torch": "?", "slope_code": "?", "slope_maths": "?"}
    record = elementwise(
        "mine", value=value, slope=slope, cell=str, slope_cell=lambda z, a: "", **text
    )
    patch.setitem(ACTIVATIONS, "mine", record)
    layers = [{"units": 3, "activation": "mine"}, {"activation": "sigmoid"}]
    return load_problem(make_spec(layers=layers, epochs=20))


def steps_taken(patch: pytest.MonkeyPatch) -> list[int]:
    """How many rows were left to the slow way, call by call."""
    rows: list[int] = []
    plain = Stepper.fill

    def fill(self: Stepper, part: Array, *args: Any, **options: Any) -> Any:
        rows.append(len(part))
        return plain(self, part, *args, **options)

    patch.setattr(Stepper, "fill", fill)
    return rows


def test_an_activation_that_cannot_be_traced(monkeypatch: pytest.MonkeyPatch) -> None:
    use("kernel", monkeypatch)
    problem = with_activation(np.arctan, lambda z, a: 1.0 / (1.0 + z * z), monkeypatch)
    rows = steps_taken(monkeypatch)
    assert_bits(problem)
    assert rows == [problem.visits]


def test_a_choice_in_python_cannot_be_traced(monkeypatch: pytest.MonkeyPatch) -> None:
    use("kernel", monkeypatch)

    def value(z: Array) -> Array:
        return z if (z > 0).all() else 0.5 * z

    problem = with_activation(value, lambda z, a: np.ones_like(z), monkeypatch)
    rows = steps_taken(monkeypatch)
    ledger_rows(problem)
    assert rows == [problem.visits]


def test_a_kernel_that_goes_astray_costs_time_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """An activation that is another one for symbols."""
    use("kernel", monkeypatch)

    def value(z: Array) -> Array:
        return z * (0.5 if z.dtype == object else 0.25)

    problem = with_activation(value, lambda z, a: np.full_like(z, 0.25), monkeypatch)
    rows = steps_taken(monkeypatch)
    assert_bits(problem)
    assert rows == [problem.visits]


def test_a_diverged_run_keeps_its_pace(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where all weights are nan, the kernel goes on; only where it begins rows are redone."""
    use("kernel", monkeypatch)
    layers = [{"units": 2, "activation": "linear"}, {"activation": "linear"}]
    spec = make_spec(
        source="toy:line",
        data={"rows": 20},
        layers=layers,
        loss="mse",
        epochs=20,
        learning_rate=50.0,
    )
    problem = load_problem(spec)
    monkeypatch.setattr(guessing, "CHUNK_CELLS", 10 * ledgers_of(problem.network).train.width)
    rows = steps_taken(monkeypatch)
    found = assert_bits(problem)
    assert np.isnan(found[100:]).any(axis=1).all() and math.isfinite(found[0].sum())
    assert sum(rows) <= 40


def test_kernels_are_made_where_they_save_time() -> None:
    def chosen(hidden: int, **options: Any) -> bool:
        layers = [{"units": hidden, "activation": "tanh"}, {"activation": "sigmoid"}]
        spec = make_spec(source="toy:moons", data={"rows": 200}, layers=layers, **options)
        problem = load_problem(spec)
        return engine.Filler(problem, ledgers_of(problem.network).train).guesser is not None

    assert chosen(8) and chosen(8, batch_size=4)
    assert not chosen(2000)
    assert not chosen(60, batch_size=50)
    assert not chosen(60, epochs=1, optimizer="adam", batch_size=20)
