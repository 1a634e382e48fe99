"""Compression beside the making of what is compressed: threads of their own, in order.

zlib works without Python's lock, so that other cores work while the next rows are made. A
stream is cut where its writer cuts it: each piece is deflated by itself, with what comes
before it as its dictionary, and ends on a whole byte, so that pieces may be made at the same
time and the bytes do not depend on when (the way of ``pigz``).
"""

from __future__ import annotations

import zipfile
import zlib
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import IO

LEVEL = 1
"""Measured: 6 takes three times as long for a tenth fewer bytes."""

THREADS = 2
"""Making rows takes a core as well: more than two threads would wait for it."""

LARGE = 2**31 - 1
"""Bytes of a part that ``zipfile`` writes without the extension of zip for 64 bits."""

WAITING = 6
"""Pieces that may wait: enough to keep all sides busy, few enough to be no memory."""

_WINDOW, _BITS = 32_768, -15
"""How far back deflate looks; raw streams of that reach, without a head."""

_END = b"\x03\x00"
"""An empty last block."""


class Deflate:
    """A raw deflate stream, with the two methods that ``zipfile`` asks of a compressor."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(THREADS)
        self._waiting: deque[Future[bytes]] = deque()
        self._before = b""

    def compress(self, data: bytes) -> bytes:
        """Take ``data`` on; return what of earlier data is ready."""
        data = bytes(data)
        self._waiting.append(self._threads.submit(_piece, data, self._before))
        self._before = (self._before + data)[-_WINDOW:] if len(data) < _WINDOW else data[-_WINDOW:]
        ready = []
        while len(self._waiting) > WAITING or (self._waiting and self._waiting[0].done()):
            ready.append(self._waiting.popleft().result())
        return b"".join(ready)

    def flush(self) -> bytes:
        """Return all the rest."""
        rest = b"".join(future.result() for future in self._waiting)
        self._waiting.clear()
        self.close()
        return rest + _END

    def close(self) -> None:
        """End the threads."""
        self._threads.shutdown(cancel_futures=True)


def _piece(data: bytes, before: bytes) -> bytes:
    """The blocks of ``data``, which may refer to ``before``."""
    stream = zlib.compressobj(LEVEL, zlib.DEFLATED, _BITS, zdict=before)
    return stream.compress(data) + stream.flush(zlib.Z_SYNC_FLUSH)


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
