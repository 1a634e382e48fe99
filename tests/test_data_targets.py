"""From table to network: classes and their coding, scaling, targets that suit the loss."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support import make_spec

from sheetnet.errors import DataError, SheetnetError, SpecError
from sheetnet.problem import Problem, load_problem


@pytest.fixture
def csv(tmp_path: Path) -> Path:
    return tmp_path / "d.csv"


def problem(
    csv: Path, content: str, activation: str, units: int | None = None, **extra: Any
) -> Problem:
    """One layer over the columns of ``content``; ``y`` is the target unless given."""
    csv.write_text(content)
    data = {"target": extra.pop("target", "y")}
    for key in ("scale", "target_scale", "rows", "inputs"):
        if key in extra:
            data[key] = extra.pop(key)
    layer: dict[str, Any] = {"activation": activation}
    if units is not None:
        layer["units"] = units
    spec = make_spec(source=csv.name, layers=[layer], data=data, folder=csv.parent, **extra)
    return load_problem(spec)


def complaint(kind: type[SheetnetError], *args: Any, **extra: Any) -> str:
    with pytest.raises(kind) as caught:
        problem(*args, **extra)
    return str(caught.value)


TWO = "a,y\n1,dog\n2,cat\n3,dog\n"
THREE = "a,y\n1,dog\n2,cat\n3,eel\n4,cat\n"


# --- classes


def test_two_classes_on_a_sigmoid_are_0_and_1_in_sorted_order(csv: Path) -> None:
    made = problem(csv, TWO, "sigmoid")
    assert made.classes == ("cat", "dog")
    assert made.network.outputs == 1
    assert made.targets.values.tolist() == [[1.0], [0.0], [1.0]]


@pytest.mark.parametrize("activation", ["softmax", "sigmoid"])
def test_as_many_units_as_classes_are_one_hot(csv: Path, activation: str) -> None:
    made = problem(csv, TWO, activation, units=2)
    assert made.targets.values.tolist() == [[0, 1], [1, 0], [0, 1]]
    made = problem(csv, THREE, activation, units=3)
    assert made.classes == ("cat", "dog", "eel")
    assert made.targets.values.tolist() == [[0, 1, 0], [1, 0, 0], [0, 0, 1], [1, 0, 0]]


def test_units_of_softmax_follow_from_the_classes(csv: Path) -> None:
    assert problem(csv, THREE, "softmax").network.outputs == 3
    assert problem(csv, TWO, "softmax").network.outputs == 2


def test_text_classes_are_sorted_as_texts_and_kept_apart(csv: Path) -> None:
    content = "a,y\n1,b\n2,B\n3,a\n4,ä\n5,10x\n6,9x\n"
    made = problem(csv, content, "softmax")
    assert made.classes == ("10x", "9x", "B", "a", "b", "ä")


def test_numeric_classes_are_sorted_as_numbers(csv: Path) -> None:
    made = problem(csv, "a,y\n1,10\n2,9\n3,-1.5\n4,10.0\n", "softmax")
    assert made.classes == (-1.5, 9.0, 10.0)
    assert made.targets.values.tolist() == [[0, 0, 1], [0, 1, 0], [1, 0, 0], [0, 0, 1]]


def test_numbers_on_a_sigmoid_are_targets_not_classes(csv: Path) -> None:
    made = problem(csv, "a,y\n1,0\n2,1\n3,0.25\n", "sigmoid")
    assert made.classes is None
    assert made.targets.values.tolist() == [[0.0], [1.0], [0.25]]


def test_one_class_only(csv: Path) -> None:
    for activation in ("sigmoid", "softmax"):
        message = complaint(DataError, csv, "a,y\n1,cat\n2,cat\n", activation)
        assert "one class only" in message
        assert "cat" in message
    assert "one class" in complaint(DataError, csv, "a,y\n1,3\n2,3\n", "softmax")


def test_three_classes_on_one_sigmoid(csv: Path) -> None:
    for units in (None, 1, 2):
        message = complaint(SpecError, csv, THREE, "sigmoid", units)
        assert "3 classes" in message
        assert "softmax" in message


def test_units_and_classes_do_not_match(csv: Path) -> None:
    assert "3 classes" in complaint(SpecError, csv, THREE, "softmax", 2)
    assert "2 classes" in complaint(SpecError, csv, TWO, "softmax", 3)


def test_a_class_is_not_scaled(csv: Path) -> None:
    message = complaint(SpecError, csv, TWO, "sigmoid", target_scale="standard")
    assert "target_scale" in message
    assert "class" in message


def test_rows_are_cut_before_classes_are_counted(csv: Path) -> None:
    assert problem(csv, THREE, "sigmoid", rows=2).classes == ("cat", "dog")


# --- targets that suit the loss


@pytest.mark.parametrize(("bad", "row"), [("2.0", 2), ("-0.5", 2), ("1.0000000001", 2)])
def test_binary_entropy_needs_targets_from_0_to_1(csv: Path, bad: str, row: int) -> None:
    message = complaint(DataError, csv, f"a,y\n1,0\n2,{bad}\n3,1\n", "sigmoid")
    assert "binary_entropy" in message
    assert "'y'" in message
    assert f"row {row}" in message
    assert problem(csv, f"a,y\n1,0\n2,{bad}\n", "sigmoid", loss="mse").rows == 2


def test_binary_entropy_sees_scaled_targets(csv: Path) -> None:
    content = "a,y\n1,10\n2,20\n3,30\n"
    assert problem(csv, content, "sigmoid", target_scale="minmax").rows == 3
    assert "binary_entropy" in complaint(
        DataError, csv, content, "sigmoid", target_scale="standard"
    )


def test_cross_entropy_needs_shares(csv: Path) -> None:
    target = ["y1", "y2"]
    fine = "a,y1,y2\n1,0.25,0.75\n2,1,0\n"
    assert problem(csv, fine, "softmax", target=target).classes is None
    message = complaint(DataError, csv, fine + "3,0.5,0.6\n", "softmax", target=target)
    assert "add up to 1" in message
    assert "row 3" in message
    assert "1.1" in message
    message = complaint(DataError, csv, fine + "3,-1,2\n", "softmax", target=target)
    assert "0 to 1" in message
    assert "'y1'" in message
    assert problem(csv, fine + "3,5,-7\n", "softmax", target=target, loss="mse").rows == 3


# --- scaling


def test_standard_scaling_by_an_independent_computation(csv: Path) -> None:
    made = problem(csv, "a,b,y\n1,10,0\n2,10,1\n4,10,0\n9,10,1\n", "sigmoid", scale="standard")
    a = [1.0, 2.0, 4.0, 9.0]
    mean = math.fsum(a) / 4
    deviation = math.sqrt(math.fsum((x - mean) ** 2 for x in a) / 4)  # of the population
    assert made.inputs.values[:, 0] == pytest.approx([(x - mean) / deviation for x in a], rel=1e-14)
    assert made.inputs.values[:, 1].tolist() == [0.0] * 4  # a constant column is no error
    assert made.inputs.raw.tolist() == [[x, 10.0] for x in a]
    assert made.targets.values.tolist() == [[0.0], [1.0], [0.0], [1.0]]  # left as they are


def test_minmax_scaling(csv: Path) -> None:
    made = problem(csv, "a,b,y\n-2,7,0\n0,7,1\n6,7,1\n", "sigmoid", scale="minmax")
    assert made.inputs.values[:, 0].tolist() == [0.0, 0.25, 1.0]
    assert made.inputs.values[:, 1].tolist() == [0.0] * 3


def test_target_scaling_is_apart_from_the_inputs(csv: Path) -> None:
    content = "a,y,z\n1,10,0\n2,30,5\n"
    made = problem(csv, content, "linear", target=["y", "z"], target_scale="minmax")
    assert made.inputs.values.tolist() == [[1.0], [2.0]]
    assert made.targets.values.tolist() == [[0.0, 0.0], [1.0, 1.0]]


def test_scaling_is_fitted_to_the_rows_in_use(csv: Path) -> None:
    content = "a,y\n0,0\n10,1\n1000,1\n"
    made = problem(csv, content, "sigmoid", scale="minmax", rows=2)
    assert made.inputs.values.tolist() == [[0.0], [1.0]]


@pytest.mark.parametrize("scale", ["standard", "minmax"])
def test_scaling_of_numbers_too_large(csv: Path, scale: str) -> None:
    # A sheet has errors where NumPy has infinity: a statistic that is one must not pass.
    content = "a,y\n-1.7e308,0\n1.7e308,1\n0,1\n"
    message = complaint(DataError, csv, content, "sigmoid", scale=scale)
    assert "data.scale" in message
    assert "'a'" in message


def test_scaled_values_feed_the_training(csv: Path) -> None:
    made = problem(csv, "a,y\n5,0\n7,1\n", "sigmoid", scale="minmax")
    assert np.array_equal(made.inputs.values, [[0.0], [1.0]])
    assert made.network.inputs == 1
