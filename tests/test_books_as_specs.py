"""A workbook is a spec: what train, export and code make of one that was edited.

What it must come to is said by a spec with the same rows and weights, written by hand.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import pytest
from faults import change
from openpyxl.workbook import Workbook
from openpyxl.worksheet.worksheet import Worksheet
from support import make_spec

import sheetnet
from sheetnet.editing import EditedBook
from sheetnet.errors import SheetnetError, WorkbookError
from sheetnet.run import Run
from sheetnet.spec import Spec

POINTS = [
    (0.1, -1.5, 2.0, 0.3),
    (0.7, 0.25, -1.0, 0.9),
    (-0.4, 1.25, 0.5, 0.1),
    (1.1, -0.6, 1.5, 0.2),
    (0.3, 1 / 3, 1.25, -0.7),
]
FLOWERS = [
    (5.1, 3.5, "setosa"),
    (7.0, 3.2, "versicolor"),
    (6.3, 3.3, "virginica"),
    (4.9, 3.0, "setosa"),
    (6.4, 3.2, "versicolor"),
    (5.8, 2.7, "virginica"),
    (4.7, 3.2, "setosa"),
]
TANH = {"units": 2, "activation": "tanh"}


def table(folder: Path, rows: list[tuple[Any, ...]], names: str, file: str) -> None:
    with (folder / file).open("w", encoding="utf-8", newline="") as target:
        csv.writer(target).writerows([names.split(","), *rows])


def points(folder: Path, rows: list[tuple[Any, ...]] = POINTS, **training: Any) -> Spec:
    """Two numeric targets; inputs and targets are scaled differently."""
    table(folder, rows, "p,q,u,v", "points.csv")
    data = {"inputs": ["p", "q"], "target": ["u", "v"], "scale": "minmax"}
    return make_spec(
        source="points.csv",
        folder=folder,
        data={**data, "target_scale": "standard"},
        layers=training.pop("layers", [TANH, {"activation": "linear"}]),
        **{"epochs": 3, "learning_rate": 0.05, **training},
    )


def flowers(folder: Path, rows: list[tuple[Any, ...]] = FLOWERS, **training: Any) -> Spec:
    """Classes from texts, shuffled batches, Adam."""
    table(folder, rows, "length,width,species", "flowers.csv")
    return make_spec(
        source="flowers.csv",
        folder=folder,
        data={"target": "species", "scale": "standard"},
        layers=training.pop("layers", [TANH, {"activation": "softmax"}]),
        **{"epochs": 3, "batch_size": 2, "shuffle": True, "optimizer": "adam", **training},
    )


def all_at_once(folder: Path) -> Spec:
    """Held-out rows, early stopping, dropout, clipping, another coding."""
    rows = [(round(i * 0.7 % 3, 1), i * i % 5 / 2, "yes" if i % 3 else "no") for i in range(15)]
    table(folder, rows, "a,b,said", "said.csv")
    return make_spec(
        source="said.csv",
        folder=folder,
        data={"target": "said", "scale": "standard", "validation": 0.3},
        layers=[{**TANH, "dropout": 0.25}, {"activation": "sigmoid"}],
        epochs=4,
        batch_size=4,
        shuffle=True,
        seed=7,
        clip=0.1,
        patience=2,
        optimizer="momentum",
    )


KINDS: Mapping[str, Callable[[Path], Spec]] = {
    "points": points,
    "flowers": flowers,
    "all": all_at_once,
    "xor": lambda folder: make_spec(epochs=2),
}


@pytest.fixture(scope="module")
def kinds(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Spec, Path]]:
    made = {}
    for name, spec_of in KINDS.items():
        folder = tmp_path_factory.mktemp(name)
        spec = spec_of(folder)
        sheetnet.export(spec, folder / f"{name}.xlsx", sheets=["Compare"])
        made[name] = spec, folder / f"{name}.xlsx"
    return made


def assert_same(a: Run, b: Run) -> None:
    assert a.ledger.labels == b.ledger.labels
    assert np.array_equal(a.matrix, b.matrix, equal_nan=True)
    assert np.array_equal(a.epochs, b.epochs, equal_nan=True)


def edited(kinds: dict[str, tuple[Spec, Path]], kind: str, folder: Path, edit: Any) -> EditedBook:
    return sheetnet.load_book(change(kinds[kind][1], folder / "edited.xlsx", edit))


def names(book: EditedBook) -> list[str]:
    return [found.name for _, kind in book.changes.kinds for found in kind]


def put(**values: object) -> Callable[[Workbook], None]:
    """Type values beside keys of ``Config``."""

    def edit(book: Workbook) -> None:
        left = dict(values)
        for row in book["Config"].iter_rows(min_row=5):
            if row[0].value in left:
                row[1].value = left.pop(row[0].value)
        assert not left

    return edit


def sheet(book: Workbook, title: str) -> Worksheet:
    found = book[title]
    assert isinstance(found, Worksheet)
    return found


def first_row(book: Workbook) -> int:
    return next(c.row for c in sheet(book, "Data")["A"] if c.value == "row") + 1


def append(*rows: tuple[Any, ...], gap: int = 0) -> Callable[[Workbook], None]:
    """Type rows below those of ``Data``, from its first raw column on."""

    def edit(book: Workbook) -> None:
        data = sheet(book, "Data")
        numbered = [c.row for c in data["A"] if isinstance(c.value, int | float)]
        for row, cells in enumerate(rows, max(numbered) + 1 + gap):
            for column, value in enumerate(cells, 2):
                data.cell(row, column, value)

    return edit


# --- as exported


@pytest.mark.parametrize("kind", KINDS)
def test_as_exported_it_is_the_same_training(
    kinds: dict[str, tuple[Spec, Path]], kind: str, tmp_path: Path
) -> None:
    spec, path = kinds[kind]
    book = sheetnet.load_book(path)
    assert book.changes.equal and not book.notes
    assert book.to_text() == f"{kind}.xlsx: as it was exported"
    run = sheetnet.train(spec)
    assert_same(sheetnet.train(book), run)
    again = tmp_path / "again.xlsx"
    sheetnet.export(book, again)
    assert sheetnet.diff(path, again).equal
    assert openpyxl.load_workbook(again).sheetnames == openpyxl.load_workbook(path).sheetnames
    old, new = sheetnet.load_book(path).problem.table, sheetnet.load_book(again).problem.table
    assert np.array_equal(old.inputs, new.inputs) and old.labels == new.labels
    assert (old.input_names, old.target_names) == (new.input_names, new.target_names)
    assert sheetnet.load_book(again).problem.classes == book.problem.classes


@pytest.mark.parametrize("kind", KINDS)
def test_saved_by_openpyxl_nothing_has_changed(
    kinds: dict[str, tuple[Spec, Path]], kind: str, tmp_path: Path
) -> None:
    """It drops all saved values and writes 16 digits: of 1/3 nothing is lost."""
    book = edited(kinds, kind, tmp_path, lambda book: None)
    assert book.changes.equal and not book.notes
    assert_same(sheetnet.train(book), sheetnet.train(kinds[kind][0]))


# --- edited, beside a spec that says the same


def with_start(spec: Spec, **changed: float) -> Spec:
    """The spec with the weights that it draws, some of them changed: ``W1_2_1=0.5``."""
    run = sheetnet.train(spec)
    layers = []
    for l, layer in enumerate(spec.layers, 1):
        weights, bias = run[f"W{l}"][0].copy(), run[f"b{l}"][0].copy()
        for name, value in changed.items():
            which, *at = name.split("_")
            index = tuple(int(i) - 1 for i in at)
            if which == f"W{l}":
                weights[index] = value
            if which == f"b{l}":
                bias[index] = value
        given = tuple(map(tuple, weights.tolist())), tuple(bias.tolist())
        layers.append(replace(layer, weights=given[0], bias=given[1]))
    return replace(spec, layers=tuple(layers))


def test_numbers_typed_over(kinds: dict[str, tuple[Spec, Path]], tmp_path: Path) -> None:
    def edit(book: Workbook) -> None:
        put(learning_rate=0.125)(book)
        data, row = sheet(book, "Data"), first_row(book)
        data.cell(row + 1, 2, 0.875)
        data.cell(row + 3, 5, "=2/7")
        sheet(book, "Init")["C7"] = -0.75
        sheet(book, "Init")["D6"] = 0.0625

    book = edited(kinds, "points", tmp_path, edit)
    rows = [list(row) for row in POINTS]
    rows[1][0], rows[3][3] = 0.875, 2 / 7
    spec = points(tmp_path, [tuple(row) for row in rows], learning_rate=0.125)
    assert_same(sheetnet.train(book), sheetnet.train(with_start(spec, W1_2_2=-0.75, b1_1=0.0625)))
    found = {d.name: (d.cell, d.a, d.b) for _, kind in book.changes.kinds for d in kind}
    assert found["learning_rate"] == ("Config!B6", 0.05, 0.125)
    assert found["p"][1:] == (0.7, 0.875) and found["v"][1:] == (0.2, 2 / 7)
    assert found["W1[2,2]"][0] == "Init!C7" and found["b1[1]"] == ("Init!D6", 0.0, 0.0625)
    assert len(found) == 5
    assert any("holds a formula: its value 0.285" in note for note in book.notes)
    sheetnet.export(book, tmp_path / "again.xlsx")
    assert sheetnet.verify(tmp_path / "again.xlsx").agree
    again = sheetnet.load_book(tmp_path / "again.xlsx")
    assert again.changes.equal and not again.notes
    assert_same(sheetnet.train(again), sheetnet.train(book))


def test_rows_added(kinds: dict[str, tuple[Spec, Path]], tmp_path: Path) -> None:
    """Below the others, the class of one a known one; also an inserted one is a row."""
    new = [(5.0, 3.6, "setosa"), (6.0, 2.2, "virginica")]
    book = edited(kinds, "flowers", tmp_path, append(*new))
    spec = with_start(flowers(tmp_path, [*FLOWERS, *new]))
    assert_same(sheetnet.train(book), sheetnet.train(spec))
    assert names(book) == ["rows"]
    assert "Data: rows 16 to 17 of the sheet are new" in book.notes
    assert "the order of visits is new: drawn from seed 0" in book.notes
    sheetnet.export(book, tmp_path / "again.xlsx")
    assert sheetnet.verify(tmp_path / "again.xlsx").agree
    assert sheetnet.load_book(tmp_path / "again.xlsx").problem.rows == 9
    with pytest.raises(WorkbookError, match=r"Data!B16 begins a row below the last of the 7"):
        sheetnet.verify(tmp_path / "edited.xlsx")

    def insert(book: Workbook) -> None:
        data = sheet(book, "Data")
        data.insert_rows(11)
        for column, value in enumerate(new[0], 2):
            data.cell(11, column, value)

    book = edited(kinds, "flowers", tmp_path, insert)
    rows = [*FLOWERS[:2], new[0], *FLOWERS[2:]]
    assert_same(sheetnet.train(book), sheetnet.train(with_start(flowers(tmp_path, rows))))
    assert names(book) == ["rows"] and "Data: row 11 of the sheet is new" in book.notes


def test_rows_deleted(kinds: dict[str, tuple[Spec, Path]], tmp_path: Path) -> None:
    """Taken out, or emptied: the others are known by their numbers."""

    def edit(book: Workbook) -> None:
        data, row = sheet(book, "Data"), first_row(book)
        for column in (2, 3, 4):
            data.cell(row + 1, column).value = None
        data.cell(row + 6, 2).value = 4.5
        data.delete_rows(row + 3, 2)

    book = edited(kinds, "flowers", tmp_path, edit)
    rows = [FLOWERS[0], FLOWERS[2], FLOWERS[5], (4.5, *FLOWERS[6][1:])]
    # One class is gone, but its output stays.
    held = sheetnet.train(book)
    assert held.problem.classes == ("setosa", "versicolor", "virginica")
    assert held.problem.table.labels == tuple(row[2] for row in rows)
    assert held.problem.table.inputs.tolist() == [list(row[:2]) for row in rows]
    assert names(book) == ["rows", "length"]
    assert book.changes.data[0].cell == "Data!B13"
    assert "Data: rows 2, 4 to 5 of the export are gone" in book.notes
    sheetnet.export(book, tmp_path / "again.xlsx")
    assert sheetnet.verify(tmp_path / "again.xlsx").agree
    with pytest.raises(WorkbookError, match="is empty: a number is needed"):
        sheetnet.verify(tmp_path / "edited.xlsx")


def test_rows_in_another_order(kinds: dict[str, tuple[Spec, Path]], tmp_path: Path) -> None:
    def edit(book: Workbook) -> None:
        data, row = sheet(book, "Data"), first_row(book)
        cells = [[data.cell(row + r, c).value for c in range(1, 6)] for r in range(5)]
        for r, values in enumerate(reversed(cells)):
            for c, value in enumerate(values, 1):
                data.cell(row + r, c, value)

    book = edited(kinds, "points", tmp_path, edit)
    spec = points(tmp_path, POINTS[::-1])
    assert_same(sheetnet.train(book), sheetnet.train(with_start(spec)))
    assert book.changes.equal
    assert book.notes == ("Data: rows stand in another order than at export",)


def test_what_rows_are_used_for(kinds: dict[str, tuple[Spec, Path]], tmp_path: Path) -> None:
    def edit(book: Workbook) -> None:
        sheet(book, "Data").cell(first_row(book) + 2, 2, "validation")

    before = sheetnet.load_book(kinds["all"][1]).problem
    book = edited(kinds, "all", tmp_path, edit)
    after = book.problem
    assert (before.rows, before.held_out, after.rows, after.held_out) == (10, 5, 9, 6)
    order = [0, 1, *range(3, 10), 2, *range(10, 15)]
    assert np.array_equal(after.table.inputs, before.table.inputs[order])
    assert after.table.labels == tuple(before.table.labels[i] for i in order)  # type: ignore[index]
    assert names(book) == ["rows", "held_out", "used for"]
    sheetnet.export(book, tmp_path / "again.xlsx")
    assert sheetnet.verify(tmp_path / "again.xlsx").agree
    again = sheetnet.load_book(tmp_path / "again.xlsx")
    assert again.changes.equal and not again.notes
    assert_same(sheetnet.train(again), sheetnet.train(book))


STRUCTURE: dict[str, tuple[str, dict[str, Any], dict[str, Any], list[str]]] = {
    "epochs": ("points", {"epochs": 5}, {"epochs": 5}, ["epochs"]),
    "batches": ("points", {"batch_size": 2}, {"batch_size": 2}, ["batch_size"]),
    "no batches": ("flowers", {"batch_size": 1}, {"batch_size": 1}, ["batch_size"]),
    "shuffle": ("points", {"shuffle": True}, {"shuffle": True}, ["order of visits"]),
    "no shuffle": ("flowers", {"shuffle": False}, {"shuffle": False}, ["order of visits"]),
    "optimizer": (
        "points",
        {"optimizer": "adam"},
        {"optimizer": "adam"},
        ["network", "beta1", "beta2", "epsilon"],
    ),
    "other optimizer": (
        "flowers",
        {"optimizer": "momentum"},
        {"optimizer": "momentum"},
        ["network", "beta1", "beta2", "epsilon", "momentum"],
    ),
    "loss": ("flowers", {"loss": "mse"}, {"loss": "mse"}, ["network"]),
}


@pytest.mark.parametrize("name", STRUCTURE)
def test_what_is_fixed_at_export_may_be_changed_for_a_new_one(
    kinds: dict[str, tuple[Spec, Path]], tmp_path: Path, name: str
) -> None:
    kind, cells, training, told = STRUCTURE[name]
    book = edited(kinds, kind, tmp_path, put(**cells))
    # Whatever the run is now, it starts from the weights that were exported.
    start = with_start(kinds[kind][0])
    spec = start.override(**training)
    assert_same(sheetnet.train(book), sheetnet.train(spec))
    assert names(book) == told
    if name in ("other optimizer", "batches"):
        sheetnet.export(book, tmp_path / "again.xlsx", sheets=[])
        assert sheetnet.verify(tmp_path / "again.xlsx").agree


@pytest.mark.parametrize(
    ("kind", "key", "scale"),
    [
        ("points", "scale", "none"),
        ("points", "target_scale", "minmax"),
        ("flowers", "scale", "minmax"),
        ("xor", "scale", "standard"),
        ("all", "scale", "none"),
    ],
)
def test_another_scaling(
    kinds: dict[str, tuple[Spec, Path]], tmp_path: Path, kind: str, key: str, scale: str
) -> None:
    """``Data`` is laid out by the old one, read as such, and scaled anew."""
    book = edited(kinds, kind, tmp_path, put(**{key: scale}))
    spec = with_start(kinds[kind][0])
    spec = replace(spec, data=replace(spec.data, **{key: scale}))
    assert_same(sheetnet.train(book), sheetnet.train(spec))
    assert names(book) == [key]


def test_other_layers(kinds: dict[str, tuple[Spec, Path]], tmp_path: Path) -> None:
    """Weights that do not fit any more are drawn, and that is said."""

    def edit(book: Workbook) -> None:
        config = sheet(book, "Config")
        row = next(c.row for c in config["A"] if c.value == "layer") + 1
        config.cell(row, 2, 4)
        config.cell(row, 3, "relu")

    book = edited(kinds, "xor", tmp_path, edit)
    layers = [{"units": 4, "activation": "relu"}, {"activation": "sigmoid"}]
    spec = make_spec(layers=layers, epochs=2)
    assert_same(sheetnet.train(book), sheetnet.train(spec))
    (found,) = book.changes.structure
    assert found.name == "network" and str(found.b).startswith("2-4-1: relu, sigmoid")
    assert any(note.startswith("W1, W2: Init has no weights of this size") for note in book.notes)


def test_rows_held_out_where_there_were_none(
    kinds: dict[str, tuple[Spec, Path]], tmp_path: Path
) -> None:
    book = edited(kinds, "flowers", tmp_path, put(validation=0.3))
    spec = with_start(kinds["flowers"][0]).override(validation=0.3)
    assert_same(sheetnet.train(book), sheetnet.train(spec))
    assert any("2 of 7 rows are held out, drawn from seed 0" in note for note in book.notes)


def test_what_stands_apart_is_left_out(kinds: dict[str, tuple[Spec, Path]], tmp_path: Path) -> None:
    for gap in (1, 5_000):
        book = edited(kinds, "points", tmp_path, append((1.0, 2.0, 3.0, 4.0), gap=gap))
        assert book.problem.rows == 5 and book.changes.equal
        row = 13 + gap
        assert book.notes == (
            f"what stands on Data from row {row} on, below an empty row, is left out",
        )


def test_without_compare_it_says_so(tmp_path: Path) -> None:
    spec = make_spec(epochs=2)
    sheetnet.export(spec, tmp_path / "bare.xlsx", sheets=[])
    path = change(
        tmp_path / "bare.xlsx", tmp_path / "edited.xlsx", put(learning_rate=0.1, epochs=3)
    )
    book = sheetnet.load_book(path)
    assert names(book) == ["epochs"]
    assert "no sheet Compare keeps what was exported" in book.notes[-1]
    assert book.problem.hyperparameters["learning_rate"] == 0.1
    assert_same(sheetnet.train(book), sheetnet.train(spec.override(learning_rate=0.1, epochs=3)))


# --- what cannot be


def cell(where: str, value: object) -> Callable[[Workbook], None]:
    title, _, at = where.partition("!")

    def edit(book: Workbook) -> None:
        sheet(book, title)[at] = value

    return edit


def layer_cell(layer: int, column: int, value: object) -> Callable[[Workbook], None]:
    def edit(book: Workbook) -> None:
        config = sheet(book, "Config")
        row = next(c.row for c in config["A"] if c.value == "layer")
        config.cell(row + layer, column).value = value

    return edit


ERRORS: list[tuple[str, Callable[[Workbook], Any], str]] = [
    ("points", cell("Data!B9", "0,5"), r"Data!B9 \(p\) holds the text '0,5': a number is needed"),
    ("points", cell("Data!B9", None), r"Data!B9 \(p\) is empty"),
    ("points", cell("Data!B9", True), r"Data!B9 \(p\) holds TRUE"),
    ("points", cell("Data!B9", "=1/0"), r"Data!B9 \(p\) holds #DIV/0!"),
    ("flowers", cell("Data!D9", "Setosa"), r"Data!D9 \(species\) holds 'Setosa'; the classes"),
    ("points", append((1.0, None, 2.0, 3.0)), r"Data!C13 \(q\) is empty"),
    ("all", append(("training", 1.0, 2.0, "maybe")), "'maybe'; the classes are: no, yes"),
    ("all", append((None, 1.0, 2.0, "yes")), r"\(used for\) is empty; allowed: training, val"),
    ("all", put(validation=0.6), r"\(validation\) is 0.6, but 5 of 15 rows are held out"),
    ("points", put(rows=3), r"\(rows\) is 3, but Data has 5: .*--rows"),
    ("points", put(inputs=3), r"\(inputs\) is 3, but Data has 2: other columns need a new spec"),
    ("points", put(coding="0/1"), r"\(coding\) is '0/1'"),
    ("points", put(epochs="ten"), r"Config!B\d+: training.epochs is 'ten': a whole number"),
    ("points", put(epochs=None), r"\(epochs\) is empty"),
    ("points", put(optimizer="adm"), r"did you mean 'adam'"),
    ("points", put(loss="cross_entropy"), "does not go with a last layer of linear"),
    ("points", put(sheets="Config, Shoes"), "there is no sheet 'Shoes'"),
    ("points", put(learning_rate=-1), "learning_rate is -1"),
    ("points", layer_cell(1, 4, 3), "layer 1 has 3 inputs; they follow from the units, and are 2"),
    ("points", layer_cell(1, 6, 99), "layer 1 has 99 parameters"),
    ("points", layer_cell(1, 2, None), r"\(units\) is empty"),
    ("points", layer_cell(2, 2, 3), "the last layer has 3 units, but there are 2 target columns"),
    ("points", lambda book: book["Data"].insert_cols(3), "columns may not"),
    ("points", lambda book: book["Data"].insert_rows(2), "rows above the data|where they begin"),
    ("points", lambda book: book["Init"].delete_rows(6), "Init has 1 rows of 2 weights"),
    ("points", lambda book: book["Data"].delete_rows(8, 9), "Data has no rows of data"),
    ("points", cell("Init!A5", "weights"), "Init has no cell 'W1"),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "edit", "message"), ERRORS)
def test_errors_name_the_cell(
    kinds: dict[str, tuple[Spec, Path]],
    tmp_path: Path,
    kind: str,
    edit: Callable[[Workbook], Any],
    message: str,
) -> None:
    with pytest.raises(SheetnetError, match=message) as caught:
        edited(kinds, kind, tmp_path, edit)
    assert str(caught.value).startswith("edited.xlsx")


def test_patience_needs_rows_to_validate_with(
    kinds: dict[str, tuple[Spec, Path]], tmp_path: Path
) -> None:
    def edit(book: Workbook, text: str = "training") -> None:
        data, row = sheet(book, "Data"), first_row(book)
        for r in range(row, row + 15):
            data.cell(r, 2, text)

    with pytest.raises(WorkbookError, match=r"\(patience\) needs rows to validate with"):
        edited(kinds, "all", tmp_path, edit)
    with pytest.raises(WorkbookError, match="none is left to train on"):
        edited(kinds, "all", tmp_path, lambda book: edit(book, "validation"))


# --- with other values


def test_overrides(kinds: dict[str, tuple[Spec, Path]]) -> None:
    spec, path = kinds["flowers"]
    book, start = sheetnet.load_book(path), with_start(spec)
    for others in (
        {"epochs": 5},
        {"learning_rate": 0.5, "batch_size": 3},
        {"seed": 9},
        {"rows": 4},
    ):
        expected = sheetnet.train(start.override(**others))
        made = book.override(**others)
        if "rows" in others:  # the spec draws no class that it does not see
            assert made.problem.rows == 4
            assert made.problem.table.inputs.tolist() == [list(r[:2]) for r in FLOWERS[:4]]
        assert_same(sheetnet.train(made), expected)
    with pytest.raises(SheetnetError, match=r"data\.rows is 0"):
        book.override(rows=0)
    with pytest.raises(SheetnetError, match="which rows are held out stands on Data"):
        book.override(validation=0.5)


def test_fewer_rows_keep_their_share_held_out(kinds: dict[str, tuple[Spec, Path]]) -> None:
    book = sheetnet.load_book(kinds["all"][1])
    made = book.override(rows=9).problem
    assert (made.rows, made.held_out) == (6, 3)
    old = book.problem.table
    assert np.array_equal(made.table.inputs, old.inputs[[0, 1, 2, 3, 4, 5, 10, 11, 12]])
    assert book.override(rows=100).problem.table.rows == 15


def test_a_seed_that_draws_nothing(kinds: dict[str, tuple[Spec, Path]]) -> None:
    book = sheetnet.load_book(kinds["points"][1]).override(seed=3)
    assert any("the seed changes nothing" in note for note in book.notes)
    assert_same(sheetnet.train(book), sheetnet.train(kinds["points"][0]))
