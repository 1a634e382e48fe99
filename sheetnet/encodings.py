"""What a text file that is not UTF-8 seems to be, for a message."""

from __future__ import annotations

import codecs
from pathlib import Path


def not_utf8(path: Path) -> str:
    """Say what a file that is not UTF-8 is instead, and where that shows."""
    content = path.read_bytes()
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "UTF-16 text, not UTF-8"
    try:
        content.decode()
    except UnicodeDecodeError as error:
        head, line = content[:1000], content.count(b"\n", 0, error.start) + 1
        if b"\0" in head or head.startswith(b"PK\x03\x04"):
            return "not UTF-8 text"
        return f"not UTF-8 text (line {line}: Latin-1 or Windows-1252, perhaps)"
    return "not UTF-8 text"
