"""Many hand-ins side by side, each in a process that can be ended when its time is over."""

from __future__ import annotations

import os
import signal
import tempfile
import threading
from collections.abc import Sequence
from concurrent.futures import TimeoutError as Late
from concurrent.futures.process import BrokenProcessPool
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import joblib
from joblib.externals.loky import ProcessPoolExecutor

from sheetnet.classroom.grading import grade_file
from sheetnet.classroom.report import Graded
from sheetnet.owned import end_with, scratch_folder
from sheetnet.progress import Progress

TIMEOUT = 60.0
"""Seconds for one file."""

START = 60.0
"""Seconds that a process may take to start, besides."""

MEMORY = 2 * 1024**3
"""Bytes that a process may take besides what it has at its start (on Linux)."""


def grade_all(
    paths: Sequence[str],
    exercise: str | None,
    spec: str | None,
    *,
    jobs: int | None = None,
    timeout: float = TIMEOUT,
    memory: int = MEMORY,
    progress: Progress | None = None,
) -> tuple[Graded, ...]:
    """Grade files in ``jobs`` processes (None: one for each core), in the order of ``paths``."""
    workers = _Workers(timeout, memory)
    count = max(1, min(jobs or joblib.cpu_count(), len(paths)))
    found: dict[int, Graded] = {}
    pool = joblib.Parallel(n_jobs=count, backend="threading", return_as="generator_unordered")
    try:
        tasks = (joblib.delayed(workers.grade)(n, p, exercise, spec) for n, p in enumerate(paths))
        outcomes = pool(tasks)
        for n, graded in outcomes:
            found[n] = graded
            if progress is not None:
                progress(len(found), len(paths))
    finally:
        workers.end()  # those who wait for a process learn it now
    return tuple(found[n] for n in range(len(paths)))


class _Workers:
    """A process for each thread that asks; one that hangs is ended and another started."""

    def __init__(self, timeout: float, memory: int) -> None:
        self.timeout, self.memory = timeout, memory
        # What a process leaves behind that is ended goes with this folder.
        self.scratch = ExitStack()
        self.folder = self.scratch.enter_context(scratch_folder())
        self.own = threading.local()
        self.lock = threading.Lock()
        self.executors: set[Any] = set()
        self.ended = False

    def grade(
        self, n: int, path: str, exercise: str | None, spec: str | None
    ) -> tuple[int, Graded]:
        """Grade a file in the thread's process."""
        try:
            executor = self._executor()
            return n, executor.submit(grade_file, path, exercise, spec).result(self.timeout)
        except Late:
            self._drop()
            return n, Graded(path, problem=f"took more than {self.timeout:g} s")
        except BrokenProcessPool:
            self._drop()
            told = "the process that graded it ended (is it too large for the memory?)"
            return n, Graded(path, problem=told)

    def _executor(self) -> Any:
        executor = getattr(self.own, "executor", None)
        if executor is None:
            with self.lock:
                if self.ended:
                    raise RuntimeError("no process is started any more")
                given = self.memory, os.getpid(), str(self.folder)
                executor = ProcessPoolExecutor(1, initializer=_set_up, initargs=given)
                self.executors.add(executor)
            self.own.executor = executor
            executor.submit(_ready).result(START)
        return executor

    def _drop(self) -> None:
        executor, self.own.executor = self.own.executor, None
        with self.lock:
            self.executors.discard(executor)
        _end(executor)

    def end(self) -> None:
        """End all processes, and start no more."""
        with self.lock:
            self.ended = True
            executors = list(self.executors)
            self.executors.clear()
        for executor in executors:
            _end(executor)
        self.scratch.close()


def _end(executor: Any) -> None:
    executor.shutdown(wait=True, kill_workers=True)


def _ready() -> None:
    """Load what grading needs, before the clock of the first file starts."""


def _set_up(memory: int, parent: int, folder: str) -> None:
    """Bound the memory that a file may take, leave Ctrl-C to the one who asked, end with them."""
    end_with(parent)
    tempfile.tempdir = folder
    with suppress(ValueError):
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    with suppress(ImportError, OSError, ValueError):  # where there is no such thing
        import resource

        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
        most = pages * resource.getpagesize() + memory
        resource.setrlimit(resource.RLIMIT_AS, (most, most))
