"""The examples of the lecture show what their first lines say, also with what they change."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import sheetnet
from sheetnet.concepts.arithmetic import Array
from sheetnet.run import Run
from sheetnet.spec import Spec

EXAMPLES = Path(__file__).parent.parent / "examples"
LESSONS = sorted(
    path.stem
    for lesson in ("vanishing", "exploding", "overfitting", "rate")
    for path in EXAMPLES.glob(f"{lesson}*.toml")
)
MOST_CELLS = 90_000
SEEDS = (0, 1, 2, 3, 4)


@cache
def lesson(name: str) -> Spec:
    """The spec of an example."""
    return sheetnet.load_spec(EXAMPLES / f"{name}.toml")


@cache
def trained(name: str, **changes: Any) -> Run:
    """The run of an example, with changes as a person would make them on Config."""
    spec = lesson(name)
    if "dropout_1" in changes:
        hidden = dataclasses.replace(spec.layers[0], dropout=changes.pop("dropout_1"))
        spec = dataclasses.replace(spec, layers=(hidden, *spec.layers[1:]))
    return sheetnet.train(spec.override(**changes))


def last(run: Run, name: str = "loss") -> float:
    """A number of the last epoch."""
    return float(run.by_epoch(name)[-1])


@pytest.mark.parametrize("name", LESSONS)
def test_a_spec_begins_with_what_to_look_at_and_what_to_change(name: str) -> None:
    lines = (EXAMPLES / f"{name}.toml").read_text(encoding="utf-8").splitlines()
    assert [line.startswith("#") for line in lines[:4]] == [True, True, True, False]
    assert lines[1].startswith("# Look at ") and lines[2].startswith("# Change ")
    for other in re.findall(r"\w+(?=\.toml)|\brate_\w+", " ".join(lines[:3])):
        assert (EXAMPLES / f"{other}.toml").exists(), other


@pytest.mark.parametrize("name", LESSONS)
def test_a_lesson_opens_at_once(name: str) -> None:
    assert trained(name).matrix.size <= MOST_CELLS


# --- The tables are what their rules draw.


def table(header: str, columns: Iterable[NDArray[Any]]) -> str:
    rows = zip(*(column.tolist() for column in columns), strict=True)
    return "\n".join([header, *(",".join(map(str, row)) for row in rows)]) + "\n"


def test_the_exam_is_noise_around_a_rule() -> None:
    """Passed where studied + slept > 12 hours, but 6 of 60 results are swapped."""
    random, rows = np.random.RandomState(4), 60
    studied = np.round(random.uniform(0, 10, rows), 1)
    slept = np.round(random.uniform(4, 10, rows), 1)
    others = [random.randint(low, high, rows) for low, high in ((36, 47), (1, 100), (1, 32))]
    others.append(random.randint(150, 200, rows))
    passed = studied + slept > 12
    swapped = random.permutation(rows)[:6]
    passed[swapped] = ~passed[swapped]
    result = np.where(passed, "passed", "failed")
    header = "hours_studied,hours_slept,shoe_size,house_number,day_of_birth,height_cm,result"
    wanted = table(header, [studied, slept, *others, result])
    assert (EXAMPLES / "exam.csv").read_text(encoding="utf-8") == wanted


def test_the_valley_is_twice_the_absolute_value() -> None:
    random = np.random.RandomState(0)
    x = random.permutation(np.round(np.linspace(-3, 3, 20), 2))
    y = np.round(2 * abs(x) + 0.3 * random.standard_normal(20), 2)
    assert (EXAMPLES / "valley.csv").read_text(encoding="utf-8") == table("x,y", [x, y])


def test_the_two_scales_are_a_plane() -> None:
    random = np.random.RandomState(0)
    x1 = np.round(random.uniform(-1, 1, 20), 2)
    x2 = np.round(random.uniform(-10, 10, 20), 1)
    y = np.round(2 * x1 + 0.2 * x2 + 1 + 0.1 * random.standard_normal(20), 2)
    wanted = table("x1,x2,y", [x1, x2, y])
    assert (EXAMPLES / "scales.csv").read_text(encoding="utf-8") == wanted


# --- Vanishing gradients.


def ratio(run: Run) -> Array:
    """The gradient norm of layer 1 as a share of layer 6's, in each epoch."""
    norms = run.by_epoch("grad_norm")
    return norms[:, 0] / norms[:, 5]


def moved(run: Run, layer: int) -> float:
    """How far the weights of a layer came."""
    return float(np.abs(run.final[f"W{layer}"] - run[f"W{layer}"][0]).max())


def test_vanishing_specs_differ_in_the_activation_only() -> None:
    sigmoid, relu = lesson("vanishing_sigmoid"), lesson("vanishing_relu")
    assert (sigmoid.data, sigmoid.training) == (relu.data, relu.training)
    assert [layer.activation for layer in relu.layers] == ["relu"] * 6 + ["sigmoid"]
    for one, other in zip(sigmoid.layers, relu.layers, strict=True):
        assert dataclasses.replace(one, activation=other.activation) == other


def test_gradients_vanish_through_sigmoid() -> None:
    run = trained("vanishing_sigmoid")
    norms = run.by_epoch("grad_norm")
    assert (norms[:, :-1] / norms[:, 1:] < 0.34).all()
    assert (ratio(run) < 0.01).all()
    assert last(run) > 0.65


def test_a_larger_rate_does_not_help_sigmoid() -> None:
    run = trained("vanishing_sigmoid", learning_rate=0.5)
    assert max(moved(run, layer) for layer in (1, 2, 3)) < 0.05
    assert min(moved(run, layer) for layer in (6, 7)) > 0.3
    assert last(run) > 0.65


def test_gradients_pass_through_relu() -> None:
    run = trained("vanishing_relu")
    norms = run.by_epoch("grad_norm")
    assert (norms.max(axis=1) < 6 * norms.min(axis=1)).all()
    assert last(run) < 0.3 and last(run, "accuracy") > 0.9


def test_relu_dies_at_a_large_rate() -> None:
    norms = trained("vanishing_relu", learning_rate=0.5).by_epoch("grad_norm")
    assert (norms[-1, :6] == 0).all() and norms[-1, 6] > 0


@pytest.mark.parametrize("seed", SEEDS)
def test_gradients_vanish_with_other_seeds(seed: int) -> None:
    sigmoid, relu = (trained(f"vanishing_{n}", seed=seed) for n in ("sigmoid", "relu"))
    assert (ratio(sigmoid) < 0.02).all() and last(sigmoid) > 0.65
    assert ratio(relu)[0] > 0.1 and ratio(relu)[-1] > 0.1
    assert ratio(relu)[-1] > 50 * ratio(sigmoid)[-1]


# --- Exploding gradients.


def test_exploding_specs_differ_in_the_clip_only() -> None:
    free, clipped = lesson("exploding_relu"), lesson("exploding_clipped")
    assert (free.data, free.layers) == (clipped.data, clipped.layers)
    assert free.override(clip=0.2).training == clipped.training


def test_relu_explodes() -> None:
    run = trained("exploding_relu")
    assert run.diverged_at == 14
    told = ["1e+01", "1e+05", "4e+04", "2e+12", "5e+36"]
    assert [f"{loss:.0e}" for loss in run["loss"][6:11]] == told
    assert np.isnan(run["loss"][13:]).all()
    assert all(np.isnan(value).all() for value in run.final.values())


def test_a_smaller_rate_does_not_explode() -> None:
    run = trained("exploding_relu", learning_rate=0.02)
    assert run.diverged_at is None and last(run) < 0.2


def test_clipping_saves_the_run() -> None:
    run = trained("exploding_clipped")
    assert run.diverged_at is None
    assert np.abs(run["dW2"]).max() > 10 and np.abs(run["cW2"]).max() == 0.2
    losses = run.by_epoch("loss")
    assert losses[-1] < 0.3 and losses[-1] < losses[0] / 10


def test_a_clip_of_1000_kills_and_of_1e300_does_nothing() -> None:
    dead = trained("exploding_clipped", clip=1000)
    assert dead.diverged_at is None
    assert (dead["a1"][-20:] == 0).all() and last(dead) > 3
    assert trained("exploding_clipped", clip=1e300).diverged_at == 14


@pytest.mark.parametrize("seed", SEEDS)
def test_relu_explodes_with_other_seeds(seed: int) -> None:
    diverged_at = trained("exploding_relu", seed=seed).diverged_at
    assert diverged_at is not None and diverged_at <= 20
    losses = trained("exploding_clipped", seed=seed).by_epoch("loss")
    assert losses[-1] < losses[0] / 2


# --- Overfitting, early stopping, dropout.


def test_overfitting_specs_differ_in_one_thing_only() -> None:
    plain, stopping = lesson("overfitting"), lesson("overfitting_early_stopping")
    dropout = lesson("overfitting_dropout")
    assert plain.data == stopping.data == dropout.data
    assert plain.training == dropout.training
    assert plain.override(patience=4).training == stopping.training
    assert plain.layers == stopping.layers
    hidden = dataclasses.replace(dropout.layers[0], dropout=None)
    assert (hidden, *dropout.layers[1:]) == plain.layers


def test_training_loss_falls_while_validation_loss_turns() -> None:
    run = trained("overfitting")
    loss, val_loss = run.by_epoch("loss"), run.by_epoch("val_loss")
    assert loss[-1] < 0.05 and last(run, "accuracy") == 1
    assert run.best_epoch == 6
    assert val_loss[-1] > 1.6 * val_loss[5]
    assert last(run, "val_accuracy") < run.by_epoch("val_accuracy")[5]


def test_a_small_rate_has_no_time_to_overfit() -> None:
    run = trained("overfitting", learning_rate=0.02)
    assert run.best_epoch == len(run.epoch_losses)


def test_early_stopping_keeps_the_weights() -> None:
    run, plain = trained("overfitting_early_stopping"), trained("overfitting")
    assert (run.best_epoch, run.stopped_after) == (6, 10)
    assert run.by_epoch("wait")[5:10].tolist() == [0, 1, 2, 3, 4]
    assert (run.by_epoch("W1")[:10] == plain.by_epoch("W1")[:10]).all()
    assert (run.by_epoch("W1")[10:] == run.by_epoch("W1")[9]).all()
    assert last(run, "val_loss") < 0.75 * last(plain, "val_loss")


def test_patience_decides_when_it_stops() -> None:
    assert trained("overfitting_early_stopping", patience=1).stopped_after == 7
    never = trained("overfitting_early_stopping", patience=25)
    assert never.stopped_after is None
    assert (never.by_epoch("val_loss") == trained("overfitting").by_epoch("val_loss")).all()


def test_dropout_keeps_the_validation_loss_low() -> None:
    run, plain = trained("overfitting_dropout"), trained("overfitting")
    assert last(run, "val_loss") < 0.65 * last(plain, "val_loss")
    assert last(run) > 0.3


def test_the_rate_of_dropout_leads_from_one_to_the_other() -> None:
    none, some = (trained("overfitting_dropout", dropout_1=rate) for rate in (0.0, 0.2))
    plain, half = trained("overfitting"), trained("overfitting_dropout")
    assert (none.by_epoch("val_loss") == plain.by_epoch("val_loss")).all()
    assert last(half, "val_loss") < last(some, "val_loss") < last(plain, "val_loss")


@pytest.mark.parametrize("seed", SEEDS)
def test_overfitting_with_other_seeds(seed: int) -> None:
    """The seed draws the rows held out as well: where training ought to end differs."""
    plain, stopping, dropout = (
        trained(f"overfitting{n}", seed=seed) for n in ("", "_early_stopping", "_dropout")
    )
    val_loss = plain.by_epoch("val_loss")
    assert last(plain) < 0.1 and val_loss[-1] > 1.4 * val_loss.min()
    assert stopping.best_epoch is not None
    assert stopping.stopped_after == stopping.best_epoch + 4
    assert last(stopping, "val_loss") < 0.85 * val_loss[-1]
    assert last(dropout, "val_loss") < 0.85 * val_loss[-1]


# --- Learning rates, and Adam.


def test_rate_specs_differ_in_rate_and_optimizer_only() -> None:
    right = lesson("rate_right")
    for name, learning_rate in (("too_small", 0.0001), ("too_large", 0.03)):
        other = lesson(f"rate_{name}")
        assert (other.data, other.layers) == (right.data, right.layers)
        assert right.override(learning_rate=learning_rate).training == other.training
    adam = lesson("rate_adam")
    assert (adam.data, adam.layers) == (right.data, right.layers)
    assert right.override(optimizer="adam", learning_rate=0.05).training == adam.training


def test_a_rate_that_is_too_small_hardly_moves() -> None:
    run = trained("rate_too_small")
    assert run.final["W1"][0, 0] == pytest.approx(0.06, abs=0.005)
    assert last(run) > 0.3 * run.by_epoch("loss")[0]
    small = [trained("rate_too_small", learning_rate=r).final["W1"][0, 0] for r in (0.001, 0.01)]
    assert small[0] == pytest.approx(0.45, abs=0.02) and small[1] > 1.7


def test_the_right_rate_learns_the_weight_of_the_large_input_first() -> None:
    run = trained("rate_right")
    assert run.by_epoch("loss")[0] == pytest.approx(3.5, abs=0.1)
    assert last(run) == pytest.approx(0.05, abs=0.005)
    w1, w2 = run.by_epoch("W1")[:, 0].T  # their goals are 2 and 0.2
    assert abs(w2[4:] - 0.2).max() < 0.15
    assert w1[0] < 0.3 and (np.diff(w1) > 0).all() and w1[-1] > 1.7


def test_above_the_right_rate_the_loss_jumps_then_runs_away() -> None:
    jumping = trained("rate_right", learning_rate=0.02).by_epoch("loss")
    assert (np.diff(jumping) > 0).sum() > 5
    assert 1 < jumping[5:].max() < 100
    assert last(trained("rate_right", learning_rate=0.025)) > 1e6


def test_a_rate_that_is_too_large_swings_ever_further() -> None:
    run = trained("rate_too_large")
    assert run.diverged_at is None and f"{last(run):.0e}" == "3e+38"
    assert (np.diff(np.sign(run["W1"][:, 0, 1])) != 0).mean() > 0.4


def test_adam_steps_alike_where_gradients_do_not() -> None:
    run = trained("rate_adam")
    assert run["uW1"][0, 0] == pytest.approx(0.05, rel=1e-6)
    assert run["dW1"][0, 0] == pytest.approx([-0.4, -26], rel=0.05)
    wild = trained("rate_adam", learning_rate=0.2).by_epoch("loss")
    assert wild[4] < 0.1 and wild[5:].max() > 0.5


@pytest.mark.parametrize("seed", SEEDS)
def test_rates_are_in_order_with_every_seed(seed: int) -> None:
    small, right, large, adam = (
        trained(f"rate_{n}", seed=seed).by_epoch("loss")
        for n in ("too_small", "right", "too_large", "adam")
    )
    assert small[-1] > 1 > 0.1 > right[-1]
    assert large[-1] > 1e30
    assert adam[4] < right[4] / 8
