"""Held-out rows: the split, the scaling, their forward pass after each epoch, what is refused."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import pytest
from ledgers import Model, ledgers_of_run
from stopping import KINDS, TABLE, stopping
from support import WITHOUT_VIEWS, make_spec, run

import sheetnet
from sheetnet.concepts.arithmetic import Array
from sheetnet.errors import DataError
from sheetnet.problem import Problem, load_problem
from sheetnet.run import Run

kinds = pytest.mark.parametrize("kind", KINDS)

# --- the split

LETTERS = "id,kind\n" + "".join(f"{i},{'abc'[i % 3]}\n" for i in range(1, 14))


def held(validation: float, seed: int, folder: Path, **data: Any) -> Problem:
    """Thirteen rows, each with a number of its own, of three classes."""
    (folder / "letters.csv").write_text(LETTERS, encoding="utf-8")
    return load_problem(
        make_spec(
            source="letters.csv",
            folder=folder,
            data={"target": "kind", "validation": validation, **data},
            layers=[{"activation": "softmax"}],
            seed=seed,
        )
    )


@pytest.mark.parametrize(
    ("share", "count"),
    [(0.0, 0), (0.001, 1), (0.1, 1), (0.2, 3), (0.25, 3), (0.5, 7), (0.9, 12), (0.92, 12)],
)
def test_how_many_rows_are_held_out(share: float, count: int, tmp_path: Path) -> None:
    """The nearest whole number, but at least one, of the thirteen."""
    problem = held(share, 0, tmp_path)
    assert (problem.rows, problem.held_out) == (13 - count, count)
    assert problem.network.validates == (count > 0)
    fewer = held(share / 2, 0, tmp_path, rows=4)
    assert fewer.rows + fewer.held_out == 4 and fewer.rows > 0


@pytest.mark.parametrize("seed", range(5))
def test_each_row_is_used_once(seed: int, tmp_path: Path) -> None:
    """Training rows in the order of the file, then those held out, with their own targets."""
    problem = held(0.4, seed, tmp_path)
    ids = problem.inputs.values[:, 0].astype(int).tolist()
    assert sorted(ids) == list(range(1, 14))
    training, held_out = ids[: problem.rows], ids[problem.rows :]
    assert len(held_out) == problem.held_out == 5
    assert training == sorted(training) and held_out == sorted(held_out)
    assert problem.table.source_rows == tuple(ids)
    assert problem.classes == ("a", "b", "c")
    codes = np.eye(3)[[i % 3 for i in ids]]
    assert np.array_equal(problem.targets.values, codes)
    again = held(0.4, seed, tmp_path)
    assert np.array_equal(again.inputs.values, problem.inputs.values)


def test_the_split_follows_the_seed(tmp_path: Path) -> None:
    splits = {tuple(held(0.4, seed, tmp_path).inputs.values[:, 0]) for seed in range(10)}
    assert len(splits) >= 9
    often = np.zeros(14)
    for seed in range(200):
        often[held(0.4, seed, tmp_path).inputs.values[-5:, 0].astype(int)] += 1
    # 5 of 13 rows, 200 times: about 77 for each, four standard deviations are 27.
    assert (np.abs(often[1:] - 200 * 5 / 13) < 27).all()


def test_a_class_may_stand_in_held_out_rows_only(tmp_path: Path) -> None:
    (tmp_path / "rare.csv").write_text("x,kind\n1,a\n2,b\n3,a\n4,rare\n5,b\n")
    for seed in range(20):
        spec = make_spec(
            source="rare.csv",
            folder=tmp_path,
            data={"target": "kind", "validation": 0.2},
            layers=[{"activation": "softmax"}],
            seed=seed,
            epochs=1,
        )
        problem = load_problem(spec)
        assert problem.classes == ("a", "b", "rare")
        if problem.table.labels is not None and problem.table.labels[-1] == "rare":
            break
    else:
        raise AssertionError("no seed holds the rare row out")
    sheetnet.export(spec, tmp_path / "rare.xlsx", sheets=WITHOUT_VIEWS)
    assert sheetnet.verify(tmp_path / "rare.xlsx").agree


def test_errors_name_rows_as_the_file_counts_them(tmp_path: Path) -> None:
    """However the split has moved them."""
    rows = [f"{i},{0.5 if i != 6 else 3}" for i in range(1, 11)]
    (tmp_path / "bad.csv").write_text("\n".join(["x,y", *rows]))
    for seed in range(4):
        spec = make_spec(
            source="bad.csv",
            folder=tmp_path,
            data={"target": "y", "validation": 0.5},
            layers=[{"activation": "sigmoid"}],
            loss="binary_entropy",
            seed=seed,
        )
        with pytest.raises(DataError, match="data row 6"):
            load_problem(spec)


@kinds
def test_the_sheet_says_which_rows_are_which(kind: str, tmp_path: Path) -> None:
    spec = stopping(kind, tmp_path)
    problem = load_problem(spec)
    sheetnet.export(spec, tmp_path / "book.xlsx", sheets=WITHOUT_VIEWS)
    sheet = openpyxl.load_workbook(tmp_path / "book.xlsx")["Data"]
    head = next(row for row in sheet.iter_rows() if row[0].value == "row")
    assert head[1].value == "used for"
    below = list(sheet.iter_rows(min_row=head[0].row + 1, values_only=True))
    assert [row[0] for row in below] == list(range(1, len(below) + 1))
    assert [row[1] for row in below] == ["training"] * problem.rows + [
        "validation"
    ] * problem.held_out
    inputs = [row[2 : 2 + problem.network.inputs] for row in below]
    assert np.array_equal(np.array(inputs, dtype=float), problem.inputs.raw)
    # Their fill follows a rule, so that it is there wherever the text is.
    top, last = head[0].row + 1 + problem.rows, head[0].row + len(below)
    rules = {
        rule.formula[0]: str(found.sqref)
        for found in sheet.conditional_formatting
        for rule in found.rules
    }
    shaded = rules[f'$B{top}="validation"']
    assert shaded.startswith(f"A{top}:") and shaded.endswith(str(last))


def test_without_held_out_rows_nothing_of_it_is_there(tmp_path: Path) -> None:
    sheetnet.export(make_spec(), tmp_path / "book.xlsx")
    book = openpyxl.load_workbook(tmp_path / "book.xlsx")
    sheets = ["Guide", "Config", "Data", "Init", "Train", "Epochs"]
    assert book.sheetnames == [*sheets, "Step", "Predict", "Compare"]
    texts = {cell.value for sheet in book for row in sheet.iter_rows() for cell in row}
    assert not texts & {"used for", "stopped", "wait", "improved", "val_loss", "patience"}


# --- scaling


@pytest.mark.parametrize("scale", ["standard", "minmax"])
def test_statistics_are_those_of_the_training_rows(scale: str, tmp_path: Path) -> None:
    (tmp_path / "stopping.csv").write_text(TABLE)
    data = {"target": ["u", "v"], "validation": 0.4, "scale": scale, "target_scale": scale}
    for seed in range(3):
        spec = make_spec(
            source="stopping.csv",
            folder=tmp_path,
            data=data,
            layers=[{"activation": "linear"}],
            seed=seed,
        )
        problem = load_problem(spec)
        for side in (problem.inputs, problem.targets):
            training = side.raw[: problem.rows]
            if scale == "standard":
                expected = (side.raw - training.mean(axis=0)) / training.std(axis=0)
            else:
                low, high = training.min(axis=0), training.max(axis=0)
                expected = (side.raw - low) / (high - low)
            assert np.allclose(side.values, expected, rtol=1e-12, atol=1e-13)
            if scale == "minmax":
                assert side.values[: problem.rows].min() == 0
                assert side.values[: problem.rows].max() == 1
    sheetnet.export(spec, tmp_path / "book.xlsx", sheets=WITHOUT_VIEWS)
    model = Model(tmp_path / "book.xlsx")
    sheet = openpyxl.load_workbook(tmp_path / "book.xlsx")["Data"]
    head = next(row for row in sheet.iter_rows() if row[0].value == "row")
    last, top = sheet.max_row, head[0].row + 1
    ledgers = ledgers_of_run(sheetnet.train(spec))
    # A held-out value of another size moves no statistic, and so no training.
    model.put("Data", last, 3, 1e3)
    train, epochs = ledgers["train"], ledgers["epochs"]
    assert np.array_equal(model.numbers(train.region), train.values)
    column = epochs.labels.index("val_loss")
    assert (model.numbers(epochs.region)[:, column] != epochs.get("val_loss")).all()
    model.put("Data", top, 3, 1e3)
    assert (model.numbers(train.region)[-1] != train.values[-1]).any()


# --- the forward pass, straightforwardly

ACTIVATIONS: dict[str, Callable[[Array], Array]] = {
    "tanh": np.tanh,
    "relu": lambda z: np.maximum(z, 0),
    "linear": lambda z: z,
    "sigmoid": lambda z: 1 / (1 + np.exp(-z)),
    "softmax": lambda z: np.exp(z) / np.exp(z).sum(axis=1, keepdims=True),
}
LOSSES: dict[str, Callable[[Array, Array], Array]] = {
    "mse": lambda y, a: ((y - a) ** 2).mean(axis=1),
    "binary_entropy": lambda y, a: -(y * np.log(a) + (1 - y) * np.log(1 - a)).mean(axis=1),
    "cross_entropy": lambda y, a: -(y * np.log(a)).sum(axis=1),
}


def forward(run: Run, epoch: int) -> list[Array]:
    """z and a of all layers for the held-out rows, with the weights an epoch reached."""
    problem = run.problem
    a, found = problem.inputs.values[problem.rows :], []
    for layer in problem.network.layers:
        weights, bias = (run.by_epoch(f"{name}{layer.index}")[epoch] for name in "Wb")
        z = a @ weights.T + bias
        a = ACTIVATIONS[layer.activation.name](z)
        found += [z, a]
    return found


@kinds
def test_the_forward_pass(kind: str, tmp_path: Path) -> None:
    """Dropout is off; there is a row for each epoch and held-out row, with its flag."""
    run = sheetnet.train(stopping(kind, tmp_path))
    sheet = ledgers_of_run(run)["validation"]
    rows, epochs, last = run.problem.held_out, len(run.epochs), len(run.problem.network.layers)
    assert len(sheet.values) == rows * epochs and rows >= 3
    assert sheet.get("epoch").tolist() == [e + 1.0 for e in range(epochs) for _ in range(rows)]
    samples = [run.problem.rows + 1.0 + i for i in range(rows)]
    assert sheet.get("sample").tolist() == samples * epochs
    flags = [0.0, *run.by_epoch("stopped")[:-1].tolist()]
    assert sheet.get("stopped").tolist() == [flag for flag in flags for _ in range(rows)]
    y = run.problem.targets.values[run.problem.rows :]
    for e in range(epochs):
        found = sheet.values[e * rows : (e + 1) * rows]

        def held(name: str, found: Array = found) -> Array:
            columns = [i for i, label in enumerate(sheet.labels) if label.split("[")[0] == name]
            return found[:, columns]

        assert np.array_equal(held("x"), run.problem.inputs.values[run.problem.rows :])
        assert np.array_equal(held("y"), y)
        quantities = forward(run, e)
        for i, value in enumerate(quantities):
            name = f"{'za'[i % 2]}{i // 2 + 1}"
            assert np.allclose(held(name), value, rtol=1e-11, atol=1e-13), name
        a = quantities[-1]
        loss = LOSSES[run.problem.network.loss.name](y, a)
        assert np.allclose(held("loss")[:, 0], loss, rtol=1e-9, atol=1e-12)
        assert run.by_epoch("val_loss")[e] == pytest.approx(loss.mean(), rel=1e-9)
        if kind == "classes":
            right = y.argmax(axis=1) == a.argmax(axis=1)
            hits = [int((right & (y[:, k] == 1)).sum()) for k in range(3)]
            assert run.by_epoch("val_hits")[e].tolist() == hits
            assert run.by_epoch("val_accuracy")[e] == pytest.approx(right.mean())
        elif kind == "threshold":
            right = (y[:, 0] >= 0.5) == (a[:, 0] >= 0.5)
            assert run.by_epoch("val_accuracy")[e] == pytest.approx(right.mean())
        else:
            assert run.by_epoch("val_rmse")[e] == pytest.approx(np.sqrt(((y - a) ** 2).mean()))
    assert sheet.labels[-1] == "loss" and f"a{last}[1]" in sheet.labels


def test_held_out_rows_train_nothing(tmp_path: Path) -> None:
    """The same weights as a training on a file of the training rows alone."""
    spec = stopping("numbers", tmp_path, patience=None, min_delta=None)
    problem = load_problem(spec)
    lines = TABLE.splitlines()
    assert problem.table.source_rows is not None
    kept = [lines[row] for row in problem.table.source_rows[: problem.rows]]
    (tmp_path / "training.csv").write_text("\n".join([lines[0], *kept]))
    data = {**KINDS["numbers"]["data"], "validation": 0.0}
    alone = {**KINDS["numbers"], "source": "training.csv", "data": data, "epochs": 7}
    del alone["patience"], alone["min_delta"]
    run, other = sheetnet.train(spec), sheetnet.train(make_spec(folder=tmp_path, **alone))
    assert run.ledger.labels == other.ledger.labels
    assert np.array_equal(run.matrix, other.matrix)


# --- what is refused

SPEC = '[data]\nsource = "d.csv"\ntarget = "y"\n{data}\n[[layers]]\n[training]\n{training}\n'
WRONG: list[tuple[str, str, str]] = [
    ("validation = 1", "", "data.validation"),
    ("validation = 1.0", "", "data.validation"),
    ("validation = -0.1", "", "data.validation"),
    ('validation = "a"', "", "data.validation"),
    ("validation = true", "", "data.validation"),
    ("validation = nan", "", "data.validation"),
    ("validation = [0.2]", "", "data.validation"),
    ("validation = 0.99", "", "data.validation"),
    ("validation = 0.5\nrows = 1", "", "data.validation"),
    ("validate = 0.5", "", "validation"),
    ("", "patience = 3", "training.patience"),
    ("validation = 0", "patience = 3", "training.patience"),
    ("", "min_delta = 0.1", "training.min_delta"),
    ("validation = 0.5", "patience = 0", "training.patience"),
    ("validation = 0.5", "patience = -1", "training.patience"),
    ("validation = 0.5", "patience = 1.5", "training.patience"),
    ("validation = 0.5", 'patience = "2"', "training.patience"),
    ("validation = 0.5", "patience = true", "training.patience"),
    ("validation = 0.5", "patience = inf", "training.patience"),
    ("validation = 0.5", "patience = 1\nmin_delta = -1e-9", "training.min_delta"),
    ("validation = 0.5", "patience = 1\nmin_delta = nan", "training.min_delta"),
    ("validation = 0.5", "patienc = 1", "patience"),
]


@pytest.mark.parametrize(("data", "training", "key"), WRONG)
def test_one_line_that_names_the_key(data: str, training: str, key: str, tmp_path: Path) -> None:
    (tmp_path / "d.csv").write_text("x,y\n1,2\n3,4\n")
    (tmp_path / "s.toml").write_text(SPEC.format(data=data, training=training))
    for command in ("export", "train"):
        done = run(command, tmp_path / "s.toml")
        assert (done.exit_code, done.stdout) == (2, ""), done.output
        assert done.stderr.startswith("Error: ") and done.stderr.count("\n") == 1
        assert key in done.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["d.csv", "s.toml"]
