"""What an exercise asks for, in the field's words: groups, quantities, single columns; visits."""

from __future__ import annotations

import re
from collections.abc import Mapping

from sheetnet.concepts.batches import COUNT, MEAN, SUM
from sheetnet.concepts.clipping import CLIPPED, NORM, SHRINK, SHRUNK
from sheetnet.errors import SpecError, nearest
from sheetnet.ledger import Block, ledger_of
from sheetnet.network import Network

GROUPS = (
    "forward",
    "loss",
    "deltas",
    "gradients",
    "batch",
    "clipping",
    "optimizer",
    "updates",
    "weights",
)
"""In the order of the ledger's columns, but for the last: the weights of the next row."""

FIRST_VISITS = 3
"""Asked where nothing is said."""

_BY_KIND = {
    "weight": "weights",
    "bias": "weights",
    "forward": "forward",
    "loss": "loss",
    "backward": "deltas",
    "gradient": "gradients",
    "update": "updates",
}
_BATCH = {slot.name for slot in (COUNT, SUM, MEAN)}
_CLIPPING = {slot.name for slot in (CLIPPED, NORM, SHRINK, SHRUNK)}

_COMMA = re.compile(r",(?![^\[\]]*\])")
"""Between names; the comma inside of brackets belongs to an index."""

_VISITS = re.compile(r"([0-9]{1,9})(?::([0-9]{1,9}))?")


def group_of(block: Block) -> str | None:
    """The group that a block belongs to; None: it cannot be asked for."""
    if block.kind != "state":
        return _BY_KIND.get(block.kind)
    slot = block.base if block.layer is None else block.base[:-1]
    return "batch" if slot in _BATCH else "clipping" if slot in _CLIPPING else "optimizer"


def labels_of(network: Network, blank: str) -> tuple[str, ...]:
    """The plain names of all columns that ``blank`` means, in the ledger's order.

    ``blank`` holds groups (``gradients``), quantities (``dW1``, or ``dW`` of all layers) and
    columns (``dW1[2,1]``), with commas between them. Raises :class:`SpecError`.
    """
    ledger = ledger_of(network)
    known: dict[str, set[str]] = {}
    for block in ledger.blocks:
        group = group_of(block)
        if group is None:
            continue
        for name in (group, block.base, block.name):
            known.setdefault(name, set()).update(block.labels)
        for label in block.labels:
            known.setdefault(label, set()).add(label)
    wanted: set[str] = set()
    names = [name.strip() for name in _COMMA.split(blank)]
    if not any(names):
        raise SpecError(f"--blank is empty; {_allowed(known)}")
    for name in filter(None, names):
        if name not in known:
            raise SpecError(_unknown(name, known, name in ledger or name in ledger.labels))
        wanted |= known[name]
    return tuple(label for label in ledger.labels if label in wanted)


def _unknown(name: str, known: Mapping[str, set[str]], given: bool) -> str:
    if name in GROUPS:
        return f"--blank {name}: this network has none of it; {_allowed(known)}"
    if given:
        return f"--blank {name}: it is given, not computed; {_allowed(known)}"
    return f"--blank {name!r} is not there{nearest(name, known)}; {_allowed(known)}"


def _allowed(known: Mapping[str, set[str]]) -> str:
    groups = [group for group in GROUPS if group in known]
    single = next(name for name in known if name.endswith("]"))
    names = [n for n in known if n not in groups and not n.endswith("]") and n[-1:].isdigit()]
    some = ", ".join(names[:8]) + (" …" if len(names) > 8 else "")
    return f"allowed: {', '.join(groups)}; a quantity ({some}); a column ({single} …)"


def visits_of(text: str, visits: int) -> tuple[int, ...]:
    """The visits (from 1, in order) of ``1:3,7``; raises :class:`SpecError`."""
    found: set[int] = set()
    for part in (part.strip() for part in text.split(",")):
        match = _VISITS.fullmatch(part)
        if match is None:
            raise SpecError(f"--visits {text!r}: write 2, or 1:3 (3 included), or 1:3,7")
        first, last = int(match[1]), int(match[2] or match[1])
        if not 1 <= first <= last <= visits:
            raise SpecError(f"--visits {part}: the visits of this run are 1 to {visits}")
        found.update(range(first, last + 1))
    return tuple(sorted(found))


def written(visits: tuple[int, ...]) -> str:
    """Visits as :func:`visits_of` reads them: ``1:3,7``."""
    parts: list[list[int]] = []
    for visit in visits:
        if parts and parts[-1][1] == visit - 1:
            parts[-1][1] = visit
        else:
            parts.append([visit, visit])
    return ",".join(f"{a}:{b}" if a < b else f"{a}" for a, b in parts)
