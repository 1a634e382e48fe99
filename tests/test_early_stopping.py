"""Early stopping: it ends where a plain loop says, freezes all that is trained, and is live."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import pytest
from faults import change, failing, in_cell, rewrite_sheet
from ledgers import (
    Formualized,
    Model,
    ledgers_in_python,
    ledgers_of_run,
    without_values,
)
from openpyxl.workbook import Workbook
from stopping import KINDS, stopping
from support import WITHOUT_VIEWS, make_spec, run

import sheetnet
from sheetnet.concepts.optimizers import OPTIMIZERS
from sheetnet.problem import assemble, load_problem
from sheetnet.run import Run, train
from sheetnet.spec import Spec

kinds = pytest.mark.parametrize("kind", KINDS)


def stop_of(losses: Sequence[float], patience: int, min_delta: float) -> int | None:
    """The epoch after which a plain loop stops, or None."""
    best, wait = float("inf"), 0
    for epoch, loss in enumerate(losses, 1):
        if loss < best - min_delta:
            best, wait = loss, 0
        else:
            wait += 1
        if wait >= patience:
            return epoch
    return None


def test_stop_of_by_hand() -> None:
    losses = [1.0, 0.5, 0.45, 0.6, 0.55, 0.2]
    assert stop_of(losses, 2, 0.0) == 5
    assert stop_of(losses, 2, 0.1) == 4  # 0.45 does not count
    assert stop_of(losses, 3, 0.0) is None
    assert stop_of(losses, 1, 0.0) == 4
    assert stop_of([1.0, 1.0], 1, 0.0) == 2  # as good is not better


def assert_stopped_like(run: Run, free: Run, stop: int | None) -> None:
    """Until the end of epoch ``stop`` both runs are one; from then on nothing is trained."""
    rows, epochs = run.problem.rows, len(run.epochs)
    assert run.stopped_after == stop
    flags = [float(stop is not None and epoch >= stop) for epoch in range(1, epochs + 1)]
    assert run.by_epoch("stopped").tolist() == flags
    assert run["stopped"].tolist() == [f for f in [0.0, *flags[:-1]] for _ in range(rows)]
    shared = [block.name for block in free.ledger.blocks]
    visits = rows * (stop or epochs)
    for name in shared:
        assert np.array_equal(run[name][:visits], free[name][:visits]), name
    weights = [name for name in shared if re.fullmatch(r"[Wb]\d", name)]
    for name in weights:
        reached = free.by_epoch(name)[(stop or epochs) - 1]
        assert (run[name][visits:] == reached).all() and np.array_equal(run.final[name], reached)
        assert (run.by_epoch(name)[(stop or epochs) - 1 :] == reached).all()
        if f"u{name}" in shared:
            assert not run[f"u{name}"][visits:].any()
    for optimizer in OPTIMIZERS.values():
        kept = [slot.name for slot in optimizer.slots if slot.carried]
        for name in [f"{slot}{w}" for slot in kept for w in weights if f"{slot}{w}" in shared]:
            assert (run[name][visits:] == run[name][visits - 1]).all(), f"{name} is not held"


@kinds
def test_it_stops_where_a_plain_loop_says(kind: str, tmp_path: Path) -> None:
    stops = []
    for seed in range(6):
        given = {"patience": None, "min_delta": None, "seed": seed, "epochs": 10}
        free = sheetnet.train(stopping(kind, tmp_path, **given))
        losses = free.by_epoch("val_loss").tolist()
        assert free.stopped_after is None and "stopped" not in free.ledger
        for patience, min_delta in ((1, 0.0), (2, 0.0), (3, 0.05), (2, 1.0)):
            given |= {"patience": patience, "min_delta": min_delta}
            run = sheetnet.train(stopping(kind, tmp_path, **given))
            stops.append(stop_of(losses, patience, min_delta))
            assert_stopped_like(run, free, stops[-1])
    assert len(set(stops)) >= 4, "else they would say little"


@pytest.mark.parametrize("size", [1, 3])
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_every_optimizer_is_held(name: str, size: int, tmp_path: Path) -> None:
    """Also within a batch that is not full, and with masks drawn anew in each epoch."""
    options: dict[str, Any] = {"optimizer": name, "batch_size": size, "epochs": 10, "seed": 5}
    free = sheetnet.train(stopping("classes", tmp_path, patience=None, **options))
    run = sheetnet.train(stopping("classes", tmp_path, patience=1, **options))
    stop = stop_of(free.by_epoch("val_loss").tolist(), 1, 0.0)
    assert stop is not None and stop < 10
    assert_stopped_like(run, free, stop)
    assert np.array_equal(run["r1"], free["r1"]), "uniforms are drawn, stopped or not"


@kinds
def test_patience_beyond_the_epochs_changes_nothing(kind: str, tmp_path: Path) -> None:
    free = sheetnet.train(stopping(kind, tmp_path, patience=None))
    for patience in (7, 1000):
        run = sheetnet.train(stopping(kind, tmp_path, patience=patience))
        assert_stopped_like(run, free, None)
        for block in free.ledgers.epochs.blocks:
            assert np.array_equal(run.by_epoch(block.name), free.by_epoch(block.name))


@kinds
def test_what_is_judged_of_an_epoch(kind: str, tmp_path: Path) -> None:
    """Row by row from the validation losses, in plain Python."""
    for min_delta in (0.0, 0.1):
        run = sheetnet.train(stopping(kind, tmp_path, min_delta=min_delta, epochs=10))
        best, best_epoch, wait = float("inf"), 0, 0
        for e, loss in enumerate(run.by_epoch("val_loss").tolist()):
            improved = loss < best - min_delta
            if improved:
                best, best_epoch, wait = loss, e + 1, 0
            else:
                wait += 1
            names = ("improved", "best_loss", "best_epoch", "wait")
            found = [float(run.by_epoch(name)[e]) for name in names]
            assert found == [improved, best, best_epoch, wait]
        assert run.best_epoch == best_epoch and run.best is not None
        assert np.array_equal(run.best["W1"], run.by_epoch("W1")[best_epoch - 1])


# --- live, in IronCalc


@pytest.fixture(scope="module")
def books(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Spec, Path]]:
    folder = tmp_path_factory.mktemp("stopping")
    found = {kind: (stopping(kind, folder), folder / f"{kind}.xlsx") for kind in KINDS}
    for spec, path in found.values():
        stop = sheetnet.export(spec, path, sheets=WITHOUT_VIEWS).stopped_after
        assert stop is not None and 1 < stop < 7
    return found


LIVE: list[tuple[str, list[dict[str, float]]]] = [
    ("threshold", [{"learning_rate": 0.1}, {"patience": 1}, {"patience": 7, "learning_rate": 4}]),
    ("threshold", [{"min_delta": 10}, {"min_delta": 0, "patience": 3}, {"learning_rate": 1e300}]),
    ("classes", [{"learning_rate": 0.02}, {"patience": 5}, {"min_delta": 1.5, "patience": 1}]),
    ("numbers", [{"learning_rate": 0.02}, {"min_delta": 0.3}, {"patience": 3}]),
]


@pytest.mark.parametrize(("kind", "steps"), LIVE)
def test_the_training_follows_its_numbers(
    books: dict[str, tuple[Spec, Path]], kind: str, steps: list[dict[str, float]]
) -> None:
    """One after the other: it goes on where it had stopped, and stops where it had gone on."""
    spec, path = books[kind]
    model = Model(path)
    model.assert_same(ledgers_in_python(spec))
    stops: set[object] = {sheetnet.train(spec).stopped_after}
    for step in steps:
        model.configure(**step)
        numbers = {**spec.training.hyperparameters, **step}
        spec = replace(spec, training=replace(spec.training, hyperparameters=numbers))
        run = sheetnet.train(spec)
        model.assert_same(ledgers_of_run(run))
        stops.add(run.stopped_after)
    assert len(stops) >= 3, "these edits should move the end of the training"


@pytest.mark.parametrize("row", [0, -1], ids=["training", "held out"])
def test_the_training_follows_its_data(books: dict[str, tuple[Spec, Path]], row: int) -> None:
    spec, path = books["numbers"]
    problem = load_problem(spec)
    inputs, targets = problem.table.inputs.copy(), problem.table.targets
    assert targets is not None
    inputs[row, 1], targets = 2.5, targets.copy()
    targets[row, 0] = -3.0
    edited = assemble(spec, replace(problem.table, inputs=inputs, targets=targets))
    model = Model(path)
    ledgers = ledgers_of_run(train(edited))
    data = openpyxl.load_workbook(path)["Data"]
    heads = {str(c.value): c for c in next(r for r in data.iter_rows() if r[0].value == "row")}
    first = heads["row"].row + 1
    at = first + (row if row >= 0 else problem.rows + problem.held_out - 1)
    assert data.cell(at, 2).value == ("training" if row == 0 else "validation")
    model.put("Data", at, heads["b"].column, 2.5)
    model.put("Data", at, heads["u"].column, -3.0)
    model.assert_same(ledgers)
    before = train(problem)
    moved = ledgers["train"].values != before.matrix
    # A held-out row moves nothing of the training but, perhaps, its end.
    assert moved.any() == (row == 0 or before.stopped_after != train(edited).stopped_after)
    assert (ledgers["epochs"].get("val_loss") != before.by_epoch("val_loss")).all()


# --- edited by another program, verified


EDITS: dict[str, tuple[str, dict[str, float | str]]] = {
    "slower": ("threshold", {"learning_rate": 0.123456789}),
    "patient": ("threshold", {"patience": 100}),
    "impatient": ("classes", {"patience": 1}),
    "choosy": ("numbers", {"min_delta": 5}),
    "formulas": ("numbers", {"learning_rate": "=1/30", "min_delta": "=1/7", "patience": "=1+1"}),
}


@pytest.mark.parametrize("name", EDITS)
def test_edited_numbers_agree(
    books: dict[str, tuple[Spec, Path]], tmp_path: Path, name: str
) -> None:
    kind, edits = EDITS[name]

    def edit(book: Workbook) -> None:
        rows = {cell.value: cell.row for cell in book["Config"]["A"]}
        for key, content in edits.items():
            book["Config"].cell(rows[key], 2).value = content

    report = sheetnet.verify(change(books[kind][1], tmp_path / "edited.xlsx", edit))
    assert report.agree, report.to_text()
    for check in ("local", "trajectory"):
        assert report.checks[check].identical == report.cells, report.to_text()


@pytest.mark.parametrize("row", [1, -1], ids=["training", "held out"])
@kinds
def test_edited_data_agree(
    books: dict[str, tuple[Spec, Path]], tmp_path: Path, kind: str, row: int
) -> None:
    """Only the value is rewritten: all saved results that hang on it are those of before."""
    path = books[kind][1]
    data = openpyxl.load_workbook(path)["Data"]
    first = next(cell.row for cell in data["A"] if cell.value == "row") + 1
    where = f"C{first if row == 1 else data.max_row}"
    edit = in_cell(where, "<v>.*?</v>", "<v>0.987654321</v>")
    report = sheetnet.verify(rewrite_sheet(path, tmp_path / "edited.xlsx", "Data", edit))
    assert failing(report) == {"saved"}
    assert report.checks["saved"].failures > 10
    assert report.checks["trajectory"].identical == report.cells
    first_failure = report.checks["saved"].first_failure
    assert first_failure is not None
    scaled = KINDS[kind]["data"].get("scale")
    sheets = ("Data",) if scaled else ("Train",) if row == 1 else ("Train", "Validation")
    assert first_failure.sheet in sheets


@pytest.mark.parametrize("content", [0, 1.5, -1, "two", None])
def test_patience_that_is_none(
    books: dict[str, tuple[Spec, Path]], tmp_path: Path, content: object
) -> None:
    """One line that names the cell's key."""

    def edit(book: Workbook) -> None:
        rows = {cell.value: cell.row for cell in book["Config"]["A"]}
        book["Config"].cell(rows["patience"], 2).value = content  # type: ignore[assignment]

    done = run("verify", change(books["threshold"][1], tmp_path / "edited.xlsx", edit))
    assert (done.exit_code, done.stdout) == (2, ""), done.output
    assert done.stderr.startswith("Error: ") and done.stderr.count("\n") == 1
    assert "patience" in done.stderr


# --- other engines


def test_formualizer_finds_no_circle_and_the_same_numbers(
    books: dict[str, tuple[Spec, Path]],
) -> None:
    for spec, path in books.values():
        Formualized(without_values(path)).assert_same(ledgers_in_python(spec))


@pytest.mark.libreoffice
@pytest.mark.parametrize("kind", ["threshold", "numbers"])
def test_libreoffice_agrees(books: dict[str, tuple[Spec, Path]], kind: str) -> None:
    report = sheetnet.verify(books[kind][1], "libreoffice")
    assert report.agree, report.to_text()
    assert report.engine == "libreoffice" and report.cells > 0


@kinds
def test_ironcalc_agrees_to_the_last_bit(books: dict[str, tuple[Spec, Path]], kind: str) -> None:
    report = sheetnet.verify(books[kind][1])
    for check in ("local", "trajectory", "saved"):
        assert report.checks[check].identical == report.checks[check].cells > 0, report.to_text()


# --- runs that diverge

LINE = {"source": "toy:line", "data": {"rows": 8, "validation": 0.25}}
DIVERGING: dict[str, Spec] = {
    "at once": make_spec(
        **LINE, layers=[{"activation": "linear"}], epochs=5, learning_rate=1e300, patience=2
    ),
    "after epochs": make_spec(
        **LINE, layers=[{"activation": "linear"}], epochs=9, learning_rate=1e13, patience=4
    ),
    "relu": make_spec(
        **LINE,
        layers=[{"units": 3, "activation": "relu"}, {"activation": "linear"}],
        epochs=6,
        learning_rate=1e30,
        patience=2,
        batch_size=4,
    ),
    "classes": make_spec(
        source="toy:blobs",
        data={"rows": 8, "validation": 0.25},
        layers=[{"units": 3, "activation": "relu"}, {"activation": "softmax"}],
        epochs=5,
        learning_rate=1e100,
        patience=2,
    ),
    "two classes": make_spec(
        source="toy:moons",
        data={"rows": 8, "validation": 0.25},
        layers=[{"units": 3, "activation": "relu"}, {"activation": "sigmoid"}],
        epochs=5,
        learning_rate=1e200,
        patience=2,
    ),
}


@pytest.mark.parametrize("name", DIVERGING)
def test_a_run_that_diverges(name: str, tmp_path: Path) -> None:
    """It improves no more; where nothing stopped it in time, both diverge at the same visit."""
    spec = DIVERGING[name]
    exported = sheetnet.export(spec, tmp_path / "book.xlsx", sheets=WITHOUT_VIEWS)
    run = sheetnet.train(spec)
    losses = [float("inf") if np.isnan(x) else float(x) for x in run.by_epoch("val_loss")]
    assert exported.stopped_after == run.stopped_after
    assert run.stopped_after == stop_of(losses, int(spec.training.hyperparameters["patience"]), 0)
    assert exported.diverged_at == run.diverged_at is not None
    report = sheetnet.verify(tmp_path / "book.xlsx")
    assert report.agree, report.to_text()
    assert f"Both diverge at visit {run.diverged_at}:" in report.to_text()
    ledgers = ledgers_of_run(run)
    assert any(np.isnan(ledger.values).any() for ledger in ledgers.values())
    Model(tmp_path / "book.xlsx").assert_same(ledgers)
    Formualized(without_values(tmp_path / "book.xlsx")).assert_same(ledgers)


def test_an_output_that_is_an_error_is_a_miss(tmp_path: Path) -> None:
    """Accuracy by a threshold stays a number, counted here from the outputs."""
    spec = DIVERGING["two classes"]
    run = sheetnet.train(spec)
    a, y = run["a2"][:, 0], run["y"][:, 0]
    right = [bool(o >= 0.5) == bool(t >= 0.5) for o, t in zip(a, y, strict=True) if o == o]
    assert 0 < len(right) < len(a)
    assert np.isfinite(run.by_epoch("accuracy")).all()
    assert run.by_epoch("accuracy").sum() * run.problem.rows == pytest.approx(sum(right))
    assert run.by_epoch("val_accuracy")[-1] == 0.0


# --- the shortest runs


@pytest.mark.parametrize("epochs", [1, 2, 3])
@pytest.mark.parametrize(("rows", "share"), [(2, 0.5), (3, 0.3), (3, 0.6)])
def test_the_shortest_runs_agree(epochs: int, rows: int, share: float, tmp_path: Path) -> None:
    """One row to train on or to hold out, one epoch, or two: the first rows are the last."""
    spec = make_spec(
        source="toy:line",
        data={"rows": rows, "validation": share},
        layers=[{"activation": "linear"}],
        epochs=epochs,
        learning_rate=3.0,
        patience=1,
    )
    sheetnet.export(spec, tmp_path / "short.xlsx", sheets=WITHOUT_VIEWS)
    report = sheetnet.verify(tmp_path / "short.xlsx")
    assert report.agree and report.checks["trajectory"].identical == report.cells
    Formualized(without_values(tmp_path / "short.xlsx")).assert_same(ledgers_in_python(spec))
