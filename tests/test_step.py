"""The microscope: any step, any weight, recomputed from the step's own inputs and weights."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import pytest
from faults import assert_first, change
from openpyxl.worksheet.worksheet import Worksheet
from support import make_spec, run

import sheetnet
from sheetnet.concepts.optimizers import OPTIMIZERS
from sheetnet.layout import layout_of
from sheetnet.problem import load_problem
from sheetnet.reader.package import open_package
from sheetnet.recalc import recalculate
from sheetnet.run import Run
from sheetnet.spec import Spec
from sheetnet.views.step_layout import CHECK_ROW, StepLayout
from sheetnet.views.view import Content

IRIS = {"source": "iris.csv", "data": {"target": "species", "scale": "standard", "rows": 60}}
EXAMPLES = Path(__file__).parent.parent / "examples"


def hidden(units: int, activation: str, **more: Any) -> dict[str, Any]:
    return {"units": units, "activation": activation, **more}


SPECS: dict[str, Spec] = {
    "xor": make_spec(),
    "perceptron": make_spec(
        source="toy:line", data={"rows": 5}, layers=[{"activation": "linear"}], learning_rate=0.1
    ),
    "fixed bias": make_spec(
        layers=[hidden(3, "sigmoid", train_bias=False), {"activation": "sigmoid"}], epochs=2
    ),
    "everything": make_spec(
        source="toy:moons",
        data={"rows": 17, "validation": 0.2, "scale": "standard"},
        layers=[hidden(4, "relu", dropout=0.4), hidden(3, "tanh"), {"activation": "sigmoid"}],
        batch_size=4,
        shuffle=True,
        optimizer="adam",
        clip=0.2,
        clip_norm=0.3,
        patience=1,
        seed=4,
    ),
    "softmax": make_spec(
        folder=EXAMPLES,
        **IRIS,
        layers=[hidden(3, "leaky_relu"), {"activation": "softmax"}],
        epochs=1,
    ),
    "coupled": make_spec(
        folder=EXAMPLES,
        **IRIS,
        layers=[hidden(2, "tanh"), {"activation": "softmax"}],
        loss="mse",
        epochs=1,
    ),
    "slope of the loss": make_spec(
        folder=EXAMPLES,
        source="iris.csv",
        data={
            "inputs": ["sepal_length_cm", "sepal_width_cm"],
            "target": ["petal_length_cm", "petal_width_cm"],
            "target_scale": "minmax",
            "rows": 12,
        },
        layers=[hidden(2, "tanh"), {"activation": "tanh"}],
        epochs=1,
        learning_rate=0.05,
    ),
    "wide": make_spec(
        folder=EXAMPLES,
        source="diabetes.csv",
        data={"target": "progression", "scale": "standard", "target_scale": "standard", "rows": 9},
        layers=[hidden(10, "tanh"), {"activation": "linear"}],
        epochs=1,
        learning_rate=0.01,
    ),
    **{f"optimizer {name}": make_spec(optimizer=name, batch_size=3) for name in OPTIMIZERS},
}

OPTIMIZER_NAMES = [name for name in SPECS if name.startswith("optimizer")]

ONLY = ("Step",)


def choose(book: Path, **choices: float) -> Path:
    """Type into the cells that the names mean."""

    def fault(opened: openpyxl.Workbook) -> None:
        for name, value in choices.items():
            title, _, cell = opened.defined_names[name].attr_text.partition("!")
            opened[title][cell.replace("$", "")].value = value

    return change(book, book, fault)


def calculated(book: Path, run: Run) -> dict[tuple[int, int], Content]:
    """What IronCalc has in the cells of the sheet."""
    view = views(run)[1]
    with recalculate(open_package(book), "ironcalc") as values:
        sheet = values("Step", *view)
    found: dict[tuple[int, int], Content] = {}
    for cell in step_cells(run):
        value = sheet.at(*cell)
        found[cell] = value if isinstance(value, float) else value.text
    return found


def views(run: Run) -> tuple[StepLayout, tuple[int, int]]:
    from sheetnet.views.make import views_of

    layout = layout_of(run.problem, ONLY)
    (view,) = views_of(run.problem, layout)
    return StepLayout(run.problem.network, layout.ledger), view.extent


def step_cells(run: Run) -> list[tuple[int, int]]:
    from sheetnet.views.make import views_of

    (view,) = views_of(run.problem, layout_of(run.problem, ONLY))
    return [(cell.row, cell.column) for cell in view.cells]


@pytest.mark.parametrize("name", SPECS)
def test_any_step_and_weight_agree_to_the_last_bit(name: str, tmp_path: Path) -> None:
    """With choices typed at random, the first step and a later one."""
    book = tmp_path / "book.xlsx"
    sheetnet.export(SPECS[name], book, sheets=ONLY)
    trained = sheetnet.train(SPECS[name])
    layers = trained.problem.network.layers
    drawn = random.Random(name)
    last = trained.problem.visits
    for step in (1, drawn.randint(2, last)) if name in OPTIMIZER_NAMES else (1, last):
        choices = {
            "step": step,
            "weight_layer": drawn.randint(1, len(layers)),
            "weight_unit": drawn.randint(1, max(layer.units for layer in layers)),
            "weight_input": drawn.randint(0, max(layer.inputs for layer in layers)),
            "nudge": drawn.choice([1e-4, 1e-3, 0.01]),
        }
        choose(book, **choices)
        report = sheetnet.verify(book)
        assert report.agree, (choices, report.to_text())
        for question in ("local", "trajectory"):
            found = report.checks[question]
            assert found.identical == found.cells, (choices, report.to_text())


def at(run: Run, book: Path) -> dict[str, Any]:
    """Quantities of the sheet by name, as arrays of the ledger's shape."""
    step, _ = views(run)
    cells = calculated(book, run)
    return {
        name: np.array([cells.get(place, np.nan) for place in box.places])
        for name, box in step.boxes.items()
    }


@pytest.mark.parametrize("name", ["xor", "everything", "coupled"])
def test_matrices_are_the_rows_of_the_ledger(name: str, tmp_path: Path) -> None:
    """What IronCalc makes of the sheet against the run, quantity by quantity."""
    book = sheetnet.export(SPECS[name], tmp_path / "book.xlsx", sheets=ONLY).path
    trained = sheetnet.train(SPECS[name])
    step = trained.problem.visits // 2 + 1
    choose(book, step=step)
    shown = at(trained, book)
    checked = 0
    for block in trained.ledger.blocks:
        if block.name in shown and block.name not in ("visit", "x"):
            np.testing.assert_array_equal(
                shown[block.name], np.ravel(trained[block.name][step - 1]), block.name
            )
            checked += 1
    assert checked > 10
    np.testing.assert_array_equal(shown["in1"], trained["x"][step - 1])
    np.testing.assert_array_equal(shown["newW1"], np.ravel(trained["W1"][step]))
    # δ is the product of the factors that stand before it.
    factors = shown["back1"] * shown["slope1"] * shown.get("k1", 1.0)
    np.testing.assert_allclose(factors, shown["delta1"], rtol=1e-15)


def labels(sheet: Worksheet, first: int, last: int) -> dict[str, Any]:
    return {str(sheet.cell(row, 1).value): sheet.cell(row, 2).value for row in range(first, last)}


@pytest.mark.parametrize("name", ["xor", "softmax", "coupled", "slope of the loss", "wide"])
def test_measured_gradients_are_those_of_back_propagation(name: str, tmp_path: Path) -> None:
    """The difference quotient of every weight, by IronCalc, against the run's gradient."""
    book = sheetnet.export(SPECS[name], tmp_path / "book.xlsx", sheets=ONLY).path
    trained = sheetnet.train(SPECS[name])
    step, _ = views(trained)
    drawn = random.Random(name)
    for layer in trained.problem.network.layers:
        for _ in range(2):
            unit, source = drawn.randint(1, layer.units), drawn.randint(0, layer.inputs)
            visit = drawn.randint(1, trained.problem.visits)
            choose(
                book, step=visit, weight_layer=layer.index, weight_unit=unit, weight_input=source
            )
            cells = calculated(book, trained)
            l = layer.index
            exact = (
                trained[f"dW{l}"][visit - 1, unit - 1, source - 1]
                if source
                else trained[f"db{l}"][visit - 1, unit - 1]
            )
            assert cells[(step.check_place("analytic"), 2)] == exact
            assert cells[(step.check_place("quotient"), 2)] == pytest.approx(exact, abs=1e-7)
            assert str(cells[(step.check_place("verdict"), 2)]).startswith("✓")
            update = trained[f"uW{l}" if source else f"ub{l}"][visit - 1, unit - 1]
            wanted = update[source - 1] if source else update
            assert cells[(step.factor_place("u"), 2)] == wanted


def test_a_kink_is_told(tmp_path: Path) -> None:
    """relu at z just below 0: the loss has no slope there on one side."""
    spec = make_spec(
        source="toy:and",
        data={"rows": 1},
        layers=[
            {"units": 1, "activation": "relu", "weights": [[0.0, 0.0]], "bias": [-0.00001]},
            {"units": 1, "activation": "sigmoid", "weights": [[1.0]]},
        ],
        epochs=1,
    )
    book = sheetnet.export(spec, tmp_path / "book.xlsx", sheets=ONLY).path
    choose(book, weight_layer=1, weight_unit=1, weight_input=0)
    trained = sheetnet.train(spec)
    step, _ = views(trained)
    verdict = calculated(book, trained)[(step.check_place("verdict"), 2)]
    assert str(verdict).startswith("✗ they differ: a kink")
    assert sheetnet.verify(book).agree


def test_a_step_of_errors_shows_errors(tmp_path: Path) -> None:
    spec = sheetnet.load_spec(EXAMPLES / "exploding_relu.toml")
    book = sheetnet.export(spec, tmp_path / "book.xlsx", sheets=ONLY).path
    trained = sheetnet.train(spec)
    assert trained.diverged_at is not None
    choose(book, step=trained.diverged_at + 1)
    step, _ = views(trained)
    cells = calculated(book, trained)
    assert str(cells[(step.check_place("verdict"), 2)]).startswith("no check")
    assert cells[(CHECK_ROW, 1)] == "✓ every number of this step equals the ledger's row on Train"
    report = sheetnet.verify(book)
    assert report.agree, report.to_text()


def test_a_unit_that_a_layer_has_not_is_its_last(tmp_path: Path) -> None:
    book = sheetnet.export(SPECS["xor"], tmp_path / "book.xlsx", sheets=ONLY).path
    choose(book, weight_layer=2, weight_unit=3, weight_input=3)
    trained = sheetnet.train(SPECS["xor"])
    step, _ = views(trained)
    cells = calculated(book, trained)
    assert (cells[(step.factor_row + 1, 2)], cells[(step.factor_row + 2, 2)]) == (1.0, 3.0)
    assert cells[(step.factor_place("W"), step.wide[3])] == "W2[1,3]"
    assert sheetnet.verify(book).agree


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("step", 0, "step) is 0: a whole number from 1 to 12 is needed"),
        ("step", 13, "step) is 13: "),
        ("step", 1.5, "step) is 1.5: "),
        ("weight_layer", 3, "weight_layer) is 3: a whole number from 1 to 2"),
        ("nudge", 0, "nudge) is 0: a number from 1e-09 to 1 is needed"),
        ("step", "two", "holds the text 'two': a number is needed"),
    ],
)
def test_what_cannot_be_chosen_is_one_line(
    name: str, value: Any, said: str, tmp_path: Path
) -> None:
    book = sheetnet.export(SPECS["xor"], tmp_path / "book.xlsx", sheets=ONLY).path
    choose(book, **{name: value})
    result = run("verify", book)
    assert result.exit_code == 2 and said in result.stderr, result.stderr
    assert result.stderr.count("\n") == 1


def named(sheet: str, cell: str, name: str) -> Any:
    """Redirect a defined name."""

    def fault(book: openpyxl.Workbook) -> None:
        book.defined_names[name].attr_text = f"{sheet}!{cell}"

    return fault


@pytest.mark.parametrize("fault", ["typed", "edited", "blank", "text", "shifted"])
def test_faults_are_found_where_they_are(fault: str, tmp_path: Path) -> None:
    """In cells of every part of the sheet."""
    book = sheetnet.export(SPECS["everything"], tmp_path / "book.xlsx", sheets=ONLY).path
    trained = sheetnet.train(SPECS["everything"])
    step, _ = views(trained)
    names = ["in1", "W2", "z1", "a3", "back1", "slope2", "delta1", "k1", "dW2", "mW1 before"]
    names += ["vhatW3", "ub1", "newW2", "W1+", "z2−", "loss", "norm", "y"]
    for name in random.Random(fault).sample(names, 3):
        place = list(step.boxes[name].places)[-1]

        def broken(opened: openpyxl.Workbook, place: tuple[int, int] = place) -> None:
            cell = opened["Step"].cell(*place)
            text = str(cell.value)
            shifted = text.replace("step", "(step+1)") if "step" in text else text + "*1"
            cell.value = {
                "typed": 0.5,
                "edited": f"{text}+1",
                "blank": None,
                "text": "0.5",
                "shifted": shifted,
            }[fault]

        bad = change(book, tmp_path / "bad.xlsx", broken)
        cell = openpyxl.utils.get_column_letter(place[1]) + str(place[0])
        report = sheetnet.verify(bad)
        first = report.checks["formulas"].first_failure
        assert not report.agree and first is not None, name
        assert (first.sheet, first.cell) == ("Step", cell), name
        assert first.quantity.startswith(name.rstrip("+−")), name


def test_redirected_names_are_found(tmp_path: Path) -> None:
    book = sheetnet.export(SPECS["xor"], tmp_path / "book.xlsx", sheets=ONLY).path
    bad = change(book, tmp_path / "bad.xlsx", named("Step", "$B$5", "step"))
    assert_first(sheetnet.verify(bad), "formulas", "Step", "A5", "defined name step", None)


@pytest.mark.libreoffice
def test_libreoffice_agrees(tmp_path: Path) -> None:
    for name in ("everything", "coupled", "wide"):
        book = tmp_path / f"{name}.xlsx"
        sheetnet.export(SPECS[name], book, sheets=ONLY)
        report = sheetnet.verify(book, "libreoffice")
        assert report.agree, report.to_text()


def test_the_first_step_shown_has_something_to_see() -> None:
    """XOR's first sample is (0, 0): all of its gradients of weights are 0."""
    from sheetnet.views.make import views_of

    problem = load_problem(SPECS["xor"])
    (view,) = views_of(problem, layout_of(problem, ONLY))
    assert view.defaults["step"] == 4
    assert view.visits(view.defaults) == {3, 4} and view.visits({"step": 1}) == {1}
