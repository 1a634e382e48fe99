"""Diff: which inputs differ, where two trainings part, how far."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import openpyxl
import pytest
from faults import change
from openpyxl.workbook import Workbook
from support import WITHOUT_VIEWS, make_spec, run

import sheetnet
from sheetnet.comparing.report import bar
from sheetnet.comparing.trainings import spread
from sheetnet.errors import EngineError, WorkbookError
from sheetnet.layout import CONFIG_KEY, CONFIG_VALUE


@pytest.fixture(scope="module")
def xor(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("diff") / "xor.xlsx"
    sheetnet.export(make_spec(epochs=5), path)
    return path


def put(source: Path, target: Path, **values: object) -> Path:
    """Type values into ``Config``, by key."""

    def fault(book: Workbook) -> None:
        for row in book["Config"].iter_rows():
            key = row[CONFIG_KEY - 1].value
            if key in values:
                row[CONFIG_VALUE - 1].value = values[str(key)]

    return change(source, target, fault)


def test_a_workbook_does_not_differ_from_itself(xor: Path, tmp_path: Path) -> None:
    again = change(xor, tmp_path / "again.xlsx", lambda book: None)
    comparison = sheetnet.diff(xor, again)
    assert comparison.equal and comparison.trainings.parting is None
    assert "20 visits that agree to the last bit" in comparison.to_text()
    result = run("diff", xor, again)
    assert result.exit_code == 0 and "No difference" in result.stdout


def test_a_hyperparameter(xor: Path, tmp_path: Path) -> None:
    other = put(xor, tmp_path / "other.xlsx", learning_rate=0.25)
    comparison = sheetnet.diff(xor, other)
    (found,) = comparison.inputs.hyperparameters
    assert (found.name, found.a, found.b) == ("learning_rate", 0.5, 0.25)
    assert not comparison.inputs.data and not comparison.inputs.weights
    assert not comparison.inputs.structure
    parting = comparison.trainings.parting
    assert parting is not None and parting.visit == 1
    # x is (0, 0) at first: only biases move, and the update is what differs.
    assert parting.quantity == "ub1[1]"
    assert parting.a is not None and parting.b is not None
    assert parting.a == pytest.approx(2 * parting.b)


def test_the_table_tells_what_the_runs_tell(xor: Path, tmp_path: Path) -> None:
    """Against two runs of the spec, compared by a plain loop."""
    other = put(xor, tmp_path / "other.xlsx", learning_rate=0.25)
    growth = sheetnet.diff(xor, other).trainings.growth
    runs = [sheetnet.train(make_spec(epochs=5, learning_rate=rate)) for rate in (0.5, 0.25)]
    assert [row.at for row in growth] == [1, 2, 3, 4, 5]
    for row in growth:
        losses = [float(one.epoch_losses[row.at - 1]) for one in runs]
        assert [row.loss_a, row.loss_b] == losses
        largest = 0.0
        for name in ("W1", "b1", "W2", "b2"):
            a, b = (one[name].reshape(20, -1) for one in runs)
            for column in range(a.shape[1]):
                size = max(np.abs(a[:, column]).max(), np.abs(b[:, column]).max())
                for visit in range(4 * (row.at - 1), 4 * row.at):
                    largest = max(largest, abs(a[visit, column] - b[visit, column]) / size)
        assert row.weights == pytest.approx(largest, rel=1e-12)


def test_a_data_cell_and_where_it_is_first_seen(xor: Path, tmp_path: Path) -> None:
    book = openpyxl.load_workbook(xor)
    problem = sheetnet.diff(xor, xor).inputs
    assert problem.equal
    region = next(cell for row in book["Data"].iter_rows() for cell in row if cell.value == "x1")
    place = book["Data"].cell(region.row + 3, region.column)  # the third sample
    old, place.value = place.value, 7.5
    book.save(tmp_path / "other.xlsx")
    comparison = sheetnet.diff(xor, tmp_path / "other.xlsx")
    (found,) = comparison.inputs.data
    assert (found.cell, found.name, found.a, found.b) == (
        f"Data!{place.coordinate}",
        "x1",
        old,
        7.5,
    )
    parting = comparison.trainings.parting
    assert parting is not None
    assert (parting.visit, parting.quantity, parting.a, parting.b) == (3, "x[1]", old, 7.5)


def test_an_initial_weight(xor: Path, tmp_path: Path) -> None:
    def fault(book: Workbook) -> None:
        book["Init"]["C7"] = 0.4321

    comparison = sheetnet.diff(xor, change(xor, tmp_path / "other.xlsx", fault))
    (found,) = comparison.inputs.weights
    assert (found.cell, found.name, found.b) == ("Init!C7", "W1[2,2]", 0.4321)
    parting = comparison.trainings.parting
    assert parting is not None and (parting.visit, parting.quantity) == (1, "W1[2,2]")


def test_a_formula_typed_into_an_input_is_calculated(xor: Path, tmp_path: Path) -> None:
    same = put(xor, tmp_path / "same.xlsx", learning_rate="=1/2")
    assert sheetnet.diff(xor, same).equal
    with pytest.raises(EngineError, match="does not calculate"):
        sheetnet.diff(xor, same, "saved")
    with pytest.raises(EngineError, match="no engine 'excel'"):
        sheetnet.diff(xor, xor, "excel")


def test_more_epochs_agree_as_far_as_both_go(xor: Path, tmp_path: Path) -> None:
    longer = tmp_path / "longer.xlsx"
    sheetnet.export(make_spec(epochs=7), longer, sheets=WITHOUT_VIEWS)
    comparison = sheetnet.diff(xor, longer)
    assert [(d.name, d.a, d.b) for d in comparison.inputs.structure] == [("epochs", 5, 7)]
    assert not comparison.equal and comparison.trainings.parting is None
    text = comparison.to_text()
    assert "The first 20 visits agree to the last bit." in text and "Visits: 20 | 28" in text


def test_another_optimizer_is_compared_by_what_both_have(xor: Path, tmp_path: Path) -> None:
    adam = tmp_path / "adam.xlsx"
    sheetnet.export(make_spec(epochs=5, optimizer="adam", batch_size=2), adam, sheets=WITHOUT_VIEWS)
    comparison = sheetnet.diff(xor, adam)
    names = {d.name for d in comparison.inputs.structure}
    assert names == {"optimizer", "batch_size"}
    assert {d.name for d in comparison.inputs.hyperparameters} == {"beta1", "beta2", "epsilon"}
    assert comparison.trainings.alike and comparison.trainings.parting is not None


def test_another_network_is_compared_by_epochs(xor: Path, tmp_path: Path) -> None:
    wide = tmp_path / "wide.xlsx"
    layers = [{"units": 4, "activation": "tanh"}, {"activation": "sigmoid"}]
    sheetnet.export(make_spec(epochs=3, layers=layers), wide, sheets=WITHOUT_VIEWS)
    comparison = sheetnet.diff(xor, wide)
    assert ("network", "2-3-1", "2-4-1") in [
        (d.name, d.a, d.b) for d in comparison.inputs.structure
    ]
    trainings = comparison.trainings
    assert not trainings.alike and trainings.parting is None and trainings.by == "epoch"
    assert [row.at for row in trainings.growth] == [1, 2, 3]
    assert all(row.weights is None for row in trainings.growth)
    assert "cannot be compared visit by visit" in comparison.to_text()


def test_few_epochs_are_told_by_visits(tmp_path: Path) -> None:
    for name, rate in (("a", 0.5), ("b", 0.4)):
        sheetnet.export(
            make_spec(epochs=3, learning_rate=rate), tmp_path / f"{name}.xlsx", sheets=WITHOUT_VIEWS
        )
    trainings = sheetnet.diff(tmp_path / "a.xlsx", tmp_path / "b.xlsx").trainings
    assert trainings.by == "visit"
    assert [row.at for row in trainings.growth] == [1, 2, 5, 10, 12]
    assert trainings.growth[0].weights == 0.0


def test_where_only_one_diverges(tmp_path: Path) -> None:
    layers = [{"units": 2, "activation": "linear"}, {"activation": "linear"}]
    for name, rate in (("a", 0.1), ("b", 1e9)):
        spec = make_spec(source="toy:line", layers=layers, epochs=9, learning_rate=rate)
        sheetnet.export(spec, tmp_path / f"{name}.xlsx", sheets=WITHOUT_VIEWS)
    comparison = sheetnet.diff(tmp_path / "a.xlsx", tmp_path / "b.xlsx")
    assert comparison.trainings.diverged[0] is None
    assert comparison.trainings.diverged[1] is not None
    assert comparison.trainings.growth[-1].weights == math.inf
    assert "one diverges" in comparison.to_text()
    json.loads(comparison.to_json())  # no infinity in it


def test_command(xor: Path, tmp_path: Path) -> None:
    other = put(xor, tmp_path / "other.xlsx", learning_rate=0.25)
    result = run("diff", xor, other)
    assert result.exit_code == 1
    lines = result.stdout.splitlines()
    assert lines[2:4] == ["hyperparameters:", "  learning_rate: 0.5 | 0.25"]
    assert lines[4].startswith("The trainings part at visit 1 (epoch 1): ub1[1] is ")
    assert sum("█" in line for line in lines) == 5
    as_json = run("diff", xor, other, "--json")
    assert as_json.exit_code == 1
    document = json.loads(as_json.stdout)
    assert document["equal"] is False
    assert document["inputs"]["hyperparameters"] == [
        {"name": "learning_rate", "a": 0.5, "b": 0.25, "cell": None}
    ]
    assert document["trainings"]["parting"]["quantity"] == "ub1[1]"
    assert len(document["trainings"]["growth"]) == 5


def test_many_differences_are_counted(tmp_path: Path) -> None:
    for name, seed in (("a", 0), ("b", 1)):
        layers = [{"units": 9, "activation": "tanh"}, {"activation": "sigmoid"}]
        sheetnet.export(
            make_spec(epochs=1, layers=layers, seed=seed),
            tmp_path / f"{name}.xlsx",
            sheets=WITHOUT_VIEWS,
        )
    comparison = sheetnet.diff(tmp_path / "a.xlsx", tmp_path / "b.xlsx")
    assert len(comparison.inputs.weights) == 27
    assert "... and 17 more" in comparison.to_text()


def test_what_is_no_workbook_of_ours(xor: Path, tmp_path: Path) -> None:
    openpyxl.Workbook().save(tmp_path / "plain.xlsx")
    with pytest.raises(WorkbookError, match="not written by sheetnet"):
        sheetnet.diff(xor, tmp_path / "plain.xlsx")
    for other in ("plain.xlsx", "none.xlsx"):
        result = run("diff", tmp_path / other, xor)
        assert result.exit_code == 2 and result.stdout == ""
        assert result.stderr.startswith("Error: ") and result.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("value", "length"), [(0.0, 0), (None, 0), (1e-16, 1), (1e-8, 8), (1.0, 16), (math.inf, 16)]
)
def test_bars_grow_with_the_logarithm(value: float | None, length: int) -> None:
    assert len(bar(value)) == length


def test_bars_never_shrink() -> None:
    widths = " ▏▎▍▌▋▊▉█"
    sizes = [sum(widths.index(c) for c in bar(10.0**-p)) for p in np.linspace(17, -1, 200)]
    assert sizes == sorted(sizes) and sizes[0] == 1 and sizes[-1] == 128


def test_spread_keeps_the_ends() -> None:
    assert list(spread(5)) == [1, 2, 3, 4, 5]
    many = spread(1000)
    assert (many[0], many[-1], len(many)) == (1, 1000, 24)
