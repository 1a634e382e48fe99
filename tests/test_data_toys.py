"""Toy sets: what they hold, how they follow from seed and rows."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from support import make_spec

from sheetnet.data import Table, load_table
from sheetnet.errors import DataError
from sheetnet.toys import TOYS

LOGIC = {"and": [0, 0, 0, 1], "or": [0, 1, 1, 1], "xor": [0, 1, 1, 0]}
DRAWN = ["line", "circles", "moons", "spiral", "blobs"]


def load(name: str, seed: int = 0, *, labelled: bool = False, **data: Any) -> Table:
    spec = make_spec(source=f"toy:{name}", data=data)
    return load_table(spec.data, spec.folder, seed, labelled=labelled)


def values(table: Table) -> list[list[object]]:
    goal = table.targets[:, 0].tolist() if table.targets is not None else table.labels
    assert goal is not None
    return [[*x, y] for x, y in zip(table.inputs.tolist(), goal, strict=True)]


def test_the_sets_there_are() -> None:
    assert set(TOYS) == {*LOGIC, *DRAWN}  # another one belongs into these tests


@pytest.mark.parametrize("name", LOGIC)
def test_logic_tables(name: str) -> None:
    table = load(name)
    assert table.inputs.tolist() == [[0, 0], [0, 1], [1, 0], [1, 1]]
    assert table.targets is not None
    assert table.targets[:, 0].tolist() == LOGIC[name]
    assert values(load(name, seed=7)) == values(table)  # nothing is drawn
    assert load(name, rows=2).rows == 2
    assert load(name, rows=100).rows == 4


@pytest.mark.parametrize("name", DRAWN)
def test_drawn_sets(name: str) -> None:
    assert load(name).rows == 100
    table = load(name, rows=30)
    assert table.rows == 30
    assert values(load(name, rows=30)) == values(table)
    assert values(load(name, seed=1, rows=30)) != values(table)
    assert np.array_equal(np.round(table.inputs, 6), table.inputs)
    assert np.isfinite(table.inputs).all()
    assert np.abs(table.inputs).max() < 5
    assert len({tuple(row) for row in table.inputs.tolist()}) == 30
    for rows in (1, 2, 500):
        assert load(name, rows=rows).rows == rows


@pytest.mark.parametrize("name", ["circles", "moons", "spiral"])
def test_two_classes_in_the_plane(name: str) -> None:
    table = load(name, rows=40)
    assert (table.input_names, table.target_names) == (("x1", "x2"), ("class",))
    assert table.targets is not None
    assert np.bincount(table.targets[:, 0].astype(int)).tolist() == [20, 20]
    assert load(name, labelled=True).labels is not None  # softmax takes them as classes


def test_blobs_are_three_labelled_clouds() -> None:
    table = load("blobs", rows=30)
    assert table.labels is not None
    assert sorted(set(table.labels)) == ["blob_a", "blob_b", "blob_c"]
    assert all(list(table.labels).count(label) == 10 for label in set(table.labels))


def test_the_line_is_a_line() -> None:
    table = load("line", rows=1000)
    assert table.targets is not None
    slope, intercept = np.polyfit(table.inputs[:, 0], table.targets[:, 0], 1)
    assert slope == pytest.approx(2, abs=0.05)
    assert intercept == pytest.approx(1, abs=0.05)
    assert np.array_equal(np.round(table.targets, 6), table.targets)


def test_sets_never_change() -> None:
    # The same spec must give the same workbook with any version of NumPy or sheetnet.
    first = {name: values(load(name, seed=3, rows=3))[2] for name in DRAWN}
    assert first == FIXED


FIXED: dict[str, list[object]] = {
    "line": [0.880905, 2.658929],
    "circles": [0.882937, -0.346679, 0.0],
    "moons": [-0.992492, 0.049054, 0.0],
    "spiral": [-0.23847, -0.943772, 0.0],
    "blobs": [0.056302, 0.72494, "blob_c"],
}


def test_columns_of_a_toy_can_be_chosen() -> None:
    table = load("circles", inputs=["x2"], target="x1", rows=5)
    whole = load("circles", rows=5)
    assert table.input_names == ("x2",)
    assert table.targets is not None
    assert table.targets[:, 0].tolist() == whole.inputs[:, 0].tolist()


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [("xorr", {}, "did you mean 'xor'"), ("", {}, "allowed:"), ("XOR", {}, "allowed:"),
     ("moon", {}, "did you mean 'moons'"), ("xor", {"target": "z"}, "no column 'z'"),
     ("xor", {"inputs": ["x3"]}, "no column 'x3'"), ("xor", {"inputs": ["y"]}, "both an input")],
)  # fmt: skip
def test_wrong_names(name: str, data: dict[str, Any], words: str) -> None:
    with pytest.raises(DataError, match=words):
        load(name, **data)


def test_a_toy_has_no_sheets() -> None:
    with pytest.raises(DataError, match=r"data\.sheet"):
        load("xor", sheet="one")
