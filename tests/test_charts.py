"""The charts of ``Epochs``: what they show, how much of it, and that applications show it."""

from __future__ import annotations

import re
import zipfile
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import openpyxl
import pytest
from openpyxl.chart import ScatterChart
from support import make_spec

import sheetnet
from sheetnet.layout import layout_of
from sheetnet.problem import load_problem
from sheetnet.spec import Spec, load_spec
from sheetnet.workbook import charts
from sheetnet.workbook.chart_parts import COLOURS, MAX_LABELS, label_skip
from sheetnet.workbook.charts import MAX_SERIES, some_parameters

EXAMPLES = Path(__file__).parent.parent / "examples"
CHART = "{http://schemas.openxmlformats.org/drawingml/2006/chart}"


def drawn(spec: Spec, folder: Path) -> tuple[list[Any], Any]:
    """The charts by the order in which they stand, and the book."""
    sheetnet.export(spec, folder / "b.xlsx")
    book = openpyxl.load_workbook(folder / "b.xlsx")
    return book["Epochs"]._charts, book  # type: ignore[attr-defined]


def title_of(chart: Any) -> str:
    return "".join(run.t for part in chart.title.tx.rich.p for run in part.r)


def head(book: Any, reference: str) -> tuple[str, int, int]:
    """The name of the column that a series shows, its first and its last row."""
    found = re.fullmatch(r"'(\w+)'!\$([A-Z]+)\$(\d+)(?::\$[A-Z]+\$(\d+))?", reference)
    assert found, reference
    title, letters, first, last = found.groups()
    row = 4 if title in ("Train", "Validation") else int(first) - 1
    return f"{title} {book[title][f'{letters}{row}'].value}", int(first), int(last or first)


def test_visits_follow_epochs(tmp_path: Path) -> None:
    """Loss and weights of all visits; the predictions of the last epoch's."""
    found, book = drawn(make_spec(epochs=4), tmp_path)
    loss, weights, predictions = found[3:]
    assert [head(book, series.val.numRef.f) for series in loss.series] == [("Train loss", 5, 20)]
    shown = [head(book, series.val.numRef.f) for series in weights.series]
    assert [(first, last) for _, first, last in shown] == [(5, 20)] * MAX_SERIES
    assert "Train W1[1,1]" in shown[0] and any("W2" in name for name, _, _ in shown)
    assert title_of(weights) == "7 of 13 weights and biases by visit"
    plain = {series.tx.v.translate(str.maketrans("₁₂", "12")) for series in weights.series}
    assert {f"Train {words}" for words in plain} == {name for name, _, _ in shown}
    assert isinstance(predictions, ScatterChart)
    (series,) = predictions.series
    assert head(book, series.xVal.numRef.f) == ("Train y[1]", 17, 20)
    assert head(book, series.yVal.numRef.f) == ("Train a2[1]", 17, 20)


def test_validation_has_points_of_its_own(tmp_path: Path) -> None:
    found, book = drawn(make_spec(data={"validation": 0.5}, epochs=3), tmp_path)
    training, held_out = found[5].series
    assert head(book, training.yVal.numRef.f) == ("Train a2[1]", 9, 10)
    assert head(book, held_out.yVal.numRef.f) == ("Validation a2[1]", 9, 10)


def test_long_runs_are_cut_and_say_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(charts, "MAX_VISITS", 10)
    found, book = drawn(make_spec(epochs=4), tmp_path)
    for chart in found[3:5]:
        assert title_of(chart).endswith(" (first 10 of 16)")
        for series in chart.series:
            assert head(book, series.val.numRef.f)[1:] == (5, 14)


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.toml")), ids=lambda path: path.stem)
def test_some_parameters_spread_over_the_layers(path: Path) -> None:
    spec = load_spec(path)
    layout = layout_of(load_problem(spec))
    chosen, count = some_parameters(layout)
    columns = [block.first + list(block.indices).index(index) for block, index in chosen]
    assert count == sum(layer.units * (layer.inputs + 1) for layer in layout.network.layers)
    assert len(set(columns)) == len(columns) == min(count, MAX_SERIES)
    layers = {block.layer for block, _ in chosen}
    assert len(layers) == min(len(layout.network.layers), MAX_SERIES)


def test_deep_networks_show_some_layers() -> None:
    layers = [{"units": 2, "activation": "tanh"}] * 9 + [{"units": 1, "activation": "sigmoid"}]
    chosen, count = some_parameters(layout_of(load_problem(make_spec(layers=layers))))
    assert (len(chosen), count) == (MAX_SERIES, 6 + 8 * 6 + 3)
    assert len({block.layer for block, _ in chosen}) == MAX_SERIES


@pytest.mark.parametrize("rows", [1, 9, 10, 11, 25, 200, 4999, 5000])
def test_labels_have_room(rows: int) -> None:
    skip = label_skip(rows)
    assert -(-rows // skip) <= MAX_LABELS
    assert skip == 1 or str(skip).rstrip("0") in ("1", "2", "5")
    assert skip == 1 or -(-rows // skip) >= MAX_LABELS * 2 / 5


@pytest.mark.parametrize(
    ("activation", "layers", "log"),
    [("tanh", 2, True), ("relu", 2, False), ("leaky_relu", 2, True), ("sigmoid", 1, False)],
)
def test_powers_only_where_gradients_stay_positive(
    activation: str, layers: int, log: bool, tmp_path: Path
) -> None:
    hidden = [{"units": 2, "activation": activation}] * (layers - 1)
    spec = make_spec(layers=[*hidden, {"units": 1, "activation": "sigmoid"}], epochs=2)
    found, _ = drawn(spec, tmp_path)
    assert (found[2].y_axis.scaling.logBase == 10) == log


def test_shares_end_at_one(tmp_path: Path) -> None:
    found, _ = drawn(load_spec(EXAMPLES / "iris.toml").override(epochs=1), tmp_path)
    accuracy, predictions = found[1], found[5]
    assert (
        title_of(accuracy) == "accuracy by epoch"
        and accuracy.y_axis.number_format.formatCode == "0%"
    )
    for axis in (accuracy.y_axis, predictions.x_axis, predictions.y_axis):
        assert (axis.scaling.min, axis.scaling.max) == (0, 1)
    assert [series.tx.v for series in predictions.series] == ["setosa", "versicolor", "virginica"]


@pytest.mark.parametrize("name", ["xor", "overfitting_early_stopping", "vanishing_relu", "line"])
def test_applications_show_all_of_it(name: str, tmp_path: Path) -> None:
    """Axes are not deleted, folded columns are shown, texts are there, legends are short."""
    spec = load_spec(EXAMPLES / f"{name}.toml")
    book = sheetnet.export(spec, tmp_path / "b.xlsx", sheets=["Epochs"]).path
    with zipfile.ZipFile(book) as package:
        parts = [part for part in package.namelist() if re.match(r"xl/charts/chart\d+\.xml", part)]
        assert len(parts) == 6
        for part in parts:
            root = ElementTree.fromstring(package.read(part))
            axes = [a for kind in ("valAx", "catAx") for a in root.iter(f"{CHART}{kind}")]
            assert len(axes) == 2
            for axis in axes:
                deleted = axis.find(f"{CHART}delete")
                assert deleted is not None and deleted.attrib["val"] == "0"
                assert axis.find(f"{CHART}title") is not None
            visible = root.find(f"{CHART}chart/{CHART}plotVisOnly")
            assert visible is not None and visible.attrib["val"] == "0"
            series = list(root.iter(f"{CHART}ser"))
            assert 1 <= len(series) <= MAX_SERIES
            assert (root.find(f"{CHART}chart/{CHART}legend") is not None) == (len(series) > 1)
            colours = {
                element.attrib["val"]
                for one in series
                for element in one.iter()
                if element.tag.endswith("srgbClr")
            }
            assert len(colours) == len(series) and colours <= set(COLOURS)
