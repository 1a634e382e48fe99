"""Ending early: a signal is an exception, so that what was begun is cleaned up."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator
from types import FrameType


class Ended:
    """Which signal ended a command: SIGINT, unless another one did."""

    def __init__(self) -> None:
        self.signal = int(signal.SIGINT)

    @contextlib.contextmanager
    def by_signal(self) -> Iterator[None]:
        """Let what asks a process to end (kill, a closed terminal) do what Ctrl-C does."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        numbers = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]
        # What is ignored (nohup) or handled by somebody stays so.
        numbers = [n for n in numbers if signal.getsignal(n) is signal.SIG_DFL]
        for number in numbers:
            signal.signal(number, self._end)
        try:
            yield
        finally:
            for number in numbers:
                signal.signal(number, signal.SIG_DFL)

    def _end(self, number: int, _: FrameType | None) -> None:
        signal.signal(number, signal.SIG_IGN)  # once is enough: nothing disturbs the cleaning
        self.signal = number
        raise KeyboardInterrupt
