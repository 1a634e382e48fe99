"""Fixtures that all tests share."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from sheetnet.recalc.libreoffice import find_soffice

REQUIRE = "SHEETNET_REQUIRE_LIBREOFFICE"
"""Set (to anything) where LibreOffice must be there: its absence is then a failure."""

ROOT = Path(__file__).parent.parent
EXAMPLES = sorted((ROOT / "examples").glob("*.toml"))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip the tests marked ``libreoffice`` where soffice is missing and not required."""
    if find_soffice() is not None or os.environ.get(REQUIRE):
        return
    skip = pytest.mark.skip(reason="LibreOffice is not installed (no soffice on the path)")
    for item in items:
        if "libreoffice" in item.keywords:
            item.add_marker(skip)


@pytest.fixture(params=EXAMPLES, ids=lambda path: path.stem)
def example(request: pytest.FixtureRequest) -> Path:
    """Each spec of examples/ in turn."""
    path: Path = request.param
    return path
