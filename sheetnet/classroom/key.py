"""The key of a bug hunt, to be printed: Markdown that reads well as it is, too."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from sheetnet.problem import Problem
from sheetnet.verification import Report

if TYPE_CHECKING:
    from sheetnet.classroom.bugs import Fault

_SPECIAL = re.compile(
    r"([\\`*_\[\]|<>&~@#]|:(?=/)|(?<=mailto):|(?<=xmpp):|(?<=www)\.)", re.IGNORECASE
)
"""Signs of Markdown, and what makes links of plain texts: ``://``, ``www.``, an at sign."""


def key_text(
    problem: Problem, book: str, seed: int, faults: Sequence[Fault], report: Report
) -> str:
    """All faults, then what ``sheetnet verify`` says of the workbook named ``book``."""
    count = f"{len(faults)} fault{'s' if len(faults) != 1 else ''}"
    lines = [
        f"# Bug hunt: {_plain(problem.spec.name)}",
        "",
        f"{count} in {_plain(book)}, network {_plain(problem.network.label)}, seed {seed}. "
        "For the teacher only.",
        "",
    ]
    for number, fault in enumerate(faults, 1):
        lines += _fault(number, fault)
    lines += [
        "## What verify says",
        "",
        "It names the first cell that each check does not accept, and passes once all faults are "
        "mended:",
        "",
        *(f"    {line}" for line in report.to_text().splitlines()[1:]),
        "",
    ]
    return "\n".join(lines)


def _fault(number: int, fault: Fault) -> list[str]:
    return [
        f"## {number}. {fault.title}",
        "",
        f"- Where: {fault.sheet}!{fault.cells}{_visits(fault.visits)}",
        f"- Quantity: `{fault.quantity}`",
        f"- Right: `{fault.right}` in {fault.first}",
        f"- Wrong: `{fault.wrong}`",
        f"- Shows first in {fault.shows}: {fault.value!r}, right would be {fault.right_value!r}",
        f"- Kind: `{fault.kind}`",
        "",
        fault.explanation,
        "",
    ]


def _visits(visits: tuple[int, int] | None) -> str:
    if visits is None:
        return ""
    first, last = visits
    return f", visit {first}" if first == last else f", visits {first} to {last}"


def _plain(text: str) -> str:
    """The text with what Markdown would take for marks escaped."""
    return _SPECIAL.sub(r"\\\1", " ".join(text.split()))
