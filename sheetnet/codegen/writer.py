"""Writing Python source: lines at their depth, none too long, and texts that stay texts."""

from __future__ import annotations

import ast
import contextlib
import re
import textwrap
from collections.abc import Iterable, Iterator, Mapping

WIDTH = 100
"""Columns of a line at most."""

_INDENT = "    "
_NAME = re.compile(r"(?<![\w.])[A-Za-z_]\w*")


def renamed(code: str, names: Mapping[str, str]) -> str:
    """The code with other words for some of its names; attributes stay."""
    return _NAME.sub(lambda found: names.get(found[0], found[0]), code)


def names_in(code: str) -> set[str]:
    """The names that the code uses: no attributes, no words of comments and texts."""
    return {node.id for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Name)}


def grouped(code: str) -> str:
    """An expression as a factor of a product: in parentheses unless it is one operand."""
    parsed = ast.parse(code, mode="eval").body
    return f"({code})" if isinstance(parsed, ast.BinOp | ast.BoolOp | ast.IfExp) else code


def quoted(text: str, width: int = 60) -> str:
    """A text for a comment: on one line, nothing in it that could end the comment."""
    shown = repr(text)
    return shown if len(shown) <= width else f"{shown[: width - 4]} …'"


def listed(texts: Iterable[object], most: int = 4) -> str:
    """Some texts for a comment, the first few of many."""
    every = list(texts)
    shown = ", ".join(quoted(str(text), 20) for text in every[:most])
    return f"{shown} … ({len(every)} in all)" if len(every) > most else shown


def literal(value: object) -> str:
    """A number or a text as source, a long text as several, which Python joins."""
    if not isinstance(value, str) or len(repr(value)) <= WIDTH // 2:
        return repr(value)
    parts: list[str] = []
    rest = value
    while rest:
        size = WIDTH // 2
        while len(repr(rest[:size])) > WIDTH - 20:
            size //= 2
        parts.append(repr(rest[:size]))
        rest = rest[size:]
    return "\n".join(parts)


class Writer:
    """Source that grows line by line, at the depth of the block that is open."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.depth = 0

    @property
    def text(self) -> str:
        """All lines; each run of empty ones as PEP 8 wants it is the caller's affair."""
        return "\n".join(self.lines) + "\n"

    @property
    def _margin(self) -> str:
        return _INDENT * self.depth

    def line(self, code: str = "", note: str = "") -> None:
        """A line, or several at this depth; the note behind it, or above where it is long."""
        first, *others = code.split("\n")
        with_note = f"{self._margin}{first}  # {note}"
        if note and (others or len(with_note) > WIDTH):
            self.note(note)
        elif note:
            self.lines.append(with_note)
            return
        self.lines += [f"{self._margin}{each}".rstrip() for each in (first, *others)]

    def note(self, text: str) -> None:
        """A comment of its own, on as many lines as it needs."""
        line = f"{self._margin}#"
        for word in text.split():
            if len(line) + 1 + len(word) > WIDTH and not line.endswith("#"):
                self.lines.append(line)
                line = f"{self._margin}#"
            line += f" {word}"
        self.lines.append(line)

    @contextlib.contextmanager
    def block(self, head: str) -> Iterator[None]:
        """Open a block: ``for …:``."""
        self.line(head)
        self.depth += 1
        yield
        self.depth -= 1

    def items(self, opening: str, items: Iterable[str], closing: str, *, ends: str = "") -> None:
        """Items with commas between brackets: in one line, or packed into several.

        ``ends`` stands behind the last item where all stand in one line: a comma.
        """
        every = list(items)
        line = f"{opening}{', '.join(every)}{ends}{closing}"
        if len(self._margin) + len(line) <= WIDTH and "\n" not in line:
            self.line(line)
            return
        self.line(opening)
        self.depth += 1
        row = ""
        for each in every:
            *wholes, last = each.split("\n")
            if row and (wholes or len(self._margin) + len(row) + len(last) + 2 > WIDTH):
                self.line(row)
                row = ""
            for part in wholes:
                self.line(part)
            row = f"{row} {last}," if row else f"{last},"
        if row:
            self.line(row)
        self.depth -= 1
        self.line(closing)

    def function(self, name: str, arguments: Iterable[str], doc: str, code: str) -> None:
        """A function: ``code`` is an expression, or the lines of its body."""
        with self.block(f"def {name}({', '.join(arguments)}):"):
            told = textwrap.wrap(doc, WIDTH - len(_INDENT) - len('""""""'))
            if len(told) > 1:
                told = [*textwrap.wrap(doc, WIDTH - len(_INDENT) - len('"""')), '"""']
            else:
                told[-1] += '"""'
            self.line("\n".join(['"""' + told[0], *told[1:]]))
            self.line(code if "return " in code else f"return {code}")
        self.gap()

    def gap(self) -> None:
        """Two empty lines, as between functions."""
        self.lines += ["", ""]

    def title(self, text: str) -> None:
        """The head of a section."""
        if self.lines and self.lines[-1]:
            self.lines.append("")
        self.line(f"# {text} ".ljust(72, "-"))
