"""Which sheets a workbook has: some always, others where they apply and are asked for."""

from __future__ import annotations

from collections.abc import Iterable

from sheetnet.errors import SpecError, nearest
from sheetnet.network import Network
from sheetnet.regions import (
    COMPARE,
    CONFIG,
    DATA,
    EPOCHS,
    INIT,
    PREDICT,
    SHEETS,
    TRAIN,
    VALIDATION,
)

ALWAYS = (CONFIG, DATA, INIT, TRAIN)
"""What the training itself needs."""

OF_WHOLE_RUNS = (VALIDATION, EPOCHS, PREDICT, COMPARE)
"""What a window does not show: its epochs may be cut, and its updates are not the first ones."""


def sheets_of(
    network: Network, wanted: Iterable[str] | None = None, *, windowed: bool = False
) -> tuple[str, ...]:
    """The sheets of a workbook in order; ``wanted`` None: all that apply.

    ``Validation`` applies where rows are held out. It takes its weights from ``Epochs``,
    whose columns say how it goes, so that each brings the other; early stopping brings
    both, because training depends on them. In a window that is an input. Raises
    :class:`SpecError` for a sheet that there is not.
    """
    asked = set(SHEETS if wanted is None else map(sheet_named, wanted)) | set(ALWAYS)
    if windowed:
        missing = [title for title in OF_WHOLE_RUNS if title in asked]
        if wanted is not None and missing:
            raise SpecError(
                f"a window of visits has no sheet {missing[0]!r}; allowed: "
                f"{', '.join(title for title in SHEETS if title not in OF_WHOLE_RUNS)}"
            )
        return tuple(title for title in SHEETS if title in asked - set(OF_WHOLE_RUNS))
    if network.stops or VALIDATION in asked or (network.validates and EPOCHS in asked):
        asked |= {EPOCHS, VALIDATION}
    if not network.validates:
        asked.discard(VALIDATION)
    return tuple(title for title in SHEETS if title in asked)


def sheet_named(name: str) -> str:
    """The sheet that a person means by a name, in capitals or not."""
    known = {title.casefold(): title for title in SHEETS}
    found = known.get(name.strip().casefold())
    if found is None:
        raise SpecError(
            f"there is no sheet {name.strip()!r}{nearest(name.strip(), SHEETS)}; "
            f"allowed: {', '.join(SHEETS)}"
        )
    return found
