"""What ``verify`` says: its JSON and text, exit statuses, tolerances, engines."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import pytest
from faults import change, export_kinds, in_cell, ledger_cell, saved_value
from faults import rewrite_sheet as rewritten
from hypothesis import given
from hypothesis import strategies as st
from support import WITHOUT_VIEWS, make_spec, run

import sheetnet
from sheetnet import verify
from sheetnet.errors import EngineError, WorkbookError
from sheetnet.formula import same
from sheetnet.reader.cells import Grid, Odd, Values
from sheetnet.regions import Region
from sheetnet.verification import Check
from sheetnet.verification.areas import Area
from sheetnet.verification.checks import Tolerance, ulps, value_check

CHECKS = ["formulas", "local", "trajectory", "saved"]
PROMISED = {"ok", "cells", "identical", "max_abs", "max_rel", "first_failure"}
ADDED = {"failures"}
OF_TRAJECTORY = {"growth", "python_diverged_at", "sheet_diverged_at"}
FIRST_FAILURE = {
    "sheet",
    "cell",
    "quantity",
    "visit",
    "sheet_value",
    "python_value",
    "ulps",
    "formula",
}


@pytest.fixture(scope="module")
def books(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The kinds, one that is wrong in every check, and one that diverges."""
    folder = tmp_path_factory.mktemp("books")
    found = export_kinds(folder)
    wrong = rewritten(found["xor"], folder / "wrong.xlsx", "Train", in_cell("Q5", ">N5", ">1+N5"))
    spec = make_spec(
        source="toy:line",
        data={"rows": 4},
        layers=[{"activation": "linear"}],
        epochs=3,
        learning_rate=1e200,
    )
    sheetnet.export(spec, folder / "diverging.xlsx", sheets=WITHOUT_VIEWS)
    diverging = change(
        folder / "diverging.xlsx",
        folder / "both.xlsx",
        lambda book: setattr(book["Train"]["K5"], "value", "=1/0"),
    )
    return {**found, "wrong": wrong, "diverging": diverging}


def _no_constant(name: str) -> NoReturn:
    raise AssertionError(f"{name} is no JSON")


def _json(path: Path, *options: str) -> dict[str, Any]:
    result = run("verify", path, "--json", *options)
    found: dict[str, Any] = json.loads(result.stdout, parse_constant=_no_constant)
    assert result.exit_code == (0 if found["agree"] else 1)
    assert result.stderr == ""
    return found


@pytest.mark.parametrize("name", ["line", "softmax", "outputs", "wrong", "diverging"])
def test_json_has_the_promised_keys(books: dict[str, Path], name: str) -> None:
    found = _json(books[name])
    assert list(found) == ["agree", "engine", "cells", "checks"]
    assert found["agree"] is (name not in ("wrong", "diverging"))
    assert found["engine"] == "ironcalc"
    assert list(found["checks"]) == CHECKS
    for kind, check in found["checks"].items():
        assert set(check) == PROMISED | ADDED | (OF_TRAJECTORY if kind == "trajectory" else set())
        assert isinstance(check["ok"], bool) and isinstance(check["cells"], int)
        assert (check["first_failure"] is None) == check["ok"] == (check["failures"] == 0)
        if check["first_failure"] is not None:
            assert set(check["first_failure"]) == FIRST_FAILURE
        numbers = [check[key] for key in ("identical", "max_abs", "max_rel")]
        assert (None in numbers) == (kind == "formulas")
    assert found["cells"] == found["checks"]["local"]["cells"] > 100


def test_json_of_a_failure(books: dict[str, Path]) -> None:
    checks = _json(books["wrong"])["checks"]
    assert checks["formulas"]["first_failure"] == {
        "sheet": "Train",
        "cell": "Q5",
        "quantity": "z1[1]",
        "visit": 1,
        "sheet_value": 1.0,
        "python_value": "formula =N5+H5*E5+I5*F5",
        "ulps": None,
        "formula": "=1+N5+H5*E5+I5*F5",
    }
    local = checks["local"]["first_failure"]
    assert (local["sheet_value"], local["python_value"]) == (1.0, 0.0)
    assert local["ulps"] == ulps(1.0, 0.0)
    assert checks["local"]["max_abs"] == 1.0
    assert checks["local"]["failures"] == 8


def test_json_of_a_difference_from_a_column_of_zeros(tmp_path: Path) -> None:
    """A unit that is always dead in Python: there is no magnitude to compare with."""
    dead = {"units": 1, "activation": "relu", "weights": [[-1, -1]], "bias": [-1]}
    sheetnet.export(
        make_spec(layers=[dead, {"activation": "sigmoid"}]),
        tmp_path / "dead.xlsx",
        sheets=WITHOUT_VIEWS,
    )
    path = change(
        tmp_path / "dead.xlsx",
        tmp_path / "alive.xlsx",
        lambda book: setattr(ledger_cell(book, "a1[1]", 2), "value", 0.5),
    )
    trajectory = _json(path)["checks"]["trajectory"]
    assert trajectory["max_rel"] is not None and trajectory["max_abs"] >= 0.5
    assert all(isinstance(growth, float) for _, growth in trajectory["growth"])


def test_text_report(books: dict[str, Path]) -> None:
    lines = run("verify", books["xor"]).stdout.splitlines()
    assert lines[0] == f"{books['xor']}: 508 computed cells, recalculated by ironcalc"
    assert [line.split()[:2] for line in lines[1:5]] == [[check, "ok"] for check in CHECKS]
    assert lines[-1] == "The sheet and Python agree."
    lines = run("verify", books["wrong"]).stdout.splitlines()
    assert [line.split()[1] for line in lines[1:9:2]] == ["FAILED"] * 4
    assert all(line.strip().startswith("first: Train!Q") for line in lines[2:9:2])
    assert "at visit 1): sheet 1.0, Python 0.0, formula =1+N5" in lines[4]
    assert "growth: " in lines[5] and lines[-1] == "They DISAGREE."


# --- tolerances


def test_rtol_and_atol(books: dict[str, Path], tmp_path: Path) -> None:
    """A saved value that is 1e-8 off: within the default, but no tolerance lets it pass."""
    path = tmp_path / "off.xlsx"
    rewritten(books["line"], path, "Train", saved_value("K5", lambda value: value * (1 + 1e-8)))
    for options, status in (
        ((), 0),
        (("--rtol", "0", "--atol", "0"), 1),
        (("--rtol", "1e-7", "--atol", "0"), 0),
        (("--rtol", "1e-9", "--atol", "0"), 1),
        (("--rtol", "0", "--atol", "1e-7"), 0),
        (("--rtol", "0", "--atol", "1e-12"), 1),
    ):
        assert run("verify", path, *options).exit_code == status, options
    strict = run("verify", books["line"], "--rtol", "0", "--atol", "0")
    assert strict.exit_code == 0, "ironcalc and Python agree to the last bit"


@pytest.mark.parametrize("option", ["--rtol", "--atol"])
@pytest.mark.parametrize("value", ["-1e-9", "much", "nan", "inf"])
def test_a_tolerance_must_be_a_finite_number_from_0(
    books: dict[str, Path], option: str, value: str
) -> None:
    result = run("verify", books["line"], option, value)
    assert result.exit_code == 2, result.output
    assert result.stderr.startswith("Error: ") and result.stderr.count("\n") == 1


def _check(
    sheet: list[float], python: list[float], tolerance: Tolerance, odd: Odd | None = None
) -> Check:
    """Compare one column; nan in ``sheet`` is what ``odd`` says, or blank."""
    numbers = np.array([sheet]).T
    nothing = {(r, 1): odd for r, v in enumerate(sheet, 1) if math.isnan(v) and odd is not None}
    formulas = np.ones(numbers.shape, dtype=np.int32)
    area = Area(
        region=Region("Train", 1, 1, len(sheet), 1),
        names=("q",),
        formulas=(same("1"),),
        file=Grid("Train", numbers, nothing, formulas, (None, "1")),
        values=Values("Train", numbers, nothing),
        local=np.array([python]).T,
        python=np.array([python]).T,
        visits=True,
    )
    return value_check([area], "python", tolerance)


def test_the_bound_itself_is_accepted() -> None:
    r"""|a − b| ≤ atol·M + rtol·|b|, with powers of two so that nothing is rounded."""
    tiny = 2.0**-10
    above = math.nextafter(1 + tiny, 2)
    assert _check([1 + tiny], [1.0], Tolerance(rtol=tiny, atol=0)).ok
    assert not _check([above], [1.0], Tolerance(rtol=tiny, atol=0)).ok
    assert _check([1 + tiny], [1.0], Tolerance(rtol=0, atol=tiny)).ok
    assert not _check([above], [1.0], Tolerance(rtol=0, atol=tiny)).ok
    # atol counts in units of the column's largest number, rtol in the cell's own.
    assert _check([8.0, tiny * 8], [8.0, 0.0], Tolerance(rtol=0, atol=tiny)).ok
    assert not _check([8.0, tiny * 8.1], [8.0, 0.0], Tolerance(rtol=0, atol=tiny)).ok
    assert not _check([8.0, tiny], [8.0, 0.0], Tolerance(rtol=tiny, atol=0)).ok
    assert not _check([-8.0], [8.0], Tolerance(rtol=1, atol=0.5)).ok


@pytest.mark.parametrize("tolerance", [Tolerance(0, 0), Tolerance(1e300, 1e300)])
def test_no_tolerance_makes_nothing_fine(tolerance: Tolerance) -> None:
    nan = math.nan
    error, text = Odd("error", "#NUM!"), Odd("text", "0")
    assert _check([nan], [nan], tolerance, error).ok, "both diverged"
    assert not _check([nan], [nan], tolerance).ok, "a blank is no error value"
    assert not _check([nan], [nan], tolerance, text).ok
    for odd in (None, error, text, Odd("boolean", "FALSE")):
        assert not _check([nan], [0.0], tolerance, odd).ok
    assert not _check([0.0], [nan], tolerance).ok, "a number where Python has none"
    found = _check([1.0, nan, 3.0], [1.0, 2.0, 3.0], tolerance)
    assert (found.failures, found.identical, found.cells) == (1, 2, 3)
    assert found.first_failure is not None
    assert (found.first_failure.visit, found.first_failure.sheet_value) == (2, None)


# --- units in the last place


def test_ulps() -> None:
    assert ulps(1.0, 1.0) == ulps(0.0, -0.0) == 0
    assert ulps(1.0, math.nextafter(1.0, 2.0)) == ulps(2.0, math.nextafter(2.0, 0.0)) == 1
    assert ulps(5e-324, -5e-324) == 2
    assert ulps(1.0, 2.0) == 2**52
    assert ulps(-1.7976931348623157e308, 1.7976931348623157e308) == 2 * 0x7FEF_FFFF_FFFF_FFFF


@given(st.floats(allow_nan=False, allow_infinity=False), st.integers(1, 50))
def test_ulps_counts_steps(start: float, steps: int) -> None:
    end = start
    for _ in range(steps):
        end = math.nextafter(end, math.inf)
    if math.isfinite(end):
        assert ulps(start, end) == ulps(end, start) == steps


# --- engines


def test_an_unknown_engine(books: dict[str, Path]) -> None:
    result = run("verify", books["line"], "--engine", "excel")
    assert result.exit_code == 2
    assert result.stderr.startswith("Error: ") and result.stderr.count("\n") == 1
    assert all(name in result.stderr for name in ("excel", "ironcalc", "libreoffice", "saved"))
    with pytest.raises(EngineError, match="no engine 'excel'; allowed: ironcalc"):
        verify(books["line"], "excel")


def test_libreoffice_is_missing(books: dict[str, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    result = run("verify", books["line"], "--engine", "libreoffice")
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith("Error: LibreOffice is not installed")
    assert "--engine ironcalc" in result.stderr and result.stderr.count("\n") == 1


def test_libreoffice_fails(
    books: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A soffice that ends without a result is no verdict."""
    program = tmp_path / "soffice"
    program.write_text("#!/bin/sh\necho no luck today\nexit 3\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    result = run("verify", books["line"], "--engine", "libreoffice")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "no luck today" in result.stderr and result.stderr.count("\n") == 1


@pytest.mark.parametrize("name", ["missing.xlsx", ".", "notes.txt"])
def test_no_workbook(tmp_path: Path, name: str) -> None:
    (tmp_path / "notes.txt").write_text("no workbook")
    result = run("verify", tmp_path / name)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith("Error: ") and result.stderr.count("\n") == 1
    with pytest.raises(WorkbookError):
        verify(tmp_path / name)


def test_the_python_api_can_be_called_again_and_again(books: dict[str, Path]) -> None:
    """A package that is named like the function must not take its place."""
    assert sheetnet.verify(books["line"]).agree
    assert sheetnet.verify(str(books["line"]), "ironcalc", rtol=0.0, atol=0.0).agree
    assert not sheetnet.verify(books["wrong"]).agree
