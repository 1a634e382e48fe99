"""The ledger in blocks and as a matrix: views, divergence, memory."""

from __future__ import annotations

import inspect
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support import make_spec

import sheetnet
from sheetnet import engine
from sheetnet.concepts.activations import ACTIVATIONS
from sheetnet.concepts.arithmetic import Array
from sheetnet.concepts.losses import LOSSES
from sheetnet.errors import LimitError
from sheetnet.ledger import ledger_of
from sheetnet.problem import Problem, load_problem
from sheetnet.spec import Spec

InBlocks = Callable[[Spec, int], list[engine.Part]]


@pytest.fixture
def in_blocks(monkeypatch: pytest.MonkeyPatch) -> InBlocks:
    """Train with blocks of a few rows each."""

    def train(spec: Spec, rows: int) -> list[engine.Part]:
        problem = load_problem(spec)
        monkeypatch.setattr(engine, "BLOCK_CELLS", rows * ledger_of(problem.network).width)
        return list(engine.blocks(problem))

    return train


def joined(parts: list[engine.Part]) -> tuple[Array, Array]:
    """All rows of ``Train`` and of ``Epochs``."""
    return np.concatenate([p.train for p in parts]), np.concatenate([p.epochs for p in parts])


def test_quantities_are_views_into_one_matrix() -> None:
    run = sheetnet.train(make_spec())
    visits = len(run.matrix)
    assert visits == 12
    shapes = {"x": (2,), "W1": (3, 2), "b1": (3,), "z1": (3,), "a1": (3,), "W2": (1, 3), "loss": ()}
    for name, shape in shapes.items():
        assert run[name].shape == (visits, *shape)
    for block in run.ledger.blocks:
        assert np.shares_memory(run[block.name], run.matrix)
    # W1[j,i]: unit after unit, so that the weights of one unit stand side by side.
    labels = list(run.ledger.labels)
    assert run["W1"][5, 2, 1] == run.matrix[5, labels.index("W1[3,2]")]
    assert run["uW2"][7, 0, 2] == run.matrix[7, labels.index("uW2[1,3]")]


def test_next_row_has_this_rows_weights_plus_update() -> None:
    run = sheetnet.train(make_spec())
    for name in ("W1", "b1", "W2", "b2"):
        assert np.array_equal(run[name][1:], run[name][:-1] + run[f"u{name}"][:-1])
        assert np.array_equal(run.final[name], run[name][-1] + run[f"u{name}"][-1])
    assert run.epoch_losses == pytest.approx(run["loss"].reshape(3, 4).mean(axis=1), rel=1e-14)


@pytest.mark.parametrize("rows", [1, 5, 11, 12, 100])
def test_blocks_make_up_the_matrix(rows: int, in_blocks: InBlocks) -> None:
    spec = make_spec(shuffle=True)
    found, run = in_blocks(spec, rows), sheetnet.train(spec)
    assert [len(block.train) for block in found[:-1]] == [rows] * (len(found) - 1)
    train, epochs = joined(found)
    assert np.array_equal(train, run.matrix)
    assert np.array_equal(epochs, run.epochs)
    # An epoch's row comes with the block that ends it.
    visits = np.cumsum([len(block.train) for block in found])
    assert np.array_equal(np.cumsum([len(block.epochs) for block in found]), visits // 4)


@pytest.mark.parametrize("rows", [1, 2, 3, 5, 7, 11, 100])
def test_blocks_of_any_size_stop_at_the_same_epoch(rows: int, in_blocks: InBlocks) -> None:
    """Sums over an epoch, the judgement and the state are carried across the edges."""
    spec = make_spec(
        source="toy:blobs",
        data={"rows": 10, "validation": 0.3},
        layers=[{"units": 2, "activation": "tanh", "dropout": 0.3}, {"activation": "softmax"}],
        epochs=9,
        batch_size=3,
        optimizer="adam",
        learning_rate=3.0,
        patience=2,
    )
    run = sheetnet.train(spec)
    assert run.stopped_after is not None and run.stopped_after < 9
    train, epochs = joined(in_blocks(spec, rows))
    assert np.array_equal(train, run.matrix)
    assert np.array_equal(epochs, run.epochs)


LINE = {"source": "toy:line", "data": {"rows": 10}, "layers": [{"activation": "linear"}]}


def diverging() -> Spec:
    """A line with steps that are much too large: 240 visits, overflow on the way."""
    return make_spec(**LINE, loss="mse", epochs=24, learning_rate=100.0)


def test_divergence_is_nan_from_its_visit_on() -> None:
    run = sheetnet.train(diverging())
    visit = run.diverged_at
    assert visit is not None and 20 < visit < 100
    assert np.isfinite(run.matrix[: visit - 1]).all()
    assert not np.isinf(run.matrix).any()
    assert np.isnan(run["loss"][visit - 1 :]).all()
    for name in ("W1", "b1", "z1", "delta1", "uW1"):
        # A square overflows when the error itself is half way there.
        assert np.isfinite(run[name][visit - 1]).all()
        assert np.isnan(run[name][2 * visit + 10 :]).all()
    assert np.isnan(run.final["W1"]).all()
    # What does not follow from the weights is still there.
    assert np.isfinite(run["x"]).all() and np.isfinite(run["sample"]).all()
    assert run.summary()["diverged_at"] == visit
    assert run.summary()["last_visit_loss"] is None


@pytest.mark.parametrize("rows", [1, 7, 60])
def test_divergence_in_a_middle_block(rows: int, in_blocks: InBlocks) -> None:
    whole = sheetnet.train(diverging())
    assert whole.diverged_at is not None
    found = in_blocks(diverging(), rows)
    bad = [not np.isfinite(block.train).all() for block in found]
    assert not bad[0] and bad.index(True) < len(bad) - 1
    train, epochs = joined(found)
    assert np.array_equal(train, whole.matrix, equal_nan=True)
    assert np.array_equal(epochs, whole.epochs, equal_nan=True)


@pytest.mark.parametrize("rows", [1, 3])
def test_weights_that_overflow_between_two_blocks(
    rows: int, in_blocks: InBlocks, tmp_path: Path
) -> None:
    """All numbers of a row are finite, and yet W + ΔW, which begins the next one, is not."""
    (tmp_path / "huge.csv").write_text("x,y\n1e-155,5e153\n")
    layers = [{"activation": "linear", "weights": [[1.75e308]], "train_bias": False}]
    options: dict[str, Any] = {"layers": layers, "epochs": 6, "learning_rate": 1.5e308}
    data = {"target": "y"}
    spec = make_spec(source="huge.csv", folder=tmp_path, data=data, **options)
    whole = sheetnet.train(spec)
    assert whole.diverged_at == 2 and np.isfinite(whole.matrix[0]).all()
    train, epochs = joined(in_blocks(spec, rows))
    for found, held in ((train, whole.matrix), (epochs, whole.epochs)):
        assert not np.isinf(found).any(), "a sheet holds no infinite number"
        assert np.array_equal(found, held, equal_nan=True)


HIDDEN = [a.name for a in ACTIVATIONS.values() if not a.last_only]
PAIRS = [(a, loss.name) for loss in LOSSES.values() for a in ACTIVATIONS if loss.suits(a)]


@pytest.mark.parametrize("hidden", HIDDEN)
@pytest.mark.parametrize(("last", "loss"), PAIRS)
def test_no_network_warns_however_fast_it_diverges(
    hidden: str, last: str, loss: str, tmp_path: Path
) -> None:
    """Warnings are errors here; what cannot be a number must be nan, never infinite."""
    (tmp_path / "two.csv").write_text("p,s,t\n0.5,0.25,0.75\n-0.7,1,0\n1.3,0.5,0.5\n")
    layers = [{"units": 3, "activation": hidden}, {"units": 2, "activation": last}]
    options: dict[str, Any] = {"layers": layers, "loss": loss, "data": {"target": ["s", "t"]}}
    for rate in (1e30, 1e308):
        spec = make_spec(
            source="two.csv", folder=tmp_path, learning_rate=rate, epochs=60, **options
        )
        run = sheetnet.train(spec)
        assert not np.isinf(run.matrix).any() and not np.isinf(run.epochs).any()


def wide(tmp_path: Path) -> Problem:
    """12,000 visits of a perceptron with 60 inputs."""
    random = np.random.default_rng(0)
    names = [f"x{i}" for i in range(60)]
    rows = [",".join(f"{v:.3f}" for v in row) for row in random.normal(size=(200, 61))]
    (tmp_path / "wide.csv").write_text("\n".join([",".join([*names, "y"]), *rows]))
    options: dict[str, Any] = {"layers": [{"activation": "linear"}], "data": {"target": "y"}}
    spec = make_spec(source="wide.csv", folder=tmp_path, epochs=60, learning_rate=0.001, **options)
    return load_problem(spec)


def test_blocks_need_little_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    problem = wide(tmp_path)
    width = ledger_of(problem.network).width
    assert problem.visits == 12_000
    whole = problem.visits * width * 8
    monkeypatch.setattr(engine, "BLOCK_CELLS", 40_000)
    produced = engine.blocks(problem)
    assert inspect.isgenerator(produced)
    tracemalloc.start()
    try:
        rows = sum(len(block.train) for block in produced)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert rows == 12_000
    # Two blocks at a time and the constant columns of all visits.
    assert peak < whole / 8, f"{peak / 1e6:.1f} MB of {whole / 1e6:.1f} MB"


def test_a_ledger_too_large_for_memory_is_refused() -> None:
    with pytest.raises(LimitError, match="epochs"):
        sheetnet.train(make_spec(epochs=1_000_000_000))
