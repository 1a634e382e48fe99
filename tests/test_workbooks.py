"""The reference workbooks are what the examples give today, cell by cell."""

from __future__ import annotations

import hashlib
import json
import shutil
import zipfile
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from build_workbooks import MANIFEST, WORKBOOKS, build, build_all

import sheetnet
from sheetnet.spec import load_spec

ROOT = Path(__file__).parent.parent
REBUILD = "run: python tests/build_workbooks.py"


def first_difference(one: Path, other: Path) -> str | None:
    """Name the first cell that differs in formula, value or kind of value; None: none does."""
    for what, data_only in (("formula", False), ("value", True)):
        books = [openpyxl.load_workbook(path, data_only=data_only) for path in (one, other)]
        if books[0].sheetnames != books[1].sheetnames:
            return f"sheets {books[0].sheetnames} and {books[1].sheetnames}"
        for sheets in zip(*books, strict=True):
            rows = max(sheet.max_row for sheet in sheets)
            columns = max(sheet.max_column for sheet in sheets)
            for row in range(1, rows + 1):
                for column in range(1, columns + 1):
                    cells = [sheet.cell(row, column) for sheet in sheets]
                    found = [(cell.data_type, cell.value) for cell in cells]
                    if found[0] != found[1]:
                        where = f"{sheets[0].title}!{cells[0].coordinate}"
                        return f"{where}: {what} {cells[0].value!r} and {cells[1].value!r}"
    return None


def parts(path: Path) -> dict[str, bytes]:
    """The unpacked parts: equal ones need no look at each cell."""
    with zipfile.ZipFile(path) as package:
        return {name: package.read(name) for name in package.namelist()}


def read_manifest() -> dict[str, Any]:
    path = WORKBOOKS / MANIFEST
    assert path.exists(), f"{path} is not there; {REBUILD}"
    manifest: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return manifest


def test_manifest_folder_and_examples_list_the_same() -> None:
    manifest = read_manifest()
    examples = {path.stem for path in (ROOT / "examples").glob("*.toml")}
    assert {Path(name).stem for name in manifest} == examples, REBUILD
    assert {path.name for path in WORKBOOKS.glob("*.xlsx")} == set(manifest), REBUILD
    for name, entry in manifest.items():
        assert entry["spec"] == f"examples/{Path(name).stem}.toml"


def test_rebuilt_workbook_has_the_same_cells(example: Path, tmp_path: Path) -> None:
    kept = WORKBOOKS / f"{example.stem}.xlsx"
    assert kept.exists(), f"{kept} is not there; {REBUILD}"
    built = tmp_path / kept.name
    entry = build(example, tmp_path)
    if parts(kept) != parts(built):
        difference = first_difference(kept, built)
        assert difference is None, f"{kept.name} and its spec differ in {difference}; {REBUILD}"
    listed = read_manifest()[kept.name]
    assert listed["sha256"] == hashlib.sha256(kept.read_bytes()).hexdigest(), REBUILD
    # The bytes depend on the version of zlib, the content does not.
    for key in entry.keys() - {"sha256"}:
        assert listed[key] == entry[key], f"{key} of {kept.name}; {REBUILD}"


# --- the comparison and the builder themselves


@pytest.fixture
def small(tmp_path: Path) -> Path:
    spec = load_spec(ROOT / "examples" / "xor.toml").override(epochs=2)
    return sheetnet.export(spec, tmp_path / "small.xlsx").path


def altered(path: Path, sheet: str, cell: str, old: bytes, new: bytes) -> Path:
    """A copy in which one cell reads otherwise."""
    result = path.with_name("altered.xlsx")
    index = openpyxl.load_workbook(path, read_only=True).sheetnames.index(sheet) + 1
    changed = parts(path)
    name = f"xl/worksheets/sheet{index}.xml"
    head, mark, tail = changed[name].partition(b'<c r="%s"' % cell.encode())
    assert mark and old in tail.split(b"</c>")[0]
    changed[name] = head + mark + tail.replace(old, new, 1)
    with zipfile.ZipFile(result, "w") as target:
        for name, content in changed.items():
            target.writestr(name, content)
    return result


def test_equal_workbooks_do_not_differ(small: Path) -> None:
    shutil.copyfile(small, small.with_name("copy.xlsx"))
    assert first_difference(small, small.with_name("copy.xlsx")) is None


@pytest.mark.parametrize(
    ("sheet", "cell", "old", "new", "said"),
    [
        ("Train", "E7", b"<v>1.0", b"<v>1.0000000000000002", "value 1.0 and 1.0000000000000002"),
        ("Train", "E7", b"INDEX(", b"2*INDEX(", "formula '=INDEX("),
        ("Train", "H6", b"H5+", b"H5-", "formula '=H5+AU5' and '=H5-AU5'"),
        ("Init", "B6", b"<v>", b"<v>1", "formula 0.8"),
    ],
)
def test_first_difference_names_the_cell(
    small: Path, sheet: str, cell: str, old: bytes, new: bytes, said: str
) -> None:
    difference = first_difference(small, altered(small, sheet, cell, old, new))
    assert difference is not None and difference.startswith(f"{sheet}!{cell}: {said}")


def test_builder_writes_every_example_and_removes_the_rest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import build_workbooks

    examples = tmp_path / "examples"
    examples.mkdir()
    shutil.copyfile(ROOT / "examples" / "line.toml", examples / "line.toml")
    monkeypatch.setattr(build_workbooks, "EXAMPLES", examples)
    folder = tmp_path / "new" / "workbooks"
    build_all(folder)
    (folder / "gone.xlsx").write_bytes(b"of a spec that was removed")
    again = build_all(folder)
    assert sorted(path.name for path in folder.iterdir()) == ["line.xlsx", MANIFEST]
    assert json.loads((folder / MANIFEST).read_text(encoding="utf-8")) == again
    entry = again["line.xlsx"]
    assert entry["spec"] == "examples/line.toml" and entry["network"].startswith("1-1: linear")
    assert (entry["visits"], entry["columns"], entry["formulas"]) == (200, 16, 2450)
    assert entry["last_epoch_loss"] < entry["first_epoch_loss"]
    assert len(entry["sha256"]) == 64
