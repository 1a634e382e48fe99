"""A dozen fixed mixtures of optimizer, batches, dropout and clipping, on all engines."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import openpyxl
import pytest
from faults import change, failing, in_cell, rewrite_sheet
from ledgers import Formualized, ledgers_in_python, without_values
from openpyxl.workbook import Workbook
from soffice import assert_libreoffice_agrees
from support import WITHOUT_VIEWS, make_spec

import sheetnet
from sheetnet.concepts.optimizers import OPTIMIZERS
from sheetnet.spec import Spec

BATCHES = {"batch_size": 3}
DROPOUT = {"dropout": 0.3}
CLIPS = {"clip": 0.2, "clip_norm": 0.3}

MIXTURES: dict[str, dict[str, Any]] = {
    "sgd": {},
    "sgd batches": BATCHES,
    "sgd dropout": DROPOUT,
    "sgd clips": CLIPS,
    "sgd all": {**BATCHES, **DROPOUT, **CLIPS},
    "momentum batches": BATCHES,
    "momentum dropout": DROPOUT,
    "nesterov clips": {"clip": 0.2},
    "nesterov all": {**BATCHES, **DROPOUT, **CLIPS},
    "adagrad batches clips": {**BATCHES, "clip_norm": 0.3},
    "rmsprop dropout batches": {**BATCHES, **DROPOUT},
    "adam": {},
    "adam full batch": {"batch_size": 7, "clip": 0.5},
    "adam all": {**BATCHES, **DROPOUT, **CLIPS},
}


def mixture(name: str) -> Spec:
    """Two hidden layers, one of them wide, over seven points of three classes."""
    options = dict(MIXTURES[name])
    layers: list[dict[str, Any]] = [
        {"units": 3, "activation": "tanh"},
        {"units": 9, "activation": "sigmoid"},
        {"activation": "softmax"},
    ]
    rate = options.pop("dropout", None)
    if rate is not None:
        layers[0]["dropout"], layers[1]["dropout"] = rate, rate / 2
    given = {"epochs": 4, "shuffle": True, "seed": list(MIXTURES).index(name), "layers": layers}
    return make_spec(
        source="toy:blobs",
        data={"rows": 7, "scale": "standard"},
        optimizer=name.split(maxsplit=1)[0],
        learning_rate=0.05,
        **given,
        **options,
    )


def test_every_optimizer_is_here() -> None:
    assert {name.split()[0] for name in MIXTURES} == set(OPTIMIZERS)


@pytest.fixture(scope="module", params=MIXTURES)
def exported(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Spec, Path]:
    spec = mixture(request.param)
    path = tmp_path_factory.mktemp("book") / "book.xlsx"
    sheetnet.export(spec, path, sheets=WITHOUT_VIEWS)
    return spec, path


def test_ironcalc_agrees_to_the_last_bit(exported: tuple[Spec, Path]) -> None:
    report = sheetnet.verify(exported[1])
    assert report.agree, report.to_text()
    for name in ("local", "trajectory", "saved"):
        assert report.checks[name].identical == report.checks[name].cells > 0, report.to_text()


@pytest.mark.libreoffice
def test_libreoffice_agrees(tmp_path: Path) -> None:
    books = []
    for name in MIXTURES:
        books.append(tmp_path / f"{name}.xlsx")
        sheetnet.export(mixture(name), books[-1], sheets=WITHOUT_VIEWS)
    assert_libreoffice_agrees(books, tmp_path / "libreoffice")


def test_formualizer_finds_no_circle_and_the_same_numbers(exported: tuple[Spec, Path]) -> None:
    spec, path = exported
    Formualized(without_values(path)).assert_same(ledgers_in_python(spec))


# --- numbers on Config, changed as a student does it

EDITS: list[tuple[str, dict[str, float | str]]] = [
    ("momentum batches", {"momentum": 0.0}),
    ("momentum batches", {"momentum": "=1/3"}),
    ("nesterov all", {"momentum": 1.0}),
    ("adam", {"beta1": 0.0}),
    ("adam all", {"beta1": 0.123456789, "beta2": 0.5}),
    ("adam all", {"epsilon": 1.0, "learning_rate": "=1/7"}),
    ("rmsprop dropout batches", {"rho": 0.25, "dropout_1": 0.6}),
    ("sgd clips", {"clip": 0.05}),
    ("sgd clips", {"clip": 1e9, "clip_norm": 1e9}),
    ("sgd all", {"clip": 0.0}),
    ("sgd all", {"clip_norm": "=1/3", "dropout_1": 0.0}),
    ("sgd dropout", {"dropout_1": 0.9, "dropout_2": 0.0}),
]


def edited(name: str, edits: dict[str, float | str], folder: Path) -> Path:
    sheetnet.export(mixture(name), folder / "book.xlsx", sheets=["Epochs"])

    def edit(book: Workbook) -> None:
        rows = {cell.value: cell.row for cell in book["Config"]["A"]}
        for key, content in edits.items():
            book["Config"].cell(rows[key], 2).value = content

    return change(folder / "book.xlsx", folder / "edited.xlsx", edit)


@pytest.mark.parametrize(("name", "edits"), EDITS, ids=str)
def test_edited_numbers_agree(name: str, edits: dict[str, float | str], tmp_path: Path) -> None:
    report = sheetnet.verify(edited(name, edits, tmp_path))
    assert report.agree, report.to_text()
    for check in ("local", "trajectory"):
        assert report.checks[check].identical == report.cells > 0, report.to_text()


@pytest.mark.parametrize(
    ("name", "key", "value"),
    [("momentum batches", "momentum", 0.1), ("adam", "beta1", 0.1), ("sgd clips", "clip", 0.01),
     ("sgd dropout", "dropout_1", 0.9)],
)  # fmt: skip
def test_an_edited_number_moves_the_training(
    name: str, key: str, value: float, tmp_path: Path
) -> None:
    """Only the cell is rewritten: the saved results, those of before, are now wrong."""
    sheetnet.export(mixture(name), tmp_path / "book.xlsx", sheets=["Epochs"])
    column = openpyxl.load_workbook(tmp_path / "book.xlsx")["Config"]["A"]
    row = next(cell.row for cell in column if cell.value == key)
    edit = in_cell(f"B{row}", "<v>.*?</v>", f"<v>{value}</v>")
    report = sheetnet.verify(
        rewrite_sheet(tmp_path / "book.xlsx", tmp_path / "edited.xlsx", "Config", edit)
    )
    assert failing(report) == {"saved"}
    assert report.checks["saved"].failures > 10
    assert report.checks["trajectory"].identical == report.cells
