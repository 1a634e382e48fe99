"""Feed mutated specs, tables and workbooks to all commands and see how each ends.

    python tests/fuzz.py --count 2000 --seed 1

Every command must succeed, or end with one line ``Error:`` and status 2 (1 where `verify`,
`diff` or `lint` find something): no traceback, no hang, no file left behind, and never "agree"
for a workbook whose ledger was altered, as openpyxl reads it. Prints how many of each kind of
input and mutation ended in which way, and each case that did not end as it must. Commands run
in processes of their own, which are ended when a case takes too long.
"""

from __future__ import annotations

import argparse
import io
import math
import multiprocessing as mp
import os
import re
import shutil
import sys
import tempfile
import time
import tomllib
import warnings
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from multiprocessing.connection import Connection
from pathlib import Path
from queue import Empty, SimpleQueue
from random import Random
from threading import Thread
from typing import Any

LIMIT = 10.0
"""Seconds of a processor for a case, and twelve times that by the clock: machines are busy."""

# --- what is fed


@dataclass(frozen=True)
class Case:
    """Files, and a command on them; ``base`` is the book that was mutated."""

    number: int
    input: str
    kind: str
    files: Mapping[str, bytes]
    command: tuple[str, ...]
    base: str = ""


@dataclass(frozen=True)
class Outcome:
    """How a case ended: ``fault`` says what must not be."""

    case: int
    input: str
    kind: str
    command: tuple[str, ...]
    ended: str
    fault: str = ""
    said: str = ""
    seconds: float = 0.0


CSV = "size,weight,kind\n" + "".join(
    f"{0.5 * n},{(n * 7) % 5 - 1.25},{'cat' if n % 3 else 'dog'}\n" for n in range(9)
)

SPEC = """\
[data]
source = "table.csv"
inputs = ["size", "weight"]
target = "kind"
scale = "standard"
validation = 0.3
rows = 8

[[layers]]
units = 2
activation = "tanh"
weights = [[0.1, 0.2], [0.3, -0.1]]
bias = [0.0, 0.1]
train_bias = true
dropout = 0.1

[[layers]]
activation = "sigmoid"

[training]
loss = "binary_entropy"
epochs = 2
batch_size = 3
shuffle = true
seed = 1
learning_rate = 0.1
optimizer = "adam"
beta1 = 0.9
beta2 = 0.99
epsilon = 1e-8
clip = 0.2
clip_norm = 1.0
patience = 3
min_delta = 0.0
initializer = "glorot"
"""

NASTY = (
    "", " ", "-1", "0", "1e999", "-1e308", "nan", "inf", "9" * 30, "1.5", "1_0", "TRUE", "#REF!",
    "A1:XFD1048576", "1048577", "XFE1", "../../../etc/passwd", "/etc/passwd", "http://127.0.0.1:9/",
    "&bad;", "&#0;", "&#x1F600;", "<a>", "]]>", "\ufeff", "x" * 40_000, "=1+1", "Train!A1", "é",
)  # fmt: skip

FORMULAS = (
    "A1", "1/0", "SUM(A:XFD)", "SUM(A1:XFD1048576)", 'REPT("x",1E9)', 'WEBSERVICE("http://a.b/")',
    'INDIRECT("A1")', "RAND()", "(" * 300 + "1" + ")" * 300, "cmd|'/C calc'!A0", "[1]Sheet1!A1",
    "SUMPRODUCT(A1:Z999*1)", "NOSUCH(1)", "1+", '"', "Train!A1:", "learning_rate", "-" * 2000 + "1",
    "Train!A5+1", "{1,2;3}", "LAMBDA(x,x)(1)", "'", "#REF!", "A1048577", "1E400", "IF(",
)  # fmt: skip

VALUES = (
    "0", "-1", "1", "1e308", "1e-320", "nan", "inf", "-inf", "999999999", "99999999999999999999",
    "true", '""', '"x"', '"\\u0000"', "[]", "[[]]", "[[1.0]]", "{}", "{a = 1}", "1979-05-27",
    "0x10", '"../table.csv"', '"."', '"toy:xor"', '"toy:"', '["size"]', '["kind", "size"]',
    '"softmax"', '"relu"', '"mse"', '"sgd"', '"he"', "0.5", "3", '"""\n"""', "'", "[1, [2]]", "1.0",
)  # fmt: skip


def one_byte_and_more(content: bytes, chance: Random) -> bytes:
    """Bytes flipped, cut out, doubled, put in, or all from somewhere on gone."""
    data = bytearray(content)
    for _ in range(chance.choice((1, 1, 2, 5))):
        at = chance.randrange(len(data) + 1)
        length = chance.choice((1, 2, 8, 64))
        match chance.randrange(6):
            case 0 if at < len(data):
                data[at] ^= 1 << chance.randrange(8)
            case 1:
                del data[at : at + length]
            case 2:
                data[at:at] = data[at : at + length]
            case 3:
                data[at:at] = bytes(chance.randrange(256) for _ in range(length))
            case 4:
                data[at : at + length] = bytes(len(data[at : at + length]))
            case 5 if chance.random() < 0.2:
                del data[at:]
    return bytes(data)


def lines(text: str, chance: Random) -> str:
    """Lines gone, doubled or in each other's place."""
    held = text.splitlines(keepends=True)
    for _ in range(chance.choice((1, 2))):
        i, j = chance.randrange(len(held)), chance.randrange(len(held))
        match chance.randrange(3):
            case 0 if len(held) > 1:
                del held[i]
            case 1:
                held.insert(j, held[i])
            case 2:
                held[i], held[j] = held[j], held[i]
    return "".join(held)


def values(text: str, chance: Random) -> str:
    """Other values, or another key, in a spec."""
    for _ in range(chance.choice((1, 1, 2))):
        found = chance.choice(list(re.finditer(r"^(\w+) = (.*)$", text, re.MULTILINE)))
        key, value = found[1], chance.choice(VALUES)
        if chance.random() < 0.1:
            key, value = key + chance.choice("sx _."), found[2]
        text = f"{text[: found.start()]}{key} = {value}{text[found.end() :]}"
    return text


@cache
def drawn(count: int, seed: str) -> list[str]:
    """Whole specs by hypothesis: each key with a value of about its kind, or of any."""
    import tomlkit
    from hypothesis import HealthCheck, Phase, given, settings
    from hypothesis import seed as seeded
    from hypothesis import strategies as st

    words = st.sampled_from([v[1:-1] for v in VALUES if re.fullmatch(r'"[\w:]+"', v)]) | st.text()
    number = st.integers(-2, 5) | st.floats(0, 1) | st.floats() | st.integers(-(2**63), 2**63 - 1)
    any_value = st.recursive(number | words | st.booleans(), lambda v: st.lists(v, max_size=3))
    found: list[str] = []
    keys = re.findall(r"^(\w+) = (.*)$", SPEC, re.MULTILINE)
    names = {"data": keys[:7], "layer": keys[7:13], "training": keys[14:]}

    def table(name: str) -> st.SearchStrategy[dict[str, Any]]:
        own = {
            key: st.just(tomllib.loads(f"v = {value}")["v"]) | any_value
            for key, value in names[name]
        }
        return st.fixed_dictionaries({}, optional=own)

    @seeded(seed)
    @settings(
        max_examples=count, database=None, deadline=None, phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(table("data"), st.lists(table("layer"), max_size=3), table("training"))
    def collect(data: Any, layers: Any, training: Any) -> None:
        document = {"data": {"source": "table.csv", **data}, "layers": layers}
        try:
            found.append(tomlkit.dumps({**document, "training": {"epochs": 1, **training}}))
        except (ValueError, TypeError, UnicodeError):
            return

    collect()
    return found


def table_cells(text: str, chance: Random) -> str:
    """Other contents of cells, rows of other lengths, other separators and quotes."""
    rows = [line.split(",") for line in text.splitlines()]
    for _ in range(chance.choice((1, 2, 4))):
        row = chance.choice(rows)
        match chance.randrange(5):
            case 0 | 1 if row:
                row[chance.randrange(len(row))] = chance.choice((*NASTY, '"', 'a"b', "\0", "\r"))
            case 2:
                row.append(chance.choice(NASTY))
            case 3 if row:
                row.pop()
            case 4:
                rows.insert(chance.randrange(len(rows)), list(row))
    return chance.choice(("\n", "\n", "\r\n", "\r")).join(
        chance.choice((",", ",", ",", ";", "\t")).join(row) for row in rows
    )


def encoded(text: str, chance: Random) -> bytes:
    """In another encoding, or an endless line, or nothing."""
    name = chance.choice(("utf-16", "utf-16-le", "utf-32", "utf-8-sig", "latin-1", "none", "long"))
    if name == "none":
        return chance.choice((b"", b"\n", b"\n" * 99, b",", b'"', b"\xff\xfe", b"\0" * 9))
    if name == "long":
        more = (b"1," * 20_000, b'"' + b"x\n" * 99_999, b"1\n" * 9_999)
        return text.encode() + chance.choice(more)
    return text.replace("cat", "cät").encode(name, errors="replace")


# --- workbooks

BOOKS = ("perceptron", "adam", "softmax", "outputs", "threshold")
EXERCISE = "exercise"
LEDGERS = ("Train", "Validation", "Epochs")


def make_bases(folder: Path) -> None:
    """The workbooks that are mutated: of all kinds, and an exercise that was filled in."""
    from hand_ins import answered, hand_out
    from mutate import books

    books(folder, BOOKS)
    exercise = hand_out(folder / "handed_out.xlsx")
    answered(folder / "handed_out.xlsx", folder / f"{EXERCISE}.xlsx", exercise)


def packed(parts: Mapping[str, bytes], chance: Random | None = None) -> bytes:
    """A zip of parts; with ``chance`` one of them may be twice there, or stored."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as file:
        for name, content in parts.items():
            file.writestr(name, content)
        if chance is not None and chance.random() < 0.3:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                name = chance.choice(list(parts))
                file.writestr(name, parts[name][: chance.randrange(len(parts[name]) + 1)])
    return made.getvalue()


def zipped(parts: dict[str, bytes], chance: Random) -> bytes:
    """Parts gone, in each other's place, cut, under strange names."""
    name, other = chance.choice(list(parts)), chance.choice(list(parts))
    match chance.randrange(5):
        case 0:
            del parts[name]
        case 1:
            parts[name], parts[other] = parts[other], parts[name]
        case 2:
            parts[name] = parts[name][: chance.randrange(len(parts[name]) + 1)]
        case 3:
            strange = (
                "../../evil.xml",
                "/abs.xml",
                "C:\\evil",
                "a" * 3000,
                "xl/worksheets/",
                name.upper(),
            )
            parts[chance.choice(strange)] = parts[name]
        case 4:
            parts[name] = one_byte_and_more(parts[name], chance)
    return packed(parts, chance)


_LEAF = re.compile(r"<([\w:]+)(?: [^<>]*)?(?:/>|>[^<>]*</\1>)")
_ATTRIBUTE = re.compile(r' ([\w:]+)="([^"]*)"')
_TEXT = re.compile(r">([^<>]+)<")


def xml(parts: dict[str, bytes], chance: Random) -> bytes:
    """An element, an attribute or a text of one part changed."""
    sheets = [name for name in parts if name.startswith("xl/worksheets/sheet")]
    others = [n for n in parts if n.endswith((".xml", ".rels")) and "theme" not in n]
    name = chance.choice(sheets if chance.random() < 0.6 else others)
    text = parts[name].decode()
    for _ in range(chance.choice((1, 1, 1, 3))):
        what = chance.randrange(8)
        pattern = _LEAF if what < 3 else _ATTRIBUTE if what < 6 else _TEXT
        start = chance.randrange(len(text) + 1)
        found = pattern.search(text, start) or pattern.search(text)
        if found is None:
            continue
        nasty = chance.choice(NASTY)
        other = pattern.search(text, chance.randrange(len(text) + 1)) or found
        new = (
            "", found[0] * 2, other[0],
            "", f' {found[1]}="{nasty}"', f" {found[1]}={other[0].partition('=')[2]}",
            f">{nasty}<", other[0],
        )[what]  # fmt: skip
        text = text[: found.start()] + new + text[found.end() :]
    return packed({**parts, name: text.encode()})


def cells(path: Path, chance: Random) -> bytes:
    """Strange formulas and values, in any cell of any sheet."""
    from packages import Package, shown

    package = Package.read(path)
    sheet = chance.choice([s for s in package.sheets.values() if s.cells])
    edits: dict[str, str | None] = {}
    for _ in range(chance.choice((1, 1, 1, 5))):
        cell = chance.choice(list(sheet.cells.values()))
        if chance.random() < 0.5:
            text = chance.choice((*FORMULAS, cell.address))
            new = cell.with_content(text, cell.kind, cell.content)
        else:
            kind, content = shown(chance.choice((*NASTY, 0.0, 1e300, -5e-324, 0.1, 7.0)))
            formula = chance.choice((None, cell.formula))
            new = cell.with_content(
                formula, chance.choice((kind, kind, "e", "b", "s", "d")), content
            )
        edits[cell.address] = new.xml()
    parts = {**package.parts, sheet.part: sheet.edited(edits).encode()}
    return packed(parts)


def make_case(number: int, seed: str, count: int, folder: Path) -> Case:
    """The case of a number: the same for the same seed and count."""
    chance = Random(f"{seed} {number}")
    what = ("spec", "csv", "book", "book")[number % 4]
    if what == "spec":
        kind = chance.choice(("bytes", "lines", "values", "values", "drawn"))
        every = drawn(max(10, count // 10), seed) if kind == "drawn" else [SPEC]
        spec = {
            "bytes": lambda: one_byte_and_more(SPEC.encode(), chance),
            "lines": lambda: lines(SPEC, chance).encode(),
            "values": lambda: values(SPEC, chance).encode(),
            "drawn": lambda: chance.choice(every).encode(errors="surrogatepass"),
        }[kind]()
        files = {"s.toml": spec, "table.csv": CSV.encode()}
        commands: Sequence[tuple[str, ...]] = (
            ("train", "s.toml"), ("train", "s.toml", "--json"), ("code", "s.toml", "-o", "out.py"),
            ("export", "s.toml", "-o", "out.xlsx"), ("export", "s.toml", "-o", "out.xlsx"),
        )  # fmt: skip
        return Case(number, what, kind, files, chance.choice(commands))
    if what == "csv":
        kind = chance.choice(("bytes", "lines", "cells", "cells", "encoding"))
        table = {
            "bytes": lambda: one_byte_and_more(CSV.encode(), chance),
            "lines": lambda: lines(CSV, chance).encode(),
            "cells": lambda: table_cells(CSV, chance).encode(errors="replace"),
            "encoding": lambda: encoded(CSV, chance),
        }[kind]()
        files = {"s.toml": SPEC.replace("rows = 8\n", "").encode(), "table.csv": table}
        commands = (
            ("train", "s.toml"), ("export", "s.toml", "-o", "out.xlsx"),
            ("new", "out.toml", "--data", "table.csv", "--target", "kind"),
            ("new", "out.toml", "--data", "table.csv", "--target", "weight"),
        )  # fmt: skip
        return Case(number, what, kind, files, chance.choice(commands))
    grades = chance.random() < 0.15
    base = EXERCISE if grades else chance.choice(BOOKS)
    path = folder / f"{base}.xlsx"
    kind = chance.choice(("bytes", "zip", "xml", "xml", "cells", "cells"))
    with zipfile.ZipFile(path) as file:
        parts = {name: file.read(name) for name in file.namelist()}
    book = {
        "bytes": lambda: one_byte_and_more(path.read_bytes(), chance),
        "zip": lambda: zipped(parts, chance),
        "xml": lambda: xml(parts, chance),
        "cells": lambda: cells(path, chance),
    }[kind]()
    files = {"b.xlsx": book, "a.xlsx": path.read_bytes()}
    commands = (
        *[("verify", "b.xlsx")] * 8, ("verify", "b.xlsx", "--perturb"),
        ("verify", "b.xlsx", "--json"), *[("train", "b.xlsx")] * 2,
        *[("export", "b.xlsx", "-o", "out.xlsx")] * 2,
        ("code", "b.xlsx", "-o", "out.py"), ("diff", "a.xlsx", "b.xlsx"), ("lint", "b.xlsx"),
        ("new", "out.toml", "--data", "b.xlsx", "--target", "y"),
    )  # fmt: skip
    command = ("grade", "b.xlsx") if grades else chance.choice(commands)
    return Case(number, what, kind, files, command, base)


# --- how it ended

FINDS = ("verify", "diff", "lint")
"""Commands that end with 1 where they find something."""


def ledger_of(path: Path) -> dict[tuple[str, str], tuple[object, object]]:
    """Formulas, numbers and saved values of the ledger's sheets, as openpyxl reads them.

    Texts (heads and notes) are none of it.
    """
    from openpyxl import load_workbook

    found = {}
    with path.open("rb") as file, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        formulas, saved = load_workbook(file), load_workbook(file, data_only=True)
    for title in LEDGERS:
        if title in formulas.sheetnames:
            for row in formulas[title].iter_rows(min_row=5):
                for cell in row:
                    if cell.value is not None and cell.data_type not in "si":
                        at = title, cell.coordinate
                        found[at] = cell.value, saved[title][cell.coordinate].value
    return found


def plainly(path: Path) -> dict[tuple[str, str], tuple[object, object]]:
    """The same by regular expressions, for what openpyxl stumbles over."""
    from packages import Package, place

    def number(text: str | None) -> float | None:
        with suppress(TypeError, ValueError):
            return float(text or "")
        return None

    found = {}
    for title, sheet in Package.read(path).sheets.items():
        for at, cell in sheet.cells.items() if title in LEDGERS else ():
            held = number(cell.value) if cell.kind == "n" else None
            if place(at)[0] >= 5 and (cell.formula is not None or held is not None):
                formula = held if cell.formula is None else f"={cell.formula}"
                found[title, at] = formula, cell.value if held is None else held
    return found


def altered(base: Path, path: Path) -> str:
    """The first cell of the ledger that holds something else; nothing where none does."""
    try:
        then, now = ledger_of(base), ledger_of(path)
    except Exception:  # whatever openpyxl meets in a broken file
        then, now = plainly(base), plainly(path)
    width = max(column_of(at) for title, at in then if title == "Train")
    # Beside and above the other ledgers there are notes and panels.
    new = {at for at in now if at[0] == "Train" and column_of(at[1]) <= width}
    for where in sorted(then.keys() | new):
        (formula, value), (other, shown) = (
            then.get(where, (None, None)),
            now.get(where, (None, None)),
        )
        plain = not isinstance(formula, str) and not isinstance(other, str)
        if not (alike(formula, other) if plain else spelled(formula) == spelled(other)):
            return f"{where[0]}!{where[1]}: {formula!r:.60} -> {other!r:.60}"
        if shown is not None and not alike(value, shown):
            return f"{where[0]}!{where[1]}: saved {value!r:.60} -> {shown!r:.60}"
    return ""


def column_of(address: str) -> int:
    from openpyxl.utils.cell import column_index_from_string

    return int(column_index_from_string(re.sub(r"\d", "", address)))


def spelled(formula: object) -> str:
    return re.sub(r"\s", "", str(formula)).upper()


def alike(a: object, b: object) -> bool:
    """Equal, or so nearly that verify's tolerance takes them as equal."""
    if isinstance(a, (int, float)) and isinstance(b, (int, float)):
        return math.isclose(a, b, rel_tol=1e-6, abs_tol=1e-6)
    return str(a) == str(b)


def listing(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def run_case(case: Case, folder: Path, scratch: Path, bases: Path) -> Outcome:
    """Run a case in an empty folder and judge how it ended."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for name, content in case.files.items():
        (folder / name).write_bytes(content)
    os.chdir(folder)
    start = time.monotonic()
    status, said, fault = graded() if case.command[0] == "grade" else commanded(case.command)
    seconds = time.monotonic() - start
    made = {name for name in case.command if name.startswith("out.")} if status == 0 else set()
    now, before = listing(folder), dict(case.files)
    litter = now.keys() - before.keys() - made - ({"out_data.csv"} if made else set())
    if litter or listing(scratch):
        fault = fault or f"left behind: {sorted(litter) or sorted(listing(scratch))}"
    if any(now.get(name) != content for name, content in before.items()):
        fault = fault or "changed a file that it reads"
    if made - now.keys():
        fault = fault or "wrote nothing"
    if case.command[0] == "verify" and status == 0 and not fault:
        try:
            told = altered(bases / f"{case.base}.xlsx", folder / "b.xlsx")
        except Exception as error:
            told = f"nobody else can read it: {error!r:.100}"
        fault = f"agrees, though altered: {told}" if told else ""
    ended = {0: "fine", 1: "finds", 2: "error"}.get(status, f"status {status}")
    return Outcome(
        case.number, case.input, case.kind, case.command, ended, fault, said[:300], seconds
    )


def commanded(command: Sequence[str]) -> tuple[int, str, str]:
    """Status, what was said, and the fault of a command in this process."""
    import traceback

    from click.testing import CliRunner

    from sheetnet.cli import main

    result = CliRunner().invoke(main, list(command))
    status, said = result.exit_code, result.stderr
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        trace = "".join(traceback.format_exception(result.exception)[-3:])
        return status, said, f"traceback: {trace}"
    if status not in (0, 2) and not (status == 1 and command[0] in FINDS):
        return status, said, f"status {status}"
    if status == 2 and not re.fullmatch(r"Error: [^\n]+\n", said):
        return status, said, f"not one line: {said[:200]!r}"
    if status == 2 and result.stdout:
        return status, said, "an error, and something on the standard output"
    return status, said, ""


def graded() -> tuple[int, str, str]:
    """The same of grading, without its processes; what it did not expect is a fault."""
    from sheetnet.classroom.grading import grade_file

    problem = grade_file("b.xlsx", None, None).problem
    if problem is None:
        return 0, "", ""
    fault = f"traceback: {problem}" if "cannot be graded (" in problem or "\n" in problem else ""
    return 2, problem, fault


# --- processes


def work(link: Connection, bases: Path, seed: str, count: int, own: Path) -> None:
    """Run the cases whose numbers come, until none does."""
    scratch = own / "tmp"
    scratch.mkdir(parents=True, exist_ok=True)
    tempfile.tempdir = os.environ["TMPDIR"] = str(scratch)
    warnings.simplefilter("ignore")
    while (number := link.recv()) is not None:
        case = make_case(number, seed, count, bases)
        link.send((case.input, case.kind, case.command))
        link.send(run_case(case, own / "case", scratch, bases))


def spent(process: int) -> float:
    """Seconds of a processor that a process and its children have taken; 0 where it is not told."""
    try:
        own = Path(f"/proc/{process}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
        children = Path(f"/proc/{process}/task/{process}/children").read_text(encoding="utf-8")
    except OSError:
        return 0.0
    ticks = sum(map(int, own[11:15]))
    return ticks / os.sysconf("SC_CLK_TCK") + sum(map(spent, map(int, children.split())))


class Runner:
    """A process that runs cases, started anew when one hangs or ends it."""

    def __init__(self, bases: Path, seed: str, count: int, own: Path) -> None:
        self.given = bases, seed, count, own
        self.process: Any = None

    def start(self) -> None:
        context = mp.get_context("spawn")
        self.link, theirs = context.Pipe()
        self.process = context.Process(target=work, args=(theirs, *self.given), daemon=True)
        self.process.start()
        theirs.close()

    def run(self, number: int, limit: float) -> Outcome:
        if self.process is None:
            self.start()
        told: Any = ("?", "?", ())
        try:
            self.link.send(number)
            told = self.link.recv()
            start, begun = time.monotonic(), spent(self.process.pid)
            while not self.link.poll(0.5):
                used = spent(self.process.pid) - begun
                if max(used, (time.monotonic() - start) / 12) > limit:
                    break
            else:
                found: Outcome = self.link.recv()
                return found
            fault = f"takes more than {limit:g} s"
        except (EOFError, OSError):
            fault = "the process ended"
        self.end()
        return Outcome(number, *told, "hangs" if "more" in fault else "dies", fault)

    def end(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.join()
            self.link.close()
            shutil.rmtree(self.given[-1], ignore_errors=True)
            self.process = None


def fuzz(
    folder: Path,
    numbers: Sequence[int],
    seed: str,
    count: int,
    jobs: int,
    limit: float = LIMIT,
    seconds: float = math.inf,
) -> Iterator[Outcome]:
    """Run cases on ``jobs`` processes; yields them as they end.

    After so many seconds no other is begun.
    """
    stop = time.monotonic() + seconds
    bases = folder / "bases"
    bases.mkdir()
    make_bases(bases)
    todo: SimpleQueue[int] = SimpleQueue()
    done: SimpleQueue[Outcome | None] = SimpleQueue()
    for number in numbers:
        todo.put(number)

    def loop(own: Path) -> None:
        runner = Runner(bases, seed, count, own)
        try:
            while time.monotonic() < stop:
                done.put(runner.run(todo.get_nowait(), limit))
        except Empty:
            pass
        finally:
            runner.end()
            done.put(None)

    threads = [Thread(target=loop, args=(folder / f"runner{n}",)) for n in range(jobs)]
    for thread in threads:
        thread.start()
    left = len(threads)
    while left:
        outcome = done.get()
        if outcome is None:
            left -= 1
        else:
            yield outcome
    for thread in threads:
        thread.join()


def table(outcomes: Sequence[Outcome], row_of: Callable[[Outcome], str]) -> str:
    """How many of each row ended in which way."""
    counts = Counter((row_of(o), o.ended) for o in outcomes)
    ways = sorted({ended for _, ended in counts})
    rows = sorted({row for row, _ in counts})
    out = [f"{'':<20}" + "".join(f"{way:>10}" for way in (*ways, "all"))]
    for row in rows:
        held = [counts[row, way] for way in ways]
        out.append(f"{row:<20}" + "".join(f"{n or '·':>10}" for n in (*held, sum(held))))
    sums = [sum(counts[row, way] for row in rows) for way in ways]
    out.append(f"{'all':<20}" + "".join(f"{n:>10}" for n in (*sums, sum(sums))))
    return "\n".join(out)


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=2000)
    parser.add_argument("--seed", default="1")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=math.inf, help="begin no case after that")
    parser.add_argument("--only", type=int, action="append", help="this case alone, by its number")
    options = parser.parse_args()
    outcomes = []
    with tempfile.TemporaryDirectory() as place:
        numbers = options.only or range(options.count)
        given = options.seed, options.count, options.jobs, LIMIT, options.seconds
        for outcome in fuzz(Path(place), numbers, *given):
            outcomes.append(outcome)
            if outcome.fault or options.only:
                print(outcome.case, outcome.input, outcome.kind, *outcome.command, flush=True)
                print(f"    {outcome.fault or outcome.ended}\n    {outcome.said}", flush=True)
    print(table(outcomes, lambda o: f"{o.input}: {o.kind}"))
    print(table(outcomes, lambda o: o.command[0] if o.command else "?"))
    wrong = sum(bool(o.fault) for o in outcomes)
    longest = max(outcomes, key=lambda o: o.seconds)
    print(f"{len(outcomes)} cases, {wrong} faults")
    print(f"the longest, {longest.case}: {longest.seconds:.1f} s by the clock")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
