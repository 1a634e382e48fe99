"""``sheetnet tune``: what it prints, writes and refuses."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import click
import pytest
from support import run

import sheetnet
from sheetnet.cli import main
from sheetnet.tuning.backends import BACKENDS
from sheetnet.tuning.candidates import AXES

SPEC = """
[data]
source = "toy:circles"
rows = 20
[[layers]]
units = 2
activation = "tanh"
[[layers]]
activation = "sigmoid"
[training]
epochs = 3
learning_rate = 0.3
"""


@pytest.fixture
def spec(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "net.toml"
    path.write_text(SPEC)
    return path


def test_options_and_records_agree() -> None:
    options = {option.name: option for option in main.commands["tune"].params}
    assert set(AXES) <= set(options)
    backend = options["backend"].type
    assert isinstance(backend, click.Choice)
    assert tuple(backend.choices) == BACKENDS


def test_what_is_printed(spec: Path) -> None:
    result = run(
        "tune", spec, "--units", "2,4", "--learning-rate", "0.1,1", "--folds", 4, "--jobs", 1
    )
    assert (result.exit_code, result.stderr) == (0, "")  # no progress on a pipe
    expected = sheetnet.tune(
        sheetnet.load_spec(spec), units=(2, 4), learning_rate=(0.1, 1), folds=4
    )
    assert result.stdout == expected.to_text() + "\n"


def test_json_and_options_of_the_spec(spec: Path) -> None:
    result = run("tune", spec, "--json", "--layers", "0,1", "--optimizer", "sgd,adam", "--jobs", 1,
                 "--batch-size", "1,4", "--epochs", 2, "--seed", 5, "--rows", 10)  # fmt: skip
    assert (result.exit_code, result.stderr) == (0, "")
    found = json.loads(result.stdout)
    assert (found["rows"], found["seed"], len(found["candidates"])) == (10, 5, 8)
    assert found["winner"]["training"]["epochs"] == 2


def test_structure_options(spec: Path) -> None:
    result = run("tune", spec, "--activation", "tanh,relu", "--dropout", "0,0.25", "--jobs", 1)
    assert result.exit_code == 0
    names, *rows = result.stdout.splitlines()[1:-1]
    assert "activation" in names and "dropout" in names
    assert sorted(row.split()[3] for row in rows) == ["relu", "relu", "tanh", "tanh"]
    assert sorted(row.split()[4] for row in rows) == ["0", "0", "0.25", "0.25"]


def test_the_winner_is_written(spec: Path) -> None:
    line = ("tune", spec, "--units", "2,3", "--write", "best.toml", "--jobs", 1)
    result = run(*line)
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.endswith("best.toml: the best candidate as a spec\n")
    first = Path("best.toml").read_bytes()
    assert run("train", "best.toml").exit_code == 0
    again = run(*line)
    assert (again.exit_code, again.stdout) == (2, "")  # before anything is trained
    assert again.stderr == "Error: best.toml exists: use --force to replace it\n"
    assert run(*line, "--force", "--seed", 7).exit_code == 0
    assert Path("best.toml").read_bytes() != first
    result = run("tune", spec, "-o", "other.toml", "--json", "--jobs", 1)
    assert json.loads(result.stdout)["winner"]
    assert "other.toml" in result.stderr
    assert sorted(p.name for p in spec.parent.iterdir()) == ["best.toml", "net.toml", "other.toml"]


def test_the_spec_itself_is_never_replaced(spec: Path) -> None:
    result = run("tune", spec, "--write", spec.name, "--force")
    assert result.exit_code == 2
    assert "is read by the run" in result.stderr
    assert spec.read_text() == SPEC


def test_no_winner_to_write(spec: Path) -> None:
    spec.write_text(SPEC.replace("sigmoid", "linear").replace("0.3", "1e200"))
    result = run("tune", spec, "--write", "best.toml", "--jobs", 1)
    assert result.exit_code == 2
    assert "diverges in 5 of 5 folds" in result.stdout
    assert result.stderr == "Error: all candidates diverge: there is no winner to write\n"
    assert not Path("best.toml").exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--units", "2,x"], "--units is 'x': a whole number from 1 is needed"),
        (["--units", "0"], "--units is 0: a whole number from 1 is needed"),
        (["--units", "2,2"], "--units names 2 more than once"),
        (["--layers", "-1"], "--layers is -1: a whole number from 0"),
        (["--learning-rate", "0.1,fast"], "--learning-rate is 'fast': a number is needed"),
        (["--batch-size", "1.5"], "--batch-size is 1.5"),
        (["--folds", "1"], "folds is 1: a whole number from 2 to 20 (the rows of data) is needed"),
        (["--folds", "21"], "folds is 21: a whole number from 2 to 20"),
        (["--jobs", "0"], "--jobs"),
        (["--backend", "spark"], "--backend"),
        (["--backend", "dask"], "backend dask needs a scheduler"),
        (["--scheduler", "tcp://127.0.0.1:1"], "goes with the backends dask, ray, not with loky"),
        (["--write", "none/best.toml"], "there is no folder none"),
        (["--epochs", "0"], "training.epochs is 0"),
    ],
)
def test_what_cannot_be(spec: Path, options: list[str], message: str) -> None:
    result = run("tune", spec, *options)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith("Error: ") and result.stderr.count("\n") == 1
    assert message in result.stderr
    assert [p.name for p in spec.parent.iterdir()] == ["net.toml"]


def command(*options: str) -> list[str]:
    return [sys.executable, "-m", "sheetnet", "tune", "net.toml", *options]


STARTED = """
import signal

import sheetnet
from sheetnet.cli import main

signal.signal(signal.SIGINT, signal.default_int_handler)
tune = sheetnet.tune

def told(*arguments, progress, **extra):
    def first(done, total):
        print("started", flush=True)
        progress(done, total)
    return tune(*arguments, progress=first, **extra)

sheetnet.tune = told
main()
"""


@pytest.mark.parametrize("delay", [0.3, 1.2], ids=["at once", "while training"])
@pytest.mark.parametrize("backend", ["loky", "threading"])
def test_ctrl_c_ends_it(spec: Path, backend: str, delay: float) -> None:
    options = ["--epochs", "20000", "--backend", backend, "--jobs", "2"]
    line = [sys.executable, "-c", STARTED, "tune", "net.toml", *options]
    process = subprocess.Popen(
        line,
        cwd=spec.parent,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == b"started\n"
    time.sleep(delay)
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does: to all of the group
    output, errors = process.communicate(timeout=20)
    assert (process.returncode, output, errors.strip()) == (130, b"", b"Stopped.")


def test_tuning_is_imported_when_needed_only() -> None:
    code = (
        "import sys, sheetnet.cli\n"
        "print(sorted({'joblib', 'tomlkit', 'sheetnet.tuning', 'numpy'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert re.fullmatch(r"\[\]\n", done.stdout)
