"""``Predict``: its numbers are those of a forward pass in plain Python, and follow its inputs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from faults import assert_one_line, change
from openpyxl.workbook import Workbook
from predictions import KINDS, Predicted, spec_of
from support import make_spec

import sheetnet
from sheetnet.concepts.scaling import SCALINGS
from sheetnet.regions import CONFIG, PREDICT
from sheetnet.views.predict.plan import GRID
from sheetnet.views.predict.signs import TYPED_SIGN

kinds = pytest.mark.parametrize("kind", KINDS)


class Workbooks:
    """The workbook of each kind, exported once."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.made: dict[str, Predicted] = {}

    def __getitem__(self, kind: str) -> Predicted:
        """As it was exported, whatever has been typed since."""
        if kind not in self.made:
            folder = self.folder / kind
            folder.mkdir()
            self.made[kind] = Predicted(spec_of(kind, folder), folder)
        self.made[kind].reset()
        return self.made[kind]


@pytest.fixture(scope="module")
def books(tmp_path_factory: pytest.TempPathFactory) -> Workbooks:
    return Workbooks(tmp_path_factory.mktemp("predict"))


def moments(predicted: Predicted) -> list[int]:
    """Updates to look at: before the first, one on the way, the last."""
    return [0, predicted.plan.updates // 2, predicted.plan.updates]


@kinds
def test_rows_are_a_plain_forward_pass(kind: str, books: Workbooks) -> None:
    predicted = books[kind]
    last = len(predicted.problem.network.layers)
    seen = []
    for update in moments(predicted):
        predicted.at_update(update)
        found = predicted.rows[f"a{last}"]
        wanted = [predicted.forward(raw, update) for raw in predicted.problem.inputs.raw.tolist()]
        np.testing.assert_allclose(found, wanted, rtol=1e-12, atol=1e-14)
        seen.append(found.tolist())
    assert seen[0] != seen[1] != seen[2]


@kinds
def test_what_is_typed(kind: str, books: Workbooks) -> None:
    """Its outputs, and what they mean."""
    predicted = books[kind]
    plan, problem = predicted.plan, predicted.problem
    shift = plan.shift
    typed = problem.inputs.raw.mean(axis=0).round(3).tolist()
    predicted.type(typed)
    predicted.at_update(plan.updates - 1)
    outputs = predicted.forward(typed, plan.updates - 1)
    shown = [1 - outputs[0], *outputs] if len(outputs) == 1 and plan.task.classes else outputs
    rows = range(plan.outputs_row + 1, plan.outputs_row + 1 + len(shown))
    np.testing.assert_allclose([predicted.cell(r, 2 + shift) for r in rows], shown, rtol=1e-12)
    if plan.task.numbers:
        found = [predicted.cell(row, 3 + shift) for row in rows]
        np.testing.assert_allclose(found, predicted.in_units(outputs), rtol=1e-12)
    elif plan.task.labels:
        assert [predicted.cell(row, 3) for row in rows] == [float(a >= 0.5) for a in outputs]
    else:
        told = predicted.told(outputs) - 1
        name = (problem.classes or (0.0, 1.0))[told]
        assert predicted.cell(plan.told_row, 2) == name
        assert predicted.cell(plan.told_row, 3) == pytest.approx(shown[told], rel=1e-12)


@pytest.mark.parametrize("kind", ["moons", "wide"])
def test_the_visit_of_each_update(kind: str, tmp_path: Path) -> None:
    """Its last one, in batches that are smaller at the end of an epoch."""
    predicted = Predicted(spec_of(kind, tmp_path, epochs=2), tmp_path)
    updates, epochs = predicted.run["update"], predicted.run["epoch"]
    assert predicted.plan.updates == updates[-1]
    for update in range(1, int(updates[-1]) + 1):
        predicted.at_update(update)
        last = int(np.flatnonzero(updates == update)[-1])
        assert predicted.cell(4, 2) == last + 1
        assert predicted.cell(5, 2) == epochs[last]
    predicted.at_update(0)
    assert predicted.cell(4, 2) == predicted.cell(5, 2) == 0


@pytest.mark.parametrize("kind", ["moons", "blobs", "flowers"])
def test_confusion_and_accuracy(kind: str, books: Workbooks) -> None:
    """Against a loop over the rows, before training and after it."""
    predicted = books[kind]
    plan, problem = predicted.plan, predicted.problem
    classes = max(2, len(problem.classes or ()))
    for update in (0, plan.updates):
        predicted.at_update(update)
        sets = [range(problem.rows), range(problem.rows, problem.rows + problem.held_out)]
        assert len(plan.matrix_rows) == (2 if problem.held_out else 1)
        for n, (rows, head) in enumerate(zip(sets, plan.matrix_rows, strict=False)):
            counts = np.zeros((classes, classes))
            for row in rows:
                outputs = predicted.forward(problem.inputs.raw[row], update)
                counts[predicted.right(row) - 1, predicted.told(outputs) - 1] += 1
            found = [
                [predicted.cell(head + 2 + i, 2 + j) for j in range(classes)]
                for i in range(classes)
            ]
            assert found == counts.tolist()
            accuracy = predicted.cell(plan.quality_row + 2, 2 + n)
            assert accuracy == np.trace(counts) / len(rows)


@kinds
def test_the_last_update_is_as_good_as_epochs_says(kind: str, books: Workbooks) -> None:
    """Loss and measure of the held-out rows; those of the training rows without dropout."""
    predicted = books[kind]
    plan, run = predicted.plan, predicted.run
    if predicted.problem.held_out:
        names = ("val_loss", f"val_{predicted.problem.network.measure.name}")
        for n, name in enumerate(names, 1):
            wanted = run.by_epoch(name)[-1]
            assert predicted.cell(plan.quality_row + n, 3) == pytest.approx(wanted, rel=1e-12)
    last = len(predicted.problem.network.layers)
    rows = predicted.rows
    a, y = (rows[name][: predicted.problem.rows] for name in (f"a{last}", "y"))
    if plan.task.labels:
        wanted = np.mean((a >= 0.5) == (y >= 0.5))
        assert predicted.cell(plan.quality_row + 2, 2) == pytest.approx(wanted)
    if plan.task.numbers:
        wanted = np.sqrt(np.mean((y - a) ** 2))
        assert predicted.cell(plan.quality_row + 2, 2) == pytest.approx(wanted)


def test_errors_in_units_of_the_data(books: Workbooks) -> None:
    predicted = books["surface"]
    plan, raw = predicted.plan, predicted.problem.targets.raw
    outputs = [predicted.forward(x, plan.updates) for x in predicted.problem.inputs.raw.tolist()]
    errors = np.array([predicted.in_units(a) for a in outputs]) - raw
    found = [predicted.cell(plan.quality_row + 3 + k, 2) for k in range(2)]
    np.testing.assert_allclose(found, np.sqrt((errors**2).mean(axis=0)), rtol=1e-12)


def edges(predicted: Predicted) -> tuple[list[float], list[float]]:
    """The numbers along the map: from the left, from the top."""
    grid = predicted.plan.map
    across = [predicted.cell(grid.last_row + 1, grid.column + i) for i in range(GRID)]
    return across, [predicted.cell(grid.row + i, grid.column - 1) for i in range(GRID)]


@pytest.mark.parametrize("kind", ["moons", "blobs", "surface", "labels"])
def test_the_map(kind: str, books: Workbooks) -> None:
    """Each cell is what the network says at its place; each training row stands on it."""
    predicted = books[kind]
    plan, grid, task = predicted.plan, predicted.plan.map, predicted.plan.task
    across, down = edges(predicted)
    raw = predicted.problem.inputs.raw[: predicted.problem.rows]
    assert across[0] < raw[:, 0].min() and across[-1] > raw[:, 0].max()
    assert down[-1] < raw[:, 1].min() and down[0] > raw[:, 1].max()
    expected: dict[tuple[int, int], str] = {}
    signs = "○●△"
    for row, (x, y) in enumerate(raw.tolist()):
        place = (
            int(np.argmin(np.abs(np.array(down) - y))),
            int(np.argmin(np.abs(np.array(across) - x))),
        )
        sign = signs[predicted.right(row) - 1] if task.knows_right else "●"
        expected.setdefault(place, sign if row else TYPED_SIGN)  # the first row is typed
    update = plan.updates // 2
    predicted.at_update(update)
    seen = set()
    for r in range(GRID):
        for c in range(GRID):
            found = predicted.cell(grid.row + r, grid.column + c)
            if (r, c) in expected:
                assert found == expected[(r, c)]
                seen.add((r, c))
            elif (r + c) % 7 == 0:
                outputs = predicted.forward([across[c], down[r]], update)
                if task.numbers:
                    wanted = predicted.in_units(outputs)[0]
                elif task.classes == 3:
                    wanted = predicted.told(outputs)
                else:
                    wanted = outputs[0]
                assert found == pytest.approx(wanted, rel=1e-9)
            else:
                assert isinstance(found, float)
    assert seen == set(expected)


def test_what_is_typed_moves_on_the_map(books: Workbooks) -> None:
    predicted = books["moons"]
    grid, (across, down) = predicted.plan.map, edges(predicted)
    predicted.type([across[3], down[5]])
    assert predicted.cell(grid.row + 5, grid.column + 3) == TYPED_SIGN
    predicted.type([across[-1] + 1, down[5]])
    cells = [
        predicted.cell(grid.row + r, grid.column + c) for r in range(GRID) for c in range(GRID)
    ]
    assert TYPED_SIGN not in cells and "●" in cells and "○" in cells


@pytest.mark.parametrize("kind", ["curve", "flowers"])
def test_the_curve(kind: str, books: Workbooks) -> None:
    predicted = books[kind]
    points, rows = predicted.points, predicted.problem.rows
    raw = predicted.problem.inputs.raw[:rows, 0]
    along = points["raw"][:, 0]
    assert along[0] < raw.min() and along[-1] > raw.max() and (np.diff(along) > 0).all()
    wanted = [predicted.forward([x], predicted.plan.updates) for x in along.tolist()]
    if predicted.plan.task.numbers:
        wanted = [predicted.in_units(outputs) for outputs in wanted]
    np.testing.assert_allclose(points["value"], wanted, rtol=1e-9)


@pytest.mark.parametrize("rows", ["1,2,5\n", "1,2,5\n1,3,6\n"])
def test_axes_where_all_values_are_equal(rows: str, tmp_path: Path) -> None:
    """They are one unit wide; a single row of data stands in the middle."""
    (tmp_path / "d.csv").write_text(f"p,q,y\n{rows}", encoding="utf-8")
    layers = [{"activation": "linear"}]
    spec = make_spec(
        source="d.csv", folder=tmp_path, data={"target": "y"}, layers=layers, learning_rate=0.01
    )
    predicted = Predicted(spec, tmp_path)
    across, _ = edges(predicted)
    assert (across[0], across[20], across[-1]) == (0.5, 1.0, 1.5)
    report = sheetnet.verify(predicted.path)
    assert report.agree, report.to_text()


# --- changes


def edited(predicted: Predicted, target: Path, cells: dict[str, object], **config: float) -> Path:
    """A copy where something else is typed on ``Predict`` and on ``Config``."""

    def edit(book: Workbook) -> None:
        for where, content in cells.items():
            book[PREDICT][where].value = content
        keys = {cell.value: cell.row for cell in book[CONFIG]["A"]}
        for key, number in config.items():
            book[CONFIG].cell(keys[key], 2).value = number

    return change(predicted.path, target, edit)


def assert_verified(path: Path) -> None:
    """To the last bit."""
    report = sheetnet.verify(path)
    assert report.agree, report.to_text()
    for question in ("local", "trajectory"):
        assert report.checks[question].identical == report.cells


@kinds
def test_verify_agrees_whatever_is_typed(kind: str, books: Workbooks, tmp_path: Path) -> None:
    predicted = books[kind]
    typed: dict[str, object] = {"B3": predicted.plan.updates // 2, "B8": -0.37}
    assert_verified(edited(predicted, tmp_path / "edited.xlsx", typed, learning_rate=0.05))


@pytest.mark.parametrize("kind", ["surface", "wide"])
def test_verify_agrees_before_the_first_update(kind: str, books: Workbooks, tmp_path: Path) -> None:
    """And far from the data."""
    assert_verified(edited(books[kind], tmp_path / "edited.xlsx", {"B3": 0, "B8": 1e9}))


@pytest.mark.parametrize("wrong", [-1, 0.5, 49, "last", None])
def test_an_update_that_there_is_not(
    wrong: object, books: Workbooks, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    predicted = books["curve"]
    assert predicted.plan.updates < 49
    path = edited(predicted, tmp_path / "wrong.xlsx", {"B3": wrong})
    with pytest.raises(sheetnet.SheetnetError, match=r"Predict!B3 \(at_update\)"):
        sheetnet.verify(path)
    assert_one_line(path, capfd)


def test_a_run_that_diverges(tmp_path: Path) -> None:
    """Errors where there are no weights any more, numbers before that."""
    spec = spec_of("surface", tmp_path, learning_rate=1e80, epochs=3)
    predicted = Predicted(spec, tmp_path)
    assert predicted.run.diverged_at is not None
    assert str(predicted.cell(predicted.plan.quality_row + 1, 2)).startswith("#")
    predicted.at_update(0)
    assert isinstance(predicted.cell(predicted.plan.quality_row + 1, 2), float)
    report = sheetnet.verify(predicted.path)
    assert report.agree, report.to_text()


# --- scaling, back


@pytest.mark.parametrize("name", SCALINGS)
def test_scaling_and_back(name: str) -> None:
    scaling, random = SCALINGS[name], np.random.default_rng(1)
    raw = random.normal(300, 40, (50, 3))
    known = {s.name: random.uniform(2, 90, 3) for s in scaling.statistics}
    there = scaling.value(raw, known)
    np.testing.assert_allclose(scaling.inverse(there, known), raw, rtol=1e-12)


@pytest.mark.parametrize("name", SCALINGS)
def test_the_cell_of_scaling_back(name: str, tmp_path: Path) -> None:
    """On ``Predict``: each prediction in its units is the inverse of the output beside it."""
    spec = make_spec(
        source="toy:line",
        data={"rows": 6, "target_scale": name},
        layers=[{"activation": "linear"}],
        learning_rate=0.1,
    )
    predicted = Predicted(spec, tmp_path)
    targets, rows = predicted.problem.targets, predicted.rows
    wanted = SCALINGS[name].inverse(rows["a1"], targets.statistics)
    assert rows["pred"].tolist() == wanted.tolist()
    assert rows["goal"].tolist() == targets.raw.tolist()
