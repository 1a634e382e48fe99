"""IronCalc in a process of its own, which may hang, run out of memory or break off.

Run as a script, by :mod:`sheetnet.recalc.process`: it imports nothing of sheetnet, so that
it starts at once. A question is a line of JSON on the standard input; an answer is a line
of JSON on the standard output, with ``bytes`` of float64 behind it where there are numbers.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from array import array
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

NAN = float("nan")


class Worker:
    """Holds one workbook at a time."""

    def __init__(self) -> None:
        import ironcalc

        self.load_from_xlsx = ironcalc.load_from_xlsx
        self.error_value = ironcalc.CellType.ErrorValue
        self.model: Any = None
        self.own = _pages()

    def load(self, path: str, memory: int) -> dict[str, Any]:
        """Load and evaluate a workbook, taking at most so many bytes; tell its sheets."""
        self.model = None
        _bound(self.own + memory)
        self.model = self.load_from_xlsx(path, "en", "UTC")
        self.model.evaluate()
        return {"titles": [sheet["name"] for sheet in self.model.get_worksheets_properties()]}

    def change(self, cells: list[tuple[int, int, int, float]]) -> dict[str, Any]:
        """Put numbers into cells (sheet, row, column, number) and evaluate."""
        for sheet, row, column, number in cells:
            self.model.update_cell_with_number(sheet, row, column, number)
        self.model.evaluate()
        return {}

    def values(self, sheet: int, rows: int, columns: int) -> tuple[dict[str, Any], array[float]]:
        """The top left cells: numbers, nan where there is none, and what stands there instead.

        ``odd`` lists (row, column, whether it is an error, text or boolean).
        """
        get, kind_of = self.model.get_cell_value, self.model.get_cell_type
        numbers = array("d")
        odd: list[tuple[int, int, bool, str | bool]] = []
        span = range(1, columns + 1)
        for row in range(1, rows + 1):
            cells = [get(sheet, row, column) for column in span]
            if set(map(type, cells)) != {float}:
                for column, cell in enumerate(cells, 1):
                    if isinstance(cell, (str, bool)):
                        kind = kind_of(sheet, row, column)
                        odd.append((row, column, kind == self.error_value, cell))
                    if not isinstance(cell, float):
                        cells[column - 1] = NAN
            numbers.extend(cells)
        return {"odd": odd}, numbers

    def forget(self) -> dict[str, Any]:
        """Let the workbook go."""
        self.model = None
        return {}

    def answer(self, question: dict[str, Any]) -> tuple[dict[str, Any], array[float]]:
        """Do what is asked; a panic of the engine is an ``error`` too."""
        try:
            found = getattr(self, question["do"])(*question["with"])
        except BaseException as error:  # a panic is none of Exception
            return {"error": str(error) or type(error).__name__}, array("d")
        return found if isinstance(found, tuple) else (found, array("d"))


def serve(asked: IO[bytes], answers: IO[bytes]) -> None:
    """Answer until nobody asks any more.

    A question that takes longer than it may ends the process, even when nobody waits.
    """
    worker = Worker()
    alarm = getattr(signal, "alarm", lambda seconds: None)
    for line in asked:
        question = json.loads(line)
        alarm(question["seconds"])
        head, numbers = worker.answer(question)
        alarm(0)
        data = numbers.tobytes()
        answers.write(json.dumps({**head, "bytes": len(data)}).encode() + b"\n")
        answers.write(data)
        answers.flush()


def _pages() -> int:
    """Bytes of address space that this process has, 0 where that is not known."""
    try:
        import resource

        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
        return pages * resource.getpagesize()
    except (ImportError, OSError, ValueError):
        return 0


def _bound(most: int) -> None:
    """Bound the address space, where that can be done."""
    with suppress(ImportError, OSError, ValueError):
        import resource

        _, hard = resource.getrlimit(resource.RLIMIT_AS)
        soft = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))


def main() -> None:
    """Keep what the engine itself prints from the answers, and Ctrl-C to the one who asks."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with suppress(ImportError, OSError, ValueError):
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    answers = os.fdopen(os.dup(1), "wb")
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (1, 2):
        os.dup2(nowhere, stream)
    serve(sys.stdin.buffer, answers)


if __name__ == "__main__":
    main()
