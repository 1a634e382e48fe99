"""Grading one hand-in: right, wrong, missing, hard-coded; what was altered; what is no hand-in."""

from __future__ import annotations

import math
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hand_ins import BLANK, answered, but, by_name, hand_out, moons, number, numbers_of, place
from openpyxl import Workbook, load_workbook
from soffice import Job, edit_in_libreoffice
from support import make_spec

import sheetnet
from sheetnet.classroom.grading import grade_file
from sheetnet.classroom.judging import refers
from sheetnet.classroom.plan import Asked, Exercise
from sheetnet.classroom.report import Graded

PETALS = {"inputs": ["petal_length_cm", "petal_width_cm"], "rows": 120}

Handed = tuple[Path, Exercise]


@pytest.fixture(scope="module")
def handed_out(tmp_path_factory: pytest.TempPathFactory) -> Handed:
    path = tmp_path_factory.mktemp("grade") / "sheet.xlsx"
    return path, hand_out(path, visits="1:2,6")


def graded(path: Path, original: Path | None = None) -> Graded:
    return grade_file(str(path), None if original is None else str(original), None)


def test_nothing_filled_in(handed_out: Handed) -> None:
    path, exercise = handed_out
    counts = by_name(graded(path))
    assert numbers_of(counts["all"]) == (0, 0, len(exercise.cells), 0)
    names = "all delta2 dW2 db2 delta1 dW1 db1 uW1 ub1 uW2 ub2"
    assert list(counts) == names.split()
    assert sum(c.missing for c in counts.values()) == 2 * len(exercise.cells)
    assert graded(path).altered == ()


def test_formulas_are_right_and_numbers_hard_coded(handed_out: Handed, tmp_path: Path) -> None:
    path, exercise = handed_out
    best = graded(answered(path, tmp_path / "best.xlsx", exercise), path)
    assert numbers_of(by_name(best)["all"]) == (len(exercise.cells), 0, 0, 0)
    typed = graded(answered(path, tmp_path / "typed.xlsx", exercise, number), path)
    assert numbers_of(by_name(typed)["all"]) == (0, 0, 0, len(exercise.cells))
    assert best.altered == typed.altered == ()


def test_a_wrong_cell_is_found_itself_and_not_what_follows(
    handed_out: Handed, tmp_path: Path
) -> None:
    """δ₂ without the target: all gradients and updates after it are others, and right."""
    path, exercise = handed_out
    a2, wrong = place(exercise, "a2[1]", 1), place(exercise, "delta2[1]", 1)
    target = answered(path, tmp_path / "a.xlsx", exercise, but({("delta2[1]", 1): f"={a2}*2"}))
    counts = by_name(graded(target))
    assert numbers_of(counts["all"]) == (len(exercise.cells) - 1, 1, 0, 0)
    first = counts["all"].first_wrong
    assert first is not None and first == counts["delta2"].first_wrong
    assert (first.cell, first.column, first.visit) == (f"Train!{wrong}", "delta2[1]", 1)
    assert first.holds.endswith(f" by ={a2}*2")
    true = sheetnet.train(moons())["delta2"][0, 0]
    assert first.wanted == pytest.approx(true, rel=1e-12)


def tricks(exercise: Exercise) -> dict[tuple[str, int], tuple[str | float | None, str]]:
    """(column, visit) -> what is typed, and the verdict that it deserves."""
    true = {(c.label, c.visit): float(exercise.numbers[c.i, c.c]) for c in exercise.cells}

    def at(label: str, visit: int) -> str:
        return place(exercise, label, visit)

    d2, d1 = at("delta2[1]", 1), at("delta1[1]", 2)
    rate = exercise.problem.hyperparameters["learning_rate"]
    return {
        ("dW2[1,1]", 1): (true[("dW2[1,1]", 1)], "hard_coded"),
        ("dW2[1,2]", 1): (f"={true[('dW2[1,2]', 1)]!r}", "hard_coded"),
        ("db2[1]", 1): (f"={true[('db2[1]', 1)]!r}+0*{d2}", "hard_coded"),
        ("dW1[1,1]", 1): (f"=-{-true[('dW1[1,1]', 1)]!r}", "hard_coded"),
        ("uW2[1,1]", 1): (f"=-{rate}*{at('dW2[1,1]', 1)}", "hard_coded"),
        ("uW2[1,2]", 1): (f"={at('dW2[1,2]', 1)}*learning_rate", "wrong"),
        ("ub2[1]", 1): (f"=-(learning_rate*{at('db2[1]', 1)})", "right"),
        ("dW1[2,1]", 1): ("  ", "missing"),
        ("dW1[2,2]", 1): ("no idea", "wrong"),
        ("db1[2]", 1): ("=1/0", "wrong"),
        ("db1[1]", 2): (f"=1*{d1}+SUM({d1}:{d1})*0", "right"),
        ("db1[2]", 2): (f"={at('delta1[1]', 2)}", "wrong"),
        ("dW1[1,1]", 2): (f"=ROUND({d1}*{at('x[1]', 2)},7)", "right"),
        # Right here and now, but it reads another visit's δ, which blank cells have led to.
        ("delta2[1]", 6): (None, "missing"),
        ("dW2[1,1]", 6): (f"={at('delta2[1]', 6)}*{at('a1[2]', 6)}", "wrong"),
        ("dW2[1,2]", 6): (f"={at('delta2[1]', 6)}*{at('a1[2]', 6)}", "right"),
        ("db2[1]", 6): (0.0, "hard_coded"),
        ("ub2[1]", 6): (math.pi, "wrong"),
    }


def test_tricks(handed_out: Handed, tmp_path: Path) -> None:
    """Numbers in the clothes of formulas, formulas that are right by chance, and the like."""
    path, exercise = handed_out
    known = tricks(exercise)
    typed = {key: content for key, (content, _) in known.items()}
    target = answered(path, tmp_path / "a.xlsx", exercise, but(typed))
    from sheetnet.classroom.hand_in import open_hand_in
    from sheetnet.classroom.judging import judge

    verdicts = {
        (j.asked.label, j.asked.visit): j.verdict for j in judge(open_hand_in(target, None))
    }
    assert {key: verdicts[key] for key in known} == {key: v for key, (_, v) in known.items()}
    assert {v for key, v in verdicts.items() if key not in known} == {"right"}


def test_a_formula_that_reads_the_wrong_cell_of_the_same_value(tmp_path: Path) -> None:
    """In XOR's fourth sample both inputs are 1: only other inputs tell the columns apart."""
    spec = make_spec(epochs=1)
    path = tmp_path / "sheet.xlsx"
    exercise = hand_out(path, spec, blank="dW1", visits="4")
    delta, other = place(exercise, "delta1[1]", 4), place(exercise, "x[2]", 4)
    typed = {("dW1[1,1]", 4): f"={delta}*{other}"}
    counts = by_name(graded(answered(path, tmp_path / "a.xlsx", exercise, but(typed))))
    assert numbers_of(counts["dW1"]) == (5, 0, 0, 1)


def test_numbers_of_finite_differences_and_formulas_by_hand(tmp_path: Path) -> None:
    """A linear perceptron, solved by somebody who has never seen sheetnet's formulas."""
    spec = make_spec(
        source="toy:line", data={"rows": 3}, layers=[{"units": 1, "activation": "linear"}], epochs=1
    )
    path = tmp_path / "sheet.xlsx"
    exercise = hand_out(path, spec, blank="forward,loss,deltas,gradients,updates", visits="1:2")
    sheet = load_workbook(path, data_only=True)
    names = [cell.value for cell in sheet["Train"][4]]
    row = {name: cell.value for name, cell in zip(names, sheet["Train"][5], strict=True)}
    x, y, w, b = (float(row[name]) for name in ("x[1]", "y[1]", "W1[1,1]", "b1[1]"))

    def loss(w: float, b: float) -> float:
        return (y - (w * x + b)) ** 2

    h = 1e-5
    gradient = (loss(w + h, b) - loss(w - h, b)) / (2 * h)
    bias = (loss(w, b + h) - loss(w, b - h)) / (2 * h)
    first = {"z1[1]": w * x + b, "a1[1]": w * x + b, "loss": loss(w, b), "delta1[1]": bias}
    first |= {"dW1[1,1]": gradient, "db1[1]": bias}
    first |= {"uW1[1,1]": -0.5 * gradient, "ub1[1]": -0.5 * bias}

    def by_hand(cell: Asked, text: str, true: float) -> str | float:
        if cell.visit == 1:
            return first[cell.label]
        at = {name: place(exercise, name, 2) for name in exercise.columns}
        return {
            "z1[1]": f"={at['x[1]']}*{at['W1[1,1]']}+{at['b1[1]']}",
            "a1[1]": f"={at['z1[1]']}",
            "loss": f"=({at['a1[1]']}-{at['y[1]']})^2",
            "delta1[1]": f"=2*({at['a1[1]']}-{at['y[1]']})",
            "dW1[1,1]": f"={at['x[1]']}*{at['delta1[1]']}",
            "db1[1]": f"=-2*({at['y[1]']}-{at['a1[1]']})",
            "uW1[1,1]": f"=0-{at['dW1[1,1]']}*Config!$B$6",
            "ub1[1]": f"=0-learning_rate*{at['db1[1]']}",
        }[cell.label]

    target = answered(path, tmp_path / "a.xlsx", exercise, by_hand)
    assert numbers_of(by_name(graded(target, path))["all"]) == (8, 0, 0, 8)


@pytest.mark.parametrize(
    ("form", "expected"),
    [("=1+2", False), ("=-0.5", False), ("=PI()", False), ("=A1", True), ("=learning_rate", True)],
)
def test_what_refers(form: str, expected: bool) -> None:
    assert refers(form) == expected


# --- every kind of network


@pytest.mark.parametrize(
    "spec",
    [
        moons(batch_size=4, optimizer="adam", clip=0.1, clip_norm=0.2),
        moons(batch_size=2, optimizer="nesterov", shuffle=True),
        make_spec(
            source="iris.csv",
            folder=Path(__file__).parent.parent / "examples",
            data={"target": "species", "scale": "standard", "validation": 0.2, **PETALS},
            layers=[{"units": 2, "activation": "relu", "dropout": 0.4}, {"activation": "softmax"}],
            optimizer="rmsprop",
            batch_size=2,
            epochs=1,
        ),
        make_spec(
            source="toy:line",
            layers=[{"units": 2, "activation": "leaky_relu", "train_bias": False}, {"units": 1}],
            data={"target_scale": "minmax"},
            optimizer="adagrad",
            epochs=1,
        ),
    ],
    ids=["adam", "nesterov", "softmax", "leaky"],
)
def test_all_that_can_be_asked_of_any_network(spec: sheetnet.spec.Spec, tmp_path: Path) -> None:
    """The true formulas are right, and each with another sign is wrong (where it is not 0)."""
    from sheetnet.classroom.asking import group_of
    from sheetnet.ledger import ledger_of
    from sheetnet.problem import load_problem

    blocks = ledger_of(load_problem(spec).network).blocks
    groups = dict.fromkeys(g for block in blocks if (g := group_of(block)) is not None)
    path = tmp_path / "sheet.xlsx"
    exercise = hand_out(path, spec, blank=",".join(groups), visits="2")
    best = answered(path, tmp_path / "best.xlsx", exercise)
    counts = by_name(graded(best, path))
    assert numbers_of(counts["all"]) == (len(exercise.cells), 0, 0, 0), counts
    assert graded(best, path).altered == ()

    def turned(cell: Asked, text: str, true: float) -> str:
        return f"=1.1*({text[1:]})"

    worst = by_name(graded(answered(path, tmp_path / "worst.xlsx", exercise, turned), path))
    zeros = sum(exercise.numbers[c.i, c.c] == 0 for c in exercise.cells)
    assert worst["all"].right <= zeros + len(exercise.cells) // 20
    assert worst["all"].wrong >= len(exercise.cells) // 2


# --- what was altered


def test_altered_inputs_and_given_cells_are_named(handed_out: Handed, tmp_path: Path) -> None:
    path, exercise = handed_out
    loss, z = place(exercise, "loss", 1), place(exercise, "z1[1]", 2)
    given = place(exercise, "W1[1,1]", 5)
    also = {
        "Config!B6": 0.25,
        "Data!B6": 3.0,
        "Init!C7": 0.125,
        f"Train!{loss}": 0.5,
        f"Train!{z}": "=1+1",
        f"Train!{given}": 0.0,
    }
    target = answered(path, tmp_path / "a.xlsx", exercise, also=also)
    found = graded(target, path)
    assert found.altered == (
        "learning_rate",
        f"{exercise.problem.table.input_names[0]} (Data!B6)",
        "W1[2,2] (Init!C7)",
        f"Train!{loss} (loss, visit 1)",
        f"Train!{z} (z1[1], visit 2)",
        f"Train!{given} (W1[1,1], visit 5)",
    )
    # Formulas are right all the same: they follow from what the sheet holds.
    assert by_name(found)["all"].right == len(exercise.cells)
    alone = graded(target)
    assert alone.altered[0] == "inputs" and f"Train!{loss} (loss, visit 1)" in alone.altered


def test_inserted_rows_and_columns_are_followed(handed_out: Handed, tmp_path: Path) -> None:
    """A file as Excel saves it: openpyxl moves no formulas, so only numbers are typed."""
    path, exercise = handed_out
    target = answered(path, tmp_path / "a.xlsx", exercise, number)
    book = load_workbook(target)
    book["Train"].insert_cols(exercise.columns["delta2[1]"])
    book["Train"].insert_rows(7)
    book.save(target)
    found = graded(target, path)
    assert found.altered == ("rows or columns inserted",)
    assert by_name(found)["delta2"].hard_coded == 3


def test_changed_numbers_are_judged_by_the_original_where_it_is_given(
    handed_out: Handed, tmp_path: Path
) -> None:
    """One who halves the learning rate so that his numbers fit."""
    path, exercise = handed_out
    run = sheetnet.train(moons(learning_rate=0.25))
    update = float(run["uW2"][0, 0, 0])
    typed = but({("uW2[1,1]", 1): update}, number)
    target = answered(path, tmp_path / "a.xlsx", exercise, typed, also={"Config!B6": 0.25})
    assert by_name(graded(target))["uW2"].first_wrong is not None  # the others no longer fit
    found = graded(target, path)
    assert found.altered == ("learning_rate",)


# --- what is no hand-in


def cut(path: Path, target: Path, share: float) -> Path:
    content = path.read_bytes()
    target.write_bytes(content[: int(len(content) * share)])
    return target


def problem_of(path: Path, original: Path | None = None) -> str:
    found = graded(path, original)
    assert found.counts == () and found.problem is not None
    assert "\n" not in found.problem and str(path) not in found.problem
    return found.problem


def test_files_that_are_no_hand_ins(handed_out: Handed, tmp_path: Path) -> None:
    path, _ = handed_out
    assert problem_of(tmp_path / "none.xlsx") == "no such file"
    assert problem_of(tmp_path) == "no file but a device or a pipe"
    empty = tmp_path / "empty.xlsx"
    empty.touch()
    assert problem_of(empty) == "an empty file"
    for share in (0.3, 0.9, 0.999):
        assert "not an xlsx workbook" in problem_of(cut(path, tmp_path / "cut.xlsx", share))
    locked = tmp_path / "locked.xlsx"
    locked.write_bytes(bytes.fromhex("d0cf11e0a1b11ae1") + bytes(500))
    assert "encrypted with a password" in problem_of(locked)
    spec = tmp_path / "spec.toml"
    spec.write_text("[data]\nsource = 'toy:xor'\n")
    assert "not an xlsx workbook" in problem_of(spec)
    plain = tmp_path / "plain.xlsx"
    Workbook().save(plain)
    assert problem_of(plain) == "no exercise: it has no sheet 'Checks'"
    exported = sheetnet.export(moons(), tmp_path / "exported.xlsx", sheets=["Train"]).path
    assert problem_of(exported).startswith("no exercise (a workbook of sheetnet export)")


def test_answers_to_another_exercise(handed_out: Handed, tmp_path: Path) -> None:
    path, _ = handed_out
    other = tmp_path / "other.xlsx"
    made = hand_out(other, visits="1:3")
    assert problem_of(other, path) == "the answer to another exercise"
    seed = tmp_path / "seed.toml"
    seed.write_text(
        "[data]\nsource = 'toy:xor'\n[[layers]]\nactivation = 'sigmoid'\n[training]\nepochs = 2\n"
    )
    found = grade_file(str(other), None, str(seed))
    assert found.problem == "the answer to an exercise of another spec"
    # Without the sheet of checks the original still tells what was asked.
    target = answered(other, tmp_path / "a.xlsx", made)
    book = load_workbook(target)
    del book["Checks"]
    book.save(target)
    assert problem_of(target).startswith("no exercise")
    assert by_name(graded(target, other))["all"].right == len(made.cells)


def rewritten(source: Path, target: Path, part: str, old: bytes, new: bytes) -> Path:
    with zipfile.ZipFile(source) as package, zipfile.ZipFile(target, "w") as out:
        for name in package.namelist():
            content = package.read(name)
            if name == part:
                assert old in content
                content = content.replace(old, new)
            out.writestr(name, content)
    return target


def test_damaged_and_hostile_ones(handed_out: Handed, tmp_path: Path) -> None:
    path, exercise = handed_out
    book = "xl/workbook.xml"
    damaged = rewritten(path, tmp_path / "a.xlsx", book, b"</workbook>", b"<")
    assert "damaged" in problem_of(damaged)
    entity = b"<!DOCTYPE x [<!ENTITY a 'b'>]><workbook"
    hostile = rewritten(path, tmp_path / "b.xlsx", book, b"<workbook", entity)
    assert "refused" in problem_of(hostile)
    bomb = tmp_path / "c.xlsx"
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as package:
        package.writestr("xl/workbook.xml", bytes(400_000_000))
    assert problem_of(bomb) == "400 MB unpacked, too large for an exercise"
    also = {"Config!B6": "fast"}
    assert "learning_rate" in problem_of(answered(path, tmp_path / "d.xlsx", exercise, also=also))
    broken = answered(path, tmp_path / "e.xlsx", exercise, also={"Checks!B4": "many"})
    assert "digits is text many" in problem_of(broken)
    gone = answered(path, tmp_path / "f.xlsx", exercise, also={"Train!A6": None})
    assert problem_of(gone) == "visit 2 is gone from the first column of Train"
    title = f"Train!{place(exercise, 'loss', 1)[:-1]}4"
    nameless = answered(path, tmp_path / "g.xlsx", exercise, also={title: "cost"})
    assert problem_of(nameless) == f"the name 'loss' is gone: it stood in {title}"


# --- as applications save it


@pytest.mark.libreoffice
def test_typed_in_libreoffice(handed_out: Handed, tmp_path: Path) -> None:
    """Typed and saved as a student does it; LibreOffice writes the rest in its own way."""
    path, exercise = handed_out
    edits: dict[str, float | str] = {}
    for n, cell in enumerate(exercise.cells):
        where = f"Train!{place(exercise, cell.label, cell.visit)}"
        form = exercise.formulas[cell.label]
        assert form is not None
        text = form.rest.replace("{r}", str(cell.row)).replace("{p}", str(cell.row - 1))
        true = float(exercise.numbers[cell.i, cell.c])
        if n % 7 == 0:
            edits[where] = float(f"{true:.4g}")
        elif n % 7 == 1:
            edits[where] = "do not know"
        elif n % 7 != 2:
            edits[where] = "=" + text.replace(",", ";")
    target = tmp_path / "typed.xlsx"
    edit_in_libreoffice([Job(path, target, edits)], tmp_path)
    found = graded(target, path)
    total = len(exercise.cells)
    every = [sum(n % 7 == k for n in range(total)) for k in range(7)]
    assert numbers_of(by_name(found)["all"])[1:] == (every[1], every[2], every[0])
    assert found.altered == ()


def test_shared_formulas_as_excel_fills_down(handed_out: Handed, tmp_path: Path) -> None:
    path, exercise = handed_out
    target = answered(path, tmp_path / "a.xlsx", exercise)
    column = place(exercise, "db2[1]", 1)[:-1]
    text = load_workbook(target)["Train"][f"{column}5"].value[1:]
    with zipfile.ZipFile(target) as package:
        part = "xl/worksheets/sheet5.xml"
        content = package.read(part).decode()
    assert f"<f>{text}</f>" in content
    shared = content.replace(
        f"<f>{text}</f>", f'<f t="shared" ref="{column}5:{column}6" si="0">{text}</f>', 1
    )
    below = text.replace("5", "6")
    assert f"<f>{below}</f>" in shared
    at = shared.index(f'r="{column}6"')
    shared = shared[:at] + shared[at:].replace(f"<f>{below}</f>", '<f t="shared" si="0"/>', 1)
    target = rewritten(target, tmp_path / "b.xlsx", part, content.encode(), shared.encode())
    assert by_name(graded(target, path))["all"].right == len(exercise.cells)


def test_right_numbers_are_what_training_says(handed_out: Handed) -> None:
    _, exercise = handed_out
    run = sheetnet.train(moons())
    visits = np.array([row.visit for row in exercise.rows]) - 1
    assert np.array_equal(exercise.numbers, run.matrix[visits])
    assert exercise.blank == BLANK
