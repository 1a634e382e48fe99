"""The same spec and seed give the same bytes; see repro.py for the whole table."""

from __future__ import annotations

import pytest
from repro import FEW, differing, made


@pytest.fixture(scope="module")
def base() -> dict[str, str]:
    return made(list(FEW[:3]))


@pytest.mark.parametrize(
    "setting",
    [{"PYTHONHASHSEED": "1", "TZ": "Pacific/Kiritimati", "folder": "ein Ordner größe"},
     {"PYTHONHASHSEED": "2", "LC_ALL": "C", "OMP_NUM_THREADS": "1", "OPENPYXL_LXML": "False"}],
    ids=["one", "another"],
)  # fmt: skip
def test_the_same_bytes(base: dict[str, str], setting: dict[str, str]) -> None:
    assert len(base) >= 6
    assert differing(base, made(list(FEW[:3]), **setting)) == []
