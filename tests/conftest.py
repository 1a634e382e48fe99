"""Fixtures that all tests share."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from sheetnet.recalc.libreoffice import find_soffice

# Drawn cases are the same each time: a red run must be red again, a green one stay green.
# ``pytest --hypothesis-profile=random`` draws others, ``--hypothesis-seed`` says which.
settings.register_profile("same", derandomize=True, deadline=None)
settings.register_profile("random", deadline=None)
settings.load_profile("same")

REQUIRE = "SHEETNET_REQUIRE_LIBREOFFICE"
"""Set (to anything) where LibreOffice and Gnumeric must be there: else their tests fail."""

PROGRAMS = {
    "libreoffice": ("LibreOffice", "soffice", find_soffice),
    "gnumeric": ("Gnumeric", "ssconvert", lambda: shutil.which("ssconvert")),
}
"""Marker -> what it needs: its name, its program, how to find that."""

ROOT = Path(__file__).parent.parent
EXAMPLES = sorted((ROOT / "examples").glob("*.toml"))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip the tests of programs that are missing and not required."""
    if os.environ.get(REQUIRE):
        return
    for marker, (name, program, find) in PROGRAMS.items():
        if find() is None:
            skip = pytest.mark.skip(reason=f"{name} is not installed (no {program} on the path)")
            for item in items:
                if marker in item.keywords:
                    item.add_marker(skip)


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """How many faults of which kind were put into workbooks, by test_mutations."""
    faults = [
        value
        for report in terminalreporter.getreports("passed") + terminalreporter.getreports("failed")
        for name, value in getattr(report, "user_properties", ())
        if name == "fault" and report.when == "call"
    ]
    if faults:
        from mutate import table

        terminalreporter.section("faults put into workbooks")
        terminalreporter.write_line(table((kind, sheet) for kind, sheet in faults))


@pytest.fixture(params=EXAMPLES, ids=lambda path: path.stem)
def example(request: pytest.FixtureRequest) -> Path:
    """Each spec of examples/ in turn."""
    path: Path = request.param
    return path
