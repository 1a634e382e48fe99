"""A macro as Excel stores it: a VBA project, of the workbook's module alone, in a compound file.

Written from Microsoft's open specifications MS-OVBA (the streams) and MS-CFB (the file); what
applications ignore (compiled code, help files, references) is left out or empty.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field

SECTOR, SMALL, SHORT = 512, 64, 4096
"""Bytes of a sector, of a small one, and from which on a stream has sectors of its own."""

FREE, END, FAT = 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFD
STORAGE, STREAM, ROOT = 1, 2, 5

PROJECT, MODULE = "VBAProject", "ThisWorkbook"


def compressed(text: bytes) -> bytes:
    """A compressed container (MS-OVBA 2.4.1) of one chunk, all its tokens literals."""
    assert len(text) < 3_600
    tokens = b"".join(b"\0" + text[n : n + 8] for n in range(0, len(text), 8))
    return b"\1" + struct.pack("<H", len(tokens) + 2 - 3 | 0xB000) + tokens


def _record(kind: int, content: bytes) -> bytes:
    return struct.pack("<HI", kind, len(content)) + content


def _texts(kind: int, other: int, text: str) -> bytes:
    return _record(kind, text.encode("cp1252")) + _record(other, text.encode("utf-16-le"))


def _directory() -> bytes:
    """The ``dir`` stream (2.3.4.2)."""
    zero, cookie = bytes(4), b"\xff\xff"
    parts = [
        _record(0x01, struct.pack("<I", 1)),  # 32-bit Windows
        _record(0x02, struct.pack("<I", 0x409)),
        _record(0x14, struct.pack("<I", 0x409)),
        _record(0x03, struct.pack("<H", 1252)),
        _record(0x04, PROJECT.encode()),
        _texts(0x05, 0x40, ""),
        _record(0x06, b""), _record(0x3D, b""),
        _record(0x07, zero), _record(0x08, zero),
        struct.pack("<HIIH", 0x09, 4, 1, 1),
        _texts(0x0C, 0x3C, ""),
        _record(0x0F, struct.pack("<H", 1)), _record(0x13, cookie),
        _texts(0x19, 0x47, MODULE), _texts(0x1A, 0x32, MODULE), _texts(0x1C, 0x48, ""),
        _record(0x31, zero), _record(0x1E, zero), _record(0x2C, cookie),
        _record(0x22, b""), _record(0x2B, b""), _record(0x10, b""),
    ]  # fmt: skip
    return b"".join(parts)


def project_of(code: str) -> bytes:
    """``xl/vbaProject.bin`` with the code in the module of the workbook itself."""
    head = [
        f'Attribute VB_Name = "{MODULE}"', 'Attribute VB_Base = "0{00020819-0000-0000-C000-'
        '000000000046}"', "Attribute VB_PredeclaredId = True", "Attribute VB_Exposed = True",
    ]  # fmt: skip
    source = "\r\n".join([*head, *code.splitlines(), ""])
    settings = [
        'ID="{00000000-0000-0000-0000-000000000001}"', f"Document={MODULE}/&H00000000",
        f'Name="{PROJECT}"', 'HelpContextID="0"', 'VersionCompatible32="393222000"', "",
        "[Host Extender Info]",
        "&H00000001={3832D640-CF90-11CF-8E43-00A0C911005A};VBE;&H00000000", "",
    ]  # fmt: skip
    both = MODULE.encode() + b"\0" + MODULE.encode("utf-16-le") + bytes(4)
    streams = {
        "PROJECT": "\r\n".join(settings).encode("cp1252"),
        "PROJECTwm": both,
        "VBA/_VBA_PROJECT": b"\xcc\x61\xff\xff\0\0\0",
        "VBA/dir": compressed(_directory()),
        f"VBA/{MODULE}": compressed(source.encode("cp1252")),
    }
    return compound(streams)


@dataclass
class _Sectors:
    """Streams laid into sectors one after the other, and which sector follows on which."""

    size: int
    content: bytes = b""
    following: list[int] = field(default_factory=list)

    def put(self, stream: bytes) -> int:
        """Append a stream; its first sector."""
        first, count = len(self.following), -(-len(stream) // self.size)
        self.content += stream.ljust(count * self.size, b"\0")
        self.following += [*range(first + 1, first + count), END] if count else []
        return first if count else END


def _entry(
    name: str, kind: int, first: int, size: int, *, right: int = FREE, child: int = FREE
) -> bytes:
    text = name.encode("utf-16-le") + b"\0\0"
    head = text.ljust(64, b"\0") + struct.pack("<HBB", len(text), kind, 1)
    links = struct.pack("<III", FREE, right, child)
    return head + links + bytes(36) + struct.pack("<IQ", first, size)


def compound(streams: dict[str, bytes]) -> bytes:
    """A compound file (MS-CFB, version 3) of short streams in the root and in one storage."""
    assert all(len(content) < SHORT for content in streams.values())
    small = _Sectors(SMALL)
    starts = {name: small.put(content) for name, content in streams.items()}

    def order(name: str) -> tuple[int, str]:
        return len(name), name.upper()

    storage = next(name for name in streams if "/" in name).split("/")[0]
    within = sorted((n for n in streams if "/" in n), key=lambda n: order(n.split("/")[1]))
    outer = sorted([storage, *(n for n in streams if "/" not in n)], key=order)
    names = [*outer, *within]
    place = {name: number for number, name in enumerate(names, 1)}

    sectors = _Sectors(SECTOR)
    first = sectors.put(small.content)
    entries = [_entry("Root Entry", ROOT, first, len(small.content), child=1)]
    for name in names:
        beside = outer if name in outer else within
        after = beside[beside.index(name) + 1 :]
        right = place[after[0]] if after else FREE
        if name == storage:
            entries.append(_entry(name, STORAGE, 0, 0, right=right, child=place[within[0]]))
        else:
            size = len(streams[name])
            entries.append(_entry(name.split("/")[-1], STREAM, starts[name], size, right=right))
    table = struct.pack(f"<{len(small.following)}I", *small.following)
    entries += [_entry("", 0, 0, 0)] * (-len(entries) % (SECTOR // 128))
    directory = sectors.put(b"".join(entries))
    smalls = sectors.put(table + b"\xff" * (-len(table) % SECTOR))
    place_of_fat = len(sectors.following)
    following = [*sectors.following, FAT]
    assert len(following) <= SECTOR // 4
    fat = struct.pack("<128I", *following, *[FREE] * (128 - len(following)))
    header = bytes.fromhex("d0cf11e0a1b11ae1").ljust(24, b"\0")
    header += struct.pack("<HHHHH6x", 0x3E, 3, 0xFFFE, 9, 6)
    header += struct.pack("<IIIIIIIIII", 0, 1, directory, 0, SHORT, smalls, 1, END, 0, place_of_fat)
    return header.ljust(SECTOR, b"\xff") + sectors.content + fat
