"""Folds: a partition of the rows, and scores as an evaluation apart from ours has them."""

from __future__ import annotations

import csv
import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import make_spec

import sheetnet
from sheetnet import run
from sheetnet.data import load_rows
from sheetnet.errors import SpecError
from sheetnet.spec import Spec
from sheetnet.tuning import folds as folds_module
from sheetnet.tuning.folds import cut, fold_problem, score

IRIS = Path(__file__).parent.parent / "examples" / "iris.csv"
NUMBERS = ["sepal_length_cm", "sepal_width_cm", "petal_length_cm", "petal_width_cm"]


def iris(folder: Path, rows: list[list[str]] | None = None, **training: Any) -> Spec:
    """A 4-3-3 network on every fifth flower, or on the rows given."""
    with IRIS.open(newline="") as file:
        head, *body = csv.reader(file)
    with (folder / "some.csv").open("w", newline="") as file:
        csv.writer(file).writerows([head, *(rows or body[::5])])
    layers = [{"units": 3, "activation": "tanh"}, {"activation": "softmax"}]
    data = {"target": "species", "scale": "standard", "inputs": NUMBERS}
    return make_spec(source="some.csv", layers=layers, data=data, folder=folder,
                     **{"epochs": 4, "learning_rate": 0.2, **training})  # fmt: skip


@given(st.data(), st.integers(2, 300), st.integers(0, 2**32 - 1))
def test_folds_are_a_partition(data: st.DataObject, rows: int, seed: int) -> None:
    count = data.draw(st.integers(2, rows))
    found = cut(rows, count, seed)
    assert len(found) == count
    assert sorted(itertools.chain(*(part.tolist() for part in found))) == list(range(rows))
    sizes = [len(part) for part in found]
    assert min(sizes) >= 1 and max(sizes) - min(sizes) <= 1
    again = cut(rows, count, seed)
    assert all((a == b).all() for a, b in zip(found, again, strict=True))


def test_folds_follow_the_seed() -> None:
    assert not all((a == b).all() for a, b in zip(cut(50, 5, 0), cut(50, 5, 1), strict=True))
    assert (cut(50, 5, 0)[0] != np.arange(10)).any()


@pytest.mark.parametrize("folds", [1, 0, -2, 31, 2.0, True, "5"])
def test_folds_that_cannot_be(folds: Any) -> None:
    with pytest.raises(SpecError, match=r"folds is .*: a whole number from 2 to 30 \(the rows"):
        cut(30, folds, 0)


def test_one_row_cannot_be_cut() -> None:
    with pytest.raises(SpecError, match="at least 2 rows of data, not 1"):
        cut(1, 2, 0)


def test_a_score_against_an_evaluation_by_hand(tmp_path: Path) -> None:
    """Train on a file of the other rows alone, then predict the held-out ones by hand."""
    whole = iris(tmp_path)
    table = load_rows(whole)
    held_out = cut(table.rows, 4, 0)[1]
    found = score(whole, table, held_out)

    with (tmp_path / "some.csv").open(newline="") as file:
        body = list(csv.reader(file))[1:]
    rest = [row for i, row in enumerate(body) if i not in held_out]
    trained = sheetnet.train(iris(tmp_path, rest))
    assert found.train_loss == trained.epoch_losses[-1]
    x = np.array([[float(v) for v in row[:4]] for row in rest])
    unseen = np.array([[float(v) for v in body[i][:4]] for i in held_out])
    scaled = (unseen - x.mean(axis=0)) / x.std(axis=0)
    final = trained.final
    z = np.tanh(scaled @ final["W1"].T + final["b1"]) @ final["W2"].T + final["b2"]
    shares = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
    species = sorted({row[4] for row in body})
    right = [species.index(body[i][4]) for i in held_out]
    losses = -np.log(shares[range(len(right)), right])
    assert found.epoch == 4
    assert found.validation_loss == pytest.approx(losses.mean(), rel=1e-12)
    assert found.measure == pytest.approx((shares.argmax(axis=1) == right).mean())


def test_regression_is_measured_by_rmse() -> None:
    spec = make_spec(source="toy:line", layers=[{"activation": "linear"}], data={"rows": 20})
    table = load_rows(spec)
    found = score(spec, table, cut(20, 5, 0)[0])
    assert found.measure == pytest.approx(np.sqrt(found.validation_loss))


def test_folds_take_the_place_of_the_spec_s_validation(tmp_path: Path) -> None:
    plain = iris(tmp_path)
    other = plain.override(validation=0.4)
    table = load_rows(plain)
    assert load_rows(other).rows == table.rows == 30
    for part in cut(30, 3, 0):
        assert score(other, table, part) == score(plain, table, part)


def test_a_class_that_is_held_out_whole(tmp_path: Path) -> None:
    rows = [["1", "2", "3", str(i), "ab"[i % 2]] for i in range(8)] + [["9", "9", "9", "9", "c"]]
    spec = iris(tmp_path, rows)
    found = score(spec, load_rows(spec), np.array([8]))
    assert found.measure == 0
    assert np.isfinite(found.validation_loss)


@pytest.mark.parametrize("min_delta", [0.0, 0.05])
def test_with_patience_the_best_epoch_counts(tmp_path: Path, min_delta: float) -> None:
    spec = iris(tmp_path, epochs=40, learning_rate=1.5).override(validation=0.2)
    spec = spec.override(patience=3, min_delta=min_delta)
    table = load_rows(spec)
    epochs = set()
    for part in cut(30, 5, 1):
        found, whole = score(spec, table, part), run.train(fold_problem(spec, table, part))
        assert found.epoch == whole.best_epoch
        assert found.validation_loss == whole.by_epoch("val_loss")[found.epoch - 1]
        assert found.measure == whole.by_epoch("val_accuracy")[found.epoch - 1]
        assert found.train_loss == whole.epoch_losses[found.epoch - 1]
        if not min_delta:
            stopped = whole.stopped_after or 40
            assert found.validation_loss == whole.by_epoch("val_loss")[:stopped].min()
        epochs.add(found.epoch)
    assert len(epochs) > 1


def test_a_training_that_stops_is_not_carried_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = (
        iris(tmp_path, epochs=2000, learning_rate=3.0).override(validation=0.2).override(patience=1)
    )
    table, part = load_rows(spec), cut(30, 3, 0)[0]
    blocks = folds_module.blocks
    seen: list[int] = []

    def counted(*arguments: Any) -> Any:
        for each in blocks(*arguments):
            seen.append(len(each.train))
            yield each

    monkeypatch.setattr(folds_module, "blocks", counted)
    score(spec, table, part)
    assert sum(seen) < 2000 * 20


def test_a_training_that_diverges() -> None:
    spec = make_spec(source="toy:line", layers=[{"activation": "linear"}], data={"rows": 20},
                     learning_rate=1e200)  # fmt: skip
    found = score(spec, load_rows(spec), np.array([3, 4]))
    assert np.isnan(found.validation_loss)
