"""Generated NumPy scripts, run on their own: the engine's numbers, to the last bit."""

from __future__ import annotations

import csv
import dataclasses
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import EXAMPLES
from drawn import sample, spec_of
from scripts import assert_same_bits, run_scripts
from support import make_spec

import sheetnet
from sheetnet.codegen import script, write_script
from sheetnet.data import load_rows
from sheetnet.errors import DataError, SheetnetError
from sheetnet.problem import Problem, assemble, load_problem
from sheetnet.run import train
from sheetnet.spec import Spec

DRAWN = 80
LONG = [{"units": 24, "activation": "tanh"}, {"units": 10, "activation": "relu"}, {"units": 1}]


def written(problems: list[Problem], folder: Path, framework: str = "numpy") -> list[Path]:
    """A script of each problem, with its CSV where that is needed."""
    paths = [folder / f"{i}.py" for i in range(len(problems))]
    for problem, path in zip(problems, paths, strict=True):
        write_script(problem, path, framework, overwrite=False)
    return paths


def lint(*paths: Path) -> None:
    """Ruff's rules E and F, lines of 100 columns."""
    ruff = Path(sys.executable).with_name("ruff")
    command = [ruff, "check", "--isolated", "--select", "E,F", "--line-length", "100", *paths]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def check(problems: list[Problem], folder: Path) -> list[Path]:
    paths = written(problems, folder)
    for printed, problem in zip(run_scripts(*paths), problems, strict=True):
        assert_same_bits(printed, train(problem))
    lint(*paths)
    return paths


def test_examples(tmp_path: Path) -> None:
    problems = [load_problem(sheetnet.load_spec(path)) for path in EXAMPLES]
    check(problems, tmp_path)
    # Both kinds are there: rows in the script, and rows beside it.
    assert 2 <= len(list(tmp_path.glob("*_data.csv"))) <= len(problems) - 10


def test_drawn_specs(tmp_path: Path) -> None:
    """All activations, losses, optimizers and tricks in all mixtures, diverging runs too."""
    problems = []
    for i, (document, table) in enumerate(sample(DRAWN, key="code")):
        folder = tmp_path / f"data{i}"
        folder.mkdir()
        try:
            problems.append(load_problem(spec_of(document, table, folder)))
        except DataError as error:
            assert "does not give finite numbers" in str(error)
    assert len(problems) > DRAWN * 0.9
    check(problems, tmp_path)
    runs = [train(problem) for problem in problems]
    assert sum(run.diverged_at is not None for run in runs) > DRAWN * 0.03
    assert sum(run.stopped_after is not None for run in runs) > DRAWN * 0.03


SPECS = {
    "many weights are drawn again": make_spec(
        source="toy:moons",
        data={"rows": 12},
        layers=LONG,
        initializer="glorot",
        learning_rate=0.05,
        seed=5,
    ),
    "drawn, he": make_spec(
        layers=[{"units": 30, "activation": "relu"}, *LONG], initializer="he", learning_rate=0.01
    ),
    "drawn, uniform": make_spec(layers=LONG, learning_rate=0.05),
    "drawn, zeros": make_spec(layers=LONG, initializer="zeros"),
    "softmax with mse": make_spec(
        source="toy:blobs",
        data={"rows": 70, "validation": 0.2, "scale": "minmax"},
        layers=[{"units": 3, "activation": "softmax"}],
        loss="mse",
        batch_size=4,
        clip_norm=0.1,
        optimizer="nesterov",
        patience=1,
    ),
    "dropout of single samples": make_spec(
        layers=[{"units": 5, "activation": "relu", "dropout": 0.4}] * 2 + [{"units": 1}],
        shuffle=True,
    ),
    "numbers as classes, in a file": make_spec(
        source="toy:spiral", data={"rows": 70}, layers=[{"activation": "softmax"}], epochs=2
    ),
    "a hundred layers": make_spec(
        layers=[{"units": 2, "activation": "tanh"}] * 100 + [{"activation": "sigmoid"}],
        optimizer="adam",
        clip_norm=1.0,
        batch_size=2,
        epochs=1,
    ),
}


def test_special_specs(tmp_path: Path) -> None:
    paths = check([load_problem(spec) for spec in SPECS.values()], tmp_path)
    texts = dict(zip(SPECS, (p.read_text(encoding="utf-8") for p in paths), strict=True))
    assert "W2 = glorot(np.random.RandomState([seed, 1, 2]), 10, 24)" in texts[next(iter(texts))]
    for name in ("he", "uniform", "zeros"):
        assert f"= {name}(np.random" in texts[f"drawn, {name}"]


def test_what_no_spec_gives(tmp_path: Path) -> None:
    """A coding that the labels do not show, and a rate of 0 that keeps its mask, as workbooks
    may have them."""
    spec = make_spec(
        source="toy:blobs",
        data={"rows": 9},
        layers=[
            {"units": 2, "activation": "tanh", "dropout": 0.5, "weights": [[0.1, 1 / 3]] * 2},
            {"units": 4, "activation": "softmax"},
        ],
    )
    hidden, last = spec.layers
    edited = dataclasses.replace(spec, layers=(dataclasses.replace(hidden, dropout=0.0), last))
    classes = ("a class of no row", "blob_b", "blob_a", "blob_c")
    (path,) = check([assemble(edited, load_rows(spec), classes)], tmp_path)
    text = path.read_text(encoding="utf-8")
    assert "k1 = " in text and "dropout_1 = 0.0" in text and "'a class of no row'" in text


def test_each_visit_is_readable() -> None:
    """The names of the ledger stand at the lines that compute them."""
    spec = make_spec(optimizer="adam", batch_size=2, clip=1.0, clip_norm=1.0)
    text = sheetnet.code(spec)
    ledger = sheetnet.train(spec).ledger
    inside = {"mhat", "vhat"}  # within adam_step, the same for all parameters
    for block in ledger.blocks:
        if block.kind in {"place", "flag"} or block.base[:-1] in inside:
            continue
        assert re.search(rf"^\s*(\w+, )*{block.name}(, \w+)* = ", text, re.MULTILINE), block.name


def test_the_python_function(tmp_path: Path) -> None:
    spec = make_spec()
    text = sheetnet.code(spec)
    assert sheetnet.code(spec, "numpy", path=tmp_path / "x.py") == text
    assert (tmp_path / "x.py").read_text(encoding="utf-8") == text
    assert "torch" in sheetnet.code(spec, "torch") and "torch" not in text
    with pytest.raises(SheetnetError, match="allowed: numpy, torch"):
        sheetnet.code(spec, "tensorflow")


def test_scripts_need_only_what_they_import() -> None:
    """Standard library and NumPy; nothing of sheetnet."""
    for path in EXAMPLES:
        text = script(load_problem(sheetnet.load_spec(path)), data_file="d.csv")
        found = set(re.findall(r"^(?:import|from) (\S+)", text, re.MULTILINE))
        assert found <= {"csv", "math", "pathlib", "numpy"}, path


HOSTILE = [
    "a\"b'c\\",
    '"""',
    "'''\\",
    "\\",
    "line\nbreak",
    "tab\tand\x0bvertical\x0cfeed\x85next",
    "para\u2029graph\u2028s",
    "\u202eright to left",
    "日本語 ñ é",
    "{braces} %s",
    "#\\N{DASH}",
    "exp math csv Path seed",
    "x" * 3000,
    ("\\'\"" * 40),
]
"""Labels and names that would break out of a careless literal or comment."""


@pytest.mark.parametrize("inline", [True, False])
def test_texts_stay_texts(tmp_path: Path, inline: bool) -> None:
    labels = [text.replace("\x0b", "").replace("\x0c", "") for text in HOSTILE]
    names = [f"{text} {i}" for i, text in enumerate(labels)]
    rows = 2 if inline else 6
    random = np.random.default_rng(0)
    with (tmp_path / "d'\"\\.csv").open("w", encoding="utf-8", newline="") as file:
        out = csv.writer(file)
        out.writerow([*names, 'class\n"""'])
        for label in labels * rows:
            out.writerow([*random.normal(size=len(names)).tolist(), label])
    spec = make_spec(
        source="d'\"\\.csv",
        folder=tmp_path,
        name='spec """ \\ \n x',
        data={"target": 'class\n"""', "inputs": names, "rows": len(labels) * rows},
        layers=[{"activation": "softmax"}],
        epochs=1,
    )
    problem = load_problem(spec)
    assert problem.classes == tuple(sorted(labels))
    check([problem], tmp_path)
    assert (tmp_path / "0_data.csv").exists() is not inline
    # So too where the coding stands in the script as it was given.
    other = assemble(spec, problem.table, tuple(reversed(problem.classes)))
    folder = tmp_path / "other"
    folder.mkdir()
    check([other], folder)


def test_the_same_spec_gives_the_same_script() -> None:
    spec: Spec = make_spec(optimizer="adam", shuffle=True)
    assert sheetnet.code(spec) == sheetnet.code(spec)


def test_numbers_that_pytorch_does_not_take() -> None:
    given: dict[str, Any] = {"optimizer": "adam", "beta2": 1.0}
    with pytest.raises(SheetnetError, match=r"training\.beta2 is 1: PyTorch's adam"):
        sheetnet.code(make_spec(**given), "torch")
    assert "beta2 = 1.0" in sheetnet.code(make_spec(**given))
