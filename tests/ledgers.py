"""The ledgers of a workbook, as Python has them and as engines calculate them.

Error values are nan in both, so that ``assert_same`` compares them too.
"""

from __future__ import annotations

import re
import zipfile
from dataclasses import dataclass
from pathlib import Path

import formualizer
import ironcalc
import numpy as np
import openpyxl

import sheetnet
from sheetnet import engine
from sheetnet.concepts.arithmetic import Array
from sheetnet.layout import Layout, layout_of
from sheetnet.problem import load_problem
from sheetnet.recalc.ironcalc_engine import readable
from sheetnet.regions import CONFIG, Region, address
from sheetnet.run import Run
from sheetnet.spec import Spec


@dataclass(frozen=True)
class Ledger:
    """Rows on a sheet: their plain names, and the values of a training in Python."""

    region: Region
    labels: tuple[str, ...]
    values: Array

    def column(self, label: str) -> int:
        """The column (from 1) on the sheet."""
        return self.labels.index(label) + self.region.column

    def address(self, label: str, row: int) -> str:
        """The cell of a quantity; rows from 1, or from the end: -1 is the last."""
        row = row if row > 0 else self.region.rows + 1 + row
        return address(self.region.row + row - 1, self.column(label))

    def get(self, label: str) -> Array:
        """One column."""
        found: Array = self.values[:, self.labels.index(label)]
        return found


def ledgers_in_python(spec: Spec) -> dict[str, Ledger]:
    """``train``, ``epochs`` and, with held-out rows, ``validation`` and ``best``."""
    return ledgers_of_run(sheetnet.train(spec))


def ledgers_of_run(run: Run) -> dict[str, Ledger]:
    layout, ledgers = layout_of(run.problem), run.ledgers
    found = {
        "train": Ledger(layout.train, ledgers.train.labels, run.matrix),
        "epochs": Ledger(layout.epoch_rows, ledgers.epochs.labels, run.epochs),
    }
    if layout.validation is None or layout.best_row is None or ledgers.validation is None:
        return found
    rows = np.concatenate(list(engine.validation_blocks(run.problem, ledgers, run.epochs)))
    found["validation"] = Ledger(layout.validation, ledgers.validation.labels, rows)
    number = run.epochs[-1, ledgers.epochs.labels.index("best_epoch")]
    best = run.epochs[int(number) - 1 : int(number)].copy()
    best[0, 0] = number
    found["best"] = Ledger(layout.best_row, ledgers.epochs.labels, best)
    return found


def layout_for(spec: Spec) -> Layout:
    """Where things stand in the workbook of a spec."""
    return layout_of(load_problem(spec))


def assert_same(found: Array, expected: Array, where: str) -> None:
    """To the last bit, and no number exactly where there is none in Python."""
    strange = np.argwhere(np.isnan(found) != np.isnan(expected))
    assert not len(strange), f"{where}: row and column (from 0) {strange[0]}: one is an error"
    differing = np.argwhere((found != expected) & ~np.isnan(expected))
    assert not len(differing), f"{where}: {len(differing)} differ, first {differing[0]}"


# --- IronCalc, whose model can be edited


class Model:
    """A workbook in IronCalc, to be edited and calculated again."""

    def __init__(self, path: Path) -> None:
        with readable(path) as copy:
            self.model = ironcalc.load_from_xlsx(str(copy), "en", "UTC")
        self.sheets = [sheet["name"] for sheet in self.model.get_worksheets_properties()]
        keys = openpyxl.load_workbook(path)[CONFIG]["A"]
        self.config = {str(cell.value): int(cell.row) for cell in keys}
        self.model.evaluate()

    def configure(self, **numbers: float) -> None:
        """Type numbers on Config and calculate."""
        for key, number in numbers.items():
            self.put(CONFIG, self.config[key], 2, number)

    def put(self, sheet: str, row: int, column: int, number: float) -> None:
        """Type a number and calculate."""
        self.model.update_cell_with_number(self.sheets.index(sheet), row, column, number)
        self.model.evaluate()

    def numbers(self, region: Region) -> Array:
        """The numbers of a region, nan for errors; there must be no texts."""
        sheet = self.sheets.index(region.sheet)
        found = np.full((region.rows, region.columns), np.nan)
        for r, c in np.ndindex(found.shape):
            at = (sheet, region.row + r, region.column + c)
            value = self.model.get_cell_value(*at)
            if isinstance(value, float | int) and not isinstance(value, bool):
                found[r, c] = value
            else:
                kind = self.model.get_cell_type(*at)
                assert kind == ironcalc.CellType.ErrorValue, f"{region.sheet} {at[1:]}: {value!r}"
        return found

    def assert_same(self, ledgers: dict[str, Ledger]) -> None:
        """All cells of all ledgers."""
        for name, ledger in ledgers.items():
            assert_same(self.numbers(ledger.region), ledger.values, name)


# --- formualizer stands in for Excel: it tracks dependencies by whole ranges, so that a
# range which reaches a cell that depends on the formula is circular.


def without_values(path: Path) -> Path:
    """A copy whose formula cells hold no values: what is read then has been calculated."""
    result = path.with_name(f"{path.stem}-bare.xlsx")
    with zipfile.ZipFile(path) as source, zipfile.ZipFile(result, "w") as target:
        for name in source.namelist():
            content = source.read(name)
            if name.startswith("xl/worksheets/"):
                content = re.sub(rb"(<f[^>]*/>|</f>)<v>[^<]*</v>", rb"\1", content)
            target.writestr(name, content)
    return result


class Formualized:
    """A workbook as formualizer calculates it."""

    def __init__(self, path: Path) -> None:
        self.book = formualizer.load_workbook(str(path))
        self.book.evaluate_all()

    def numbers(self, region: Region) -> Array:
        """The numbers of a region, nan for errors of calculation; a circle fails."""
        area = formualizer.RangeAddress(
            region.sheet, region.row, region.column, region.last_row, region.last_column
        )
        rows = self.book.sheet(region.sheet).get_values(area)
        found = np.full((region.rows, region.columns), np.nan)
        for r, c in np.ndindex(found.shape):
            value = rows[r][c]
            where = f"{region.sheet}!{address(region.row + r, region.column + c)}: {value}"
            if isinstance(value, dict):
                assert value["type"] == "Error" and value["kind"] in ("Num", "Value"), where
                continue
            assert isinstance(value, float | int) and not isinstance(value, bool), where
            found[r, c] = value
        return found

    def assert_same(self, ledgers: dict[str, Ledger]) -> None:
        """All cells of all ledgers, but hits and the accuracy that is computed from them.

        formualizer does not lift SIGN over ranges within SUMPRODUCT.
        """
        for name, ledger in ledgers.items():
            found, expected = self.numbers(ledger.region), ledger.values.copy()
            if "hits[1]" in ledger.labels:
                for i, label in enumerate(ledger.labels):
                    if re.fullmatch(r"(val_)?(hits\[\d+\]|accuracy)", label):
                        found[:, i] = expected[:, i] = 0.0
            assert_same(found, expected, name)
