"""The command line and the few functions behind it: what they print, write and import."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import click
import pytest
from support import make_spec, run

import sheetnet
from sheetnet.cli import main

ROOT = Path(__file__).parent.parent
COMMANDS = sorted(main.commands)
SPEC = """
[data]
source = "toy:circles"
rows = 12
[[layers]]
units = 2
activation = "tanh"
[[layers]]
activation = "sigmoid"
[training]
epochs = 2
learning_rate = 0.3
"""


@pytest.fixture
def spec(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A spec in the working folder."""
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "net.toml"
    path.write_text(SPEC)
    return path


def process(*arguments: str, **extra: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments], capture_output=True, text=True, check=False, **extra
    )


# --- help and documentation


def test_there_are_commands() -> None:
    assert {"export", "verify", "train"} <= set(COMMANDS)


@pytest.mark.parametrize("flag", ["-h", "--help"])
def test_help_of_the_group_names_all_commands(flag: str) -> None:
    result = run(flag)
    assert result.exit_code == 0
    assert result.stderr == ""
    for name in COMMANDS:
        assert re.search(rf"^  {name}\s+\w", result.stdout, re.MULTILINE)


@pytest.mark.parametrize("name", COMMANDS)
@pytest.mark.parametrize("flag", ["-h", "--help"])
def test_help_of_a_command_explains_all_options(name: str, flag: str) -> None:
    result = run(name, flag)
    assert (result.exit_code, result.stderr) == (0, "")
    command = main.commands[name]
    assert command.help
    for option in command.params:
        if isinstance(option, click.Option):
            assert option.help, option.name
            assert all(text in result.stdout for text in option.opts)
        else:
            assert str(option.human_readable_name) in result.stdout


@pytest.mark.parametrize("name", COMMANDS)
def test_the_readme_shows_every_command_and_option(name: str) -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert f"sheetnet {name} " in readme
    for option in main.commands[name].params:
        if isinstance(option, click.Option):
            assert any(text in readme for text in option.opts), option.opts


@pytest.mark.parametrize("name", ["export", "train"])
def test_options_that_override_the_spec(name: str) -> None:
    options = {text for option in main.commands[name].params for text in option.opts}
    assert {"--epochs", "--learning-rate", "--seed", "--batch-size", "--rows"} <= options


def test_version() -> None:
    result = run("--version")
    assert (result.exit_code, result.stdout) == (0, f"sheetnet, version {sheetnet.__version__}\n")


def test_python_m_sheetnet(spec: Path) -> None:
    done = process("-m", "sheetnet", "train", spec.name, cwd=spec.parent)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == run("train", spec).stdout


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys\nfrom sheetnet.cli import main\n"
        "try: main(['--help'])\nexcept SystemExit: pass\n"
        "heavy = {'numpy', 'openpyxl', 'ironcalc', 'defusedxml'} & set(sys.modules)\n"
        "print(sorted(heavy), file=sys.stderr)"
    )
    done = process("-c", code)
    assert "Usage:" in done.stdout
    assert done.stderr == "[]\n"


# --- train


def test_train_prints_the_loss_of_each_epoch(spec: Path) -> None:
    result = run("train", spec, "--epochs", 5)
    assert (result.exit_code, result.stderr) == (0, "")
    trained = sheetnet.train(sheetnet.load_spec(spec).override(epochs=5))
    rows = re.findall(r"^ +(\d+) +(\S+) +(\S+)$", result.stdout, re.MULTILINE)
    assert [int(epoch) for epoch, *_ in rows] == [1, 2, 3, 4, 5]
    for column, name in enumerate(trained.measures, 1):
        wanted = trained.by_epoch(name).tolist()
        assert [float(row[column]) for row in rows] == pytest.approx(wanted, rel=1e-7)
    assert "2-2-1" in result.stdout


def test_train_of_many_epochs_prints_a_screenful(spec: Path) -> None:
    result = run("train", spec, "--epochs", 500)
    rows = re.findall(r"^ +(\d+) +\S+ +\S+$", result.stdout, re.MULTILINE)
    assert 10 <= len(rows) <= 40
    assert (rows[0], rows[-1]) == ("1", "500")
    assert sorted(set(map(int, rows))) == list(map(int, rows))


def test_train_as_json_is_exact(spec: Path) -> None:
    result = run("train", spec, "--json")
    assert (result.exit_code, result.stderr) == (0, "")
    found = json.loads(result.stdout)
    trained = sheetnet.train(sheetnet.load_spec(spec))
    assert set(found["weights"]) == set(trained.final) == {"W1", "b1", "W2", "b2"}
    for name, weights in trained.final.items():
        assert found["weights"][name] == weights.tolist()  # == of floats: the same bits
    assert found["epoch_losses"] == trained.epoch_losses.tolist()
    assert found["last_visit_loss"] == trained["loss"][-1]
    assert (found["visits"], found["diverged_at"]) == (24, None)


def test_train_that_diverges(spec: Path) -> None:
    spec.write_text(SPEC.replace("sigmoid", "linear").replace("0.3", "1e200"))
    found = json.loads(run("train", spec, "--json").stdout)  # strict JSON: no NaN
    assert found["diverged_at"] >= 1
    assert None in found["epoch_losses"]
    result = run("train", spec)
    assert (result.exit_code, result.stderr) == (0, "")
    assert f"diverges at visit {found['diverged_at']}" in result.stdout


@pytest.mark.parametrize("option", [("--learning-rate", 0.9), ("--seed", 5), ("--rows", 7)])
def test_options_change_the_training(spec: Path, option: tuple[str, object]) -> None:
    plain, changed = (json.loads(run("train", spec, "--json", *extra).stdout)
                      for extra in ((), option))  # fmt: skip
    assert plain["weights"] != changed["weights"]
    assert changed["visits"] == (14 if option[0] == "--rows" else 24)
    key = option[0].removeprefix("--").replace("-", "_")
    overridden = sheetnet.load_spec(spec).override(**{key: option[1]})
    final = sheetnet.train(overridden).final
    assert changed["weights"] == {name: value.tolist() for name, value in final.items()}


# --- export and verify


def test_export_s_default_name(spec: Path) -> None:
    result = run("export", spec)
    assert (result.exit_code, result.stderr) == (0, "")
    assert sorted(p.name for p in spec.parent.iterdir()) == ["net.toml", "net.xlsx"]
    assert "net.xlsx" in result.stdout
    assert "24 visits" in result.stdout


def test_export_over_an_old_file(spec: Path) -> None:
    assert run("export", spec, "-o", "a.xlsx").exit_code == 0
    first = Path("a.xlsx").read_bytes()
    assert run("export", spec, "-o", "a.xlsx", "--seed", 9).exit_code == 2
    assert Path("a.xlsx").read_bytes() == first
    assert run("export", spec, "-o", "a.xlsx", "--seed", 9, "--force").exit_code == 0
    assert Path("a.xlsx").read_bytes() != first
    assert run("export", spec, "--output", "a.xlsx", "--force").exit_code == 0
    assert Path("a.xlsx").read_bytes() == first  # the same spec gives the same bytes


@pytest.mark.parametrize("option", [("--epochs", 1), ("--learning-rate", 2.5), ("--rows", 3)])
def test_export_with_options_verifies(spec: Path, option: tuple[str, object]) -> None:
    assert run("export", spec, "-o", "plain.xlsx").exit_code == 0
    assert run("export", spec, "-o", "a.xlsx", *option).exit_code == 0
    assert Path("a.xlsx").read_bytes() != Path("plain.xlsx").read_bytes()
    result = run("verify", "a.xlsx")
    assert (result.exit_code, result.stderr) == (0, "")
    assert "agree" in result.stdout


@pytest.mark.parametrize("visits", [1, 2, 3])
def test_the_shortest_runs(spec: Path, visits: int) -> None:
    assert run("export", spec, "--rows", visits, "--epochs", 1).exit_code == 0
    assert run("verify", "net.xlsx").exit_code == 0


def test_verify_as_json(spec: Path) -> None:
    run("export", spec)
    result = run("verify", "net.xlsx", "--json")
    found = json.loads(result.stdout)
    assert (result.exit_code, found["agree"], found["engine"]) == (0, True, "ironcalc")
    assert {"formulas", "local", "trajectory"} <= set(found["checks"])
    for name, check in found["checks"].items():
        assert check["ok"] is True
        assert check["first_failure"] is None
        if name in ("local", "trajectory"):
            assert check["identical"] == check["cells"] > 0
            assert check["max_abs"] == check["max_rel"] == 0


def test_results_go_to_any_terminal(spec: Path) -> None:
    # Output redirected to a file on Windows has the code page's few characters.
    for encoding in ("cp1251", "ascii"):
        for command in (["export", spec.name, "--force"], ["verify", "net.xlsx"], ["--help"],
                        ["train", spec.name], ["train", "größe.toml"]):  # fmt: skip
            environment = {**os.environ, "PYTHONIOENCODING": encoding}
            done = process("-m", "sheetnet", *command, cwd=spec.parent, env=environment)
            assert "Traceback" not in done.stderr, (command, done.stderr)
            assert done.returncode == (2 if "größe.toml" in command else 0)


def test_a_reader_that_goes_away_is_no_error(spec: Path) -> None:
    line = f'"{sys.executable}" -m sheetnet train {spec.name} --json | head -c 1'
    done = subprocess.run(["bash", "-c", line], cwd=spec.parent, capture_output=True, check=False)
    assert (done.stdout, done.stderr) == (b"{", b"")


# --- from Python, as the README shows it


def test_the_functions(tmp_path: Path) -> None:
    path = tmp_path / "xor.toml"
    path.write_text('[data]\nsource = "toy:xor"\n[[layers]]\nunits = 3\n[[layers]]\n'
                    'activation = "sigmoid"\n[training]\nepochs = 5\n')  # fmt: skip
    spec = sheetnet.load_spec(path)
    trained = sheetnet.train(spec)
    assert trained["W1"].shape == (20, 3, 2)
    assert trained["b2"].shape == (20, 1)
    assert trained["loss"].shape == (20,)
    assert sheetnet.load_spec(str(path)) == spec
    sheetnet.export(spec, str(tmp_path / "xor.xlsx"))
    sheetnet.export(spec, tmp_path / "xor.xlsx")  # overwrites unless told otherwise
    report = sheetnet.verify(tmp_path / "xor.xlsx")
    assert report.agree is True
    assert all(check.ok for check in report.checks.values())
    assert sheetnet.verify(str(tmp_path / "xor.xlsx"), rtol=0, atol=0).agree


def test_all_that_is_offered_is_there() -> None:
    for name in sheetnet.__all__:
        assert getattr(sheetnet, name).__doc__
    assert callable(sheetnet.verify)  # no module has taken the function's name
    for module in list(sys.modules):
        if module.startswith("sheetnet."):
            assert module.removeprefix("sheetnet.") not in sheetnet.__all__


def test_errors_have_one_base() -> None:
    with pytest.raises(sheetnet.SheetnetError):
        sheetnet.train(make_spec(source="toy:none"))
