"""Hostile workbooks: a clear error, in bounded time and memory, and nothing else is touched."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import hostile
import pytest
from hostile import HARMLESS, REFUSED, Ended, with_formulas, written
from openpyxl.workbook import Workbook
from support import make_spec, run

import sheetnet
from sheetnet.recalc import ironcalc_engine, libreoffice, process
from sheetnet.recalc.copies import relations, without_links

linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="bounded on Linux")

SECONDS, MEMORY = 10, 400_000_000
"""Of a processor for a command, and bytes for all of them one after the other."""


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    spec = make_spec(source="toy:line", data={"rows": 4}, layers=[{}], epochs=2)
    path = tmp_path_factory.mktemp("base") / "base.xlsx"
    sheetnet.export(spec, path, sheets=[])
    return path


@pytest.fixture(scope="module")
def ended(base: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Ended]]:
    """All commands on all books, in a process of their own, whose memory tells theirs."""
    folder, work = tmp_path_factory.mktemp("books"), tmp_path_factory.mktemp("work")
    makers = {**{name: maker for name, (maker, _) in REFUSED.items()}, **HARMLESS}
    books = [written(base, folder / f"{name}.xlsx", make(base)) for name, make in makers.items()]
    done = subprocess.run(
        [sys.executable, hostile.__file__, base, work, *books],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parent)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    found: dict[str, list[Ended]] = {name: [] for name in makers}
    for line in done.stdout.splitlines():
        one = Ended(**json.loads(line))
        found[one.book].append(one)
    return found


@pytest.mark.parametrize("name", [*REFUSED, *HARMLESS])
def test_every_command_ends_in_bounds(ended: dict[str, list[Ended]], name: str) -> None:
    assert len(ended[name]) == len(hostile.COMMANDS)
    for one in ended[name]:
        assert one.status in (0, 2) or (one.status == 1 and one.command in ("verify", "diff")), one
        assert one.status != 2 or re.fullmatch(r"Error: [^\n]+\n", one.said), one
        made = {"export": ["out.xlsx"], "code": ["out.py"], "new": ["out.toml"]}
        left = made.get(one.command, []) if one.status == 0 else []
        assert one.left == sorted(["b.xlsx", "base.xlsx", *left]), one
        assert one.seconds < SECONDS, one
        assert one.memory < MEMORY, one


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_refused_says_why(ended: dict[str, list[Ended]], name: str) -> None:
    by_command = {one.command: one for one in ended[name]}
    assert by_command["verify"].status == 2
    assert any(REFUSED[name][1] in one.said for one in ended[name])


@pytest.mark.parametrize("name", HARMLESS)
def test_what_is_harmless_is_left_alone(ended: dict[str, list[Ended]], name: str) -> None:
    by_command = {one.command: one for one in ended[name]}
    assert by_command["verify"].status == 0
    assert not list(Path("/tmp").glob("evil*"))


def test_a_duplicate_among_many_names(tmp_path: Path) -> None:
    """Finding it takes no longer than reading them."""
    (tmp_path / "d.csv").write_text(",".join(f"c{n}" for n in range(18_000)) + ",c7\n1\n")
    start = time.process_time()
    result = run("new", tmp_path / "s.toml", "--data", tmp_path / "d.csv", "--target", "c7")
    assert (result.exit_code, "two columns are named 'c7'" in result.stderr) == (2, True)
    assert time.process_time() - start < 3


# --- the engine


def engine_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ironcalc_engine, "LEAST_SECONDS", 3)
    monkeypatch.setattr(ironcalc_engine, "LEAST_MEMORY", 200_000_000)


@linux
@pytest.mark.parametrize(
    ("put", "words"),
    [
        (hostile.nested, "breaks off"),
        (hostile.doubling, r"breaks off|takes more than \d s"),
        (hostile.endless, r"takes more than \d s"),
    ],
    ids=["nested", "doubling", "endless"],
)
def test_formulas_that_break_the_engine(
    base: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    put: Callable[[Workbook], None],
    words: str,
) -> None:
    """Its process is ended; the next workbook gets another one."""
    engine_limits(monkeypatch)
    path = with_formulas(base, tmp_path / "b.xlsx", put)
    start = time.monotonic()
    result = run("verify", path)
    assert result.exit_code == 2 and result.stdout == ""
    assert re.fullmatch(rf"Error: ironcalc cannot calculate b.xlsx: .*({words}).*\n", result.stderr)
    assert time.monotonic() - start < 60
    assert run("train", path).exit_code == 0  # no input is a formula: nothing is calculated
    assert run("verify", base).exit_code == 0


@pytest.mark.parametrize("put", [hostile.chain, hostile.cycle, hostile.outside])
def test_formulas_that_the_engine_survives(
    base: Path, tmp_path: Path, put: Callable[[Workbook], None]
) -> None:
    """On a sheet of their own they change nothing of the training."""
    assert run("verify", with_formulas(base, tmp_path / "b.xlsx", put)).exit_code == 0


def test_a_process_that_ends_by_itself_is_replaced(base: Path) -> None:
    assert sheetnet.verify(base).agree
    waiting = process._IDLE[os.getpid()]
    waiting.process.kill()
    waiting.process.wait()
    assert sheetnet.verify(base).agree
    assert process._IDLE[os.getpid()] is not waiting


def test_one_process_serves_one_workbook_after_the_other(base: Path) -> None:
    assert sheetnet.verify(base).agree
    first = process._IDLE[os.getpid()]
    assert sheetnet.verify(base).agree
    assert process._IDLE[os.getpid()] is first


@linux
def test_it_ends_with_the_one_who_asks_even_in_the_middle(base: Path, tmp_path: Path) -> None:
    path = with_formulas(base, tmp_path / "b.xlsx", hostile.endless)
    code = (
        "import sys, os, threading, time, signal\n"
        "from sheetnet.recalc import ironcalc_engine as e, process\n"
        "from sheetnet.reader.package import open_package\n"
        "e.LEAST_SECONDS = 4\n"
        "start = process.EngineProcess.__init__\n"
        "def told(self):\n"
        "    start(self)\n"
        "    print(self.process.pid, flush=True)\n"
        "    threading.Timer(2, os.kill, (os.getpid(), signal.SIGKILL)).start()\n"
        "process.EngineProcess.__init__ = told\n"
        f"e.LiveBook(open_package({str(path)!r}))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False)
    assert done.returncode == -9
    assert gone(int(done.stdout), 30)


def gone(pid: int, seconds: float = 5) -> bool:
    """Whether a process ends in so many seconds; one that nobody waited for has ended too."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except FileNotFoundError:
            return True
        if state == "Z":
            return True
        time.sleep(0.1)
    return False


# --- LibreOffice


@linux
@pytest.mark.parametrize("waits", [True, False], ids=["hangs", "leaves a child"])
def test_libreoffice_is_ended_with_its_children(
    base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, waits: bool
) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(scratch))
    program, told = tmp_path / "soffice", tmp_path / "child"
    program.write_text(
        f"#!/bin/sh\n(exec >/dev/null 2>&1 </dev/null; sleep 600) &\necho $! > {told}\n"
        f"echo profile here: $1\n{'sleep 600' if waits else 'exit 0'}\n"
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    monkeypatch.setattr(libreoffice, "LEAST_SECONDS", 1)
    result = run("verify", base, "--engine", "libreoffice")
    assert (result.exit_code, result.stdout) == (2, "")
    words = "took more than 1 s" if waits else "could not convert"
    assert words in result.stderr and result.stderr.count("\n") == 1
    assert gone(int(told.read_text()))
    assert not list(scratch.iterdir())


@linux
def test_libreoffice_has_a_bound_of_memory(
    base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "soffice"
    program.write_text("#!/bin/sh\necho limit: $(ulimit -v) core: $(ulimit -c)\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    said = run("verify", base, "--engine", "libreoffice").stderr
    found = re.search(r"limit: (\d+) core: 0", said)
    assert found is not None and 6 << 20 <= int(found[1]) < 7 << 20, said


PICTURE = (
    '<xdr:wsDr xmlns:xdr="http://schemas.openxmlformats.org/drawingml/2006/spreadsheetDrawing" '
    'xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main" xmlns:r='
    '"http://schemas.openxmlformats.org/officeDocument/2006/relationships"><xdr:oneCellAnchor>'
    "<xdr:from><xdr:col>0</xdr:col><xdr:colOff>0</xdr:colOff><xdr:row>0</xdr:row>"
    '<xdr:rowOff>0</xdr:rowOff></xdr:from><xdr:ext cx="99" cy="99"/><xdr:pic><xdr:nvPicPr>'
    '<xdr:cNvPr id="1" name="p"/><xdr:cNvPicPr/></xdr:nvPicPr><xdr:blipFill>'
    '<a:blip r:link="rId1"/></xdr:blipFill><xdr:spPr/></xdr:pic><xdr:clientData/>'
    "</xdr:oneCellAnchor></xdr:wsDr>"
)
"""A drawing of one picture that is elsewhere: LibreOffice fetches it, links off or not."""


def calling(base: Path, folder: Path, url: str, mark: Path) -> Path:
    """A workbook that asks the network in all ways, and has macros in two languages."""
    from openpyxl.chart import LineChart

    def put(book: Workbook) -> None:
        hostile.outside(book)
        sheet = book["more"]
        sheet["B1"].value = f'=_xlfn.WEBSERVICE("{url}web")'
        sheet["B2"].value = f"='{url}[b.xlsx]S'!A1"
        sheet["B3"].value = "linked"
        sheet["B3"].hyperlink = f"{url}link"
        sheet.add_chart(LineChart(), "D1")

    plain = with_formulas(base, folder / "plain.xlsx", put)
    code = f'Private Sub Workbook_Open()\n  Open "{mark}" For Output As #1\n  Close #1\nEnd Sub\n'
    macros = hostile.with_macro(plain, code)
    with zipfile.ZipFile(hostile.written(plain, folder / "macros.xlsm", macros)) as file:
        parts = {name: file.read(name) for name in file.namelist()}
    drawings = [name for name in parts if re.fullmatch(r"xl/drawings/drawing\d+\.xml", name)]
    for name in drawings:
        parts[name] = PICTURE.encode()
        relation = name.replace("drawings/", "drawings/_rels/") + ".rels"
        parts[relation] = re.sub(
            rb'Type="[^"]*chart" Target="[^"]*"|Target="[^"]*" Type="[^"]*chart"',
            b'Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/image" '
            b'TargetMode="External" Target="' + f"{url}picture.png".encode() + b'"',
            parts[relation],
        )
        assert url.encode() in parts[relation]
    script = "urn:oasis:names:tc:opendocument:xmlns:script:1.0"
    office = "urn:oasis:names:tc:opendocument:xmlns:office:1.0"
    kind = "application/vnd.oasis.opendocument.spreadsheet"
    more = {
        "content.xml": f'<office:document-content xmlns:office="{office}" xmlns:script="{script}" '
        'xmlns:xlink="http://www.w3.org/1999/xlink"><office:scripts><office:event-listeners>'
        '<script:event-listener script:language="ooo:script" script:event-name="dom:load" '
        'xlink:href="vnd.sun.star.script:Standard.M.Main?language=Basic&amp;location=document"/>'
        "</office:event-listeners></office:scripts><office:body><office:spreadsheet/>"
        "</office:body></office:document-content>",
        "META-INF/manifest.xml": '<m:manifest xmlns:m="urn:oasis:names:tc:opendocument:xmlns:'
        f'manifest:1.0"><m:file-entry m:full-path="/" m:media-type="{kind}"/></m:manifest>',
        "Basic/Standard/M.xml": '<script:module xmlns:script="http://openoffice.org/2000/script" '
        'script:name="M" script:language="StarBasic">Sub Main\nOpen "'
        f'{mark}" For Output As #1\nClose #1\nEnd Sub</script:module>',
    }
    path = folder / "calling.xlsx"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("mimetype", kind)
        for name, content in {**parts, **more}.items():
            file.writestr(name, content)
    return path


@pytest.fixture
def heard() -> Iterator[tuple[str, list[bytes]]]:
    """The address of a server, and what it is asked."""
    asked: list[bytes] = []
    server = socket.create_server(("127.0.0.1", 0))

    def listen() -> None:
        while True:
            try:
                link, _ = server.accept()
            except OSError:
                return
            with link:
                link.settimeout(1)
                asked.append(link.recv(100))

    thread = threading.Thread(target=listen)
    thread.start()
    yield f"http://127.0.0.1:{server.getsockname()[1]}/", asked
    server.shutdown(socket.SHUT_RDWR)
    server.close()
    thread.join()


@pytest.mark.libreoffice
def test_nobody_is_called_and_no_macro_runs(
    base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, heard: tuple[str, list[bytes]]
) -> None:
    scratch, mark = tmp_path / "scratch", tmp_path / "ran"
    scratch.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(scratch))
    path = calling(base, tmp_path, heard[0], mark)
    for engine in ("ironcalc", "libreoffice"):
        result = run("verify", path, "--engine", engine)
        assert result.exit_code == 0, result.output + result.stderr
    assert heard[1] == []
    assert not mark.exists()
    assert not list(scratch.iterdir())  # neither profile nor copies


def test_the_copy_has_no_way_out(base: Path, tmp_path: Path) -> None:
    path = calling(base, tmp_path, "http://127.0.0.1:9/", tmp_path / "mark")
    copy = without_links(path, tmp_path / "copy.xlsx")
    assert any(b"127.0.0.1" in content for _, content in relations(path))
    assert not any(b"127.0.0.1" in content for _, content in relations(copy))
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(copy) as new:
        assert old.namelist() == new.namelist()
        assert old.read("xl/worksheets/sheet4.xml") == new.read("xl/worksheets/sheet4.xml")
    assert sheetnet.verify(copy).agree
