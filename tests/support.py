"""Helpers of several tests: small specs, the command line, faults in workbooks."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result

from sheetnet.cli import main
from sheetnet.layout import layout_of
from sheetnet.problem import load_problem
from sheetnet.spec import Spec, load_spec, parse_spec

WITHOUT_VIEWS = ("Guide", "Epochs")
"""Sheets for tests of the training itself: others have up to a hundred times the cells."""

WITH_COMPARE = (*WITHOUT_VIEWS, "Compare")


def make_spec(
    *,
    source: str = "toy:xor",
    layers: list[dict[str, Any]] | None = None,
    data: Mapping[str, Any] | None = None,
    folder: Path = Path(),
    name: str = "test",
    **training: Any,
) -> Spec:
    """A small spec: by default XOR on 2-3-1 tanh, sigmoid, three epochs."""
    document = {
        "data": {"source": source, **(data or {})},
        "layers": layers
        or [{"units": 3, "activation": "tanh"}, {"units": 1, "activation": "sigmoid"}],
        "training": {"epochs": 3, "learning_rate": 0.5, **training},
    }
    return parse_spec(document, name=name, folder=folder)


def run(*arguments: object) -> Result:
    """Run the command line in this process."""
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def shortened(path: Path, cells: int) -> Spec:
    """An example with so few epochs (and rows, if it must be) that Train has fewer cells."""
    spec = load_spec(path)
    problem = load_problem(spec)
    layout = layout_of(problem)
    epochs = max(1, cells // (problem.rows * layout.ledger.width))
    spec = spec.override(epochs=min(epochs, spec.training.epochs))
    most = cells // layout.ledger.width
    # The first hundred rows of iris hold two classes, of which softmax would make two outputs.
    return (
        spec.override(rows=max(2, most))
        if problem.rows > most and problem.classes is None
        else spec
    )
