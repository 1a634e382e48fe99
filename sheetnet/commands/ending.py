"""Ending early: a signal is an exception, so that what was begun is cleaned up."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator
from types import FrameType
from typing import Any


class Ended:
    """Which signal ended a command; None: none did."""

    def __init__(self) -> None:
        self.signal: int | None = None

    @property
    def status(self) -> int:
        """The exit status of a command that was interrupted."""
        return 128 + (self.signal or int(signal.SIGINT))

    @contextlib.contextmanager
    def by_signal(self) -> Iterator[None]:
        """Let what asks a process to end (kill, a closed terminal) do what Ctrl-C does."""
        handlers: dict[int, Any] = {}
        if threading.current_thread() is threading.main_thread():
            for name in ("SIGINT", "SIGTERM", "SIGHUP"):
                number = getattr(signal, name, None)
                # What is ignored (nohup) or handled by somebody stays so.
                if number is not None and signal.getsignal(number) in _PLAIN:
                    handlers[number] = signal.signal(number, self._end)
        try:
            yield
        finally:
            for number, handler in handlers.items():
                signal.signal(number, handler)

    def _end(self, number: int, _: FrameType | None) -> None:
        self.signal = number
        if number != signal.SIGINT:
            signal.signal(number, signal.SIG_IGN)  # once is enough: nothing disturbs the cleaning
        raise KeyboardInterrupt


_PLAIN = (signal.SIG_DFL, signal.default_int_handler)
