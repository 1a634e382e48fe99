"""A ledger too wide for one sheet: several by layer, live and verified like one."""

from __future__ import annotations

import re
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import pytest
from faults import change
from hypothesis import given, settings
from hypothesis import strategies as st
from ledgers import Formualized, without_values
from support import make_spec, run

import sheetnet
from sheetnet.classroom.bugs import write_bug_hunt
from sheetnet.concepts.optimizers import OPTIMIZERS
from sheetnet.errors import LimitError
from sheetnet.layout import layout_of
from sheetnet.ledger import ledger_of
from sheetnet.problem import load_problem
from sheetnet.regions import Region
from sheetnet.spec import Spec
from sheetnet.train_sheets import train_sheets

ROOM = 70
DEEP: list[dict[str, Any]] = [
    {"units": 3, "activation": "tanh", "dropout": 0.25},
    {"units": 2, "activation": "tanh", "train_bias": False},
    {"activation": "sigmoid"},
]
SHEETS = ["Train", "Train L1", "Train L1b", "Train L2", "Train L2b", "Train L3"]


def moons(layers: list[dict[str, Any]] = DEEP, **training: Any) -> Spec:
    data = {"rows": 14, "validation": 0.25}
    extra = {"epochs": 2, "batch_size": 4, "shuffle": True, "clip": 0.4, "clip_norm": 0.5}
    return make_spec(source="toy:moons", data=data, layers=layers, **{**extra, **training})


CASES: dict[str, tuple[Spec, dict[str, int]]] = {
    "adam": (moons(optimizer="adam"), {}),
    "stops": (moons(optimizer="momentum", learning_rate=6.0, patience=1, epochs=8), {}),
    "window": (moons(optimizer="adam"), {"from_visit": 7, "visits": 9}),
}


@pytest.fixture(scope="module")
def books(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("wide")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sheetnet.layout.MAX_COLUMNS", ROOM)
        for name, (spec, window) in CASES.items():
            sheetnet.export(spec, folder / f"{name}.xlsx", **window)
        sheetnet.export(CASES["adam"][0], folder / "bare.xlsx", sheets=[])
    return {name: folder / f"{name}.xlsx" for name in (*CASES, "bare")}


@pytest.fixture(autouse=True)
def narrow(monkeypatch: pytest.MonkeyPatch) -> None:
    """A sheet has few columns."""
    monkeypatch.setattr("sheetnet.layout.MAX_COLUMNS", ROOM)


@settings(max_examples=60)
@given(
    optimizer=st.sampled_from(sorted(OPTIMIZERS)),
    units=st.lists(st.integers(1, 4), min_size=0, max_size=3),
    room=st.integers(34, 400),
    batch=st.sampled_from([1, 3]),
)
def test_each_column_stands_on_one_sheet(
    optimizer: str, units: list[int], room: int, batch: int
) -> None:
    """None is lost, none is twice (but for the visits in front), none has more than fit."""
    layers: list[dict[str, Any]] = [{"units": n, "activation": "tanh"} for n in units]
    spec = moons([*layers, {"activation": "sigmoid"}], optimizer=optimizer, batch_size=batch)
    ledger = ledger_of(load_problem(spec).network)
    sheets = train_sheets(ledger, room)
    if ledger.width <= room:
        (whole,) = sheets.sheets
        assert whole.ledger == ledger
        return
    columns: list[int] = []
    for sheet in sheets.sheets:
        assert sheet.ledger.width <= room
        assert sheet.ledger.labels[0] == "visit"
        assert [ledger.labels[c] for c in sheet.columns] == list(sheet.ledger.labels)
        columns += sheet.columns.tolist()[0 if sheet.title == "Train" else 1 :]
    assert sorted(columns) == list(range(ledger.width))
    for name in ("W", "dW", "uW"):
        beside = f"{name[:-1]}b"
        assert sheets.places[f"{name}1"][0] == sheets.places[f"{beside}1"][0]


@pytest.mark.parametrize("name", CASES)
def test_it_verifies_like_one_sheet(name: str, books: dict[str, Path]) -> None:
    """To the last bit, with all sheets beside the training."""
    report = sheetnet.verify(books[name])
    assert report.agree, report.to_text()
    for check in ("local", "trajectory", "saved"):
        assert report.checks[check].identical == report.checks[check].cells > 0
    spec, window = CASES[name]
    whole = sheetnet.train(spec)
    first = window.get("from_visit", 1) - 1
    expected = whole.matrix[first : first + window.get("visits", len(whole.matrix))]
    book = openpyxl.load_workbook(books[name], data_only=True)
    titles = [title for title in book.sheetnames if title.startswith("Train")]
    if name == "adam":
        assert titles == SHEETS
    held: dict[str, list[float]] = {}
    for title in titles:
        rows = list(book[title].iter_rows(min_row=4, values_only=True))
        assert rows[0][0] == "visit" and len(rows[0]) <= ROOM
        for label, *values in zip(*rows, strict=True):
            assert held.setdefault(str(label), values) == values
    assert sorted(held) == sorted(whole.ledger.labels)
    found = np.array([held[label] for label in whole.ledger.labels], dtype=float).T
    assert np.array_equal(found, expected)


def test_formulas_of_other_sheets_are_written_out(books: dict[str, Path]) -> None:
    """Those that stay on their sheet are shared, no other."""
    own = others = 0
    with zipfile.ZipFile(books["adam"]) as parts:
        for name in parts.namelist():
            if not re.match(r"xl/worksheets/sheet\d+\.xml", name):
                continue
            for found in re.finditer(r"<f([^>]*)>([^<]+)</f>", parts.read(name).decode()):
                shared = 't="shared"' in found[1]
                assert not (shared and "!" in found[2]), found[0]
                own += shared
                others += "'Train L1b'!" in found[2]
    assert own > 100 and others > 100


def test_no_range_is_a_circle(books: dict[str, Path]) -> None:
    """formualizer follows dependencies by whole ranges, as Excel does."""
    book = Formualized(without_values(books["stops"]))
    spec, _ = CASES["stops"]
    matrix = sheetnet.train(spec).matrix
    layout = layout_of(load_problem(spec))
    for sheet in layout.on_sheets.sheets:
        region: Region = layout.region_of(sheet)
        assert np.array_equal(book.numbers(region), matrix[:, sheet.columns]), sheet.title


def test_the_guide_leads_there(books: dict[str, Path]) -> None:
    book = openpyxl.load_workbook(books["adam"])
    links = {
        str(cell.value): str(cell.hyperlink.location)
        for row in book["Guide"].iter_rows()
        for cell in row
        if cell.hyperlink is not None
    }
    assert links["Train L1b"] == "'Train L1b'!A1"
    for text, target in links.items():
        title, _, place = target.replace("'", "").rpartition("!")
        if title.startswith("Train") and place != "A1":
            symbol = book[title][place].offset(-1, 0).value
            assert symbol is None or str(symbol).split("[")[0] == text.split("[")[0]


@pytest.mark.parametrize("quantity", ["mW1[1,1]", "z2[2]"])
def test_a_fault_is_named(quantity: str, books: dict[str, Path], tmp_path: Path) -> None:
    wrong, where = tmp_path / "wrong.xlsx", ""

    def edit(book: openpyxl.Workbook) -> None:
        nonlocal where
        for title in SHEETS:
            heads = [cell.value for cell in book[title][4]]
            if quantity in heads:
                cell = book[title].cell(9, heads.index(quantity) + 1)
                cell.value, where = 0.123, f"{title}!{cell.coordinate}"

    change(books["bare"], wrong, edit)
    report = sheetnet.verify(wrong)
    for name in ("formulas", "local"):
        failure = report.checks[name].first_failure
        assert failure is not None, report.to_text()
        assert f"{failure.sheet}!{failure.cell}" == where and failure.visit == 5
        assert failure.quantity == quantity


def test_inputs_are_live(books: dict[str, Path], tmp_path: Path) -> None:
    def edit(book: openpyxl.Workbook) -> None:
        sheet, place = book.defined_names["learning_rate"].attr_text.replace("$", "").split("!")
        book[sheet][place].value = 0.25
        book["Init"]["B6"].value = 0.7

    change(books["bare"], tmp_path / "edited.xlsx", edit)
    report = sheetnet.verify(tmp_path / "edited.xlsx")
    assert report.agree, report.to_text()
    assert sheetnet.diff(books["bare"], tmp_path / "edited.xlsx").trainings.parting is not None


def test_a_sheet_that_has_gone_is_missed(books: dict[str, Path], tmp_path: Path) -> None:
    def edit(book: openpyxl.Workbook) -> None:
        del book["Train L2"]

    change(books["bare"], tmp_path / "less.xlsx", edit)
    done = run("verify", tmp_path / "less.xlsx")
    assert done.exit_code == 2 and "no sheet 'Train L2'" in done.stderr


def test_what_fits_on_no_sheet(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Weights of a layer and their biases stand side by side; and there are so many sheets."""
    monkeypatch.setattr("sheetnet.workbook.fitting.MAX_COLUMNS", 8)
    with pytest.raises(LimitError, match="Train would need"):
        sheetnet.export(moons(), tmp_path / "a.xlsx", sheets=[])
    monkeypatch.undo()
    monkeypatch.setattr("sheetnet.layout.MAX_COLUMNS", 12)
    monkeypatch.setattr("sheetnet.workbook.fitting.MAX_SHEETS", 5)
    with pytest.raises(LimitError, match=r"which are \d+ sheets; allowed: 5"):
        sheetnet.export(moons(), tmp_path / "a.xlsx", sheets=[])


def test_a_network_too_deep_is_refused_before_its_formulas_are_made(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delattr("sheetnet.workbook.export.ledger_formulas")
    layers = [*[{"units": 1, "activation": "tanh"}] * 2_000, {}]
    spec = make_spec(source="toy:line", layers=layers, epochs=1)
    with pytest.raises(LimitError, match=r"^the ledger of the network 1-1-…-1 of 2001 layers has"):
        sheetnet.export(spec, tmp_path / "deep.xlsx", sheets=[])


def test_it_is_a_spec(books: dict[str, Path], tmp_path: Path) -> None:
    """What was drawn for the layers, and which biases are trained, is found on their sheets."""
    book = sheetnet.load_book(books["adam"])
    assert book.to_text() == "adam.xlsx: as it was exported"
    assert np.array_equal(sheetnet.train(book).matrix, sheetnet.train(CASES["adam"][0]).matrix)
    again = sheetnet.export(book, tmp_path / "again.xlsx")
    report = sheetnet.verify(again.path)
    assert report.agree, report.to_text()
    assert [s for s in openpyxl.load_workbook(again.path).sheetnames if "Train" in s] == SHEETS


def test_a_change_shows(books: dict[str, Path], tmp_path: Path) -> None:
    """The drop of dropout's seed is seen on the first layer's own sheet."""
    path = tmp_path / "changed.xlsx"
    path.write_bytes(books["adam"].read_bytes())
    book = openpyxl.load_workbook(path)
    seed = next(row for row in book["Config"].iter_rows() if row[0].value == "seed")
    seed[1].value = 99
    book.save(path)
    said = sheetnet.load_book(path).to_text()
    assert "dropout of layer 1" in said and "order of visits" in said


def test_no_bug_hunt(tmp_path: Path) -> None:
    with pytest.raises(LimitError, match="does not fit on one sheet, but a bug hunt"):
        write_bug_hunt(CASES["adam"][0], tmp_path / "hunt.xlsx", bugs=2)
    assert not any(tmp_path.iterdir())
