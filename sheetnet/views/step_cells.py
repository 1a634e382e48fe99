"""References to the cells of ``Step``, and its boxes filled with formulas."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sheetnet.concepts.cells import Cells
from sheetnet.forward_formulas import FED
from sheetnet.views.step_layout import StepLayout
from sheetnet.views.step_parts import Box
from sheetnet.views.view import Live


def refs_of(step: StepLayout, mark: str = "") -> dict[str, Cells]:
    """The cells of each quantity; with a mark those of a nudged pass where it has its own."""
    found = {name: box.cells for name, box in step.boxes.items()}
    if mark:
        own = {n.removesuffix(mark): cells for n, cells in found.items() if n.endswith(mark)}
        found |= own
        found["x"] = found[f"{FED}1"]
    return found


def filled(box: Box, texts: Sequence[str]) -> Iterator[Live]:
    """One formula for each cell of a box."""
    for place, label, text in zip(box.places, labels_of(box), texts, strict=True):
        yield Live(*place, text, label)


def labels_of(box: Box) -> Iterator[str]:
    """The plain name of each cell, indices from 1: ``dW1[2,1]``, ``mb1[2] before``."""
    if box.rows * box.columns == 1 and box.kind in ("place", "loss", "state"):
        yield box.name
        return
    for n in range(box.rows * box.columns):
        j, i = divmod(n, box.columns)
        if "W" in box.name:
            yield f"{box.name}[{j + 1},{i + 1}]"
        else:
            yield f"{box.name}[{max(j, i) + 1}]"
