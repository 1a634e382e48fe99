"""The command ``code``: what it prints, what it writes, what it refuses."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from conftest import ROOT
from scripts import assert_same_bits, parsed, run_scripts
from support import run

import sheetnet
from sheetnet.codegen import write_script
from sheetnet.errors import OutputError
from sheetnet.output import write_texts
from sheetnet.problem import load_problem

XOR, IRIS = ROOT / "examples/xor.toml", ROOT / "examples/iris.toml"


def test_it_prints_what_holds_its_data() -> None:
    done = run("code", XOR)
    assert done.exit_code == 0
    assert done.stdout == sheetnet.code(sheetnet.load_spec(XOR))


def test_what_is_piped_into_python_runs() -> None:
    """Through a terminal of few letters too: the source is UTF-8."""
    printed = subprocess.run(
        [sys.executable, "-m", "sheetnet", "code", str(XOR)],
        capture_output=True,
        check=True,
        env={"PYTHONIOENCODING": "ascii", "PYTHONPATH": str(ROOT)},
    )
    done = subprocess.run([sys.executable], input=printed.stdout, capture_output=True, check=True)
    assert_same_bits(parsed(done.stdout.decode()), sheetnet.train(sheetnet.load_spec(XOR)))


def test_many_rows_need_a_file() -> None:
    done = run("code", IRIS)
    assert done.exit_code == 2 and not done.stdout
    assert done.stderr.startswith("Error: 150 rows of data are too many")
    assert "-o train.py" in done.stderr and done.stderr.count("\n") == 1


def test_many_rows_stand_beside_the_script(tmp_path: Path) -> None:
    done = run("code", IRIS, "-o", tmp_path / "train.py")
    assert done.exit_code == 0 and "train_data.csv" in done.stdout
    assert sorted(p.name for p in tmp_path.iterdir()) == ["train.py", "train_data.csv"]
    lines = (tmp_path / "train_data.csv").read_text(encoding="utf-8").splitlines()
    assert len(lines) == 151 and lines[1] == "5.1,3.5,1.4,0.2,setosa"
    (printed,) = run_scripts(tmp_path / "train.py")
    assert_same_bits(printed, sheetnet.train(sheetnet.load_spec(IRIS)))


@pytest.mark.parametrize("there", ["train.py", "train_data.csv"])
def test_nothing_is_replaced_without_force(tmp_path: Path, there: str) -> None:
    (tmp_path / there).write_text("mine")
    done = run("code", IRIS, "-o", tmp_path / "train.py")
    assert done.exit_code == 2 and "use --force" in done.stderr
    assert [p.name for p in tmp_path.iterdir()] == [there]
    assert (tmp_path / there).read_text() == "mine"
    done = run("code", IRIS, "-o", tmp_path / "train.py", "--force")
    assert done.exit_code == 0 and (tmp_path / there).read_text() != "mine"


def test_the_runs_own_files_are_never_replaced(tmp_path: Path) -> None:
    for source in ("iris.csv", "iris.toml"):
        text = (ROOT / "examples" / source).read_text(encoding="utf-8")
        (tmp_path / source.replace("iris.csv", "train_data.csv")).write_text(
            text.replace("iris.csv", "train_data.csv"), encoding="utf-8"
        )
    before = {p: p.read_bytes() for p in tmp_path.iterdir()}
    for target in ("train.py", "iris.toml"):
        done = run("code", tmp_path / "iris.toml", "-o", tmp_path / target, "--force")
        assert done.exit_code == 2 and "is read by the run" in done.stderr
    assert {p: p.read_bytes() for p in tmp_path.iterdir()} == before


def test_both_files_or_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = tmp_path / "a.csv", tmp_path / "b.py"
    second.mkdir()
    with pytest.raises(OutputError):
        write_texts({first: "a", second: "b"}, overwrite=True)
    assert [p.name for p in tmp_path.iterdir()] == ["b.py"]
    first.write_text("old")
    with pytest.raises(OutputError):
        write_texts({first: "a", second: "b"}, overwrite=True)
    assert first.read_text() == "old"


def test_a_script_that_cannot_be_made_leaves_no_file(tmp_path: Path) -> None:
    problem = load_problem(sheetnet.load_spec(IRIS).override(optimizer="adam", beta1=1.0))
    with pytest.raises(sheetnet.SheetnetError, match="PyTorch"):
        write_script(problem, tmp_path / "x.py", "torch", overwrite=True)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nothing.toml"], "no such file"),
        ([XOR, "-o", "/nowhere/x.py"], "there is no folder"),
        ([XOR, "-o", "/"], "is a folder"),
        ([XOR, "--framework", "jax"], "jax"),
    ],
)
def test_errors_are_one_line(arguments: list[object], message: str) -> None:
    done = run("code", *arguments)
    assert done.exit_code == 2 and message in done.stderr
    assert done.stderr.startswith("Error: ") and done.stderr.count("\n") == 1
