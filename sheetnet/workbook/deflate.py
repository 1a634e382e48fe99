"""Compression beside the making of what is compressed: a thread of its own, in order.

ISA-L (through python-isal) deflates several times as fast as zlib at about the same size,
and without Python's lock, so that a second core works while the next rows are made.
"""

from __future__ import annotations

import zipfile
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import IO

from isal import isal_zlib

LEVEL = 1
"""Measured: 0 writes a quarter more bytes, 2 and 3 are no smaller than 1."""

LARGE = 2**31 - 1
"""Bytes of a part that ``zipfile`` writes without that extension."""

WAITING = 4
"""Chunks that may wait: enough to keep both sides busy, few enough to be no memory."""


class Deflate:
    """A raw deflate stream, with the two methods that ``zipfile`` asks of a compressor."""

    def __init__(self) -> None:
        self._stream = isal_zlib.compressobj(LEVEL, isal_zlib.DEFLATED, -15)
        self._thread = ThreadPoolExecutor(1)
        self._waiting: deque[Future[bytes]] = deque()

    def compress(self, data: bytes) -> bytes:
        """Take ``data`` on; return what of earlier data is ready."""
        self._waiting.append(self._thread.submit(self._stream.compress, data))
        ready = []
        while len(self._waiting) > WAITING or (self._waiting and self._waiting[0].done()):
            ready.append(self._waiting.popleft().result())
        return b"".join(ready)

    def flush(self) -> bytes:
        """Return all the rest."""
        rest = b"".join(future.result() for future in self._waiting)
        self._waiting.clear()
        self.close()
        return rest + self._stream.flush()

    def close(self) -> None:
        """End the thread."""
        self._thread.shutdown(cancel_futures=True)


@contextmanager
def part(
    archive: zipfile.ZipFile, info: zipfile.ZipInfo, *, large: bool = False
) -> Iterator[IO[bytes]]:
    """Open a part of the archive for writing, deflated as above.

    ``large``: it may have more bytes than the format holds without its extension for 64
    bits; it is left out elsewhere, as some readers refuse it.
    """
    info.compress_type = zipfile.ZIP_DEFLATED
    deflate = Deflate()
    try:
        with archive.open(info, "w", force_zip64=large) as out:
            out._compressor = deflate  # type: ignore[attr-defined]  # zipfile has no way to say so
            yield out
    finally:
        deflate.close()
