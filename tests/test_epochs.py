"""``Epochs``: what it says of each epoch, the form of its formulas, its charts and colours."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import pytest
from ledgers import Formualized, Ledger, Model, ledgers_of_run, without_values
from openpyxl.chart.line_chart import LineChart
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet
from stopping import KINDS, stopping
from support import WITHOUT_VIEWS, make_spec
from test_formulas import r1c1

import sheetnet
from sheetnet.concepts.arithmetic import Array
from sheetnet.concepts.summaries import HITS
from sheetnet.layout import EPOCHS_NAME_ROW
from sheetnet.run import Run
from sheetnet.spec import Spec

kinds = pytest.mark.parametrize("kind", KINDS)

# --- what is said of an epoch

TABLE = "p,q,s,t,kind\n1,2,0.25,0.75,red\n3,5,0.5,0.5,blue\n4,4,1,0,red\n0,1,0.1,0.9,blue\n"
LAYERS = [{"units": 3, "activation": "tanh"}]
MEASURES: dict[str, tuple[dict[str, Any], str, str]] = {
    "two classes": ({"target": "kind"}, "sigmoid", "accuracy"),
    "two classes, one-hot": ({"target": "kind"}, "softmax", "accuracy"),
    "shares, each on its own": ({"target": ["s", "t"]}, "sigmoid", "accuracy"),
    "shares": ({"target": ["s", "t"]}, "softmax", "accuracy"),
    "numbers": ({"target": ["s", "t"]}, "linear", "rmse"),
    "one number": ({"target": "q"}, "relu", "rmse"),
    "classes by squares": ({"target": "kind"}, "linear", "accuracy"),
}


def measured(name: str, folder: Path, **options: Any) -> Spec:
    (folder / "table.csv").write_text(TABLE, encoding="utf-8")
    data, last, _ = MEASURES[name]
    return make_spec(
        source="table.csv",
        folder=folder,
        data={"inputs": ["p"], **data},
        layers=[*LAYERS, {"activation": last}],
        **{"epochs": 3, "learning_rate": 0.1, **options},
    )


def of_epochs(run: Run, name: str) -> Array:
    """The rows of Train, epoch by epoch: (epochs, rows, *shape)."""
    values = run[name]
    return values.reshape(len(run.epochs), run.problem.rows, *values.shape[1:])


@pytest.mark.parametrize("name", MEASURES)
def test_how_well_an_epoch_did(name: str, tmp_path: Path) -> None:
    """Counted with numpy over the rows of Train."""
    run = sheetnet.train(measured(name, tmp_path))
    measure = MEASURES[name][2]
    y, a = of_epochs(run, "y"), of_epochs(run, "a2")
    if measure == "rmse":
        expected = np.sqrt(((y - a) ** 2).mean(axis=(1, 2)))
    elif "softmax" in MEASURES[name]:
        chosen = np.eye(2)[a.argmax(axis=2)]
        expected = (y * chosen).sum(axis=2).mean(axis=1)
        assert np.allclose(run.by_epoch("hits"), (y * chosen).sum(axis=1))
    else:
        expected = ((y >= 0.5) == (a >= 0.5)).mean(axis=(1, 2))
    assert run.measures == ("loss", measure)
    assert run.by_epoch(measure) == pytest.approx(expected)
    assert ("hits" in run.ledgers.epochs) == ("softmax" in MEASURES[name])


@pytest.mark.parametrize("name", MEASURES)
def test_all_engines_say_the_same(name: str, tmp_path: Path) -> None:
    spec = measured(name, tmp_path, batch_size=3)
    sheetnet.export(spec, tmp_path / "book.xlsx")
    ledgers = ledgers_of_run(sheetnet.train(spec))
    Model(tmp_path / "book.xlsx").assert_same(ledgers)
    Formualized(without_values(tmp_path / "book.xlsx")).assert_same(ledgers)


def test_of_equal_outputs_the_first_counts(tmp_path: Path) -> None:
    """All weights 0, and they stay: each class has the same share in each row."""
    options: dict[str, Any] = {"layers": [{"activation": "softmax"}], "initializer": "zeros"}
    blobs: dict[str, Any] = {"source": "toy:blobs", "data": {"rows": 9}}
    spec = make_spec(**blobs, **options, learning_rate=0.0)
    run = sheetnet.train(spec)
    first = run.problem.targets.values[:, 0].sum()
    assert run.by_epoch("hits").tolist() == [[first, 0, 0]] * 3 and first > 0
    sheetnet.export(spec, tmp_path / "book.xlsx", sheets=WITHOUT_VIEWS)
    assert sheetnet.verify(tmp_path / "book.xlsx").agree


def test_hits_by_hand() -> None:
    """The largest output's class; errors anywhere in a row are an error, not a hit."""
    a = np.array([[0.2, 0.7, 0.1], [0.4, 0.2, 0.4], [0.1, 0.45, 0.45], [-3.0, -2.0, -1.0]])
    terms = HITS.terms({"y": np.ones_like(a), "a": a})
    assert terms.tolist() == [[0, 1, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]]
    a[1, 2] = np.nan
    assert np.isnan(HITS.terms({"y": np.ones_like(a), "a": a})[1]).all()


@kinds
def test_means_norms_and_weights(kind: str, tmp_path: Path) -> None:
    """Also of rows after the end of training, whose gradients are still worked out."""
    run = sheetnet.train(stopping(kind, tmp_path))
    assert run.by_epoch("epoch").tolist() == list(range(1, 8))
    assert run.by_epoch("loss") == pytest.approx(of_epochs(run, "loss").mean(axis=1), rel=1e-12)
    for layer in (1, 2):
        parts = [of_epochs(run, f"d{base}{layer}") for base in "Wb"]
        rows = [np.concatenate([part[e].reshape(len(part[e]), -1) for part in parts], axis=1)
                for e in range(7)]  # fmt: skip
        norms = [math.sqrt(np.mean([np.linalg.norm(row) ** 2 for row in epoch])) for epoch in rows]
        assert run.by_epoch("grad_norm")[:, layer - 1] == pytest.approx(np.array(norms), rel=1e-12)
        for name in (f"W{layer}", f"b{layer}"):
            after = of_epochs(run, name)[:, -1] + of_epochs(run, f"u{name}")[:, -1]
            assert np.array_equal(run.by_epoch(name), after)
            assert np.array_equal(run.by_epoch(name)[:-1], of_epochs(run, name)[1:, 0])
            assert np.array_equal(run.by_epoch(name)[-1], run.final[name])


def test_a_bias_that_is_not_trained(tmp_path: Path) -> None:
    """It stays in the epoch's weights and is no part of the gradient."""
    layers = [{"units": 2, "activation": "tanh", "train_bias": False, "bias": [0.25, -0.5]}]
    spec = make_spec(
        data={"validation": 0.25}, layers=[*layers, {"activation": "sigmoid"}], patience=2
    )
    run = sheetnet.train(spec)
    assert (run.by_epoch("b1") == [0.25, -0.5]).all()
    squares = (of_epochs(run, "dW1") ** 2).sum(axis=(2, 3)).mean(axis=1)
    assert run.by_epoch("grad_norm")[:, 0] == pytest.approx(np.sqrt(squares))
    sheetnet.export(spec, tmp_path / "book.xlsx")
    report = sheetnet.verify(tmp_path / "book.xlsx")
    assert report.agree and report.checks["trajectory"].identical == report.cells


def test_a_summary_for_scripts(tmp_path: Path) -> None:
    run = sheetnet.train(stopping("threshold", tmp_path))
    summary = run.summary()
    assert summary["stopped_after"] == run.stopped_after == 4
    best = run.best_epoch
    assert best is not None and summary["best_epoch"] == best
    assert best - 1 == int(np.argmin(run.by_epoch("val_loss")[:4]))
    weights = summary["best_weights"]
    assert isinstance(weights, dict) and weights["W1"] == run.by_epoch("W1")[best - 1].tolist()
    by_epoch = summary["epochs"]
    assert isinstance(by_epoch, dict)
    assert list(by_epoch) == ["loss", "accuracy", "val_loss", "val_accuracy"]
    assert all(len(column) == 7 for column in by_epoch.values())


# --- in the workbook


@pytest.fixture(scope="module", params=KINDS)
def written(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[openpyxl.Workbook, dict[str, Ledger], Run]:
    """The workbook of each kind, with formulas; and its training in Python."""
    folder = tmp_path_factory.mktemp("epochs")
    spec = stopping(request.param, folder)
    sheetnet.export(spec, folder / "book.xlsx")
    run = sheetnet.train(spec)
    return openpyxl.load_workbook(folder / "book.xlsx"), ledgers_of_run(run), run


Written = tuple[openpyxl.Workbook, dict[str, Ledger], Run]


def columns(sheet: Worksheet, ledger: Ledger) -> Iterator[tuple[str, list[Any]]]:
    """Each column's plain name, as it stands above it, and its cells."""
    region = ledger.region
    assert (sheet.max_row, sheet.max_column) == (region.last_row, region.last_column)
    for column, label in enumerate(ledger.labels, 1):
        assert sheet.cell(region.row - 1, column).value == label
        yield label, [sheet.cell(row, column) for row in range(region.row, region.last_row + 1)]


def forms(cells: list[Any], foreign: str | None = None) -> list[str]:
    """In R1C1 terms; references to the sheet ``foreign`` as ``@``."""
    texts = [cell.value for cell in cells]
    if foreign is not None:
        texts = [re.sub(rf"\b{foreign}!\$?[A-Z]+\$?\d+(:\$?[A-Z]+\$?\d+)?", "@", t) for t in texts]
    return [r1c1(text, cell.row, cell.column) for text, cell in zip(texts, cells, strict=True)]


def test_sheets_and_rows(written: Written) -> None:
    book, ledgers, _ = written
    assert book.sheetnames == [
        "Guide",
        "Config",
        "Data",
        "Init",
        "Train",
        "Validation",
        "Epochs",
        "Step",
        "Predict",
        "Compare",
    ]
    assert ledgers["epochs"].region.row == EPOCHS_NAME_ROW + 1
    assert ledgers["train"].region.row == ledgers["validation"].region.row == 5


def test_train_changes_its_formulas_once_an_epoch(written: Written) -> None:
    """And only in the column that says whether training has ended."""
    book, ledgers, run = written
    rows = run.problem.rows
    for label, cells in columns(book["Train"], ledgers["train"]):
        texts = [str(cell.value) for cell in cells]
        if label != "stopped":
            assert not any("Epochs" in text or "Validation" in text for text in texts), label
            continue
        flag = get_column_letter(ledgers["epochs"].column("stopped"))
        first = ledgers["epochs"].region.row
        expected = ["=0"] * rows
        for epoch in range(6):
            expected += [f"=Epochs!${flag}${first + epoch}"] * rows
        assert texts == expected


def test_validation_changes_its_formulas_once_an_epoch(written: Written) -> None:
    """What does not name Epochs is the same in all rows; what does, but for the epoch's row."""
    book, ledgers, run = written
    rows, first = run.problem.held_out, ledgers["epochs"].region.row
    moving = set()
    for label, cells in columns(book["Validation"], ledgers["validation"]):
        if label in ("epoch", "sample"):
            assert all(cell.data_type == "n" for cell in cells)
            continue
        assert all(cell.data_type == "f" for cell in cells), label
        if not any("Epochs!" in cell.value for cell in cells):
            assert len(set(forms(cells))) == 1, label
            continue
        moving.add(label.split("[")[0])
        for e in range(7):
            epoch = cells[e * rows : (e + 1) * rows]
            assert len(set(forms(epoch))) == 1, label
            named = {int(n) for c in epoch for n in re.findall(r"Epochs!\$[A-Z]+\$(\d+)", c.value)}
            if label == "stopped":
                assert named == ({first + e - 1} if e else set())
            else:
                assert named == {first + e}
        later = cells[rows:] if label == "stopped" else cells
        assert len(set(forms(later, "Epochs"))) == 1, label
    assert moving == {"stopped", "z1", "z2"}


def test_nothing_but_a_row_of_weights_is_a_range_of_epochs(written: Written) -> None:
    """A range that reached a flag or a later epoch would be a circle."""
    book, ledgers, run = written
    epochs, sums = ledgers["epochs"], 0
    for sheet in book:
        for row in sheet.iter_rows():
            for cell in row:
                if cell.data_type != "f":
                    continue
                assert not re.search(r"Epochs!\$?[A-Z]+:", str(cell.value)), "a whole column"
                found = re.findall(
                    r"Epochs!\$([A-Z]+)\$(\d+):(?:Epochs!)?\$([A-Z]+)\$(\d+)", str(cell.value)
                )
                assert len(found) == str(cell.value).count("Epochs!") - len(
                    re.findall(r"Epochs!\$[A-Z]+\$\d+(?![\d:])", str(cell.value))
                )
                for left, top, right, bottom in found:
                    sums += 1
                    assert sheet.title == "Validation" and top == bottom
                    assert f"SUMPRODUCT(Epochs!${left}${top}:${right}${bottom}," in str(cell.value)
                    ends = [openpyxl.utils.column_index_from_string(c) for c in (left, right)]
                    labels = epochs.labels[ends[0] - 1 : ends[1]]
                    assert len({label.split(",")[0] for label in labels}) == 1
                    assert labels[0].startswith("W") and len(labels) >= 9
    wide = any(layer.inputs >= 9 for layer in run.problem.network.layers)
    assert (sums > 0) == wide


def test_epochs_has_one_formula_per_column(written: Written) -> None:
    """The first judgement looks back at nothing; other sheets' rows move on by an epoch."""
    book, ledgers, run = written
    steps = {"Train": run.problem.rows, "Validation": run.problem.held_out}
    for label, cells in columns(book["Epochs"], ledgers["epochs"]):
        if label == "epoch":
            assert [cell.value for cell in cells] == list(range(1, 8))
            continue
        assert all(cell.data_type == "f" for cell in cells), label
        if "!" not in cells[0].value:
            found = forms(cells)
            assert len(set(found[1:])) == 1, label
            if found[0] != found[1]:
                judged = ("improved", "best_loss", "best_epoch", "wait", "stopped")
                assert label in judged and "R[-1]" in found[1] and "R[-1]" not in found[0]
            continue
        found = [back_to_the_first(cell, e, steps) for e, cell in enumerate(cells)]
        assert len(set(found)) == 1, f"{label}: {found[:2]}"
        sheets = set(re.findall(r"(\w+)!", found[0]))
        assert sheets == {"Validation" if label.startswith("val_") else "Train"}
        # All rows of the epoch, or (of weights and updates) the last.
        rows = set(re.findall(r"<(\d+)>", found[0]))
        last = str(4 + steps[sheets.pop()])
        assert rows == ({last} if re.match(r"[Wb]\d", label) else {"5", last}), label


def back_to_the_first(cell: Any, epoch: int, steps: dict[str, int]) -> str:
    """The formula as the first epoch (0) has it: other sheets' rows as ``<5>``, own as R1C1."""

    def span(match: re.Match[str]) -> str:
        back = epoch * steps[match[1]]
        return re.sub(r"\d+", lambda row: f"<{int(row[0]) - back}>", match[0])

    text = re.sub(r"(\w+)!\$?[A-Z]+\$?\d+(?::\$?[A-Z]+\$?\d+)?", span, str(cell.value))
    return r1c1(text, cell.row, cell.column)


def test_the_best_row_looks_up_the_best_epoch(written: Written) -> None:
    book, ledgers, run = written
    best, region = ledgers["best"], ledgers["best"].region
    sheet, last = book["Epochs"], ledgers["epochs"].region.last_row
    number = sheet.cell(region.row, 1)
    assert number.value == f"={get_column_letter(best.column('best_epoch'))}{last}"
    assert number.number_format == '"best: "0'
    cells = [sheet.cell(region.row, column) for column in range(2, region.last_column + 1)]
    assert len({r1c1(str(cell.value), cell.row, cell.column) for cell in cells}) == 1
    losses = run.by_epoch("val_loss")
    assert best.get("epoch")[0] == run.best_epoch
    if "min_delta" not in run.problem.spec.training.hyperparameters:
        assert best.get("val_loss")[0] == losses.min()


def test_charts_stand_on_top(written: Written) -> None:
    """Losses, the measure and the norms, each over all epochs and under its own words."""
    book, ledgers, run = written
    sheet, epochs = book["Epochs"], ledgers["epochs"]
    measure = run.problem.network.measure.name
    expected = [
        {"training": "loss", "validation": "val_loss"},
        {"training": measure, "validation": f"val_{measure}"},
        {"layer 1": "grad_norm[1]", "layer 2": "grad_norm[2]"},
    ]
    charts = sheet._charts  # type: ignore[attr-defined]
    assert len(charts) == 6 and not any(book[name]._charts for name in ("Train", "Validation"))
    first, last = epochs.region.row, epochs.region.last_row

    def span(label: str) -> str:
        column = get_column_letter(epochs.column(label))
        return f"'Epochs'!${column}${first}:${column}${last}"

    for chart, names in zip(charts[:3], expected, strict=True):
        assert isinstance(chart, LineChart)
        found = {series.tx.v: series.val.numRef.f for series in chart.series}
        assert found == {words: span(label) for words, label in names.items()}
        for series in chart.series:
            reference = series.cat.numRef or series.cat.strRef
            assert reference.f == span("epoch")
    for chart in charts:
        # Above the best row and the head (rows of 20 pixels, 96 an inch), so that it hides neither.
        rows = chart.anchor.ext.height / 914_400 * 96 / 20
        assert chart.anchor._from.row + 1 + rows < ledgers["best"].region.row


def test_rows_after_the_end_are_grey(written: Written) -> None:
    """The rule's formula is written for the top left cell; its row moves, its column does not."""
    book, ledgers, _ = written
    for title, name, before in (("Train", "train", 0), ("Validation", "validation", 0),
                                ("Epochs", "epochs", 1)):  # fmt: skip
        ledger, sheet = ledgers[name], book[title]
        rules = [
            (str(found.sqref), rule)
            for found in sheet.conditional_formatting
            for rule in found.rules
            if rule.type == "expression" and rule.dxf.font is not None
        ]
        region = ledger.region
        flag = get_column_letter(ledger.column("stopped"))
        # An epoch is grey where the one before had ended the training.
        ended = f"${flag}{region.row - before}=1"
        whole = f"A{region.row}:{get_column_letter(region.last_column)}{region.last_row}"
        assert [rule.formula for where, rule in rules if where == whole] == [[ended]]
        for _, rule in rules:  # the others have a format of numbers or a scale, too
            assert rule.formula[0] == ended or rule.formula[0].startswith(f"AND({ended},ABS(")
            assert rule.dxf.font.color.rgb.endswith("757575")


def test_no_rule_where_nothing_can_stop(tmp_path: Path) -> None:
    spec = make_spec(data={"validation": 0.25})
    sheetnet.export(spec, tmp_path / "book.xlsx", sheets=WITHOUT_VIEWS)
    book = openpyxl.load_workbook(tmp_path / "book.xlsx")
    for title in ("Train", "Validation", "Epochs"):
        found = [each for where in book[title].conditional_formatting for each in where.rules]
        assert not [r for r in found if r.type == "expression" and r.dxf.font is not None]
    labels = [cell.value for cell in book["Epochs"][EPOCHS_NAME_ROW]]
    assert "best_epoch" in labels and "wait" not in labels and "stopped" not in labels


def test_patience_and_min_delta_are_named_cells(written: Written) -> None:
    book, _, run = written
    for name in ("patience", "min_delta"):
        target = book.defined_names[name].attr_text
        sheet, _, where = str(target).partition("!")
        cell = book[sheet][where.replace("$", "")]
        assert book["Config"].cell(cell.row, 1).value == name
        assert cell.value == run.problem.spec.training.hyperparameters[name]
