"""Hundreds of faults of all kinds, put into workbooks of all kinds: each is found where it is.

``SHEETNET_MUTATIONS=5000`` tries more; ``python tests/mutate.py`` lists what is not found.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from random import Random

import pytest
from mutate import NAMES, books, judge
from mutations import KINDS, Draw, mutations
from packages import WORKBOOK, Package, shown

from sheetnet import verify

COUNT = {"map": 10, "classes": 15, "numbers": 17}
"""Faults in the larger workbooks."""

USUAL = 23

FACTOR = int(os.environ.get("SHEETNET_MUTATIONS", "0")) / 318 or 1
SEED = os.environ.get("SHEETNET_SEED", "0")


def faults_in(name: str) -> int:
    return max(1, round(FACTOR * COUNT.get(name, USUAL)))


def test_there_are_enough() -> None:
    assert sum(map(faults_in, NAMES)) >= 300 * min(1, FACTOR)
    # And all kinds are among them, since they take turns from a start drawn for each book.
    assert sum(map(faults_in, NAMES)) > 6 * len(KINDS)


@pytest.mark.parametrize("name", NAMES)
def test_faults(name: str, tmp_path: Path, record_property: Callable[[str, object], None]) -> None:
    package = books(tmp_path, [name])[name]
    assert verify(package.path).agree  # else every fault would be found
    wrong = []
    for fault in mutations(package, faults_in(name), f"{SEED} {name}"):
        record_property("fault", (fault.kind, fault.sheet))
        outcome = judge(name, package, fault, tmp_path / "fault.xlsx")
        if not outcome.located:
            wrong.append(str(outcome))
    assert not wrong, "\n".join(wrong)


@pytest.fixture(scope="module")
def some(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Package]:
    return books(tmp_path_factory.mktemp("some"), ["momentum", "outputs"])


# --- what is no fault


def rewritten(package: Package, target: Path, changes: Mapping[str, Callable[[str], str]]) -> Path:
    parts = {}
    for part, change in changes.items():
        old = package.parts[part].decode()
        parts[part] = change(old)
        assert parts[part] != old
    return package.write(target, parts)


def test_looks_are_no_faults(some: dict[str, Package], tmp_path: Path) -> None:
    """Styles, hidden and reordered sheets, spaces and letters in formulas, other attributes."""
    package = some["momentum"]
    train = package.sheets["Train"].part

    def order(xml: str) -> str:
        sheets = re.findall(r"<sheet [^>]*>", xml)
        new = "".join(reversed(sheets)).replace('state="visible"', 'state="hidden"', 1)
        xml = re.sub(r"<sheets>.*</sheets>", f"<sheets>{new}</sheets>", xml)
        return re.sub(r"<definedName [^>]*localSheetId.*?</definedName>", "", xml)

    changes: list[dict[str, Callable[[str], str]]] = [
        {train: lambda xml: re.sub(r' s="\d+"', ' s="1"', xml)},
        {train: lambda xml: xml.replace("TANH(", "tanh( ").replace("IF(", "If(")},
        {train: lambda xml: re.sub(r'<row r="(7|9)"', r'<row hidden="1" r="\1"', xml)},
        {train: lambda xml: re.sub(r"<v>(0|1)</v>", r"<v>\1.0e0</v>", xml)},
        {WORKBOOK: order},
    ]
    for change in changes:
        report = verify(rewritten(package, tmp_path / "same.xlsx", change))
        assert report.agree, report.to_text()


# --- Config: what is fixed there

OTHER = {
    "sgd": "adam", "adam": "rmsprop", "momentum": "nesterov", "tanh": "sigmoid",
    "sigmoid": "tanh", "linear": "tanh", "softmax": "sigmoid", "leaky_relu": "relu",
    "mse": "binary_entropy", "binary_entropy": "mse", "cross_entropy": "mse",
    "standard": "none", "minmax": "standard", "none": "standard", "one-hot": "none",
}  # fmt: skip

TOLD = ("name", "source", "initializer", "seed")
"""Where it came from: nothing follows from them, where nothing is drawn."""


@pytest.mark.parametrize("name", ["momentum", "outputs"])
def test_fixed_cells_of_config(some: dict[str, Package], tmp_path: Path, name: str) -> None:
    """Each is found; and where it is, if the title, the layers or the sheets say it too."""
    package = some[name]
    sheet, draw = package.sheets["Config"], Draw(package, Random(0))
    rows = list(sheet.rows.values())
    first = next(n for n, cells in enumerate(rows) if cells[0].value == "Fixed at export")
    tried, head = 0, []
    for cells in rows[first + 1 :]:
        key = cells[0].value
        if key == "layer":
            head = [cell.value for cell in cells]
            continue
        for n, cell in enumerate(cells[1:], 1):
            what = key if not head else str(head[n])
            if cell.value is None or what in TOLD or (not head and n > 1):
                continue
            content = shown(OTHER.get(cell.value, cell.value.rpartition(",")[0]))
            if cell.number is not None:
                content = shown(cell.number + 1)
            elif cell.kind == "b":
                content = "b", f"<v>{1 - int(cell.value)}</v>"
            fault = draw.one("structure", sheet, cell, cell.with_content(None, *content))
            assert fault is not None
            outcome = judge(name, package, fault, tmp_path / "fault.xlsx")
            assert outcome.found, outcome
            if what in ("activation", "loss", "optimizer", "inputs", "parameters", "sheets"):
                at = f"Config!{cell.address}"
                assert "Error: " in outcome.said or f"formulas: {at} " in outcome.said, outcome
            tried += 1
    assert tried > 20
