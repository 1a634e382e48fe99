"""Spec files as they lie on disk, and the options of the command line that override them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from support import make_spec
from test_spec import FULL, MINIMAL

import sheetnet
from sheetnet.errors import SpecError


def complaint(path: Path) -> str:
    with pytest.raises(SpecError) as caught:
        sheetnet.load_spec(path)
    message = str(caught.value)
    assert message == " ".join(message.split())  # one line
    assert str(path) in message
    return message


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "net.toml"


@pytest.mark.parametrize(
    "content",
    [FULL.encode("utf-8-sig"), FULL.replace("\n", "\r\n").encode(), FULL.strip().encode()],
    ids=["bom", "crlf", "no last line end"],
)
def test_bytes_that_editors_leave(file: Path, content: bytes) -> None:
    plain = file.with_name("plain.toml")
    plain.write_bytes(FULL.encode())
    file.write_bytes(content)
    read, expected = sheetnet.load_spec(file), sheetnet.load_spec(plain)
    assert (read.data, read.layers, read.training) == (
        expected.data, expected.layers, expected.training,
    )  # fmt: skip


def test_name_and_folder_come_from_the_path(file: Path) -> None:
    file.write_text(MINIMAL)
    spec = sheetnet.load_spec(str(file))
    assert (spec.name, spec.folder) == ("net", file.parent)


def test_names_beyond_ascii(file: Path) -> None:
    file.write_text(FULL.replace('"a"', '"größe_😀"'), encoding="utf-8")
    assert sheetnet.load_spec(file).data.inputs == ("größe_😀", "b")


@pytest.mark.parametrize(
    "content",
    [FULL.encode("utf-16"), FULL.replace('"a"', '"größe"').encode("latin-1"), b"\xff\xfe\x00"],
    ids=["utf-16", "latin-1", "garbage"],
)
def test_not_utf8(file: Path, content: bytes) -> None:
    file.write_bytes(content)
    assert "UTF-8" in complaint(file)


@pytest.mark.parametrize(
    "content",
    ["[data", "epochs = \n", MINIMAL + MINIMAL, "a = 1\na = 2", "\x00", "[" * 5000,
     "x = " + "[" * 5000 + "]" * 5000, "x = 2020-13-45", "x = " + "9" * 5000],
    ids=["bracket", "no value", "twice", "repeated", "nul", "deep", "deeper", "date", "digits"],
)  # fmt: skip
def test_not_toml(file: Path, content: str) -> None:
    file.write_text(content)
    assert "TOML" in complaint(file)


def test_values_that_toml_can_hold_but_a_spec_cannot(file: Path) -> None:
    for value in ("nan", "-inf", "1e999", "2020-01-01", "10:00:00", "0x" + "f" * 5000):
        file.write_text(MINIMAL + f"[training]\nlearning_rate = {value}\n")
        assert "training.learning_rate" in complaint(file)


def test_keys_nested_very_deep(file: Path) -> None:
    file.write_text(MINIMAL + "[training]\nepochs" + ".a" * 3000 + " = 1\n")
    complaint(file)


def test_empty_file(file: Path) -> None:
    file.write_text("")
    assert "[data]" in complaint(file)


def test_missing_file_and_folder(file: Path) -> None:
    assert "no such file" in complaint(file)
    assert "directory" in complaint(file.parent)
    assert complaint(file.parent / "missing" / "net.toml")
    file.write_text(MINIMAL)
    assert complaint(file / "below.toml")  # a file where a folder should be
    assert complaint(file.with_name("x" * 300 + ".toml"))


def test_a_wrong_value_names_the_file_too(file: Path) -> None:
    file.write_text(MINIMAL + "[training]\nepochs = 0\n")
    message = complaint(file)
    assert "training.epochs is 0" in message


# --- options of the command line


def test_override_changes_what_is_given_and_nothing_else() -> None:
    spec = make_spec(shuffle=True, seed=4, initializer="he", loss="mse")
    other = spec.override(epochs=9, learning_rate=0.75, seed=None, batch_size=None, rows=2)
    assert (other.training.epochs, other.training.learning_rate) == (9, 0.75)
    assert other.data.rows == 2
    assert (other.training.shuffle, other.training.seed) == (True, 4)
    assert (other.training.initializer, other.training.loss) == ("he", "mse")
    assert other.layers == spec.layers
    # The spec itself stays as it was.
    assert (spec.training.epochs, spec.training.learning_rate, spec.data.rows) == (3, 0.5, None)


def test_override_by_nothing() -> None:
    spec = make_spec(seed=3)
    nothing = dict.fromkeys(("epochs", "learning_rate", "seed", "batch_size", "rows"))
    assert spec.override(**nothing) == spec
    assert spec.override() == spec


@pytest.mark.parametrize(
    ("key", "value"),
    [("epochs", 0), ("epochs", -3), ("epochs", 10**12), ("learning_rate", -1.0),
     ("learning_rate", float("nan")), ("learning_rate", float("inf")), ("seed", -1),
     ("seed", 2**32), ("batch_size", 0), ("batch_size", -4), ("rows", 0), ("rows", -1)],
)  # fmt: skip
def test_override_is_checked_as_the_file_is(key: str, value: Any) -> None:
    with pytest.raises(SpecError) as caught:
        make_spec().override(**{key: value})
    table = "data" if key == "rows" else "training"
    assert str(caught.value).startswith(f"{table}.{key} is ")


def test_zero_is_a_learning_rate_and_a_seed() -> None:
    # Falsy values must not count as "not given".
    spec = make_spec(seed=5).override(learning_rate=0.0, seed=0)
    assert (spec.training.learning_rate, spec.training.seed) == (0.0, 0)
