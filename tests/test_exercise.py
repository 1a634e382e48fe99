"""Exercises: what is asked, what the sheets hold and hide, what the checks say."""

from __future__ import annotations

import re
import subprocess
import zipfile
from pathlib import Path
from xml.sax.saxutils import escape

import numpy as np
import pytest
from hand_ins import BLANK, answered, but, formula, hand_out, moons, number, place
from openpyxl import load_workbook
from support import make_spec, run

import sheetnet
from sheetnet.classroom import prints
from sheetnet.classroom.asking import GROUPS, labels_of, visits_of, written
from sheetnet.classroom.plan import Exercise
from sheetnet.errors import LimitError, OutputError, SpecError
from sheetnet.problem import load_problem
from sheetnet.reader.cells import Odd, Values
from sheetnet.reader.package import open_package
from sheetnet.recalc import recalculate
from sheetnet.recalc.libreoffice import convert
from sheetnet.regions import address
from sheetnet.run import train

XOR = load_problem(make_spec(epochs=2))


# --- what is asked


@pytest.mark.parametrize(
    ("blank", "expected"),
    [
        ("loss", ["loss"]),
        ("deltas", ["delta2[1]", "delta1[1]", "delta1[2]", "delta1[3]"]),
        ("dW2", ["dW2[1,1]", "dW2[1,2]", "dW2[1,3]"]),
        ("W1[2,1], dW1[3,2]", ["W1[2,1]", "dW1[3,2]"]),
        ("db", ["db2[1]", "db1[1]", "db1[2]", "db1[3]"]),
        ("loss,z2,loss", ["z2[1]", "loss"]),
    ],
)
def test_names(blank: str, expected: list[str]) -> None:
    assert list(labels_of(XOR.network, blank)) == expected


def test_groups_are_all_that_is_computed_and_nothing_else() -> None:
    layers = [{"units": 2, "activation": "relu", "dropout": 0.3}, {"activation": "sigmoid"}]
    spec = make_spec(layers=layers, batch_size=2, optimizer="adam", clip=0.2, clip_norm=1.0)
    problem = load_problem(spec)
    found = {name: labels_of(problem.network, name) for name in GROUPS}
    together = [label for labels in found.values() for label in labels]
    assert len(together) == len(set(together))
    ledger = train(problem).ledger
    given = {"place", "input", "target", "drawn"}
    computed = {la for b in ledger.blocks if b.kind not in given for la in b.labels}
    assert set(together) == computed
    assert found["batch"][:3] == ("count", "sW1[1,1]", "sW1[1,2]")
    assert found["clipping"][0] == "cW1[1,1]" and "norm" in found["clipping"]
    assert {label[0] for label in found["optimizer"]} == {"m", "v"}


@pytest.mark.parametrize(
    ("blank", "message"),
    [
        ("gradient", r"'gradient' is not there \(did you mean 'gradients'\?\); allowed: forward, "),
        ("batch", "batch: this network has none of it; allowed: forward, loss, deltas"),
        ("x[1]", "x\\[1\\]: it is given, not computed"),
        ("y", "y: it is given, not computed"),
        ("W1[9,9]", "'W1\\[9,9\\]' is not there"),
        (" , ", "--blank is empty; allowed: "),
    ],
)
def test_unknown_names_are_told_with_what_is_allowed(blank: str, message: str) -> None:
    with pytest.raises(SpecError, match=message):
        labels_of(XOR.network, blank)


def test_visits() -> None:
    assert visits_of("1:3,7", 8) == (1, 2, 3, 7)
    assert visits_of(" 2 , 1:2", 8) == (1, 2)
    assert written((1, 2, 3, 7)) == "1:3,7" and written((4,)) == "4"


@pytest.mark.parametrize("text", ["", "0", "3:1", "9", "1:9", "1-3", "a", "1:", "1:2:3", "٣"])
def test_visits_that_are_none(text: str) -> None:
    with pytest.raises(SpecError, match="--visits"):
        visits_of(text, 8)


def test_a_gap_that_would_tell_an_answer(tmp_path: Path) -> None:
    """W(given) − W(asked) is the update, where no other lies between."""
    for visits in ("1:2,4", "1,3"):
        with pytest.raises(SpecError, match="would tell the answers of visit"):
            hand_out(tmp_path / "a.xlsx", visits=visits)
    assert hand_out(tmp_path / "a.xlsx", visits="1:2,5").rows[2].visit == 4
    batches = moons(batch_size=3)
    with pytest.raises(SpecError, match="weights of visit 5, which is given"):
        hand_out(tmp_path / "b.xlsx", batches, visits="3,6")  # 4 and 5 update nothing
    assert hand_out(tmp_path / "b.xlsx", batches, visits="3,8").visits == (3, 8)
    assert not list(tmp_path.glob("*.part"))


def test_too_much_diverged_and_existing(tmp_path: Path) -> None:
    with pytest.raises(LimitError, match="Ask for fewer --visits"):
        hand_out(tmp_path / "a.xlsx", make_spec(epochs=2000), blank="forward", visits="1:8000")
    with pytest.raises(SpecError, match=r"dW\d\[\d,\d\] of visit \d+ is no number"):
        spec = make_spec(
            layers=[{"units": 2, "activation": "relu"}, {"activation": "linear", "units": 1}],
            loss="mse",
            learning_rate=1e200,
            epochs=20,
        )
        hand_out(tmp_path / "a.xlsx", spec, blank="gradients", visits="40:42")
    with pytest.raises(SpecError, match="--digits 9"):
        hand_out(tmp_path / "a.xlsx", digits=9)
    assert not list(tmp_path.iterdir())
    (tmp_path / "a.xlsx").write_text("mine")
    with pytest.raises(OutputError, match="--force"):
        sheetnet.exercise(moons(), tmp_path / "a.xlsx", overwrite=False)
    assert (tmp_path / "a.xlsx").read_text() == "mine"


# --- what the workbook holds


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("exercise")


@pytest.fixture(scope="module")
def handed_out(folder: Path) -> tuple[Path, Exercise]:
    path = folder / "sheet.xlsx"
    return path, hand_out(path, visits="1:2,6")


def test_rows_columns_and_names(handed_out: tuple[Path, Exercise]) -> None:
    path, exercise = handed_out
    train = load_workbook(path)["Train"]
    names = [cell.value for cell in train[4]]
    run = sheetnet.train(moons())
    assert [n for n in names if not n.startswith("check ")] == list(run.ledger.labels)
    at = names.index("dW2[1,1]")
    assert names[at : at + 4] == ["dW2[1,1]", "dW2[1,2]", "check dW2[1,1]", "check dW2[1,2]"]
    assert [train.cell(r, 1).value for r in range(5, 9)] == [1, 2, 5, 6]
    assert train.max_row == 8
    for r, visit in ((5, 1), (6, 2), (8, 6)):
        blank = {n for c, n in enumerate(names, 1) if train.cell(r, c).value is None}
        assert blank == set(exercise.labels), visit
    given = [cell.value for cell in train[7] if cell.value is not None]
    assert given == pytest.approx(run.matrix[4].tolist(), rel=1e-12)  # constants, no formulas


def test_what_a_cell_shows_before_anything_is_typed(handed_out: tuple[Path, Exercise]) -> None:
    """The values in the file are those that formulas have with blank cells."""
    path, exercise = handed_out
    book = load_workbook(path, data_only=True)
    asked = len(exercise.cells)
    assert book["Train"]["B1"].value == book["Exercise"]["A4"].value == f"0 of {asked} right"
    with recalculate(open_package(path), "ironcalc") as values:
        for title in ("Train", "Checks", "Exercise"):
            sheet = book[title]
            fresh = values(title, sheet.max_row, sheet.max_column)
            for cells in load_workbook(path)[title].iter_rows():
                for cell in cells:
                    if cell.data_type == "f":
                        found = sheet[cell.coordinate].value
                        value = fresh.at(cell.row, cell.column)
                        shown = value.text if isinstance(value, Odd) else value
                        assert (found or 0.0 if shown == 0 else found or "") == shown, cell
    assert book["Checks"].sheet_state == "veryHidden"


def solutions_in(path: Path, exercise: Exercise, *, digits: int) -> list[str]:
    """Where numbers or formulas of blank cells stand in a file's XML, rounded or not.

    Numbers that are given anyway do not count: δ = a where the target is 0, the first
    step of Adam is the learning rate.
    """
    found, sizes = [], []
    others = np.abs(exercise.numbers[[not row.asked for row in exercise.rows]]).ravel()
    others = np.append(others, list(exercise.problem.hyperparameters.values()))
    asked = [exercise.own.labels.index(label) for label in exercise.labels]
    for cell in exercise.cells:
        given = np.append(np.delete(np.abs(exercise.numbers[cell.i]), asked), others)
        size = abs(float(exercise.numbers[cell.i, cell.c]))
        if not np.isclose(given, size, rtol=1e-3).any():
            sizes.append(size)
    wanted = np.array(sizes)
    known = [f for label in exercise.labels if (f := exercise.formulas[label]) is not None]
    forms = {text for formula in known for text in (formula.first, formula.rest)}
    patterns = []
    for form in forms:
        text = re.sub(r"\\\{[rp]\\\}", r"\\$?\\d+", re.escape(escape(form)))
        # A mere reference is the solution only where it is all of a formula.
        plain = re.fullmatch(r"[A-Z]+\{r\}", form)
        patterns.append(re.compile(f"^{text}$" if plain else rf"(?<![A-Z$]){text}(?![\w(*])"))
    with zipfile.ZipFile(path) as package:
        for part in package.namelist():
            content = re.sub("<pageMargins[^>]*>", "", package.read(part).decode())
            for token in re.findall(r"(?<![\w.$#])-?\d+\.\d+(?:[eE][+-]?\d+)?(?![\w.])", content):
                value = abs(float(token))
                near = np.abs(wanted - value) <= 0.5 * 10.0 ** (1 - digits) * wanted
                if near.any() and not value.is_integer():
                    found.append(f"{part}: {token}")
            for formula_text in re.findall(r"<f[^>]*>([^<]*)</f>", content):
                found += [f"{part}: {formula_text}" for p in patterns if p.search(formula_text)]
    return found


def test_no_solution_stands_in_the_file(tmp_path: Path) -> None:
    """Neither numbers (to 4 digits) nor formulas, in whatever part; the search finds them."""
    for blank, visits, spec in (
        (BLANK, "1:2", moons()),
        ("forward,loss,deltas,gradients,updates", "2,7:8", moons()),
        ("gradients,batch,optimizer,updates", "1:3", moons(batch_size=2, optimizer="adam")),
    ):
        path = tmp_path / "sheet.xlsx"
        exercise = hand_out(path, spec, blank=blank, visits=visits)
        assert solutions_in(path, exercise, digits=4) == []
        full = answered(path, tmp_path / "full.xlsx", exercise)
        assert len(solutions_in(full, exercise, digits=4)) >= len(exercise.cells)
        typed = answered(path, tmp_path / "typed.xlsx", exercise, number)
        assert len(solutions_in(typed, exercise, digits=4)) >= len(exercise.cells) / 2


def test_notes_of_what_is_asked_tell_no_formula(folder: Path) -> None:
    spec = moons(optimizer="momentum")
    path = folder / "notes.xlsx"
    hand_out(path, spec, blank="forward,updates", visits="1")
    book = load_workbook(path)
    notes = {c.value: c.comment.text for c in book["Train"][4] if c.comment is not None}
    assert notes["z1[1]"].endswith("weighted sum: to be filled in")
    assert "=" in notes["dW1[1,1]"] and "←" in notes["vW1[1,1]"]
    asked = [n for n in notes if re.match(r"[za]\d|u[Wb]\d", n)]
    assert asked and not any("=" in notes[n] or "Σ" in notes[n] for n in asked)
    for title in ("Config", "Init"):
        assert not any(c.comment for cells in book[title].iter_rows() for c in cells)
    config = {row[0].value: row[2].value for row in book["Config"].iter_rows()}
    assert config["optimizer"] is None and config["loss"]


def test_same_spec_same_bytes(folder: Path) -> None:
    for name in ("one", "two"):
        hand_out(folder / f"{name}.xlsx")
    assert (folder / "one.xlsx").read_bytes() == (folder / "two.xlsx").read_bytes()


def test_audit_finds_no_fault(handed_out: tuple[Path, Exercise]) -> None:
    """None but what it holds against openpyxl's own way of writing fonts and fills."""
    audit = pytest.importorskip("openxml_audit")
    validator = audit.OpenXmlValidator(max_errors=0)
    plain = handed_out[0].with_name("plain.xlsx")
    sheetnet.export(moons(), plain, sheets=["Guide"])
    kinds = [
        {re.sub(r"\d+", "n", str(error.description)) for error in validator.validate(path).errors}
        for path in (handed_out[0], plain)
    ]
    assert kinds[0] <= kinds[1]


def test_stopping_is_left_out(folder: Path) -> None:
    spec = sheetnet.load_spec(
        Path(__file__).parent.parent / "examples/overfitting_early_stopping.toml"
    )
    made = sheetnet.exercise(spec, folder / "stop.xlsx", blank="loss", visits="2:3")
    assert made.stopping and not made.exercise.problem.network.stops
    run = sheetnet.train(spec)
    column = made.exercise.own.labels.index("loss")
    assert made.exercise.numbers[1:, column].tolist() == run["loss"][1:3].tolist()


# --- fingerprints


@pytest.mark.parametrize("digits", [2, 4, 6])
def test_a_fingerprint_accepts_the_digits_that_count_and_no_others(digits: int) -> None:
    random = np.random.RandomState(1)
    for value in [*(random.uniform(-1, 1, 30) * 10.0 ** random.randint(-8, 8, 30)), 0.0]:
        unit = prints.unit_of(value, abs(value), digits)
        salt = int(random.randint(*prints.SALTS))
        wanted = prints.print_of(value, unit, salt)

        def accepted(typed: float, unit: float = unit, salt: int = salt, w: int = wanted) -> bool:
            return w in (prints.print_of(typed + off * unit, unit, salt) for off in (-1, 0, 1))

        for typed, right in (
            (value, True),
            (float(f"{value:.{digits - 1}e}"), True),
            (value + 0.99 * unit, True),
            (value - 0.99 * unit, True),
            (value + 2.01 * unit, False),
            (value - 2.01 * unit, False),
            (-value, value == 0),
            (value * 2, value == 0),
        ):
            size = abs(value)
            assert accepted(typed) == prints.near(typed, value, size, digits) == right, value


# --- what the checks say, in each application


def said(values: Values, exercise: Exercise) -> dict[tuple[str, int], str]:
    """(column, visit) -> what its check says."""
    found = {}
    for cell in exercise.cells:
        held = values.at(cell.row, cell.check)
        found[(cell.label, cell.visit)] = held.text if isinstance(held, Odd) else repr(held)
    return found


@pytest.fixture(scope="module")
def tried(handed_out: tuple[Path, Exercise]) -> tuple[Path, Exercise]:
    """One cell of each sort; all else is right."""
    path, exercise = handed_out
    true = {(c.label, c.visit): float(exercise.numbers[c.i, c.c]) for c in exercise.cells}
    others = {
        ("delta1[1]", 1): "=1",
        ("dW1[2,2]", 1): None,
        ("dW2[1,1]", 2): "what?",
        ("dW2[1,2]", 2): "=1/0",
        ("db2[1]", 6): float(f"{true[('db2[1]', 6)]:.4g}"),
        ("ub2[1]", 6): true[("ub2[1]", 6)] * 1.01,
    }
    return answered(path, path.with_name("tried.xlsx"), exercise, but(others, formula)), exercise


def expected_of(exercise: Exercise) -> dict[tuple[str, int], str]:
    """The wrong ones, what follows from them, and all that is right by itself."""
    found = {(cell.label, cell.visit): "right" for cell in exercise.cells}
    for cell in exercise.cells:
        if cell.visit == 2:  # the weights are no longer those that they should be
            found[(cell.label, 2)] = "waits"
    for label in ("dW1[1,1]", "dW1[1,2]", "db1[1]", "uW1[1,1]", "uW1[1,2]", "ub1[1]"):
        found[(label, 1)] = "waits"
    found |= {("delta1[1]", 1): "wrong", ("dW1[2,2]", 1): "", ("uW1[2,2]", 1): "waits"}
    found |= {("ub2[1]", 6): "wrong"}
    return found


def assert_said(values: Values, exercise: Exercise) -> None:
    found, expected = said(values, exercise), expected_of(exercise)
    second = {key for key in found if key[1] == 2}
    assert {k: v for k, v in found.items() if k not in second} == {
        k: v for k, v in expected.items() if k not in second
    }
    assert {found[key] for key in second} <= {"waits", "right"}
    assert found[("dW2[1,1]", 2)] == found[("dW2[1,2]", 2)] == "waits"
    right = sum(value == "right" for value in found.values())
    assert values.at(1, 2) == Odd("text", f"{right} of {len(found)} right")


@pytest.mark.libreoffice
def test_checks_in_libreoffice(tried: tuple[Path, Exercise], tmp_path: Path) -> None:
    path, exercise = tried
    result = open_package(convert(path, tmp_path, "xlsx"))
    from sheetnet.reader.grid import read_grid

    assert_said(read_grid(result, "Train", 8, exercise.ledger.width), exercise)


@pytest.mark.gnumeric
def test_checks_in_gnumeric(tried: tuple[Path, Exercise], tmp_path: Path) -> None:
    path, exercise = tried
    target = tmp_path / "gnumeric.xlsx"
    command = ["ssconvert", "--recalc", str(path), str(target)]
    subprocess.run(command, check=True, capture_output=True)
    from sheetnet.reader.grid import read_grid

    assert_said(read_grid(open_package(target), "Train", 8, exercise.ledger.width), exercise)


def test_checks_as_others_depend_on_cells(tried: tuple[Path, Exercise]) -> None:
    """formualizer, with Excel's dependencies: no circle, and the same words."""
    import formualizer
    from ledgers import without_values

    path, exercise = tried
    book = formualizer.load_workbook(str(without_values(path)))
    book.evaluate_all()
    area = formualizer.RangeAddress("Train", 5, 1, 8, exercise.ledger.width)
    rows = book.sheet("Train").get_values(area)
    found = {(c.label, c.visit): rows[c.row - 5][c.check - 1] or "" for c in exercise.cells}
    expected = expected_of(exercise)
    assert {k: v for k, v in found.items() if k[1] != 2} == {
        k: v for k, v in expected.items() if k[1] != 2
    }
    assert {found[k] for k in found if k[1] == 2} <= {"waits", "right"}


def test_a_wrong_cell_says_so_once_what_it_builds_upon_is_right(
    handed_out: tuple[Path, Exercise], tmp_path: Path
) -> None:
    path, exercise = handed_out
    wrong = {("db2[1]", 2): 7.0, ("dW2[1,2]", 2): "text", ("dW2[1,1]", 2): "=1/0"}
    target = answered(path, tmp_path / "a.xlsx", exercise, but(wrong))
    with recalculate(open_package(target), "ironcalc") as values:
        found = said(values("Train", 8, exercise.ledger.width), exercise)
    assert found[("db2[1]", 2)] == "wrong" and found[("ub2[1]", 2)] == "waits"
    assert found[("dW2[1,2]", 2)] == found[("dW2[1,1]", 2)] == "no number"
    others = {k: v for k, v in found.items() if k not in wrong and not k[0].startswith("u")}
    assert set(others.values()) == {"right"}


def test_changed_inputs_are_told(handed_out: tuple[Path, Exercise], tmp_path: Path) -> None:
    path, exercise = handed_out
    for also in ({"Config!B6": 0.25}, {"Init!B6": 9.0}, {"Data!B6": 3.0}):
        target = answered(path, tmp_path / "a.xlsx", exercise, also=also)
        with recalculate(open_package(target), "ironcalc") as values:
            shown = values("Train", 1, 2).at(1, 2)
        assert isinstance(shown, Odd) and shown.text.startswith("inputs changed: "), also


def test_address_of_first_cell(handed_out: tuple[Path, Exercise]) -> None:
    path, exercise = handed_out
    first = exercise.cells[0]
    link = load_workbook(path)["Exercise"]
    targets = [c.hyperlink.location for cells in link.iter_rows() for c in cells if c.hyperlink]
    assert f"Train!{address(first.row, first.column)}" in targets
    assert place(exercise, first.label, first.visit) == address(first.row, first.column)


@pytest.mark.parametrize("command", ["verify", "diff"])
def test_it_is_for_grade(command: str, handed_out: tuple[Path, Exercise], tmp_path: Path) -> None:
    """Its training is not whole: verify would find every blank cell wrong."""
    path = handed_out[0]
    books = [path, path] if command == "diff" else [path]
    result = run(command, *books)
    assert result.exit_code == 2
    assert result.stderr == (
        f"Error: {path.name} is an exercise, with cells left blank: sheetnet grade {path.name}\n"
    )
