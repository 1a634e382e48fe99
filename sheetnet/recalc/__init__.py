"""Engines that recalculate a workbook, behind one protocol.

A verifier that read the values sheetnet wrote itself would prove nothing, so values
come from an engine that has just calculated, or from a file that Excel or LibreOffice
saved.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager

from sheetnet.errors import EngineError
from sheetnet.reader.cells import Values
from sheetnet.reader.package import Package

Calculated = Callable[[str, int, int], Values]
"""(sheet, rows, columns) -> the top left cells of the sheet as the engine has them."""


def _ironcalc(package: Package) -> AbstractContextManager[Calculated]:
    from sheetnet.recalc.ironcalc_engine import calculated

    return calculated(package)


def _libreoffice(package: Package) -> AbstractContextManager[Calculated]:
    from sheetnet.recalc.libreoffice import calculated

    return calculated(package)


def _saved(package: Package) -> AbstractContextManager[Calculated]:
    from sheetnet.recalc.saved import calculated

    return calculated(package)


SAVED = "saved"
"""The engine that calculates nothing."""

ENGINES: dict[str, Callable[[Package], AbstractContextManager[Calculated]]] = {
    "ironcalc": _ironcalc,
    "libreoffice": _libreoffice,
    SAVED: _saved,
}


@contextmanager
def recalculate(package: Package, engine: str) -> Iterator[Calculated]:
    """Recalculate a workbook; sheets can be read while the context is open.

    Raises :class:`EngineError` where the engine is unknown, missing, or fails.
    """
    if engine not in ENGINES:
        raise EngineError(f"there is no engine {engine!r}; allowed: {', '.join(ENGINES)}")
    with ENGINES[engine](package) as calculated:
        read: dict[tuple[str, int, int], Values] = {}

        def values(title: str, rows: int, columns: int) -> Values:
            key = (title, rows, columns)
            if key not in read:
                read[key] = calculated(title, rows, columns)
            return read[key]

        yield values


@contextmanager
def recalculate_if_asked(package: Package, engine: str) -> Iterator[Calculated]:
    """Like :func:`recalculate`, but nothing is calculated before the first value is asked for."""
    if engine not in ENGINES:
        raise EngineError(f"there is no engine {engine!r}; allowed: {', '.join(ENGINES)}")
    with ExitStack() as stack:
        opened: list[Calculated] = []

        def values(title: str, rows: int, columns: int) -> Values:
            if not opened:
                opened.append(stack.enter_context(recalculate(package, engine)))
            return opened[0](title, rows, columns)

        yield values
