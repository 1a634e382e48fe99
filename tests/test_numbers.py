"""Numbers at the edges of what a float holds; ``number_cases.py`` has all of them."""

from __future__ import annotations

import csv
import itertools
from pathlib import Path

import numpy as np
import pytest
from number_cases import (
    CASES,
    FEW,
    NETWORKS,
    SINGLES,
    Outcome,
    in_libreoffice,
    run_case,
    run_single,
    spec_of,
)
from support import make_spec, run

import sheetnet
from sheetnet.concepts.optimizers import OPTIMIZERS
from sheetnet.formula import same
from sheetnet.reader.cells import Grid
from sheetnet.regions import Region
from sheetnet.verification.area import Area
from sheetnet.verification.checks import Tolerance, compare

REFUSED = {
    "beyond the largest": "data row 1, column 'x0' holds inf: a finite number is needed",
    "nan": "data row 1, column 'x0' holds nan: a finite number is needed",
    "one row, validation": "data.validation = 0.5 leaves none of 1 rows to train on",
}
"""Cases that no network can be trained on, and what is said of each."""

TURN = list(zip(CASES, itertools.cycle(itertools.product(NETWORKS, OPTIMIZERS))))
"""Each case with another network and optimizer: 49 pairs, one after the other."""


TOO_CLOSE = {
    "classes an ulp apart": "0.3 and 0.30000000000000004, which a sheet takes for the same",
    "classes a hair apart": "0.0 and 1e-17, which a sheet takes for the same",
    "classes subnormal": "0.0 and 5e-324, which a sheet takes for the same",
    "classes huge": "a sheet compares numbers up to 1e+307",
    "classes beyond 2^53": "9007199254740992.0 and 9007199254740994.0, which a sheet takes",
}
"""Applications compare them loosely, so they cannot be coded by ``=``."""


def told(found: Outcome, wanted: str) -> bool:
    return found.kind == "refused" and wanted in found.text


@pytest.mark.parametrize(("name", "rest"), TURN, ids=lambda each: each if str(each) == each else "")
def test_sheet_and_python_agree_or_say_why(name: str, rest: tuple[tuple[str, str], str]) -> None:
    (activation, loss), optimizer = rest
    found = run_case(name, activation, loss, optimizer, FEW)
    if name in REFUSED:
        assert told(found, REFUSED[name]), found
    elif found.kind == "refused":
        assert CASES[name].data.get("scale", CASES[name].data.get("target_scale")), found
        assert "does not give finite numbers for column" in found.text
    else:
        assert found.kind == "agrees", found


@pytest.mark.parametrize("value", ["7.1", "0.1", "-1e-17", "1e308", "5e-324"])
def test_a_column_without_variance_becomes_0(tmp_path: Path, value: str) -> None:
    """Three times 7.1 is not 21.3: a plain mean would leave rounding errors."""
    (tmp_path / "d.csv").write_text(f"a,y\n{value},1\n{value},2\n{value},3\n")
    spec = make_spec(
        source="d.csv",
        data={"target": "y", "scale": "standard"},
        layers=[{"activation": "linear"}],
        folder=tmp_path,
    )
    assert not sheetnet.train(spec)["x"].any()
    sheetnet.export(spec, tmp_path / "b.xlsx", sheets=FEW)
    report = sheetnet.verify(tmp_path / "b.xlsx")
    assert report.checks["trajectory"].identical == report.cells


@pytest.mark.parametrize("name", SINGLES)
def test_classes(name: str) -> None:
    found = run_single(name)
    if name.startswith("one class") or name == "classes that collapse":
        assert told(found, "has one class only"), found
    elif name in TOO_CLOSE:
        assert told(found, TOO_CLOSE[name]), found
    else:
        assert found.kind == "agrees", found


@pytest.mark.parametrize("name", ["rate 1e+300", "weights that saturate", "subnormal data"])
def test_all_sheets(name: str) -> None:
    found = run_case(name, "tanh", "mse", "adam")
    assert found.kind == "agrees", found


def test_a_refusal_is_one_line_and_status_2(tmp_path: Path) -> None:
    spec_of(CASES["tiny, standard"], "linear", "mse", "sgd", tmp_path)
    (tmp_path / "s.toml").write_text(
        '[data]\nsource = "d.csv"\ninputs = ["x0"]\ntarget = "y0"\nscale = "standard"\n'
        "[[layers]]\n[training]\nlearning_rate = 1e-300\n"
    )
    done = run("export", tmp_path / "s.toml", "-o", tmp_path / "b.xlsx")
    assert (done.exit_code, done.stderr.count("\n")) == (2, 1)
    assert done.stderr.startswith("Error: data.scale = 'standard' does not give finite numbers")
    assert not (tmp_path / "b.xlsx").exists()


def test_digits_go_through_the_file(tmp_path: Path) -> None:
    """17 digits of data, weights and numbers of ``Config``, and back from the file."""
    rng = np.random.default_rng(7)
    bits = rng.integers(0, 2**63, size=(40, 3), dtype=np.int64)
    values = bits.view(np.float64)
    values = np.where(np.isfinite(values), values, 0.1) * np.where(rng.random((40, 3)) < 0.5, 1, -1)
    with (tmp_path / "d.csv").open("w", newline="") as file:
        csv.writer(file).writerows(
            [["a", "b", "y"], *([repr(float(v)) for v in r] for r in values)]
        )
    spec = sheetnet.load_spec(_spec(tmp_path, values))
    sheetnet.export(spec, tmp_path / "b.xlsx", sheets=FEW)
    back = sheetnet.load_book(tmp_path / "b.xlsx").problem
    assert np.array_equal(back.table.inputs, values[:, :2])
    assert back.table.targets is not None
    assert np.array_equal(back.table.targets[:, 0], values[:, 2])
    assert back.spec.training.learning_rate == 0.1 + 2e-17 * 7
    assert np.array_equal(back.weights[0], values[:1, :2])


def _spec(folder: Path, values: np.ndarray) -> Path:
    path = folder / "s.toml"
    weights = [float(v) for v in values[0, :2]]
    path.write_text(
        '[data]\nsource = "d.csv"\ntarget = "y"\n'
        f"[[layers]]\nweights = [{weights!r}]\n[training]\nlearning_rate = {0.1 + 2e-17 * 7!r}\n"
    )
    return path


# --- what applications do that plain arithmetic does not


FLUSHED = [(1e-310, 0.0), (0.0, -2e-308), (3e-308, 0.0), (0.0, 1e-300), (1e-310, -1e-310)]
"""What the sheet has, and Python, each in a column of its own."""


def test_numbers_that_excel_takes_for_0_agree_with_0() -> None:
    sheet, python = (np.array([each]) for each in zip(*FLUSHED, strict=True))
    region = Region("Train", 1, 1, 1, len(FLUSHED))
    grid = Grid(
        "Train", sheet, {}, np.ones(sheet.shape, dtype=np.int32), [None, *["A1"] * len(FLUSHED)]
    )
    formulas = (same("A{r}"),) * len(FLUSHED)
    area = Area(region, ("z",) * len(FLUSHED), formulas, grid, grid, python, python)
    failed = compare(area, grid, python, Tolerance(1e-10, 1e-10)).failed
    assert failed[0].tolist() == [False, False, True, True, False]


@pytest.mark.libreoffice
def test_libreoffice_at_the_edges(tmp_path: Path) -> None:
    """It saves 15 digits, and takes differences below 2^-48 of their operands for 0."""
    names = ["17 digits", "subnormal data", "no variance, standard", "rate 1e+300", "tiny weights"]
    for name, outcome in in_libreoffice(names, tmp_path).items():
        assert outcome.kind.startswith("agrees"), (name, outcome)
