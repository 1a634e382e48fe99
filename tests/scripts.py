"""Running generated scripts and reading what they print."""

from __future__ import annotations

import math
import re
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from sheetnet.concepts.arithmetic import Array
from sheetnet.run import Run

_EPOCH = re.compile(r"epoch (\d+): loss (\S+?)(?:, val_loss (\S+))?")
_END = "-- end of a script --"

# Several scripts in one process, each as a program of its own; any warning is an error.
_RUNNER = f"""
import os, runpy, sys
for path in sys.argv[1:]:
    runpy.run_path(path, run_name="__main__")
    print({_END!r})
"""


@dataclass
class Printed:
    """What a script printed: losses of each epoch, and values by name."""

    loss: list[float] = field(default_factory=list)
    val_loss: list[float] = field(default_factory=list)
    values: dict[str, Any] = field(default_factory=dict)


def parsed(text: str) -> Printed:
    found = Printed()
    for line in text.splitlines():
        epoch = _EPOCH.fullmatch(line)
        if epoch is None:
            name, _, value = line.partition(" = ")
            assert name not in found.values
            found.values[name] = eval(value, {"nan": math.nan, "__builtins__": {}})
            continue
        assert int(epoch[1]) == len(found.loss) + 1
        found.loss.append(float(epoch[2]))
        if epoch[3] is not None:
            found.val_loss.append(float(epoch[3]))
    return found


def run_scripts(*paths: Path) -> list[Printed]:
    """Run them in a process of its own; nothing may be said on stderr."""
    command = [sys.executable, "-W", "error", "-c", _RUNNER, *map(str, paths)]
    done = subprocess.run(
        command, capture_output=True, encoding="utf-8", timeout=300, check=False, cwd="/"
    )
    assert done.returncode == 0 and not done.stderr, done.stderr
    *texts, rest = done.stdout.split(_END + "\n")
    assert not rest
    return [parsed(text) for text in texts]


def expected(run: Run) -> dict[str, Array]:
    """What a script of this run should print: name -> values, each epoch's losses among them."""
    end = run.stopped_after
    found = {"loss": run.epoch_losses[:end], **run.final}
    if run.best is not None:
        found["val_loss"] = run.by_epoch("val_loss")[:end]
        found["best_epoch"] = np.asarray(run.best_epoch)
        found |= {f"best {name}": value for name, value in run.best.items()}
    if end is not None:
        found["stopped_after"] = np.asarray(end)
    return found


def all_values(printed: Printed) -> dict[str, Array]:
    """The same as a script printed it."""
    found = {"loss": printed.loss, **printed.values}
    if printed.val_loss:
        found["val_loss"] = printed.val_loss
    return {name: np.asarray(value, dtype=np.float64) for name, value in found.items()}


def assert_same_bits(printed: Printed, run: Run) -> None:
    """Equal to the last bit, nan where the engine has nan."""
    have, want = all_values(printed), expected(run)
    assert set(have) == set(want)
    for name, value in want.items():
        np.testing.assert_array_equal(have[name], value, err_msg=name, strict=False)
        assert have[name].shape == value.shape, name
