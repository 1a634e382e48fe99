"""IronCalc's process, seen from here: asked, waited for as long as it may take, ended.

A workbook can make the engine loop, take all memory or break off (it is written in Rust:
a stack that overflows ends the process). None of it may reach us, so it has a process of
its own, with a limit of time for each question and one of memory for each workbook. A
process that has answered is kept for the next workbook: starting one takes some 30 ms.
"""

from __future__ import annotations

import atexit
import json
import os
import signal
import subprocess
import sys
import threading
from contextlib import suppress
from io import BufferedReader
from pathlib import Path
from typing import Any, cast

import numpy as np

from sheetnet.concepts.arithmetic import Array
from sheetnet.errors import EngineError, LimitError, SheetnetError

LEAST_SECONDS, SECONDS_PER_MB = 60, 1
"""Time for each question: so much for any workbook, and for each MB that it has unpacked."""

LEAST_MEMORY, MEMORY_PER_BYTE = 1 << 30, 12
"""Memory for a workbook, likewise: bytes, and bytes for each unpacked."""

WORKER = Path(__file__).with_name("worker.py")


class EngineProcess:
    """A process that holds a workbook; ``seconds`` bound each question."""

    def __init__(self) -> None:
        """Start it; raises :class:`EngineError`."""
        try:
            self.process = subprocess.Popen(
                # -P: no ironcalc.py of the folder, though it is beside the script, is taken.
                [sys.executable, "-P", str(WORKER)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
            )
        except OSError as error:
            raise EngineError(f"ironcalc cannot be started ({error.strerror or error})") from None
        self.owner = os.getpid()
        self.seconds = LEAST_SECONDS
        self.waiting = False
        self.late = False

    def ask(self, do: str, *what: Any) -> tuple[dict[str, Any], Array]:
        """Return what it says, and the numbers with it.

        Raises :class:`EngineError` that says why it cannot; :class:`LimitError` where it takes
        longer than ``seconds`` or breaks off, and has ended.
        """
        assert self.process.stdin is not None and self.process.stdout is not None
        question = {"do": do, "with": what, "seconds": self.seconds}
        self.waiting = True
        timer = threading.Timer(self.seconds, self._too_late)
        timer.daemon = True
        timer.start()
        try:
            self.process.stdin.write(json.dumps(question).encode() + b"\n")
            self.process.stdin.flush()
            head = json.loads(self.process.stdout.readline())
            # Into their place: a sheet's numbers are many, and need not be there twice.
            data = bytearray(head["bytes"])
            if cast(BufferedReader, self.process.stdout).readinto(data) != len(data):
                raise EOFError
        except (OSError, ValueError, EOFError):
            raise LimitError(self._why()) from None
        finally:
            timer.cancel()
        self.waiting = False
        if "error" in head:
            raise EngineError(head["error"])
        return head, np.frombuffer(data)

    def _too_late(self) -> None:
        self.late = True
        self.process.kill()

    def _why(self) -> str:
        self.end()
        if self.late or self.process.returncode == -getattr(signal, "SIGALRM", 0):
            return f"it takes more than {self.seconds} s"
        return "it breaks off (formulas nested too deeply, or more memory than it may take)"

    def end(self) -> None:
        """End it, whatever it does."""
        self.process.kill()
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                with suppress(OSError):
                    pipe.close()
        self.process.wait()


_IDLE: dict[int, EngineProcess] = {}
"""One that waits for work, by the process that started it (which may have been forked)."""


def engine_process() -> EngineProcess:
    """The process that waits for work, or a new one."""
    found = _IDLE.pop(os.getpid(), None)
    if found is not None and found.process.poll() is not None:
        found.end()
        found = None
    return found or EngineProcess()


def give_back(engine: EngineProcess) -> None:
    """Keep a process for the next workbook; end one that was not waited for, or is not needed."""
    if os.getpid() != engine.owner:
        return
    try:
        if not engine.waiting and os.getpid() not in _IDLE:
            engine.ask("forget")
            _IDLE[os.getpid()] = engine
            return
    except SheetnetError:
        pass
    engine.end()


@atexit.register
def _end() -> None:
    engine = _IDLE.pop(os.getpid(), None)
    if engine is not None:
        engine.end()
