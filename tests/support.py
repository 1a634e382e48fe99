"""Helpers of several tests: small specs, the command line, faults in workbooks."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result

from sheetnet.cli import main
from sheetnet.spec import Spec, parse_spec


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
