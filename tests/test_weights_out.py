"""The lines of the README that load weights: run as they stand."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import ROOT
from support import run
from test_readme import blocks

import sheetnet
from sheetnet.run import Run

XOR = ROOT / "examples/xor.toml"


@pytest.fixture
def trained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """XOR, trained; its JSON lies in the folder that is the current one."""
    (tmp_path / "xor.json").write_text(run("train", XOR, "--json").stdout, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return sheetnet.train(sheetnet.load_spec(XOR))


def names_after(needle: str) -> dict[str, Any]:
    """What the README's block with this import leaves behind."""
    (block,) = [b for b in blocks("py") if f"import json, {needle}" in b]
    names: dict[str, Any] = {}
    exec(block, names)
    return names


def test_the_command_stands_in_the_readme() -> None:
    assert any("sheetnet train examples/xor.toml --json > xor.json" in b for b in blocks("sh"))


def test_numpy(trained: Run) -> None:
    names = names_after("numpy")
    assert set(names["weights"]) == set(trained.final)
    for name, value in trained.final.items():
        np.testing.assert_array_equal(names["weights"][name], value)
    w, b = trained.final["W1"], trained.final["b1"]
    np.testing.assert_allclose(names["a1"], np.tanh(w[:, 1] + b), rtol=1e-14)


def test_torch(trained: Run) -> None:
    torch = pytest.importorskip("torch")
    network = names_after("torch")["network"]
    np.testing.assert_array_equal(network[0].weight.detach(), trained.final["W1"])
    np.testing.assert_array_equal(network[2].bias.detach(), trained.final["b2"])
    # Trained on, one more epoch of the same samples begins where the first ended.
    more = sheetnet.train(sheetnet.load_spec(XOR).override(epochs=trained.epochs.shape[0] + 1))
    sample = int(more["sample"][len(trained.matrix)]) - 1
    x = torch.tensor(more.problem.inputs.values[sample])
    predicted = network(x).detach()
    np.testing.assert_allclose(predicted, more["a2"][len(trained.matrix)], rtol=1e-12)


def test_best_weights(tmp_path: Path) -> None:
    spec = ROOT / "examples/overfitting_early_stopping.toml"
    found = json.loads(run("train", spec, "--json").stdout)
    best = sheetnet.train(sheetnet.load_spec(spec)).best
    assert best is not None and set(found["best_weights"]) == set(best)
    for name, value in best.items():
        np.testing.assert_array_equal(found["best_weights"][name], value)
        assert not np.array_equal(found["weights"][name], value)
