"""Specs written as TOML: what is read back is the same spec, whatever it holds."""

from __future__ import annotations

import dataclasses
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import make_spec

import sheetnet
from sheetnet.concepts.activations import ACTIVATIONS
from sheetnet.concepts.clipping import CLIPS
from sheetnet.concepts.initializers import INITIALIZERS
from sheetnet.concepts.losses import LOSSES
from sheetnet.concepts.optimizers import OPTIMIZERS
from sheetnet.concepts.scaling import SCALINGS
from sheetnet.errors import OutputError
from sheetnet.limits import NOT_IN_XML
from sheetnet.spec import Spec, load_spec, parse_spec
from sheetnet.spec_writer import source_from, spec_document, spec_text

texts = st.text(st.characters(exclude_categories=["Cs"]), min_size=1)
plain_texts = texts.filter(lambda text: not NOT_IN_XML.search(text))
numbers = st.floats(allow_nan=False, allow_infinity=False)
columns = st.lists(texts, min_size=1, max_size=3, unique=True)
positive = st.integers(1, 10**9)
maybe = st.fixed_dictionaries

data_tables = maybe(
    {"source": plain_texts},
    optional={
        "sheet": plain_texts,
        "inputs": columns,
        "target": columns | texts,
        "scale": st.sampled_from(list(SCALINGS)),
        "target_scale": st.sampled_from(list(SCALINGS)),
        "rows": positive,
    },
)


def layer_tables(*, last: bool) -> st.SearchStrategy[dict[str, Any]]:
    names = [name for name, a in ACTIVATIONS.items() if last or not a.last_only]
    matrices = st.integers(1, 3).flatmap(
        lambda n: st.lists(st.lists(numbers, min_size=n, max_size=n), min_size=1, max_size=3)
    )
    optional = {
        "activation": st.sampled_from(names),
        "weights": matrices,
        "bias": st.lists(numbers, min_size=1, max_size=3),
        "train_bias": st.booleans(),
    }
    units: dict[str, Any] = {"units": st.integers(1, 16384)}
    if last:
        return maybe({}, optional=optional | units)
    return maybe(units, optional=optional | {"dropout": st.floats(0, 0.999)})


@st.composite
def training_tables(draw: st.DrawFn, *, validates: bool) -> dict[str, Any]:
    optimizer = draw(st.sampled_from(list(OPTIMIZERS)))
    own = {h.name: st.floats(h.low, h.high or 1e300) for h in OPTIMIZERS[optimizer].hyperparameters}
    own |= {h.name: st.floats(h.low, 1e300) for h in CLIPS}
    if validates:
        own |= {"patience": st.integers(1, 1000), "min_delta": st.floats(0, 1e9)}
    keys = {
        "loss": st.sampled_from(list(LOSSES)),
        "epochs": positive,
        "batch_size": positive,
        "shuffle": st.booleans(),
        "seed": st.integers(0, 2**32 - 1),
        "initializer": st.sampled_from(list(INITIALIZERS)),
    }
    return {"optimizer": optimizer, **draw(maybe({}, optional=keys | own))}


@st.composite
def specs(draw: st.DrawFn) -> Spec:
    data = draw(data_tables)
    if draw(st.booleans()):
        data["validation"] = draw(st.floats(1e-9, 0.999))
    layers = [
        *draw(st.lists(layer_tables(last=False), max_size=3)), draw(layer_tables(last=True))
    ]  # fmt: skip
    training = draw(training_tables(validates="validation" in data))
    document = {"data": data, "layers": layers, "training": training}
    return parse_spec(document, name="test", folder=Path())


def read(text: str) -> Spec:
    return parse_spec(tomllib.loads(text), name="test", folder=Path())


@given(specs(), st.lists(st.text(), max_size=2))
def test_what_is_written_reads_back(spec: Spec, heading: list[str]) -> None:
    assert parse_spec(spec_document(spec), name="test", folder=Path()) == spec
    text = spec_text(spec, heading=heading)
    assert read(text) == spec
    assert repr(read(text).layers) == repr(spec.layers)  # == does not tell -0.0 from 0.0


@pytest.mark.parametrize(
    "name",
    ["größe", "a'b\"c", 'a"""b', "\\n", "tab\there", "line\nend", "# no comment", "😀", "\x7f"],
)
def test_names_that_need_care(name: str) -> None:
    spec = make_spec(data={"inputs": [name, "b"], "target": name + "2"})
    assert read(spec_text(spec)) == spec


@pytest.mark.parametrize("number", [0.1, 1e-8, 5e-324, 1.7976931348623157e308, 1e16, 123456789.0])
def test_every_digit_of_a_number(number: float) -> None:
    spec = make_spec(layers=[{"weights": [[number, -number]], "activation": "linear"}])
    assert read(spec_text(spec)).layers[0].weights == ((number, -number),)


def test_examples_stay_what_they_are(example: Path) -> None:
    spec = load_spec(example)
    written = dataclasses.replace(read(spec_text(spec)), name=spec.name, folder=spec.folder)
    assert written == dataclasses.replace(spec, file=None)


def test_every_table_is_commented() -> None:
    spec = make_spec(data={"validation": 0.25}, layers=[{"units": 3, "dropout": 0.5}, {}],
                     optimizer="adam", patience=4, loss="mse")  # fmt: skip
    text = spec_text(spec, heading=["first", "second\nline"])
    assert text.startswith("# first\n# second?line\n[data]\n")
    assert re.search(r"^optimizer = \"adam\" +# .*sgd \| .*adam$", text, re.MULTILINE)
    assert re.search(r"^patience = 4 +# epochs in a row", text, re.MULTILINE)
    lines = [line for line in text.splitlines() if " = " in line and not line.startswith("#")]
    assert all(" # " in line for line in lines)
    assert all(len(line) <= 110 for line in text.splitlines())


@pytest.mark.parametrize(
    ("source", "folder", "expected"),
    [
        ("a.csv", ".", "a.csv"),
        ("a.csv", "sub", "../a.csv"),
        ("a.csv", "..", "here/a.csv"),
        ("sub/a.csv", "sub", "a.csv"),
        ("../a.csv", "sub", "../../a.csv"),
        ("/data/a.csv", "sub", "/data/a.csv"),
        ("toy:xor", "sub", "toy:xor"),
        ("./toy:a.csv", ".", "./toy:a.csv"),
    ],
)
def test_the_source_seen_from_elsewhere(
    tmp_path: Path, source: str, folder: str, expected: str
) -> None:
    here = tmp_path / "here"
    (here / "sub").mkdir(parents=True)
    assert source_from(make_spec(source=source, folder=here), here / folder) == expected


def test_links_lead_to_the_same_file(tmp_path: Path) -> None:
    (tmp_path / "real" / "deep").mkdir(parents=True)
    (tmp_path / "link").symlink_to(tmp_path / "real" / "deep")
    (tmp_path / "store").write_text("x,y\n1,2\n")
    (tmp_path / "a.csv").symlink_to(tmp_path / "store")
    found = source_from(make_spec(source="a.csv", folder=tmp_path), tmp_path / "link")
    assert found == "../../a.csv"
    assert (tmp_path / "link" / found).read_text().startswith("x,y")


def test_a_folder_that_no_spec_can_name(tmp_path: Path) -> None:
    strange = tmp_path / "a\x01b"
    strange.mkdir()
    spec = make_spec(source="a.csv", folder=strange)
    assert source_from(spec, strange) == "a.csv"
    with pytest.raises(OutputError, match=r"cannot name the path of a.csv"):
        source_from(spec, tmp_path)


def test_a_written_spec_trains_alike(tmp_path: Path) -> None:
    spec = make_spec(optimizer="momentum", clip=0.5, seed=3)
    (tmp_path / "a.toml").write_text(spec_text(spec), encoding="utf-8")
    there, here = sheetnet.train(load_spec(tmp_path / "a.toml")), sheetnet.train(spec)
    assert (there.matrix == here.matrix).all()
