"""Compact columns: what follows at once from others is worked into their formulas."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import openpyxl
import pytest
from faults import change
from support import make_spec, run

import sheetnet
from sheetnet.concepts.optimizers import OPTIMIZERS
from sheetnet.errors import SpecError
from sheetnet.spec import Spec

HIDDEN = [{"units": 2, "activation": "tanh", "dropout": 0.25}, {"activation": "sigmoid"}]


def moons(**training: object) -> Spec:
    data = {"rows": 10, "validation": 0.3}
    return make_spec(source="toy:moons", data=data, layers=HIDDEN, epochs=2, **training)


def columns(path: Path) -> dict[str, list[object]]:
    """Plain name -> what stands below it, on all sheets of the ledger."""
    book = openpyxl.load_workbook(path, data_only=True)
    found: dict[str, list[object]] = {}
    for title in book.sheetnames:
        if title.startswith("Train"):
            rows = book[title].iter_rows(min_row=4, values_only=True)
            found |= {str(label): values for label, *values in zip(*rows, strict=True)}
    return found


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_all_other_numbers_stay(optimizer: str, tmp_path: Path) -> None:
    """To the last bit, in Python and in IronCalc; what is left out starts like this."""
    for number, extra in enumerate(({}, {"batch_size": 3, "clip": 0.1})):
        spec = moons(optimizer=optimizer, **extra)
        path = tmp_path / f"{number}.xlsx"
        done = sheetnet.export(spec, path, columns="compact", sheets=["Epochs"])
        report = sheetnet.verify(path)
        assert report.agree, report.to_text()
        for check in ("local", "trajectory", "saved"):
            assert report.checks[check].identical == report.checks[check].cells > 0
        whole, held = sheetnet.train(spec), columns(path)
        missing = [label for label in whole.ledger.labels if label not in held]
        assert len(missing) == done.saved and done.columns == len(held)
        starts = {label.rstrip("[],0123456789")[:-1] for label in missing}
        assert starts == {"d"} | ({"g", "c"} if extra else set()) | (
            {"mhat", "vhat"} if optimizer == "adam" else set()
        )
        for label, values in held.items():
            expected = whole.matrix[:, whole.ledger.labels.index(label)]
            assert np.array_equal(np.array(values, dtype=float), expected), label


def test_what_a_norm_adds_up_stays(tmp_path: Path) -> None:
    """Its range needs cells: of batches their means, else the row's gradients."""
    for extra, kept, gone in (
        ({"clip_norm": 0.5}, "dW1[1,1]", "nW1[1,1]"),
        ({"clip_norm": 0.5, "batch_size": 3}, "gW1[1,1]", "dW1[1,1]"),
    ):
        path = tmp_path / "a.xlsx"
        sheetnet.export(moons(**extra), path, columns="compact", sheets=[])
        held = columns(path)
        assert kept in held and gone not in held
        assert sheetnet.verify(path).agree


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """With every sheet, on several sheets, stopping early."""
    path = tmp_path_factory.mktemp("compact") / "a.xlsx"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sheetnet.layout.MAX_COLUMNS", 40)
        spec = moons(optimizer="adam", batch_size=3, patience=1)
        sheetnet.export(spec, path, columns="compact")
        assert "Train L1" in openpyxl.load_workbook(path, read_only=True).sheetnames
    return path


@pytest.fixture
def narrow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sheetnet.layout.MAX_COLUMNS", 40)


@pytest.mark.usefixtures("narrow")
def test_all_sheets_follow(book: Path, tmp_path: Path) -> None:
    """As exported, with other inputs, and at another step."""
    report = sheetnet.verify(book, perturb=True)
    assert report.agree, report.to_text()

    def edit(held: openpyxl.Workbook) -> None:
        for name, value in (("learning_rate", 0.25), ("step", 6), ("at_update", 3)):
            sheet, place = held.defined_names[name].attr_text.replace("$", "").split("!")
            held[sheet][place].value = value

    change(book, tmp_path / "b.xlsx", edit)
    report = sheetnet.verify(tmp_path / "b.xlsx")
    assert report.agree, report.to_text()
    heads = [
        cell.value for row in openpyxl.load_workbook(book)["Epochs"].iter_rows() for cell in row
    ]
    assert "loss" in heads and "grad_norm[1]" not in heads


@pytest.mark.usefixtures("narrow")
def test_config_tells_of_it(book: Path, tmp_path: Path) -> None:
    def edit(held: openpyxl.Workbook) -> None:
        for row in held["Config"].iter_rows(max_col=2):
            if row[0].value == "columns":
                assert row[1].value == "compact"
                row[1].value = "few"

    change(book, tmp_path / "b.xlsx", edit)
    done = run("verify", tmp_path / "b.xlsx")
    assert done.exit_code == 2 and "columns is 'few'; allowed: all, compact" in done.stderr


def test_a_window_of_them(tmp_path: Path) -> None:
    spec = moons(optimizer="momentum", batch_size=3)
    path = tmp_path / "a.xlsx"
    sheetnet.export(spec, path, columns="compact", from_visit=6, visits=5)
    assert sheetnet.verify(path).agree
    whole, held = sheetnet.train(spec), columns(path)
    assert np.array_equal(held["uW1[1,1]"], whole["uW1"][5:10, 0, 0])


def test_the_command_says_what_it_saves(tmp_path: Path) -> None:
    spec = tmp_path / "a.toml"
    text = (
        '[data]\nsource = "toy:xor"\n[[layers]]\nactivation = "sigmoid"\n[training]\nepochs = 3\n'
    )
    spec.write_text(text, encoding="utf-8")
    command = ("export", spec, "-o", tmp_path / "a.xlsx", "--sheets", "", "--force", "--columns")
    done = run(*command, "compact")
    assert "compact: 3 columns fewer, 36 cells, about 0.6 kB" in done.stdout, done.output
    assert "compact" not in run(*command, "all").stdout
    wrong = run(*command, "few")
    assert wrong.exit_code == 2 and "'few' is not one of 'all', 'compact'" in wrong.stderr
    with pytest.raises(SpecError, match="columns is 'few'; allowed: all, compact"):
        sheetnet.export(sheetnet.load_spec(spec), tmp_path / "b.xlsx", columns="few")


def test_it_is_a_spec(tmp_path: Path) -> None:
    """Exported again it is compact as before, unless all columns are asked for."""
    first, again, whole = (tmp_path / f"{name}.xlsx" for name in ("first", "again", "whole"))
    saved = sheetnet.export(moons(), first, columns="compact").saved
    book = sheetnet.load_book(first)
    assert book.to_text() == "first.xlsx: as it was exported"
    assert sheetnet.export(book, again).saved == saved > 0
    assert columns(again) == columns(first)
    assert sheetnet.export(book.override(epochs=1), again).saved == saved
    assert sheetnet.export(book, whole, columns="all").saved == 0
    assert sheetnet.verify(whole).agree
