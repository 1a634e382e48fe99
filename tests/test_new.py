"""``sheetnet new``: a spec that explains itself, and one that is fitted to a table."""

from __future__ import annotations

import dataclasses
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import pytest
from support import run

import sheetnet
from sheetnet.concepts.activations import ACTIVATIONS
from sheetnet.concepts.clipping import CLIPS
from sheetnet.concepts.initializers import INITIALIZERS
from sheetnet.concepts.losses import LOSSES
from sheetnet.concepts.optimizers import OPTIMIZERS
from sheetnet.concepts.scaling import SCALINGS
from sheetnet.epoch_ledgers import ledgers_of
from sheetnet.errors import SheetnetError
from sheetnet.problem import load_problem
from sheetnet.spec import DataSpec, LayerSpec, Spec, TrainingSpec, parse_spec

EXAMPLES = Path(__file__).parent.parent / "examples"
COMMENTED = re.compile(r"^# (\w+) = ", re.MULTILINE)
GIVEN = re.compile(r"^(\w+) = ", re.MULTILINE)


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def names(kind: type[Any]) -> set[str]:
    return {field.name for field in dataclasses.fields(kind)}


def said(path: Path | str) -> str:
    """The comments of a spec as one text, whatever the lines that they are broken into."""
    return " ".join(Path(path).read_text(encoding="utf-8").replace("\n# ", " ").split())


def write(path: Path, head: str, rows: list[list[Any]], separator: str = ",") -> Path:
    lines = [head, *(separator.join(map(str, row)) for row in rows)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def falls(spec: Spec) -> bool:
    run = sheetnet.train(spec)
    return run.diverged_at is None and bool(run.epoch_losses[-1] < run.epoch_losses[0])


# --- the toy problem, which is the reference of all keys


def test_without_data_it_is_a_toy_that_learns() -> None:
    result = run("new", "net.toml")
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.splitlines()[-1].endswith("sheetnet export net.toml")
    trained = sheetnet.train(sheetnet.load_spec("net.toml"))
    assert trained.epoch_losses[-1] < 0.05  # XOR, solved
    assert run("export", "net.toml").exit_code == 0
    assert sheetnet.verify("net.xlsx").agree


def test_every_key_is_there_with_what_is_allowed() -> None:
    sheetnet.new("net.toml")
    text = Path("net.toml").read_text()
    numbers = {h.name for record in OPTIMIZERS.values() for h in record.hyperparameters}
    numbers |= {h.name for h in CLIPS} | {"patience", "min_delta"}
    keys = names(DataSpec) | names(LayerSpec) | names(TrainingSpec) | numbers
    assert set(COMMENTED.findall(text)) | set(GIVEN.findall(text)) == keys - {"hyperparameters"}
    for records in (ACTIVATIONS, LOSSES, OPTIMIZERS, INITIALIZERS, SCALINGS):
        assert " | ".join(records) in text
    lines = text.splitlines()
    for k, line in enumerate(lines):
        if COMMENTED.match(line) or GIVEN.match(line):
            # A comment beside each key, or above it.
            assert "  # " in line or lines[k - 1].startswith("# "), line
    assert max(map(len, lines)) <= 100


def tables(text: str) -> list[str]:
    return re.split(r"(?m)^(?=\[)", text)


def test_each_commented_key_can_be_taken_in() -> None:
    """Its # taken away, the spec is still one, and the value is the one in force or fits."""
    sheetnet.new("net.toml")
    text = Path("net.toml").read_text()
    plain = tomllib.loads(text)
    tried = 0
    for match in COMMENTED.finditer(text):
        key = match[1]
        changed = text[: match.start()] + text[match.start() + 2 :]
        owners = [o for o, record in OPTIMIZERS.items()
                  if key in {h.name for h in record.hyperparameters}]  # fmt: skip
        if owners:
            changed = changed.replace('# optimizer = "sgd"', f'optimizer = "{owners[-1]}"')
        if key in ("patience", "min_delta"):
            changed = changed.replace("# validation = 0.0", "validation = 0.25")
        if key == "sheet":
            changed = changed.replace("toy:xor", "book.xlsx")
        document = tomllib.loads(changed)
        assert document != plain
        spec = parse_spec(document, name="net", folder=Path())
        if key != "sheet":
            problem = load_problem(spec)
            assert problem.network.label.startswith("2-3-1: ")
        tried += 1
    assert tried >= 25


def test_defaults_shown_are_those_in_force() -> None:
    sheetnet.new("net.toml")
    text = Path("net.toml").read_text()
    spec = sheetnet.load_spec("net.toml")
    for key in ("batch_size", "shuffle", "scale", "target_scale", "validation", "optimizer"):
        shown = tomllib.loads(re.search(rf"(?m)^# ({key} = [^#]*)", text)[1])[key]  # type: ignore[index]
        where = spec.data if hasattr(spec.data, key) else spec.training
        assert shown == getattr(where, key)


# --- tables of data


@pytest.mark.parametrize(
    ("name", "target", "label"),
    [
        ("iris.csv", "species", "4-4-3: tanh, softmax; cross_entropy"),
        ("diabetes.csv", "progression", "10-4-1: tanh, linear; mse"),
        ("exam.csv", None, ""),
        ("scales.csv", None, ""),
        ("valley.csv", None, ""),
    ],
)
def test_examples(name: str, target: str | None, label: str) -> None:
    source = EXAMPLES / name
    target = target or source.read_text().splitlines()[0].split(",")[-1]
    result = run("new", "net.toml", "--data", source, "--target", target)
    assert (result.exit_code, result.stderr) == (0, "")
    spec = sheetnet.load_spec("net.toml")
    problem = load_problem(spec)
    assert label in problem.network.label
    assert cells(spec) <= 300_000
    assert falls(spec)
    assert not Path(spec.data.source).is_absolute()


def cells(spec: Spec) -> int:
    problem = load_problem(spec)
    ledgers = ledgers_of(problem.network)
    held_out = ledgers.validation.width * problem.held_out if ledgers.validation else 0
    return spec.training.epochs * (problem.rows * ledgers.train.width + held_out)


def test_iris_to_a_verified_workbook() -> None:
    run("new", "net.toml", "--data", EXAMPLES / "iris.csv", "--target", "species")
    text = said("net.toml")
    assert "'species' holds texts, 3 classes, coded one-hot in this order: 'setosa'" in text
    assert "30 of 150 rows are held out" in text
    assert run("export", "net.toml", "--epochs", 2).exit_code == 0
    assert sheetnet.verify("net.xlsx").agree


def wide(columns: int, rows: int, kinds: int) -> list[list[Any]]:
    """Seeded digits-like rows: class k is bright in its own columns."""
    random = np.random.RandomState(5)
    found: list[list[Any]] = []
    for row in range(rows):
        kind = row % kinds
        values = random.randint(0, 5, columns)
        values[kind::kinds] += 9
        found.append([*values.tolist(), f"d{kind}"])
    return found


def test_a_wide_table_is_cut_to_few_rows() -> None:
    head = ",".join([*(f"p{i}" for i in range(60)), "digit"])
    write(Path("d.csv"), head, wide(60, 900, 10))
    spec = sheetnet.new("net.toml", data="d.csv", target="digit")
    assert spec.data.rows is not None and 40 <= spec.data.rows < 100
    assert cells(spec) <= 300_000
    assert len(set(load_problem(spec).table.labels or ())) == 10
    assert falls(spec)
    assert f"The first {spec.data.rows} of 900 rows, so that the ledger" in said("net.toml")


def test_rows_sorted_by_class_are_all_kept() -> None:
    rows = sorted(wide(40, 600, 3), key=lambda row: row[-1])
    write(Path("d.csv"), ",".join([*(f"p{i}" for i in range(40)), "kind"]), rows)
    spec = sheetnet.new("net.toml", data="d.csv", target="kind")
    assert len(set(load_problem(spec).table.labels or ())) == 3
    assert spec.data.rows == 402  # the second row of the last class
    assert "each class has to be among the first rows. Shuffle the rows" in said("net.toml")
    assert falls(spec)


def test_more_columns_than_a_sheet_is_made_for() -> None:
    write(Path("d.csv"), ",".join([*(f"p{i}" for i in range(150)), "kind"]), wide(150, 60, 2))
    spec = sheetnet.new("net.toml", data="d.csv", target="kind")
    assert len(spec.data.inputs or ()) == 100
    assert "'p149' (one more than 100" in said("net.toml")
    assert falls(spec)


def test_columns_that_are_left_out() -> None:
    rows = [[k, (k * 7) % 11, "x" if k % 2 else 3, "", 5, "nan" if k == 3 else k, "north",
             "" if k == 8 else k, k * k % 13] for k in range(40)]  # fmt: skip
    head = "a,b,mixed,empty,fixed,strange,place,gaps,y"
    spec = sheetnet.new("net.toml", data=write(Path("d.csv"), head, rows), target="y")
    assert spec.data.inputs == ("a", "b")
    text = said("net.toml")
    for reason in ("'mixed' (text in 20 of 40 rows)", "'empty' (empty)", "'fixed' (constant)",
                   "'strange' (not finite everywhere)", "'place' (text)",
                   "'gaps' (empty in 1 of 40 rows)"):  # fmt: skip
        assert reason in text


TARGETS = {
    "texts": ([["u", "v", "w"][k % 3] for k in range(40)], "softmax", "cross_entropy", "none"),
    "two texts": ([["u", "v"][k % 2] for k in range(40)], "sigmoid", "binary_entropy", "none"),
    "0 and 1": ([k % 2 for k in range(40)], "sigmoid", "binary_entropy", "none"),
    "1 and 2": ([1 + k % 2 for k in range(40)], "softmax", "cross_entropy", "none"),
    "few numbers": ([k % 5 for k in range(40)], "softmax", "cross_entropy", "none"),
    "many numbers": ([100 + k for k in range(40)], "linear", "mse", "standard"),
    "few, not whole": ([0.5 + k % 3 for k in range(40)], "linear", "mse", "standard"),
    "small": ([(k % 20) / 20 for k in range(40)], "linear", "mse", "none"),
}


@pytest.mark.parametrize("kind", TARGETS)
def test_what_the_target_asks_for(kind: str) -> None:
    cells, activation, loss, scale = TARGETS[kind]
    random = np.random.RandomState(0)
    codes = np.unique(cells, return_inverse=True)[1]
    x = codes[:, None] * [0.3, -0.2] + random.normal(size=(40, 2)) * 0.05
    rows = [[*x[k].tolist(), cells[k]] for k in range(40)]
    spec = sheetnet.new("net.toml", data=write(Path("d.csv"), "a,b,y", rows), target="y")
    assert (spec.layers[-1].activation, spec.training.loss) == (activation, loss)
    assert spec.data.target_scale == scale
    text = said("net.toml")
    assert ("Regression: 'y' holds" if loss == "mse" else "Classification: 'y' holds") in text
    assert falls(spec)


def test_several_targets() -> None:
    rows = [[k / 20, k * 50, 1000 + k] for k in range(40)]
    write(Path("d.csv"), "x,u,v", rows)
    result = run("new", "net.toml", "--data", "d.csv", "--target", "u", "--target", "v")
    assert (result.exit_code, result.stderr) == (0, "")
    spec = sheetnet.load_spec("net.toml")
    assert (spec.data.target, spec.data.inputs) == (("u", "v"), ("x",))
    assert (spec.layers[-1].units, spec.data.target_scale) == (2, "standard")
    assert falls(spec)
    write(Path("d.csv"), "x,u,v", [[k / 20, k % 2, int(k > 20)] for k in range(40)])
    spec = sheetnet.new("net.toml", data="d.csv", target=["u", "v"])
    assert spec.layers[-1].activation == "sigmoid"
    assert falls(spec)


@pytest.mark.parametrize(
    ("factors", "scale", "why"),
    [
        ((1, 1), "none", "small and of one size"),
        ((1, 0.01), "standard", "different sizes ('b' reaches up to"),
        ((50, 50), "standard", "The inputs reach up to"),
        ((1, 5000), "standard", "'b' up to"),
    ],
)
def test_scaling_by_the_sizes_of_the_inputs(
    factors: tuple[float, float], scale: str, why: str
) -> None:
    random = np.random.RandomState(1)
    x = random.uniform(-1, 1, (60, 2))
    rows = [[*(x[k] * factors).tolist(), "u" if x[k].sum() > 0 else "v"] for k in range(60)]
    spec = sheetnet.new("net.toml", data=write(Path("d.csv"), "a,b,y", rows), target="y")
    assert spec.data.scale == scale
    assert why in said("net.toml")
    assert falls(spec)
    asked = sheetnet.new("net.toml", data="d.csv", target="y", scale="minmax", inputs=["b"])
    assert (asked.data.scale, asked.data.inputs) == ("minmax", ("b",))


def test_few_rows() -> None:
    write(Path("d.csv"), "a,b,y", [[0, 0, "no"], [0, 1, "yes"], [1, 0, "yes"], [1, 1, "no"]])
    spec = sheetnet.new("net.toml", data="d.csv", target="y")
    assert spec.data.validation == 0 and spec.training.epochs == 100
    assert "Too few rows (4) to hold some of them out" in said("net.toml")
    assert falls(spec)
    write(Path("d.csv"), "a,y", [[0, 0.5], [1, 0.25]])
    assert falls(sheetnet.new("net.toml", data="d.csv", target="y"))


def column(random: np.random.RandomState, kind: str, rows: int) -> list[Any]:
    draw = {
        "normal": lambda: random.normal(size=rows),
        "huge": lambda: random.choice([1e300, -1e308, 5e-324, 0.0], rows),
        "tiny": lambda: random.uniform(-1e-200, 1e-200, rows),
        "large": lambda: random.uniform(-1e12, 1e12, rows),
        "whole": lambda: random.randint(0, 3, rows),
        "sides": lambda: random.choice([-1, 1], rows),
        "text": lambda: random.choice(["a", "=1+1", "ü", "3"], rows),
        "gaps": lambda: random.choice(["", "1", "2.5"], rows),
        "close": lambda: 1e9 + 1e-6 * random.uniform(size=rows),
    }
    return list(draw[kind]().tolist())


def test_whatever_the_table_holds_it_trains_or_one_line_says_why(here: Path) -> None:
    random = np.random.RandomState(7)
    kinds = ["normal", "huge", "tiny", "large", "whole", "sides", "text", "gaps", "close"]
    trained = 0
    for _ in range(30):
        rows = int(random.choice([1, 2, 5, 20, 40]))
        drawn = [column(random, kind, rows) for kind in random.choice(kinds, random.randint(1, 5))]
        head = ",".join(f"c{k}" for k in range(len(drawn)))
        write(Path("d.csv"), head, [list(row) for row in zip(*drawn, strict=True)])
        try:
            spec = sheetnet.new("net.toml", data="d.csv", target="c0")
        except SheetnetError:
            continue
        trained += 1
        assert falls(spec) or "Under no rate does the loss fall" in said("net.toml")
    assert trained >= 8


def test_what_cannot_be_learned_is_said() -> None:
    """Equal inputs with different answers from a balanced start: nothing is promised."""
    random = np.random.RandomState(2)
    rows = [[random.normal(), random.randint(0, 2)] for _ in range(60)]
    sheetnet.new("net.toml", data=write(Path("d.csv"), "x,y", rows), target="y")
    spec = sheetnet.load_spec("net.toml")
    assert falls(spec) or "Under no rate does the loss fall" in said("net.toml")


def test_a_sheet_of_a_workbook(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    book.active.append(["nothing"])
    sheet = book.create_sheet("More data")
    sheet.append(["x", "y"])
    for k in range(30):
        sheet.append([k / 10, k * 0.2 + 1])
    book.save("d.xlsx")
    result = run("new", "net.toml", "--data", "d.xlsx", "--sheet", "More data", "--target", "y")
    assert (result.exit_code, result.stderr) == (0, "")
    spec = sheetnet.load_spec("net.toml")
    assert (spec.data.source, spec.data.sheet) == ("d.xlsx", "More data")
    assert falls(spec)


@pytest.mark.parametrize(
    ("data", "spec", "expected"),
    [
        ("d.csv", "net.toml", "d.csv"),
        ("größe 数据/мои данные.csv", "net.toml", "größe 数据/мои данные.csv"),
        ("d.csv", "specs of mine/net ü.toml", "../d.csv"),
        ("a/d.csv", "b c/net.toml", "../a/d.csv"),
        ("toy:a.csv", "net.toml", "./toy:a.csv"),
    ],
)
@pytest.mark.parametrize("absolute", [False, True])
def test_the_source_seen_from_the_spec(
    here: Path, monkeypatch: pytest.MonkeyPatch, data: str, spec: str, expected: str, absolute: bool
) -> None:
    for path in (data, spec):
        Path(path).parent.mkdir(parents=True, exist_ok=True)
    write(Path(data), "x,y", [[k, k + 0.5] for k in range(10)])
    given = here / data if absolute else data
    assert run("new", spec, "--data", given, "--target", "y").exit_code == 0
    path = here / spec
    assert sheetnet.load_spec(path).data.source == expected
    (here / "else").mkdir()
    monkeypatch.chdir(here / "else")
    assert falls(sheetnet.load_spec(path))


def test_names_that_need_care() -> None:
    rows = [[k, k % 3, k * 0.5] for k in range(20)]
    write(Path("d.csv"), "# größe; [x]\t'a'\"b\"\t=1+1", rows, "\t")
    assert run("new", "net.toml", "--data", "d.csv", "--target", "=1+1").exit_code == 0
    spec = sheetnet.load_spec("net.toml")
    assert spec.data.inputs == ("# größe; [x]", "'a'\"b\"")
    Path("d.csv").write_text('"two\nlines",y\n1,2\n2,4\n3,7\n')
    assert sheetnet.new("net.toml", data="d.csv", target="y").data.inputs == ("two\nlines",)


# --- what cannot be


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--data", "d.csv"], "--target is missing: it names one or several of the columns of "
         "d.csv: x, kind, same, gaps"),
        (["--data", "d.csv", "--target", "knd"], "--target is 'knd', but d.csv has no such column "
         "(did you mean 'kind'?); it has: x, kind"),
        (["--data", "d.csv", "--target", "same"], "target 'same' has one value only (1.0) in 20"),
        (["--data", "d.csv", "--target", "gaps"], "data row 4, column 'gaps' is empty"),
        (["--data", "d.csv", "--target", "x", "--target", "x"], "--target names 'x' more than"),
        (["--data", "d.csv", "--target", "kind", "--input", "y"], "--input is 'y', but d.csv has"),
        (["--data", "d.csv", "--target", "x", "--input", "kind"], "holds the text 'a'"),
        (["--data", "d.csv", "--target", "x", "--input", "x"], "both an input and a target"),
        (["--data", "d.csv", "--target", "x"], "no column of numbers beside the target: 'kind' "
         "(text), 'same' (constant), 'gaps' (empty in 1 of 20 rows)"),
        (["--data", "d.csv", "--target", "x", "--target", "kind"], "holds the text 'a'"),
        (["--data", "d.csv", "--target", "kind", "--sheet", "A"], "data.sheet goes with an .xlsx"),
        (["--data", "d.csv", "--target", "kind", "--scale", "std"], "data.scale is 'std'"),
        (["--data", "none.csv", "--target", "y"], "--data: none.csv is not there"),
        (["--data", "d.txt", "--target", "y"], "--data is 'd.txt': a .csv or .xlsx file is needed"),
        (["--data", "toy:xor", "--target", "y"], "--data is 'toy:xor': a .csv or .xlsx"),
        (["--target", "y"], "--target needs --data"),
        (["--input", "y"], "--input needs --data"),
        (["--from-torch", "w.npz"], "--from-torch needs --data"),
        (["--data", "d.csv", "--target", "kind", "--activation", "tanh"], "needs --from-torch"),
        (["--data", "d.csv", "--target", "kind", "--class", "a"], "--class needs --from-sklearn"),
        (["--data", "d.csv", "--from-torch", "a", "--from-sklearn", "b"], "one of them only"),
    ],
)  # fmt: skip
def test_one_line_says_what_was_wrong(here: Path, options: list[str], message: str) -> None:
    rows = [[k, "ab"[k % 2], 1, "" if k == 3 else k] for k in range(20)]
    write(Path("d.csv"), "x,kind,same,gaps", rows)
    result = run("new", "net.toml", *options)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith("Error: ") and result.stderr.count("\n") == 1
    assert message in result.stderr
    assert [p.name for p in here.iterdir()] == ["d.csv"]


def test_every_line_of_a_long_list_is_short(here: Path) -> None:
    random = np.random.RandomState(4)
    weights = {"0.weight": random.normal(size=(12, 30)), "0.bias": random.normal(size=12),
               "2.weight": random.normal(size=(1, 12))}  # fmt: skip
    head = ",".join([*(f"a column with spaces {i}" for i in range(30)), "y"])
    data = write(Path("d.csv"), head, random.normal(size=(30, 31)).tolist())
    spec = sheetnet.new("net.toml", data=data, target="y", model=weights, activation="tanh")
    assert (np.array(spec.layers[0].weights) == weights["0.weight"]).all()
    assert (np.array(spec.layers[0].bias) == weights["0.bias"]).all()
    assert max(map(len, Path("net.toml").read_text().splitlines())) <= 100


def test_a_network_wider_than_a_sheet(here: Path) -> None:
    write(Path("d.csv"), ",".join([*(f"p{i}" for i in range(70)), "kind"]), wide(70, 30, 2))
    np.savez("w.npz", **{"0.weight": np.ones((80, 70)), "2.weight": np.ones((1, 80))})
    result = run("new", "net.toml", "--data", "d.csv", "--target", "kind", "--from-torch", "w.npz",
                 "--activation", "relu")  # fmt: skip
    assert (result.exit_code, result.stderr) == (0, "")
    assert "it goes over several sheets, by layer" in result.stdout
    assert "it goes over several sheets, by layer" in said("net.toml")
    assert run("train", "net.toml", "--epochs", 1).exit_code == 0
    assert run("export", "net.toml", "--visits", 2).exit_code == 0


def test_nothing_is_replaced_without_force(here: Path) -> None:
    Path("net.toml").write_text("mine")
    result = run("new", "net.toml")
    assert result.exit_code == 2
    assert result.stderr == "Error: net.toml exists: use --force to replace it\n"
    assert Path("net.toml").read_text() == "mine"
    assert run("new", "net.toml", "--force").exit_code == 0
    assert Path("net.toml").read_text() != "mine"
    assert run("new", "none/net.toml").exit_code == 2
    write(Path("d.csv"), "x,y", [[1, 2], [3, 4]])
    result = run("new", "d.csv", "--data", "d.csv", "--target", "y", "--force")
    assert "is read by the run" in result.stderr
    assert Path("d.csv").read_text().startswith("x,y")


def test_heavy_modules_stay_out() -> None:
    code = (
        "import sys\nfrom sheetnet.cli import main\n"
        "print(sorted({'numpy', 'tomlkit', 'torch', 'sklearn', 'safetensors'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_errors_are_of_one_kind() -> None:
    with pytest.raises(SheetnetError, match="no such column"):
        sheetnet.new("net.toml", data=EXAMPLES / "iris.csv", target="specie")
