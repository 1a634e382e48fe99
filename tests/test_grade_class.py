"""A class graded side by side: tables, CSV and JSON; files that hang; the command lines."""

from __future__ import annotations

import csv
import io
import json
import os
import shutil
import sys
import time
import types
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import hostile
import pytest
from hand_ins import answered, but, hand_out, moons, number
from openpyxl import load_workbook
from support import run

import sheetnet
from sheetnet.classroom.plan import Exercise
from sheetnet.classroom.pool import grade_all
from sheetnet.classroom.report import BOM, Count, FirstWrong, Graded, Grading, tame
from sheetnet.errors import SheetnetError

SPEC = """
[data]
source = "toy:moons"
rows = 6
[[layers]]
units = 2
activation = "tanh"
[[layers]]
activation = "sigmoid"
[training]
epochs = 2
learning_rate = 0.5
"""


@dataclass(frozen=True)
class Class:
    """A folder of hand-ins, and the exercise that was handed out."""

    original: Path
    folder: Path
    exercise: Exercise


@pytest.fixture(scope="module")
def students(tmp_path_factory: pytest.TempPathFactory) -> Class:
    place = tmp_path_factory.mktemp("class")
    original, folder = place / "sheet.xlsx", place / "hand-ins"
    exercise = hand_out(original, blank="gradients,updates", visits="1:2")
    folder.mkdir()
    answered(original, folder / "ann.xlsx", exercise)
    answered(original, folder / "bob.xlsx", exercise, number)
    wrong = but({("dW1[1,1]", 1): "=1", ("db2[1]", 2): None})
    answered(original, folder / "=cmd.xlsx", exercise, wrong, also={"Config!B6": 0.25})
    (folder / "eve").mkdir()
    shutil.copy(original, folder / "eve" / "sheet.xlsx")
    (folder / "broken.xlsx").write_bytes(original.read_bytes()[:3000])
    for name in ("~$ann.xlsx", ".~lock.ann.xlsx#", "._ann.xlsx", "notes.txt"):
        (folder / name).write_text("locked")
    return Class(original, folder, exercise)


@pytest.fixture(scope="module")
def grading(students: Class) -> Grading:
    return sheetnet.grade([students.folder], exercise=students.original, jobs=2)


def test_a_folder(students: Class, grading: Grading) -> None:
    """Each workbook in it and below it, in order; locks and other files are none."""
    names = [os.path.relpath(each.file, students.folder) for each in grading.files]
    expected = [
        "=cmd.xlsx",
        "ann.xlsx",
        "bob.xlsx",
        "broken.xlsx",
        str(Path("eve") / "sheet.xlsx"),
    ]
    assert names == expected
    total = len(students.exercise.cells)
    alls = [each.counts[0] if each.counts else None for each in grading.files]
    assert [c and (c.right, c.wrong, c.missing, c.hard_coded) for c in alls] == [
        (total - 2, 1, 1, 0),
        (total, 0, 0, 0),
        (0, 0, 0, total),
        None,
        (0, 0, total, 0),
    ]
    assert grading.graded == 4 and grading.files[0].altered == ("learning_rate",)


def test_csv_is_safe_and_quoted(students: Class, grading: Grading) -> None:
    text = grading.to_csv()
    assert text.startswith(BOM)
    rows = list(csv.DictReader(io.StringIO(text.removeprefix(BOM))))
    quantities = 1 + len({cell.quantity for cell in students.exercise.cells})
    assert len(rows) == 4 * quantities + 1
    first = rows[0]
    assert first["quantity"] == "all" and first["wrong"] == "1" and first["hard_coded"] == "0"
    assert first["column"] == "dW1[1,1]" and first["remark"] == "altered: learning_rate"
    assert first["holds"] == "1 by =1" and float(first["wanted"])
    broken = next(row for row in rows if row["file"].endswith("broken.xlsx"))
    assert broken["quantity"] == "" and "not an xlsx" in broken["remark"]


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_texts_that_would_become_formulas_are_tamed(start: str) -> None:
    name = f'{start}cmd|"/c calc"!A1,\n2.xlsx'
    first = FirstWrong("Train!A5", "dW1[1,1]", 1, f"{start}a1", -0.5)
    counts = (Count("all", 1, 0, 1, 0, 0, first),)
    text = Grading((Graded(name, counts), Graded("b", problem=f"{start}x"))).to_csv()
    (head, row, other) = csv.reader(io.StringIO(text.removeprefix(BOM)))
    assert row[0] == f"'{name}" and row[head.index("holds")] == f"'{start}a1"
    assert row[head.index("wanted")] == "-0.5"  # a number stays one
    assert other[-1] == f"'{start}x"
    assert tame("plain = text") == "plain = text"


def test_a_table_does_nothing_to_a_terminal() -> None:
    name = "\x1b[2Jbob\n\u202e.xlsx"
    text = Grading((Graded(name, problem="x\x07y"),)).to_text()
    assert "\x1b" not in text and "\x07" not in text and "\u202e" not in text
    assert len(text.splitlines()) == 3


def test_names_that_are_no_unicode() -> None:
    Grading((Graded(os.fsdecode(b"b\xff.xlsx"), problem="x"),)).to_csv().encode()


@pytest.fixture(scope="module")
def hanging(students: Class) -> Path:
    """A hand-in with formulas that take for ever."""
    book = load_workbook(students.original)
    hostile.endless(book)
    path = students.folder.parent / "hanging.xlsx"
    book.save(path)
    return path


def test_one_that_hangs_does_not_stop_the_rest(students: Class, hanging: Path) -> None:
    """It is ended when its time is over, and others go on in the same place."""
    files = [students.folder / "ann.xlsx", hanging, students.folder / "bob.xlsx"]
    start = time.monotonic()
    seen: list[tuple[int, int]] = []
    found = sheetnet.grade(files, jobs=1, timeout=4, progress=lambda *n: seen.append(n))
    assert [each.problem for each in found.files] == [None, "took more than 4 s", None]
    assert seen == [(1, 3), (2, 3), (3, 3)]
    assert time.monotonic() - start < 60


TRAIN = "xl/worksheets/sheet5.xml"
OF_HAND_INS: dict[str, tuple[hostile.Maker, str]] = {
    "a long text": (
        hostile.edited(TRAIN, "A4", ">visit<", f">{hostile.LONG}<"), "A4 has more than 32767",
    ),
    "a long number": (
        hostile.edited(TRAIN, "A6", "<v>.*</v>", f"<v>{hostile.LONG}</v>"), "A6 has more than",
    ),
    "a long formula": (
        hostile.edited(TRAIN, "E6", "<f>.*</f>", f"<f>{hostile.LONG}</f>"), "E6 has more than 8192",
    ),
    "a part elsewhere": (hostile.elsewhere(TRAIN), "no sheet 'Train'"),
}  # fmt: skip


OF_FORMULAS = {
    hostile.chain: None, hostile.cycle: None, hostile.outside: None,
    hostile.nested: "ironcalc cannot calculate", hostile.doubling: "ironcalc cannot calculate",
}  # fmt: skip
"""What is said of hand-ins with such formulas; of some nothing."""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="memory is bounded on Linux")
def test_hostile_ones_end_in_bounds(students: Class, tmp_path: Path) -> None:
    """Each within 30 s and 300 MB beyond what a worker takes before it opens anything."""
    packages = ("many parts", "many bombs", "many sheets", "many names")
    refused = {name: hostile.REFUSED[name] for name in packages} | OF_HAND_INS
    makers = {name: maker for name, (maker, _) in refused.items()} | dict(hostile.HARMLESS)
    wanted = {name: refused[name][1] if name in refused else None for name in makers}
    paths = [
        hostile.written(students.original, tmp_path / f"{name}.xlsx", maker(students.original))
        for name, maker in makers.items()
    ]
    for put, words in OF_FORMULAS.items():
        path = tmp_path / f"{put.__name__}.xlsx"
        paths.append(hostile.with_formulas(students.original, path, put))
        wanted[path.stem] = words
    before = sorted(tmp_path.iterdir())
    graded = grade_all([str(p) for p in paths], None, None, timeout=30, memory=300_000_000)
    for words, found in zip(wanted.values(), graded, strict=True):
        if words is None:
            assert found.problem is None, found
        else:
            assert found.problem is not None and words in found.problem, found
    assert sorted(tmp_path.iterdir()) == before
    assert not list(Path("/tmp").glob("evil*"))


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="memory is bounded on Linux")
def test_one_that_eats_all_memory_does_not_either(students: Class) -> None:
    book = load_workbook(students.original)
    book.create_sheet("many")["A1"].value = "=SUMPRODUCT(Train!A1:ZZ200000*1)"
    path = students.folder.parent / "eater.xlsx"
    book.save(path)
    files = [str(path), str(students.folder / "ann.xlsx")]
    found = grade_all(files, None, None, jobs=1, memory=400_000_000)
    assert found[0].problem is not None and found[0].problem.startswith(
        "ironcalc cannot calculate eater.xlsx: it breaks off"
    )
    assert found[1].problem is None


def test_nothing_to_grade_and_bad_references(students: Class, tmp_path: Path) -> None:
    with pytest.raises(SheetnetError, match=r"there is no \.xlsx file to grade"):
        sheetnet.grade([tmp_path])
    shutil.copy(students.original, tmp_path / "sheet.xlsx")
    alone = tmp_path / "sheet.xlsx"
    with pytest.raises(SheetnetError, match=r"there is no \.xlsx file to grade"):
        sheetnet.grade([tmp_path], exercise=alone)  # the original is no hand-in
    with pytest.raises(SheetnetError, match="no such file"):
        sheetnet.grade([students.folder], exercise=tmp_path / "none.xlsx")
    changed = answered(
        students.original, tmp_path / "a.xlsx", students.exercise, also={"Config!B6": 1.0}
    )
    with pytest.raises(SheetnetError, match="inputs have been changed since it was written"):
        sheetnet.grade([students.folder], exercise=changed)


# --- the command lines


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    (tmp_path / "moons.toml").write_text(SPEC)
    monkeypatch.chdir(tmp_path)
    yield tmp_path


def test_exercise_and_grade_from_the_shell(students: Class, folder: Path) -> None:
    done = run("exercise", "moons.toml", "--blank", "gradients,updates", "--visits", "1:2")
    assert done.exit_code == 0, done.output
    cells = len(students.exercise.cells)
    assert done.stdout == f"moons_exercise.xlsx: {cells} cells to fill in (18 columns, 2 visits)\n"
    again = run("exercise", "moons.toml")
    assert again.exit_code == 2 and "--force" in again.stderr
    ann, eve = students.folder / "ann.xlsx", students.folder / "eve" / "sheet.xlsx"
    done = run("grade", ann, eve, "none.xlsx", "--spec", "moons.toml", "--csv", "class.csv")
    assert done.exit_code == 0, done.output
    lines = done.stdout.splitlines()
    assert lines[0].split() == [
        "file",
        "asked",
        "right",
        "wrong",
        "missing",
        "hard-coded",
        "first",
        "wrong",
        "cell",
    ]
    assert lines[1].split()[1:] == [str(n) for n in (cells, cells, 0, 0, 0)]
    assert lines[2].split() == ["dW2", "4", "4", "0", "0", "0"]
    assert "none.xlsx" in lines[-3] and lines[-3].endswith("no such file")
    assert lines[-2] == "2 of 3 files graded, 1 could not be"
    assert (folder / "class.csv").read_text(encoding="utf-8").startswith(BOM + "file,quantity,")
    refused = run("grade", ann, "--csv", "class.csv")
    assert refused.exit_code == 2 and "--force" in refused.stderr
    done = run("grade", ann, "--json", "--csv", "class.csv", "--force")
    told = json.loads(done.stdout)
    assert told["graded"] == 1 and told["files"][0]["counts"][0]["right"] == cells
    assert told["files"][0]["problem"] is None and told["files"][0]["altered"] == []


def test_no_file_could_be_graded(folder: Path) -> None:
    done = run("grade", "moons.toml", "none.xlsx")
    assert done.exit_code == 2 and "moons.toml" in done.stdout
    assert done.stderr == "Error: none of 2 files could be graded\n"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["exercise", "none.toml"], "none.toml"),
        (["exercise", "moons.toml", "--blank", "gradient"], "did you mean 'gradients'?"),
        (["exercise", "moons.toml", "--visits", "1:99"], "--visits 1:99: the visits of this run"),
        (["exercise", "moons.toml", "--digits", "7"], "--digits"),
        (["exercise", "moons.toml", "--key", "k.csv"], "--key needs --bugs"),
        (["exercise", "moons.toml", "--seed", "1"], "--seed needs --bugs"),
        (["exercise", "moons.toml", "--bugs", "0"], "--bugs"),
        (["exercise", "moons.toml", "--bugs", "1", "--blank", "loss"], "--blank does not go with"),
        (["exercise", "moons.toml", "--bugs", "1", "--visits", "1"], "--visits does not go with"),
        (["exercise", "moons.toml", "--bugs", "1", "--digits", "3"], "--digits does not go with"),
        (["grade"], "Missing argument"),
        (["grade", "a.xlsx", "--spec", "a", "--exercise", "b"], "one of them only"),
        (["grade", "a.xlsx", "--force"], "--force needs --csv"),
        (["grade", "a.xlsx", "--timeout", "0"], "--timeout"),
        (["grade", "a.xlsx", "--csv", "nowhere/c.csv"], "there is no folder nowhere"),
        (["grade", "a.xlsx", "--spec", "none.toml"], "none.toml"),
    ],
)
def test_bad_use(folder: Path, arguments: list[str], message: str) -> None:
    before = sorted(folder.iterdir())
    done = run(*arguments)
    assert done.exit_code == 2
    assert done.stderr.startswith("Error: ") and message in done.stderr
    assert done.stderr.count("\n") == 1
    assert sorted(folder.iterdir()) == before


def test_bugs_are_handed_on(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The command only parses: what it calls is another module's."""
    calls: list[tuple[object, ...]] = []

    def write_bug_hunt(spec: object, output: Path, **options: object) -> object:
        calls.append((spec, output, options))
        return types.SimpleNamespace(path=output, key=options["key"] or "key.csv", faults=(1, 2))

    module = types.ModuleType("sheetnet.classroom.bugs")
    module.write_bug_hunt = write_bug_hunt  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "sheetnet.classroom.bugs", module)
    done = run("exercise", "moons.toml", "--bugs", "2")
    assert done.stdout == "moons_bugs.xlsx: 2 faults to find; key: key.csv\n"
    options = "-o", "hunt.xlsx", "--bugs", 3, "--key", "k.txt", "--seed", 7, "--force"
    done = run("exercise", "moons.toml", *options)
    assert done.exit_code == 0 and "key: k.txt" in done.stdout
    given = {"bugs": 3, "seed": 7, "key": Path("k.txt"), "overwrite": True}
    assert calls[1][1:] == (Path("hunt.xlsx"), given)
    assert calls[0][2] == {"bugs": 2, "seed": 0, "key": None, "overwrite": False}
    assert calls[0][0] == sheetnet.load_spec("moons.toml")


def test_moons_of_the_spec_are_those_of_the_helper(folder: Path) -> None:
    assert sheetnet.train(sheetnet.load_spec("moons.toml"))["loss"].tolist() == (
        sheetnet.train(moons())["loss"].tolist()
    )
