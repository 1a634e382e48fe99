"""``Compare``: what it shows, what it says, and which input it names."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import openpyxl
import pytest
from comparing import HEAD, STATUS, Said, edited, everything, heads, inputs, place
from faults import export_kinds, ledger_cell
from openpyxl.workbook import Workbook
from support import WITH_COMPARE, make_spec

import sheetnet
from sheetnet.concepts.optimizers import OPTIMIZERS
from sheetnet.errors import LimitError
from sheetnet.formula import Listed, same
from sheetnet.problem import load_problem
from sheetnet.spec import Spec, load_spec
from sheetnet.views import compare_layout, compare_listing

EXAMPLES = Path(__file__).parent.parent / "examples"
MATCH = "Match: this workbook and Python have the same training, number by number."
Kinds = dict[str, Path]


@pytest.fixture(scope="module")
def kinds(tmp_path_factory: pytest.TempPathFactory) -> Kinds:
    folder = tmp_path_factory.mktemp("kinds")
    paths = export_kinds(folder, sheets=["Compare"])
    for name in ("everything", "diverging"):
        paths[name] = folder / f"{name}.xlsx"
    sheetnet.export(everything(), paths["everything"], sheets=WITH_COMPARE)
    sheetnet.export(
        load_spec(EXAMPLES / "exploding_relu.toml"), paths["diverging"], sheets=WITH_COMPARE
    )
    return paths


KINDS = ["line", "xor", "softmax", "outputs", "everything", "diverging"]


# --- what it shows


def updates(spec: Spec) -> list[int]:
    """The visit (from 1) of each update, one after the other."""
    rows, found = load_problem(spec).rows, []
    for epoch in range(spec.training.epochs):
        for end in range(spec.training.batch_size, rows + spec.training.batch_size,
                         spec.training.batch_size):  # fmt: skip
            found.append(epoch * rows + min(end, rows))
    return found


@pytest.mark.parametrize("name", ["xor", "batches", "mazur", "overfitting_early_stopping"])
def test_constants_are_those_of_the_run(name: str, tmp_path: Path) -> None:
    """Loss and prediction of the visit that makes the update, and the weights after it."""
    spec = load_spec(EXAMPLES / f"{name}.toml").override(epochs=7)
    run = sheetnet.train(spec)
    sheetnet.export(spec, tmp_path / "b.xlsx", sheets=WITH_COMPARE)
    sheet = openpyxl.load_workbook(tmp_path / "b.xlsx", data_only=True)["Compare"]
    columns, visits = heads(sheet), updates(spec)
    last = len(run.problem.network.layers)

    def column(label: str) -> list[float]:
        span = range(HEAD + 1, HEAD + 1 + len(visits))
        return [sheet.cell(row, columns[label]).value for row in span]

    assert column("update") == list(range(1, len(visits) + 1))
    assert column("visit") == visits
    assert column("epoch") == [1 + (v - 1) // run.problem.rows for v in visits]
    at = np.array(visits) - 1
    for prefix in ("python_", ""):
        assert column(f"{prefix}loss") == run["loss"][at].tolist()
        assert column(f"{prefix}a{last}[1]") == run[f"a{last}"][at][:, 0].tolist()
        for name in run.final:
            reached = run[name][at].reshape(len(at), -1)
            if f"u{name}" in run.ledger:
                reached = reached + run[f"u{name}"][at].reshape(len(at), -1)
            assert reached[-1].tolist() == run.final[name].reshape(-1).tolist()
            for i, label in enumerate(run.ledger[name].labels):
                assert column(f"{prefix}{label}") == reached[:, i].tolist(), label
    assert all(v == 0 for label in columns if label.startswith("diff_") for v in column(label))


def test_all_updates_of_a_short_run_and_some_of_a_long_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each second one, each third one …, and the last; the sheet says which."""
    spec = make_spec(epochs=25)
    sheetnet.export(spec, tmp_path / "all.xlsx", sheets=WITH_COMPARE)
    sheet = openpyxl.load_workbook(tmp_path / "all.xlsx")["Compare"]
    width = sheet.max_column
    assert [c.value for c in sheet["A"][HEAD : HEAD + 100]] == list(range(1, 101))
    assert "every" not in sheet["A2"].value
    for rows, every in ((50, 2), (49, 3), (1, 100), (99, 2)):
        monkeypatch.setattr(compare_layout, "MAX_CELLS", rows * width + 1)
        path = tmp_path / f"{rows}.xlsx"
        sheetnet.export(spec, path, sheets=WITH_COMPARE)
        sheet = openpyxl.load_workbook(path)["Compare"]
        wanted = sorted({*range(every, 101, every), 100})
        found = [c.value for c in sheet["A"][HEAD : HEAD + len(wanted) + 1]]
        assert found[:-1] == wanted and not isinstance(found[-1], int) and len(wanted) <= rows
        assert f"every update number {every}, and at the last" in sheet["A2"].value
        report = sheetnet.verify(path)
        assert report.agree and report.checks["trajectory"].identical == report.cells


def test_a_listed_row_moves_with_the_formula() -> None:
    formula = same("Train!A{t}+B{r}", Listed("{t}", (8, 11, 12)))
    assert [formula.at(row, 5) for row in (5, 6, 7)] == [
        "Train!A8+B5", "Train!A11+B6", "Train!A12+B7"]  # fmt: skip
    assert formula.moves and not formula.shareable
    assert formula.form(0) != formula.form(1)


# --- what it says


@pytest.mark.parametrize("kind", KINDS)
def test_until_it_is_recalculated_it_says_so(kind: str, kinds: Kinds) -> None:
    sheet = openpyxl.load_workbook(kinds[kind], data_only=True)["Compare"]
    assert sheet[STATUS].value.startswith("Not recalculated yet: all numbers here are Python's")
    said = Said.by(kinds[kind])
    assert said.status == MATCH
    nothing = {"largest": 0.0, "at": "none", "of": "none", "first": "none"}
    assert said.top == {**nothing, "beyond": 0.0, "changed": 0.0}


@pytest.mark.parametrize("optimizer", sorted(OPTIMIZERS))
def test_each_hyperparameter_is_named(optimizer: str, tmp_path: Path) -> None:
    path = tmp_path / "b.xlsx"
    spec = everything(optimizer)
    sheetnet.export(spec, path, sheets=WITH_COMPARE)
    said = Said.by(path)
    numbers = load_problem(spec).hyperparameters
    assert {"learning_rate", "patience", "dropout_1", "clip_norm", "min_delta"} < set(numbers)
    for name, value in numbers.items():
        for now in (value + 1, value * (1 + 1e-9) + 1e-12):
            said.model.configure(**{name: now})
            assert said.changed == [name] and said.cell("J5") == 1
        said.model.configure(**{name: value})
        assert said.status == MATCH


def _swap(title: str, first: str, second: str) -> Callable[[Workbook], None]:
    def edit(book: Workbook) -> None:
        a, b = book[title][first], book[title][second]
        a.value, b.value = b.value, a.value
        assert a.value != b.value

    return edit


def _set(where: str, value: object) -> Callable[[Workbook], None]:
    title, _, cell = where.partition("!")

    def edit(book: Workbook) -> None:
        assert book[title][cell].value != value
        book[title][cell].value = value

    return edit


EDITS = [
    ("xor", _set("Data!B6", 0.25), ["x1"]),
    ("xor", _set("Data!D9", 0.5), ["y"]),
    ("xor", _set("Init!B6", 0.123), ["weights of layer 1"]),
    ("xor", _set("Init!E12", 1e-9), ["biases of layer 2"]),
    ("line", _swap("Data", "B6", "B8"), ["x"]),
    ("outputs", _set("Data!D8", 2.5), ["u"]),
    ("outputs", _set("Data!E9", 0.25), ["v"]),
    ("outputs", _swap("Data", "C8", "C10"), ["q"]),
    ("softmax", _swap("Init", "B6", "C6"), ["weights of layer 1"]),
    ("softmax", _set("Init!D6", 0.5), ["biases of layer 1"]),
    ("everything", _set("Init!E13", 0.01), ["biases of layer 2"]),
]


@pytest.mark.parametrize(("kind", "edit", "names"), EDITS)
def test_each_input_is_named(
    kind: str, edit: Callable[[Workbook], None], names: list[str], kinds: Kinds, tmp_path: Path
) -> None:
    """And the edited workbook verifies: Python is trained on what it holds now."""
    path = edited(kinds[kind], tmp_path / "edited.xlsx", edit)
    assert Said.by(path).changed == names
    report = sheetnet.verify(path)
    assert report.agree, report.to_text()
    for check in ("local", "trajectory"):
        assert report.checks[check].identical == report.cells


def test_a_class_a_held_out_row_and_several_at_once(kinds: Kinds, tmp_path: Path) -> None:
    book = openpyxl.load_workbook(kinds["softmax"])
    labels = [(c.row, c.value) for c in book["Data"]["D"] if c.row >= 9]
    row, old = labels[0]
    other = next(value for _, value in labels if value != old)

    def edit(book: Workbook) -> None:
        book["Data"].cell(row, 4).value = other
        book["Data"]["B10"].value = 9.0
        book["Config"]["B6"].value = 0.25

    path = edited(kinds["softmax"], tmp_path / "several.xlsx", edit)
    said = Said.by(path)
    assert said.changed == ["learning_rate", "x1", "class"], said.status
    assert said.cell("J5") == 3
    assert sheetnet.verify(path).agree

    def last(book: Workbook) -> None:
        sheet = book["Data"]
        assert sheet.cell(sheet.max_row, 2).value == "validation"
        sheet.cell(sheet.max_row, 4).value = 3.0

    path = edited(kinds["everything"], tmp_path / "held.xlsx", last)
    assert Said.by(path).changed == ["x2"] and sheetnet.verify(path).agree


@pytest.mark.parametrize("content", ["much", None])
def test_an_input_that_is_no_number(content: str | None, kinds: Kinds, tmp_path: Path) -> None:
    for where, name in (("Data!B8", "x1"), ("Init!B6", "weights of layer 1"), ("Config!B6", None)):
        path = edited(kinds["xor"], tmp_path / "no.xlsx", _set(where, content))
        assert Said.by(path).changed == [name or "learning_rate"]


def test_names_are_texts_and_not_too_long(tmp_path: Path) -> None:
    names = ["=1+1", "x" * 300, '"', "{t}%s", "1"]
    lines = [",".join(f'"{n.replace(chr(34), chr(34) * 2)}"' for n in [*names, "y"])]
    lines += [f"{i},{i * i},{i % 3},{i / 7},{-i},{i % 2}" for i in range(5)]
    (tmp_path / "d.csv").write_text("\n".join(lines), encoding="utf-8")
    layers = [{"activation": "sigmoid"}]
    spec = make_spec(source="d.csv", data={"target": "y"}, layers=layers, folder=tmp_path)
    sheetnet.export(spec, tmp_path / "b.xlsx", sheets=WITH_COMPARE)

    def edit(book: Workbook) -> None:
        for column in "BCDEF":
            book["Data"][f"{column}6"].value = 3.5

    path = edited(tmp_path / "b.xlsx", tmp_path / "e.xlsx", edit)
    assert Said.by(path).changed == ["=1+1", "x" * 29 + "…", '"', "{t}%s", "1"]
    sheet = openpyxl.load_workbook(path)["Compare"]
    for name in inputs(sheet):
        assert sheet.cell(inputs(sheet)[name], 1).data_type == "s"
    assert sheet.cell(inputs(sheet)["=1+1"], 1).quotePrefix
    assert sheetnet.verify(path).agree


def test_many_columns_are_one_input(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compare_listing, "MAX_NAMED", 1)
    (tmp_path / "d.csv").write_text("a,b,u,v\n1,2,0,1\n3,5,1,0\n4,4,1,1\n", encoding="utf-8")
    data = {"target": ["u", "v"], "scale": "minmax"}
    layers = [{"activation": "linear"}]
    spec = make_spec(source="d.csv", data=data, layers=layers, folder=tmp_path)
    sheetnet.export(spec, tmp_path / "b.xlsx", sheets=WITH_COMPARE)
    assert Said.by(tmp_path / "b.xlsx").status == MATCH
    for column, name in (("C", "the 2 input columns"), ("D", "the 2 target columns")):
        path = edited(tmp_path / "b.xlsx", tmp_path / "e.xlsx", _set(f"Data!{column}8", 7.0))
        assert Said.by(path).changed == [name]
        report = sheetnet.verify(path)
        assert report.agree, report.to_text()


# --- differences


def test_a_wrong_cell_of_the_training_is_told(kinds: Kinds, tmp_path: Path) -> None:
    """From its update on; inputs are as they were, so the workbook differs."""

    def paste(book: Workbook) -> None:
        ledger_cell(book, "uW2[1,2]", 7).value = 0.5

    path = edited(kinds["xor"], tmp_path / "wrong.xlsx", paste)
    said = Said.by(path)
    assert said.status.startswith("Differ: this workbook has other numbers than Python had.")
    sheet = openpyxl.load_workbook(path)["Compare"]
    assert said.cell(place(sheet, "beyond", 6)) == 0
    assert said.cell(place(sheet, "beyond", 7)) == said.cell(place(sheet, "beyond", 8)) == 1
    run = sheetnet.train(make_spec(epochs=2))
    python = run["W2"][7][0, 1]
    # The size is the largest magnitude of all updates.
    size = np.abs(np.append(run["W2"][1:, 0, 1], run.final["W2"][0, 1])).max()
    apart = run["W2"][6][0, 1] + 0.5 - python
    assert said.cell(place(sheet, "diff_W2[1,2]", 7)) == pytest.approx(apart / size, rel=1e-12)
    top = said.top
    assert (top["first"], top["changed"], top["beyond"]) == (7, 0, 2)
    largest, at, of = float(top["largest"]), int(top["at"]), str(top["of"])  # type: ignore[call-overload, arg-type]
    assert abs(float(said.cell(place(sheet, f"diff_{of}", at)))) == largest  # type: ignore[arg-type]
    assert said.cell(place(sheet, "worst", at)) == 1
    diffs = [label for label in heads(sheet) if label.startswith("diff_")]
    for update in range(1, 9):
        row = [abs(float(said.cell(place(sheet, d, update)))) for d in diffs]  # type: ignore[arg-type]
        assert max(row) == said.cell(place(sheet, "largest", update)) <= largest


def test_the_tolerance_is_an_input(kinds: Kinds, tmp_path: Path) -> None:
    def paste(book: Workbook) -> None:
        cell = ledger_cell(book, "uW2[1,2]", 7)
        cell.value = f"{cell.value}+1E-7"

    path = edited(kinds["xor"], tmp_path / "wrong.xlsx", paste)
    said = Said.by(path)
    assert said.status == MATCH and 0 < float(said.cell("D5")) < 1e-6  # type: ignore[arg-type]
    for tolerance, first in ((1e-9, 7), (1e-12, 7), (1.0, "none")):
        said.model.put("Compare", 5, 9, tolerance)
        assert said.status.startswith("Differ" if first == 7 else "Match")
        assert said.cell("G5") == first
    finer = edited(kinds["xor"], tmp_path / "finer.xlsx", _set("Compare!I5", 1e-12))
    assert sheetnet.verify(finer).agree
    for wrong in (-1.0, 1.5, "small"):
        path = edited(kinds["xor"], tmp_path / "bad.xlsx", _set("Compare!I5", wrong))
        with pytest.raises(sheetnet.errors.WorkbookError, match=r"I5 \(tolerance\)"):
            sheetnet.verify(path)


def test_a_run_that_diverges_matches_errors_with_errors(kinds: Kinds, tmp_path: Path) -> None:
    """And an error on one side alone never passes, whichever side it is."""
    sheet = openpyxl.load_workbook(kinds["diverging"])["Compare"]
    said = Said.by(kinds["diverging"])
    assert (
        said.cell(place(sheet, "python_loss", 14)) == "#NUM!" == said.cell(place(sheet, "loss", 14))
    )
    assert said.cell(place(sheet, "diff_loss", 14)) == 0
    said.model.configure(learning_rate=0.02)
    assert said.changed == ["learning_rate"]
    assert said.cell(place(sheet, "diff_loss", 14)) == 1e300
    assert said.top["beyond"] == 300 and said.top["first"] == 1
    # A learning rate that lets a quiet run explode.
    said = Said.by(kinds["line"])
    sheet = openpyxl.load_workbook(kinds["line"])["Compare"]
    said.model.configure(learning_rate=1e200)
    assert said.cell(place(sheet, "loss", 8)) == "#NUM!"
    assert said.cell(place(sheet, "diff_loss", 8)) == 1e300
    path = edited(kinds["line"], tmp_path / "e.xlsx", _set("Config!B6", 1e200))
    report = sheetnet.verify(path)
    assert report.agree and report.checks["trajectory"].identical == report.cells


def test_before_weights_explode_differences_are_measured_by_what_is_there(kinds: Kinds) -> None:
    """Not by numbers beside which all others are as good as equal."""
    said = Said.by(kinds["diverging"])
    sheet = openpyxl.load_workbook(kinds["diverging"])["Compare"]
    sizes = [c.value for c in sheet[6] if isinstance(c.value, float)]
    assert len(sizes) == 21 and max(sizes) < 1e6
    python = float(said.cell(place(sheet, "python_loss", 13)))  # type: ignore[arg-type]
    assert python > 1e200


# --- the sheet among others


def test_it_may_be_left_out(tmp_path: Path) -> None:
    sheetnet.export(make_spec(), tmp_path / "b.xlsx", sheets=["Guide", "Epochs"])
    book = openpyxl.load_workbook(tmp_path / "b.xlsx")
    assert "Compare" not in book.sheetnames and "tolerance" not in book.defined_names
    assert sheetnet.verify(tmp_path / "b.xlsx").agree
    sheetnet.export(make_spec(), tmp_path / "c.xlsx", sheets=["compare"])
    book = openpyxl.load_workbook(tmp_path / "c.xlsx")
    assert book.sheetnames == ["Config", "Data", "Init", "Train", "Compare"]
    assert sheetnet.verify(tmp_path / "c.xlsx").agree


def test_where_it_does_not_fit_it_says_how_to_leave_it_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "d.csv").write_text("x,u,v,w\n1,2,0,1\n3,5,1,0\n", encoding="utf-8")
    layers = [{"activation": "linear", "train_bias": False}]
    data = {"target": ["u", "v", "w"]}
    spec = make_spec(source="d.csv", data=data, layers=layers, folder=tmp_path)
    assert sheetnet.export(spec, tmp_path / "a.xlsx").columns == 30
    monkeypatch.setattr("sheetnet.workbook.fitting.MAX_COLUMNS", 35)
    wanted = r"Compare would need 36 columns, but there is room for 35: leave it out \(--sheets"
    with pytest.raises(LimitError, match=wanted):
        sheetnet.export(spec, tmp_path / "b.xlsx", sheets=["Compare"])
    assert not (tmp_path / "b.xlsx").exists()
    (left_out,) = sheetnet.export(spec, tmp_path / "b.xlsx").left_out  # nobody asked for it
    assert left_out.startswith("Compare would need 36 columns")
    assert "Compare" not in openpyxl.load_workbook(tmp_path / "b.xlsx").sheetnames
