"""Networks that are large for a sheet: what fits, what is left out, what is said before."""

from __future__ import annotations

import csv
import zipfile
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from openpyxl import Workbook
from sklearn.datasets import load_digits
from support import make_spec, run

import sheetnet
from sheetnet.errors import LimitError
from sheetnet.layout import layout_of
from sheetnet.problem import load_problem
from sheetnet.spec import Spec
from sheetnet.workbook import fitting
from sheetnet.workbook.fitting import most_arguments
from sheetnet.workbook.package import Streams
from sheetnet.workbook.rows import bytes_at_most, row_xml

LAYERS = [{"units": 16, "activation": "relu"}, {"activation": "softmax"}]


def digits(folder: Path, rows: int, layers: list[dict[str, Any]], **training: Any) -> Spec:
    """The handwritten digits, 8 × 8 pixels each."""
    x, y = load_digits(return_X_y=True)
    with (folder / "digits.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow([*(f"pixel_{n // 8}_{n % 8}" for n in range(64)), "digit"])
        writer.writerows([*pixels, f"d{digit}"] for pixels, digit in zip(x, y, strict=True))
    data = {"target": "digit", "scale": "minmax", "rows": rows}
    return make_spec(source="digits.csv", data=data, layers=layers, folder=folder, **training)


def test_digits_in_batches_of_32(tmp_path: Path) -> None:
    """64-16-10: a batch of 32, and one of what is left; all cells to the last bit."""
    spec = digits(tmp_path, 36, LAYERS, epochs=1, batch_size=32)
    done = sheetnet.export(spec, tmp_path / "digits.xlsx", sheets=[])
    assert (done.visits, done.columns) == (36, 6222)
    report = sheetnet.verify(done.path)
    assert report.agree, report.to_text()
    local = report.checks["local"]
    assert local.identical == local.cells > 36 * 6222


def test_the_size_is_told_before_the_training(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Sheet by sheet, on stderr, and of large workbooks only."""
    spec, book = tmp_path / "a.toml", tmp_path / "a.xlsx"
    spec.write_text(
        '[data]\nsource = "toy:xor"\n[[layers]]\nactivation = "sigmoid"\n[training]\nepochs = 2\n',
        encoding="utf-8",
    )
    command = ("export", spec, "-o", book, "--force", "--sheets", "Epochs")
    assert run(*command).stderr == ""
    monkeypatch.setattr("sheetnet.workbook.export.LARGE", 100)
    first, *lines = run(*command).stderr.splitlines()
    assert first.endswith(" MB:") and " cells, about " in first
    train = openpyxl.load_workbook(book)["Train"]
    (told,) = (line.split() for line in lines if line.split()[0] == "Train")
    assert told[1:] == [f"{train.max_row - 4}", "rows", "×", f"{train.max_column}", "columns"]
    before: list[str] = []
    monkeypatch.setattr("sheetnet.engine.blocks", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        sheetnet.export(sheetnet.load_spec(spec), book, notice=before.append)
    assert len(before) == 1


def test_the_estimate_is_near_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spec = make_spec(source="toy:moons", data={"rows": 200}, epochs=10)
    told: list[str] = []
    monkeypatch.setattr("sheetnet.workbook.export.LARGE", 100)
    done = sheetnet.export(spec, tmp_path / "a.xlsx", sheets=[], notice=told.append)
    cells = int(told[0].partition(" ")[0].replace(",", ""))
    assert cells == done.visits * done.columns + 200 * 4  # number, x, y, class
    assert 0.6 < done.size / (cells * fitting.BYTES_PER_CELL) < 1.6


def test_sheets_that_do_not_fit_are_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where nobody asked for them by name; it is said which and why."""
    (tmp_path / "d.csv").write_text("x,u,v,w\n1,2,0,1\n3,5,1,0\n", encoding="utf-8")
    layers = [{"activation": "linear", "train_bias": False}]
    spec = tmp_path / "d.toml"
    spec.write_text(
        '[data]\nsource = "d.csv"\ntarget = ["u", "v", "w"]\n'
        '[[layers]]\nactivation = "linear"\ntrain_bias = false\n[training]\nepochs = 2\n',
        encoding="utf-8",
    )
    book = tmp_path / "b.xlsx"
    monkeypatch.setattr(fitting, "MAX_COLUMNS", 35)
    done = run("export", spec, "-o", book)
    assert done.exit_code == 0, done.output
    left = [line for line in done.stdout.splitlines() if line.startswith("Left out: ")]
    assert left == ["Left out: Compare would need 36 columns, but there is room for 35."]
    titles = openpyxl.load_workbook(book).sheetnames
    assert "Compare" not in titles and "Step" in titles
    assert sheetnet.verify(book).agree
    data = {"target": ["u", "v", "w"]}
    loaded = make_spec(source="d.csv", data=data, layers=layers, folder=tmp_path)
    with pytest.raises(LimitError, match="Compare would need 36 columns"):
        sheetnet.export(loaded, tmp_path / "c.xlsx", sheets=["Compare"])


def test_epochs_that_are_too_wide() -> None:
    """They are left out, and Validation with them; not where the training depends on them."""
    data = {"rows": 12, "validation": 0.25}
    layers = [{"units": 130, "activation": "tanh"}] * 2 + [{"activation": "sigmoid"}]
    wide = make_spec(source="toy:moons", data=data, layers=layers)
    layout, reasons = fitting.without_wide_ledgers(layout_of(load_problem(wide)))
    assert reasons == ("Epochs would need 17562 columns, but there is room for 16384",)
    assert "Epochs" not in layout.sheets and "Validation" not in layout.sheets
    stops = layout_of(
        load_problem(make_spec(source="toy:moons", data=data, layers=layers, patience=1))
    )
    assert fitting.without_wide_ledgers(stops) == (stops, ())


@pytest.mark.parametrize(
    ("text", "most"),
    [
        ("1", 1),
        (f"SUM({','.join(['A1'] * 300)})", 300),
        (f"IF(A1>0,SUM({','.join(['A1'] * 260)}),MAX({','.join(['A1'] * 280)}))", 280),
        (f'IF(A1="{"," * 400}",1,2)', 3),
    ],
)
def test_arguments_are_counted(text: str, most: int) -> None:
    """A function takes 255 of them."""
    assert most_arguments(text) == most


def test_a_sheet_of_gigabytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its part has the extension for 64 bits, and is read like any other; small ones have not."""
    small, large = tmp_path / "small.xlsx", tmp_path / "large.xlsx"
    sheetnet.export(make_spec(), small)
    monkeypatch.setattr("sheetnet.workbook.deflate.LARGE", 50_000)
    sheetnet.export(make_spec(), large)
    extended = {}
    for path in (small, large):
        with zipfile.ZipFile(path) as book, path.open("rb") as file:
            for part in book.infolist():
                file.seek(part.header_offset)
                head = file.read(30 + 200)
                assert head[:4] == b"PK\x03\x04"
                extended[path, part.filename] = head[18:22] == b"\xff" * 4
    assert not any(is_so for (path, _), is_so in extended.items() if path == small)
    names = {name for (path, name), is_so in extended.items() if path == large and is_so}
    assert "xl/worksheets/sheet5.xml" in names and "xl/workbook.xml" not in names
    assert sheetnet.verify(large).agree


@pytest.mark.parametrize(
    "spec",
    [
        make_spec(epochs=30),
        make_spec(
            epochs=3,
            layers=[{"units": 2, "activation": "relu"}, {"activation": "linear"}],
            learning_rate=1e200,
        ),
        make_spec(source="toy:moons", data={"rows": 12, "validation": 0.25}, epochs=5, patience=1),
    ],
    ids=["plain", "errors", "stops"],
)
def test_no_sheet_is_larger_than_was_reckoned(
    spec: Spec, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else a sheet that passes 2 GB could not be finished."""
    sizes: list[tuple[int, int]] = []

    def reckon(_: Workbook, path: Path, streams: Streams, *__: Any, **___: Any) -> None:
        for found in streams.values():
            sizes.extend((sum(map(len, row_xml(each))), bytes_at_most(each)) for each in found)
        path.touch()

    monkeypatch.setattr("sheetnet.workbook.export.save", reckon)
    sheetnet.export(spec, tmp_path / "book.xlsx")
    assert len(sizes) >= 3 and all(0 < size <= reckoned for size, reckoned in sizes)
