"""Bug hunts: faults stand where the key says and nowhere else; no number gives them away."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from faults import TABLE
from openpyxl.utils import range_boundaries
from support import make_spec

import sheetnet
from sheetnet.classroom import bugs as bugs_module
from sheetnet.classroom.bugs import BugHunt, Fault, write_bug_hunt, write_kinds
from sheetnet.classroom.table import KINDS
from sheetnet.errors import SheetnetError
from sheetnet.problem import load_problem
from sheetnet.reader.cells import Odd
from sheetnet.reader.grid import read_grid
from sheetnet.reader.package import open_package
from sheetnet.recalc.ironcalc_engine import readable
from sheetnet.regions import TRAIN
from sheetnet.spec import Spec
from sheetnet.workbook.export import export

PLACES = (
    "row_above next_column dollars_lost learning_rate_slips empty_cell pasted_value range_too_short"
)
HUNTS = {
    "xor": "bias_left_out missing_derivative derivative_of_sum target_swapped wrong_sign "
    "learning_rate_forgotten other_update held_at_first_row",
    "outputs": "back_too_short factor_forgotten sum_too_short weights_of_row_above",
    "everything": "common_logarithm dropout_not_scaled transposed_weights mask_forgotten "
    "gradient_of_sum gradient_of_own_output sum_for_mean sum_never_reset clipped_on_one_side "
    "root_forgotten correction_forgotten other_decay mean_not_weighted",
    "stops": PLACES,
}
"""The spec -> the kinds that are put into its workbook together."""
FEW = ["Guide", "Epochs"]


def spec_named(name: str, folder: Path) -> Spec:
    """Small specs in which the kinds of faults apply."""
    if name == "xor":
        return make_spec(epochs=4)
    if name == "outputs":
        (folder / "table.csv").write_text(TABLE, encoding="utf-8")
        return make_spec(
            source="table.csv",
            data={"inputs": ["p", "q"], "target": ["u", "v"], "scale": "minmax"},
            layers=[{"units": 2, "activation": "leaky_relu"}, {"activation": "linear"}],
            folder=folder,
            epochs=3,
            learning_rate=0.05,
        )
    if name == "stops":
        return make_spec(
            source="toy:moons",
            data={"rows": 12, "validation": 0.33},
            epochs=4,
            patience=3,
            optimizer="momentum",
            batch_size=3,
        )
    return make_spec(
        source="toy:blobs",
        data={"rows": 6, "scale": "standard"},
        layers=[
            {"units": 2, "activation": "sigmoid", "dropout": 0.3},
            {"activation": "softmax"},
        ],
        epochs=3,
        shuffle=True,
        batch_size=4,
        optimizer="adam",
        clip=0.05,
    )


@dataclass(frozen=True)
class Hunted:
    """A hunt, and the workbook that it was made from."""

    spec: Spec
    hunt: BugHunt
    right: Path


@pytest.fixture(scope="module", params=HUNTS)
def hunted(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Hunted:
    """A workbook with one fault of each of its kinds."""
    folder = tmp_path_factory.mktemp("hunt")
    spec = spec_named(request.param, folder)
    kinds = [KINDS[kind] for kind in HUNTS[request.param].split()]
    hunt = write_kinds(spec, folder / "hunt.xlsx", kinds, len(kinds), seed=2, sheets=FEW)
    sheets = list(open_package(hunt.path).sheets)
    export(load_problem(spec), folder / "right.xlsx", sheets=sheets, bugs=len(kinds))
    return Hunted(spec, hunt, folder / "right.xlsx")


Cell = tuple[str, int, int]


def cells_of(fault: Fault) -> Iterator[Cell]:
    """All cells that a key's range names."""
    for part in fault.cells.split(", "):
        left, top, right, bottom = range_boundaries(part)
        for row in range(top, bottom + 1):
            for column in range(left, right + 1):
                yield fault.sheet, row, column


def contents(path: Path) -> dict[Cell, str]:
    """What an engine takes to stand in each cell, shared formulas written out."""
    ironcalc = pytest.importorskip("ironcalc")
    with readable(path) as book:
        model = ironcalc.load_from_xlsx(str(book), "en", "UTC")
    found = {}
    for index, sheet in enumerate(model.get_worksheets_properties()):
        _, bottom, _, right = model.get_sheet_dimensions(index)
        for row in range(1, bottom + 1):
            for column in range(1, right + 1):
                text = model.get_cell_content(index, row, column)
                found[(sheet["name"], row, column)] = text
    return found


def test_the_kinds_are_all_hunted() -> None:
    hunted = [kind for words in HUNTS.values() for kind in words.split()]
    assert sorted(hunted) == sorted(KINDS)


def test_each_kind_is_there_once_in_columns_of_its_own(hunted: Hunted) -> None:
    faults = hunted.hunt.faults
    assert len({fault.kind for fault in faults}) == len(faults)
    columns = [{(sheet, column) for sheet, _, column in cells_of(f)} for f in faults]
    assert sum(map(len, columns)) == len(set[tuple[str, int]]().union(*columns))


def test_cells_of_the_key_differ_and_no_others(hunted: Hunted) -> None:
    """Read by an engine, formula by formula, beside the right workbook."""
    right, wrong = contents(hunted.right), contents(hunted.hunt.path)
    assert right.keys() == wrong.keys()
    differ = {cell for cell, text in right.items() if wrong[cell] != text and cell[0] != "Guide"}
    assert differ == {cell for fault in hunted.hunt.faults for cell in cells_of(fault)}


def test_verify_disagrees_and_names_a_cell_of_the_key(hunted: Hunted) -> None:
    report = sheetnet.verify(hunted.hunt.path)
    first = report.checks["formulas"].first_failure
    assert not report.agree and first is not None
    left, top, _, _ = range_boundaries(first.cell)
    assert (first.sheet, top, left) in {c for f in hunted.hunt.faults for c in cells_of(f)}


def test_saved_values_are_those_of_the_wrong_formulas(hunted: Hunted) -> None:
    """Every number and text in the file is what an engine makes of it; none is left over."""
    ironcalc = pytest.importorskip("ironcalc")
    package = open_package(hunted.hunt.path)
    with readable(hunted.hunt.path) as book:
        model = ironcalc.load_from_xlsx(str(book), "en", "UTC")
    model.evaluate()
    compared = 0
    for index, sheet in enumerate(model.get_worksheets_properties()):
        _, bottom, _, right = model.get_sheet_dimensions(index)
        grid = read_grid(package, sheet["name"], bottom, right)
        for row, column in np.argwhere(grid.formulas) + 1:
            saved = grid.at(int(row), int(column))
            held = model.get_cell_value(index, int(row), int(column))
            if isinstance(saved, Odd):
                assert (saved.text or None) == (held or None), (sheet["name"], row, column)
            else:
                assert saved == held, (sheet["name"], row, column)
            compared += 1
    assert compared > 200


def test_every_fault_changes_a_number_visibly(hunted: Hunted) -> None:
    """What the key says of the first cell is in the file, and differs from the right number."""
    package = open_package(hunted.hunt.path)
    for fault in hunted.hunt.faults:
        column, row, _, _ = range_boundaries(fault.shows)
        assert read_grid(package, fault.sheet, row, column).at(row, column) == fault.value
        assert (fault.sheet, row, column) in set(cells_of(fault))
        assert fault.value != pytest.approx(fault.right_value, rel=1e-3, abs=0)


def test_nothing_in_the_file_tells_the_answer(hunted: Hunted) -> None:
    package = open_package(hunted.hunt.path)
    assert "Compare" not in package.sheets
    texts = " ".join(contents(hunted.hunt.path).values())
    for fault in hunted.hunt.faults:
        assert fault.title not in texts and fault.kind not in texts
    right = contents(hunted.right)
    guides = [cell for cell in right if cell[0] == "Guide"]
    wrong = contents(hunted.hunt.path)
    assert [right[cell] for cell in guides] == [wrong[cell] for cell in guides]


def test_key_tells_each_fault(hunted: Hunted) -> None:
    text = hunted.hunt.key.read_text(encoding="utf-8")
    assert len(re.findall(r"^## \d+\. ", text, re.MULTILINE)) == len(hunted.hunt.faults)
    for fault in hunted.hunt.faults:
        for part in (fault.title, f"{fault.sheet}!{fault.cells}", fault.right, fault.wrong):
            assert part in text
        assert fault.explanation in text and fault.shows in text and fault.quantity in text
        assert (fault.sheet == TRAIN) == (fault.visits is not None) or fault.sheet == "Epochs"


def test_mending_the_cells_of_the_key_mends_the_workbook(tmp_path: Path) -> None:
    """The right formulas of the key, typed into the faulty cell, satisfy verify."""
    ironcalc = pytest.importorskip("ironcalc")
    kinds = [KINDS["pasted_value"]]
    hunt = write_kinds(spec_named("xor", tmp_path), tmp_path / "a.xlsx", kinds, 1, sheets=FEW)
    (fault,) = hunt.faults
    with readable(hunt.path) as book:
        model = ironcalc.load_from_xlsx(str(book), "en", "UTC")
    titles = [sheet["name"] for sheet in model.get_worksheets_properties()]
    column, row, _, _ = range_boundaries(fault.first)
    model.set_user_input(titles.index(fault.sheet), row, column, fault.right)
    model.evaluate()
    value = model.get_cell_value(titles.index(fault.sheet), row, column)
    assert value == pytest.approx(fault.right_value, rel=1e-12)


def test_same_seed_same_bytes_and_another_seed_other_faults(tmp_path: Path) -> None:
    spec = spec_named("xor", tmp_path)
    hunts = {}
    for name, seed in (("a", 3), ("b", 3), ("c", 4)):
        folder = tmp_path / name
        folder.mkdir()
        every = tuple(KINDS.values())
        hunts[name] = write_kinds(spec, folder / "hunt.xlsx", every, 2, seed, sheets=FEW)
    a, b, c = hunts["a"], hunts["b"], hunts["c"]
    assert a.path.read_bytes() == b.path.read_bytes()
    assert a.key.read_bytes() == b.key.read_bytes()
    assert a.faults != c.faults and len(a.faults) == len(c.faults) == 2
    assert a.key == tmp_path / "a" / "hunt_key.md"


def test_all_kinds_are_drawn_over_seeds(tmp_path: Path) -> None:
    """The order in which kinds are tried is the seed's: each comes first at times."""
    from sheetnet.classroom.seeding import _Pool

    seen = set()
    for seed in range(300):
        pool = _Pool.__new__(_Pool)
        setting = type("S", (), {"problem": None, "layout": None})
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("sheetnet.classroom.seeding.columns_of", lambda *_: ())
            pool.__init__(setting, tuple(KINDS.values()), seed)  # type: ignore[misc, arg-type]
        seen.add(next(iter(pool.left)))
    assert seen == set(KINDS)


def test_too_many_faults_are_an_error_that_says_how_many(tmp_path: Path) -> None:
    spec = make_spec(
        source="toy:line", data={"rows": 3}, layers=[{"activation": "linear"}], epochs=1
    )
    output = tmp_path / "hunt.xlsx"
    with pytest.raises(SheetnetError, match=r"bugs is 20: .* allowed: 1 to \d+$") as raised:
        write_bug_hunt(spec, output, bugs=20, seed=0)
    possible = int(str(raised.value).rsplit(" ", 1)[1])
    assert list(tmp_path.iterdir()) == []
    assert len(write_bug_hunt(spec, output, bugs=possible, seed=0).faults) == possible


@pytest.mark.parametrize("bugs", [0, -1, 1000])
def test_impossible_numbers_of_faults(bugs: int, tmp_path: Path) -> None:
    with pytest.raises(SheetnetError, match="bugs"):
        write_bug_hunt(make_spec(), tmp_path / "hunt.xlsx", bugs=bugs)
    assert list(tmp_path.iterdir()) == []


def test_neither_file_is_replaced_unless_asked(tmp_path: Path) -> None:
    key = tmp_path / "hunt_key.md"
    key.write_text("mine", encoding="utf-8")
    with pytest.raises(SheetnetError, match=r"hunt_key\.md exists"):
        write_bug_hunt(make_spec(epochs=4), tmp_path / "hunt.xlsx", bugs=1)
    assert key.read_text(encoding="utf-8") == "mine" and list(tmp_path.iterdir()) == [key]


def test_key_and_workbook_must_be_two_files(tmp_path: Path) -> None:
    path = tmp_path / "hunt.xlsx"
    with pytest.raises(SheetnetError, match="cannot be both"):
        write_bug_hunt(make_spec(), path, key=tmp_path / "." / "hunt.xlsx")
    with pytest.raises(SheetnetError, match="no folder"):
        write_bug_hunt(make_spec(), path, key=tmp_path / "none" / "key.md")
    assert list(tmp_path.iterdir()) == []


def test_both_files_or_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The key cannot be written after all: the workbook that was there stays as it was."""
    monkeypatch.setattr(bugs_module, "check_target", lambda *_, **__: None)
    path, key = tmp_path / "hunt.xlsx", tmp_path / "none" / "key.md"
    path.write_bytes(b"old")
    with pytest.raises(SheetnetError, match="cannot be written"):
        write_kinds(
            make_spec(epochs=4), path, tuple(KINDS.values()), 1, None, key, True, sheets=FEW
        )
    assert path.read_bytes() == b"old" and list(tmp_path.iterdir()) == [path]


def test_a_text_saved_as_it_is_calculated_is_no_fault_of_saving(tmp_path: Path) -> None:
    """On Step a fault can make a text of a number: it is saved as engines calculate it."""
    spec = sheetnet.load_spec(Path(__file__).parent.parent / "examples/mazur.toml")
    hunt = write_bug_hunt(spec, tmp_path / "hunt.xlsx", bugs=3, seed=2)
    report = sheetnet.verify(hunt.path)
    assert not report.agree and report.checks["saved"].ok
