"""Mini-batches: means of gradients, the last smaller batch, the columns that carry them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from support import make_spec

import sheetnet
from sheetnet.concepts.arithmetic import Array
from sheetnet.ledger import PLACE
from sheetnet.run import Run

NAMES = ("W1", "b1", "W2", "b2")
ROWS = 7


def blobs(batch_size: int, **options: Any) -> Run:
    """Seven samples on 2-3-k tanh, softmax."""
    layers = [{"units": 3, "activation": "tanh"}, {"activation": "softmax"}]
    data = {"rows": ROWS}
    given = {"epochs": 2, "shuffle": True, "seed": 3, "layers": layers, **options}
    return sheetnet.train(make_spec(source="toy:blobs", data=data, batch_size=batch_size, **given))


def batches(size: int, epochs: int = 2) -> list[slice]:
    """The visits of each batch."""
    return [
        slice(epoch * ROWS + start, epoch * ROWS + min(start + size, ROWS))
        for epoch in range(epochs)
        for start in range(0, ROWS, size)
    ]


def gradient_alone(run: Run, visit: int, name: str) -> Array:
    """∂L/∂name of one sample from the weights of a visit, by a run of one sample each."""
    layers = [
        {"units": 3, "activation": "tanh"},
        {"activation": "softmax"},
    ]
    for index, layer in enumerate(layers, 1):
        layer["weights"] = run[f"W{index}"][visit].tolist()
        layer["bias"] = run[f"b{index}"][visit].tolist()
    data = {"rows": ROWS}
    alone = sheetnet.train(
        make_spec(source="toy:blobs", data=data, layers=layers, epochs=1, seed=3, learning_rate=0.0)
    )
    return alone[f"d{name}"][int(run["sample"][visit]) - 1]


@pytest.mark.parametrize("size", [2, 3, 7, 50])
@pytest.mark.parametrize("name", NAMES)
def test_a_batch_takes_the_mean_of_its_gradients(size: int, name: str) -> None:
    """Also in the last batch of an epoch, which is smaller where 7 is not a multiple."""
    run = blobs(size)
    for batch in batches(size):
        visits = range(batch.start, batch.stop)
        mean = np.mean([gradient_alone(run, visit, name) for visit in visits], axis=0)
        last = batch.stop - 1
        assert run[f"g{name}"][last] == pytest.approx(mean, rel=1e-12, abs=1e-15)
        assert run[f"u{name}"][last] == pytest.approx(-0.5 * mean, rel=1e-12, abs=1e-15)


@pytest.mark.parametrize("size", [2, 3, 7, 50])
def test_weights_stay_within_a_batch_and_move_after_it(size: int) -> None:
    run = blobs(size)
    for name in NAMES:
        after = np.concatenate([run[name][1:], run.final[name][None]])
        for batch in batches(size):
            held = run[name][batch]
            assert (held == held[0]).all()
            assert not run[f"u{name}"][batch][:-1].any()
            assert np.array_equal(after[batch.stop - 1], held[0] + run[f"u{name}"][batch][-1])
            assert (after[batch.stop - 1] != held[0]).any()


@pytest.mark.parametrize("size", [2, 3, 7, 50])
def test_place_in_the_batch(size: int) -> None:
    run = blobs(size)
    for number, batch in enumerate(batches(size), 1):
        n = batch.stop - batch.start
        assert run["update"][batch].tolist() == [number] * n
        assert run["first"][batch].tolist() == [1.0] + [0.0] * (n - 1)
        assert run["last"][batch].tolist() == [0.0] * (n - 1) + [1.0]
        assert run["count"][batch].tolist() == list(range(1, n + 1))


def test_running_sums_and_means() -> None:
    run = blobs(3)
    for batch in batches(3):
        count = run["count"][batch]
        for name in NAMES:
            shape = (-1,) + (1,) * (run[name].ndim - 1)
            sums = np.add.accumulate(run[f"d{name}"][batch], axis=0)
            assert np.array_equal(run[f"s{name}"][batch], sums)
            assert np.array_equal(run[f"g{name}"][batch], sums / count.reshape(shape))


def test_columns_are_there_only_where_batches_are() -> None:
    plain, batched = blobs(1).ledger, blobs(2).ledger
    added = {"first", "last", "count", *(f"{p}{name}" for p in "sg" for name in NAMES)}
    assert {block.name for block in batched.blocks} - {
        block.name for block in plain.blocks
    } == added
    assert batched.labels[:6] == (*PLACE, "first", "last")
    assert [block.name for block in batched.blocks if block.name in plain] == [
        block.name for block in plain.blocks
    ]


def test_a_full_batch_takes_no_notice_of_the_order() -> None:
    found = [blobs(ROWS, shuffle=shuffle, epochs=20).final for shuffle in (True, False)]
    for name in NAMES:
        assert found[0][name] == pytest.approx(found[1][name], rel=1e-9)


def test_a_batch_larger_than_the_data_is_a_full_batch() -> None:
    assert np.array_equal(blobs(ROWS).matrix, blobs(1000).matrix)


@pytest.mark.parametrize("optimizer", ["momentum", "adagrad", "rmsprop", "adam"])
def test_states_hold_until_the_batch_is_full(optimizer: str) -> None:
    run = blobs(3, optimizer=optimizer)
    for name in NAMES:
        state, held = run[f"v{name}"], np.zeros_like(run[f"v{name}"][0])
        for batch in batches(3):
            assert (state[batch][:-1] == held).all()
            assert (state[batch.stop - 1] != held).any()
            held = state[batch.stop - 1]


def test_adam_counts_updates_not_visits() -> None:
    run = blobs(3, optimizer="adam")
    for t, batch in enumerate(batches(3), 1):
        last = batch.stop - 1
        wanted = run["mW1"][last] / (1 - 0.9**t)
        assert run["mhatW1"][last] == pytest.approx(wanted, rel=1e-13)
