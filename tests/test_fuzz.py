"""A small portion of ``tests/fuzz.py``: mutated specs, tables and workbooks, all commands."""

from __future__ import annotations

import shutil
import sys
from collections import Counter
from pathlib import Path

import pytest
from fuzz import SPEC, altered, commanded, fuzz, make_bases
from packages import Package

COUNT, SEED = 60, "gate"


@pytest.mark.skipif(sys.platform == "win32", reason="paths of another kind")
def test_every_outcome_is_success_or_one_line(tmp_path: Path) -> None:
    outcomes = list(fuzz(tmp_path, range(COUNT), SEED, COUNT, jobs=1))
    assert not [outcome for outcome in outcomes if outcome.fault]
    assert len(outcomes) == COUNT
    ended = Counter(outcome.ended for outcome in outcomes)
    # Mutations that all end alike would show nothing.
    assert ended["fine"] >= 5 and ended["error"] >= 5, ended


def test_the_judge_sees_what_was_altered(tmp_path: Path) -> None:
    """By openpyxl, and by regular expressions where that cannot read a file."""
    make_bases(tmp_path)
    base = tmp_path / "perceptron.xlsx"
    package = Package.read(base)
    train = package.sheets["Train"]
    formula = next(cell for cell in train.formulas if cell.address.endswith("7"))
    assert not altered(base, shutil.copyfile(base, tmp_path / "same.xlsx"))
    for new in (
        formula.with_content("1+1", "n", formula.content),
        formula.with_content(None, "n", formula.content),
        formula.with_content(formula.formula, "n", "<v>12345</v>"),
    ):
        xml = train.edited({formula.address: new.xml()})
        for broken in ("", '<c r="A1" t="b"><v>7.5</v></c>'):
            other = xml.replace("<sheetData>", f'<sheetData><row r="1">{broken}</row>', 1)
            path = package.write(tmp_path / "other.xlsx", {train.part: other if broken else xml})
            assert formula.address in altered(base, path)


def test_the_base_is_a_spec_that_trains(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from fuzz import CSV

    (tmp_path / "s.toml").write_text(SPEC)
    (tmp_path / "table.csv").write_text(CSV)
    monkeypatch.chdir(tmp_path)
    assert commanded(["train", "s.toml"]) == (0, "", "")
