"""Clipping: limits that hold, and gradients below them untouched to the last bit."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from support import make_spec

import sheetnet
from sheetnet.concepts.arithmetic import Array
from sheetnet.run import Run

NAMES = ("W1", "b1", "W2", "b2")
OPTIONS = [{}, {"batch_size": 3}]


def trained(**options: Any) -> Run:
    return sheetnet.train(make_spec(epochs=10, seed=1, **options))


def flat(run: Run, prefix: str) -> Array:
    """All gradients of a kind: (visits, parameters)."""
    visits = len(run.matrix)
    return np.concatenate([run[f"{prefix}{name}"].reshape(visits, -1) for name in NAMES], axis=1)


@pytest.mark.parametrize("options", OPTIONS)
@pytest.mark.parametrize("limit", [0.0, 0.01, 0.1])
def test_clip_is_never_exceeded(limit: float, options: dict[str, Any]) -> None:
    run = trained(clip=limit, **options)
    given, clipped = flat(run, "g" if options else "d"), flat(run, "c")
    assert (np.abs(clipped) <= limit).all()
    assert (np.abs(given) > limit).any()
    over = np.abs(given) > limit
    assert np.array_equal(clipped[over], limit * np.sign(given[over]))
    assert np.array_equal(clipped[~over], given[~over])


@pytest.mark.parametrize("options", OPTIONS)
@pytest.mark.parametrize("limit", [1e-6, 0.01, 0.2])
def test_clip_norm_is_not_exceeded(limit: float, options: dict[str, Any]) -> None:
    """Beyond rounding; the direction stays; below the limit nothing changes, bit for bit."""
    run = trained(clip_norm=limit, **options)
    given, shrunk = flat(run, "g" if options else "d"), flat(run, "n")
    norms = np.linalg.norm(given, axis=1)
    assert run["norm"] == pytest.approx(norms, rel=1e-13)
    assert (np.linalg.norm(shrunk, axis=1) <= limit * (1 + 1e-14)).all()
    over = norms > limit
    assert over.any()
    wanted = given[over] * (limit / norms[over])[:, None]
    assert shrunk[over] == pytest.approx(wanted, rel=1e-13)
    assert np.array_equal(shrunk[~over], given[~over])


def test_clip_norm_of_zero_stops_training() -> None:
    run = trained(clip_norm=0.0)
    assert not flat(run, "n").any()
    assert np.array_equal(run.final["W1"], run["W1"][0])


@pytest.mark.parametrize("options", OPTIONS)
@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_limits_that_are_not_reached_change_no_bit(optimizer: str, options: dict[str, Any]) -> None:
    plain = trained(optimizer=optimizer, **options)
    limited = trained(optimizer=optimizer, clip=100.0, clip_norm=1000.0, **options)
    assert (limited["shrink"] == 1).all()
    for block in plain.ledger.blocks:
        assert np.array_equal(plain[block.name], limited[block.name]), block.name


def test_clip_comes_before_clip_norm() -> None:
    run = trained(clip=0.05, clip_norm=0.1)
    assert run["norm"] == pytest.approx(np.linalg.norm(flat(run, "c"), axis=1), rel=1e-13)
    assert run["shrink"] == pytest.approx(np.minimum(1, 0.1 / run["norm"]), rel=1e-15)
    assert (np.abs(flat(run, "n")) <= 0.05).all()
    assert np.array_equal(run["uW1"], -0.5 * run["nW1"])


def test_columns_of_clipping() -> None:
    plain = {block.name for block in trained().ledger.blocks}
    for key, prefix, single in (("clip", "c", set()), ("clip_norm", "n", {"norm", "shrink"})):
        found = {block.name for block in trained(**{key: 1.0}).ledger.blocks}
        assert found - plain == {f"{prefix}{name}" for name in NAMES} | single
