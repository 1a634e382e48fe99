"""Windows: some visits of a training from its true state on, live and verified like any other."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import pytest
from faults import change
from support import make_spec, run

import sheetnet
from sheetnet import engine
from sheetnet.concepts.optimizers import OPTIMIZERS
from sheetnet.errors import LimitError, SpecError
from sheetnet.problem import Problem, load_problem
from sheetnet.spec import Spec
from sheetnet.windows import at_start, outlined

DROPS = [{"units": 3, "activation": "tanh", "dropout": 0.25}, {"activation": "sigmoid"}]
ALL = {"batch_size": 4, "shuffle": True, "clip": 0.4, "clip_norm": 0.5, "seed": 3}


def moons(**training: Any) -> Spec:
    data = {"rows": 14, "validation": 0.25}
    return make_spec(source="toy:moons", data=data, layers=DROPS, **{"epochs": 4, **training})


def window(spec: Spec, first: int | None, visits: int | None) -> Problem:
    return at_start(outlined(load_problem(spec), first, visits))


def rows(problem: Problem) -> np.ndarray:
    return np.concatenate([part.train for part in engine.blocks(problem)])


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("block", [1_000_000, 500])
def test_a_window_is_part_of_the_whole(
    optimizer: str, block: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From the first visit, from within a batch, within an epoch, and the last visit alone."""
    spec = moons(optimizer=optimizer, **ALL)
    whole = sheetnet.train(spec).matrix
    monkeypatch.setattr(engine, "BLOCK_CELLS", block)
    for first, visits in ((1, None), (None, 5), (2, 9), (16, 11), (len(whole), 1)):
        found = rows(window(spec, first, visits))
        start = (first or 1) - 1
        end = len(whole) if visits is None else start + visits
        assert np.array_equal(found, whole[start:end]), (first, visits)


def test_the_end_of_training_comes_with_it() -> None:
    """A window before, across and after the epoch at which early stopping decided."""
    spec = moons(learning_rate=6.0, epochs=12, patience=1)
    whole = sheetnet.train(spec)
    assert whole.stopped_after is not None and whole.stopped_after < 10
    end = whole.stopped_after * whole.problem.rows
    for first, visits, after in (
        (3, 5, None),
        (end - 4, 9, whole.stopped_after),
        (end + 13, 4, whole.stopped_after),
    ):
        problem = window(spec, first, visits)
        assert problem.window is not None and problem.window.stopped_after == after
        found = rows(problem)
        assert np.array_equal(found, whole.matrix[first - 1 : first - 1 + visits])


CASES: dict[str, tuple[Spec, int, int]] = {
    "within a batch": (moons(optimizer="adam", **ALL), 16, 11),
    "stopped": (moons(learning_rate=6.0, epochs=12, patience=1, batch_size=4), 20, 30),
    "one visit": (make_spec(optimizer="momentum"), 7, 1),
    "nothing carried": (make_spec(), 5, 6),
}


@pytest.fixture(scope="module")
def books(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("windows")
    for name, (spec, first, visits) in CASES.items():
        path = folder / f"{name}.xlsx"
        done = sheetnet.export(spec, path, from_visit=first, visits=visits)
        assert (done.first_visit, done.visits) == (first, visits)
    return {name: folder / f"{name}.xlsx" for name in CASES}


@pytest.mark.parametrize("name", CASES)
def test_it_verifies_like_any_other(name: str, books: dict[str, Path]) -> None:
    """Its rows are the whole run's, visit numbers and all; only their sheets are there."""
    spec, first, visits = CASES[name]
    book = openpyxl.load_workbook(books[name], data_only=True)
    assert book.sheetnames == ["Guide", "Config", "Data", "Init", "Train", "Step"]
    train = book["Train"]
    held = np.array(list(train.iter_rows(min_row=5, values_only=True)), dtype=float)
    assert held[:, 0].tolist() == list(range(first, first + visits))
    assert np.array_equal(held, sheetnet.train(spec).matrix[first - 1 : first - 1 + visits])
    report = sheetnet.verify(books[name])
    assert report.agree, report.to_text()
    for check in ("local", "trajectory", "saved"):
        assert report.checks[check].identical == report.checks[check].cells > 0


def cell_of(book: Path, label: str) -> str:
    """The cell of Init below a head that reads so."""
    for row in openpyxl.load_workbook(book)["Init"].iter_rows():
        for cell in row:
            if cell.value == label or (label != "count" and str(cell.value).startswith(label)):
                right = label.endswith("(") or label == "count"
                return str(cell.offset(1, int(right)).coordinate)
    raise AssertionError(label)


def test_an_edited_start_is_followed(books: dict[str, Path], tmp_path: Path) -> None:
    """What the optimizer keeps, sums of a batch that has begun, weights: Python retrains."""
    source, edited = books["within a batch"], tmp_path / "edited.xlsx"
    places = [cell_of(source, label) for label in ("mW1 (", "vb2", "sW2 (", "count", "W2 (")]

    def edit(book: openpyxl.Workbook) -> None:
        for where in places:
            cell = book["Init"][where]
            assert isinstance(cell.value, int | float), where
            cell.value = cell.value + 0.375

    change(source, edited, edit)
    report = sheetnet.verify(edited)
    assert report.agree, report.to_text()
    found = sheetnet.diff(source, edited)
    assert not found.inputs.structure and found.trainings.parting is not None
    assert found.trainings.parting.visit == 16
    apart = {d.cell for d in found.inputs.weights if abs(float(d.a) - float(d.b)) > 0.3}  # type: ignore[arg-type]
    assert apart == {f"Init!{where}" for where in places}


def test_an_empty_start_is_named(books: dict[str, Path], tmp_path: Path) -> None:
    where = cell_of(books["within a batch"], "mW1 (")
    change(
        books["within a batch"],
        tmp_path / "e.xlsx",
        lambda b: setattr(b["Init"][where], "value", None),
    )
    done = run("verify", tmp_path / "e.xlsx")
    assert done.exit_code == 2
    assert f"Init!{where} (mW1[1,1]) is empty: a number is needed" in done.stderr


def test_the_step_of_any_visit(books: dict[str, Path], tmp_path: Path) -> None:
    """The first one finds on Init what others find in the row above."""
    for visit in (16, 26):
        edited = tmp_path / f"{visit}.xlsx"
        change(books["within a batch"], edited, lambda b, visit=visit: _step(b, visit))
        report = sheetnet.verify(edited)
        assert report.agree, report.to_text()
    change(books["within a batch"], tmp_path / "15.xlsx", lambda b: _step(b, 15))
    with pytest.raises(sheetnet.SheetnetError, match="from 16 to 26"):
        sheetnet.verify(tmp_path / "15.xlsx")


def _step(book: openpyxl.Workbook, visit: int) -> None:
    sheet, place = book.defined_names["step"].attr_text.replace("$", "").split("!")
    book[sheet][place].value = visit


def test_a_fault_has_the_true_visit(books: dict[str, Path], tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.xlsx"

    def edit(book: openpyxl.Workbook) -> None:
        heads = [cell.value for cell in book["Train"][4]]
        book["Train"].cell(9, heads.index("z1[2]") + 1).value = 0.5

    change(books["within a batch"], wrong, edit)
    report = sheetnet.verify(wrong)
    for name in ("formulas", "local", "trajectory"):
        failure = report.checks[name].first_failure
        assert failure is not None and failure.visit == 20, report.to_text()


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("from_visit", 0, "from_visit is 0: a whole number from 1 to 40 is needed"),
        ("from_visit", 40, "visits is 11: a whole number from 1 to 1 is needed"),
        ("from_visit", "x", "(from_visit) holds the text 'x'"),
        ("visits", 1.5, "visits is 1.5: a whole number"),
        ("visits", None, "(visits) is empty"),
    ],
)
def test_config_that_tells_of_no_window(
    key: str, value: object, said: str, books: dict[str, Path], tmp_path: Path
) -> None:
    def edit(book: openpyxl.Workbook) -> None:
        for row in book["Config"].iter_rows(max_col=2):
            if row[0].value == key:
                row[1].value = value

    change(books["within a batch"], tmp_path / "b.xlsx", edit)
    done = run("verify", tmp_path / "b.xlsx")
    assert done.exit_code == 2 and said in done.stderr, done.stderr


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--from-visit", 0], "from_visit is 0: the run has visits 1 to 12"),
        (["--from-visit", 13], "from_visit is 13: the run has visits 1 to 12"),
        (["--from-visit", 9, "--visits", 5], "visits is 5: from visit 9 on there are 1 to 4"),
        (["--visits", 0], "visits is 0"),
        (["--visits", 3, "--sheets", "Step,epochs"], "has no sheet 'Epochs'; allowed: Guide, C"),
        (["--from-visit", "x"], "'x' is not a valid integer"),
    ],
)
def test_windows_that_there_are_not(options: list[object], said: str, tmp_path: Path) -> None:
    spec = tmp_path / "a.toml"
    text = (
        '[data]\nsource = "toy:xor"\n[[layers]]\nactivation = "sigmoid"\n[training]\nepochs = 3\n'
    )
    spec.write_text(text, encoding="utf-8")
    done = run("export", spec, "-o", tmp_path / "a.xlsx", *options)
    assert done.exit_code == 2 and said in done.stderr, done.stderr
    assert not (tmp_path / "a.xlsx").exists()
    fine = run("export", spec, "-o", tmp_path / "a.xlsx", "--from-visit", 9, "--sheets", "step")
    assert fine.exit_code == 0 and " at visit 12" in fine.stdout, fine.output


def test_a_run_that_has_diverged_before(tmp_path: Path) -> None:
    spec = make_spec(
        source="toy:line", layers=[{"activation": "linear"}], learning_rate=1e6, epochs=20
    )
    whole = sheetnet.train(spec)
    at = whole.diverged_at
    lost = int(np.argmax(np.isnan(whole["W1"].ravel()))) + 1
    assert at is not None and lost > 1
    with pytest.raises(SpecError, match=f"diverges before visit {lost}"):
        window(spec, lost, 3)
    path = sheetnet.export(spec, tmp_path / "a.xlsx", from_visit=at - 3, visits=9, sheets=[]).path
    report = sheetnet.verify(path)
    assert report.agree, report.to_text()
    assert report.checks["trajectory"].python_diverged_at == at


def test_more_visits_than_a_sheet_has_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """They are refused before the training, with what fits; and a window of them fits."""
    layers = [{"activation": "sigmoid"}]
    spec = make_spec(layers=layers, epochs=400_000)
    with monkeypatch.context() as patch:
        patch.setattr(engine, "steps", lambda *_: 1 / 0)
        with pytest.raises(LimitError, match=r"--from-visit K --visits N, N up to 1048572"):
            sheetnet.export(spec, tmp_path / "a.xlsx")
        with pytest.raises(LimitError, match="what fits: --visits 1048572"):
            sheetnet.export(spec, tmp_path / "a.xlsx", visits=1_048_573)
    done = sheetnet.export(spec, tmp_path / "a.xlsx", from_visit=801, visits=4, sheets=[])
    assert sheetnet.verify(done.path).agree
    short = dataclasses.replace(spec.training, epochs=201)
    whole = sheetnet.train(dataclasses.replace(spec, training=short)).matrix
    train = openpyxl.load_workbook(done.path, data_only=True)["Train"]
    held = [[cell.value for cell in row] for row in train.iter_rows(min_row=5)]
    assert np.array_equal(np.array(held, dtype=float), whole[800:])


def test_a_window_is_no_spec(books: dict[str, Path], tmp_path: Path) -> None:
    """What came before it is not there: it cannot be trained again as a whole."""
    for command in ("export", "train", "code"):
        done = run(command, books["one visit"])
        assert done.exit_code == 2, done.output
        assert "one visit.xlsx holds a window of a training, from visit 7 on" in done.stderr


def test_a_window_is_live(books: dict[str, Path]) -> None:
    """With other inputs it still does what Python does."""
    report = sheetnet.verify(books["within a batch"], perturb=True)
    assert report.agree, report.to_text()


def test_no_finding_of_lint(books: dict[str, Path]) -> None:
    for path in books.values():
        assert sheetnet.lint(path).clean, sheetnet.lint(path).to_text()
