"""Generated PyTorch scripts agree with the engine, and so does each record's PyTorch form."""

from __future__ import annotations

import dataclasses
import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import EXAMPLES
from drawn import Document, sample, spec_of
from scripts import Printed, all_values, expected, run_scripts
from support import make_spec
from test_codegen import SPECS, lint, written
from test_codegen_records import arrays

import sheetnet
from sheetnet.concepts.activations import ACTIVATIONS, Activation
from sheetnet.concepts.clipping import CLIPPED, NORM, SHRINK, SHRUNK
from sheetnet.concepts.losses import LOSSES, Loss
from sheetnet.concepts.optimizers import OPTIMIZERS, Optimizer
from sheetnet.errors import DataError, SheetnetError
from sheetnet.problem import Problem, load_problem
from sheetnet.run import Run, train

torch = pytest.importorskip("torch")

CLOSE = 1e-9
DRAWN = 60


def assert_close(printed: Printed, run: Run) -> None:
    have, want = all_values(printed), expected(run)
    assert set(have) == set(want)
    for name, value in want.items():
        scale = max(1.0, float(np.abs(value).max()))
        np.testing.assert_allclose(have[name], value, rtol=0, atol=CLOSE * scale, err_msg=name)


def steady(run: Run) -> bool:
    """Whether the training keeps small differences small: no other arithmetic repeats a run
    that diverges, or that makes of 1e-15 in its first weights more than a rounding error."""
    if run.diverged_at is not None:
        return False
    moved = tuple(w * (1 + 1e-15) for w in run.problem.weights)
    other = train(dataclasses.replace(run.problem, weights=moved))
    if other.stopped_after != run.stopped_after or other.best_epoch != run.best_epoch:
        return False
    pairs = [(run.epochs, other.epochs), *((run.final[n], other.final[n]) for n in run.final)]
    return all(np.allclose(a, b, rtol=CLOSE / 10, atol=CLOSE / 10) for a, b in pairs)


def check(problems: list[Problem], folder: Path) -> int:
    """Run all that are steady; return how many."""
    runs = [run for run in map(train, problems) if steady(run)]
    paths = written([run.problem for run in runs], folder, "torch")
    for printed, run in zip(run_scripts(*paths), runs, strict=True):
        assert_close(printed, run)
    lint(*paths)
    return len(runs)


def test_examples(tmp_path: Path) -> None:
    problems = [load_problem(sheetnet.load_spec(path)) for path in EXAMPLES]
    # Those whose learning rate is too large on purpose are not steady.
    assert check(problems, tmp_path) >= len(problems) - 3


def test_special_specs(tmp_path: Path) -> None:
    assert check([load_problem(spec) for spec in SPECS.values()], tmp_path) == len(SPECS)


def well_conditioned(document: Document) -> bool:
    """Limits so small that rounding decides, and decays that PyTorch refuses, are left out."""
    training = document["training"]
    limits = [training.get(name, 1.0) for name in ("clip", "clip_norm")]
    return min(limits) > 1e-6 and max(training.get("beta1", 0), training.get("beta2", 0)) < 1


def test_drawn_specs(tmp_path: Path) -> None:
    problems: list[Problem] = []
    for i, (document, table) in enumerate(sample(DRAWN, key="torch", tame=True)):
        folder = tmp_path / f"data{i}"
        folder.mkdir()
        if well_conditioned(document):
            try:
                problems.append(load_problem(spec_of(document, table, folder)))
            except DataError as error:
                assert "does not give finite numbers" in str(error)
    assert check(problems, tmp_path) > DRAWN * 0.6


def tensor(x: Any) -> Any:
    return torch.tensor(np.asarray(x, dtype=np.float64), requires_grad=True)


def called(code: str, **names: Any) -> Any:
    scope = {"torch": torch, "nn": torch.nn, "F": torch.nn.functional, **names}
    return eval(code, scope)


@pytest.mark.parametrize("activation", ACTIVATIONS.values(), ids=ACTIVATIONS)
def test_activation(activation: Activation) -> None:
    for z in (z for size in (1, 3, 10) for z in arrays(size, finite=True, count=60)):
        if not np.abs(z).max() < 700:  # nan too
            continue
        q = {"z": z}
        for part in activation.parts:
            q[part.name] = part.value(q)
        given = tensor(z)
        a = called(activation.torch, z=given)
        np.testing.assert_allclose(a.detach(), q["a"], rtol=1e-14, atol=1e-300)
        da = np.linspace(-1, 2, len(z))
        a.backward(torch.tensor(da))
        if activation.slope is not None:
            delta = da * activation.slope(z, q["a"])
        else:
            assert activation.back is not None
            delta = activation.back(da, q["a"])
        np.testing.assert_allclose(given.grad, delta, rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("loss", LOSSES.values(), ids=LOSSES)
def test_loss(loss: Loss) -> None:
    """The mean over a batch, and its gradient."""
    random = np.random.default_rng(5)
    fitting = [a for a in ACTIVATIONS.values() if loss.suits(a.name)]
    for activation, size in itertools.product(fitting, (1, 2, 10)):
        z = 3 * random.standard_normal((4, size))
        y = random.uniform(0, 1, (4, size))
        y = y / y.sum(axis=1, keepdims=True) if loss.targets == "shares" else y
        q = {"z": z, "y": y}
        for part in activation.parts:
            q[part.name] = part.value(q)
        given = tensor(z)
        a = called(activation.torch, z=given)
        found = called(loss.torch, z=given, a=a, y=torch.tensor(y))
        np.testing.assert_allclose(found.item(), loss.value(q).mean(), rtol=1e-13)
        found.backward()
        if activation.name in loss.deltas:
            delta = loss.deltas[activation.name].value(q)
        else:
            assert loss.slope is not None
            back, slope = activation.back, activation.slope
            da = loss.slope(q)
            delta = back(da, q["a"]) if back else da * slope(z, q["a"])  # type: ignore[misc]
        np.testing.assert_allclose(given.grad, delta / 4, rtol=1e-11, atol=1e-14)


@pytest.mark.parametrize("optimizer", OPTIMIZERS.values(), ids=OPTIMIZERS)
def test_optimizer(optimizer: Optimizer) -> None:
    """Twelve updates in a row; numbers at their limits are taken, or refused by name."""
    choices = [
        [h.default, h.low, 0.25, *([h.high] if h.high is not None else [])]
        for h in optimizer.hyperparameters
    ]
    tried = 0
    for numbers in itertools.product(*choices):
        hyper = dict(zip((h.name for h in optimizer.hyperparameters), numbers, strict=True))
        if any(hyper[name] >= limit for name, limit in optimizer.torch_below.items()):
            with pytest.raises(ValueError, match="beta"):
                called(f"torch.optim.{optimizer.torch}", trained=[tensor([1.0])], **hyper)
            with pytest.raises(SheetnetError, match="PyTorch"):
                sheetnet.code(make_spec(optimizer=optimizer.name, **hyper), "torch")
            continue
        random = np.random.default_rng(6)
        start = random.standard_normal(5)
        parameter, w = tensor(start), start.copy()
        ours = called(f"torch.optim.{optimizer.torch}", trained=[parameter], **hyper)
        held = {slot.name: np.zeros(5) for slot in optimizer.slots}
        for update in range(1, 13):
            gradient = random.standard_normal(5)
            q: dict[str, Any] = {**hyper, "gradient": gradient, "update": np.asarray(update)}
            with np.errstate(all="ignore"):
                for slot in optimizer.slots:
                    q[slot.name] = held[slot.name] = slot.value({**q, "before": held[slot.name]})
                w = w + optimizer.step(q)
            parameter.grad = torch.tensor(gradient)
            ours.step()
            np.testing.assert_allclose(parameter.detach(), w, rtol=1e-11, atol=1e-11)
        tried += 1
    assert tried >= 3


def test_clipping() -> None:
    for limit, scale in itertools.product((0.0, 0.1, 1.0), (0.01, 1.0, 100.0)):
        gradient = scale * np.random.default_rng(7).standard_normal(6)
        numbers: dict[str, Any] = {"clip": limit, "clip_norm": limit}
        for slots in ([CLIPPED], [NORM, SHRINK, SHRUNK]):
            trained = [tensor(np.zeros((2, 2))), tensor(np.zeros(2))]
            trained[0].grad = torch.tensor(gradient[:4].reshape(2, 2))
            trained[1].grad = torch.tensor(gradient[4:])
            names = {**numbers, "trained": trained, "torch": torch, "nn": torch.nn}
            q = {**numbers, "gradient": gradient}
            for slot in slots:
                exec(slot.torch, names)
                q[slot.name] = slot.value(q)
            found = np.concatenate([p.grad.numpy().ravel() for p in trained])
            np.testing.assert_allclose(found, q[slots[-1].name], rtol=1e-14, atol=1e-300)
