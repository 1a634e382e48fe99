"""What is needed: its lowest versions are those that are tried, its licences are listed."""

from __future__ import annotations

import re
import tomllib
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
EXTRAS = PROJECT["optional-dependencies"]
NEEDED = [Requirement(text) for text in PROJECT["dependencies"]]
OPTIONAL = [Requirement(text) for name in EXTRAS for text in EXTRAS[name]]

TRIED_EXTRAS = ("dask", "safetensors", "sklearn")
"""Torch is gigabytes: its lowest version is not part of the gate."""


def lowest(requirement: Requirement) -> Version:
    (bound,) = (each.version for each in requirement.specifier if each.operator == ">=")
    return Version(bound)


def installed_with(names: list[str]) -> set[str]:
    """These packages and all that they need in turn, as they are installed here."""
    found: set[str] = set()
    waiting = list(names)
    while waiting:
        name = canonicalize_name(waiting.pop())
        if name in found:
            continue
        found.add(name)
        for text in metadata.requires(name) or ():
            needed = Requirement(text)
            if needed.marker is None or needed.marker.evaluate({"extra": ""}):
                waiting.append(needed.name)
    return found


def stated(name: str) -> str:
    """The licence by a package's own metadata."""
    about = metadata.metadata(name)
    kinds = [line for line in about.get_all("Classifier") or () if line.startswith("License")]
    said = [about.get("License-Expression"), about.get("License"), *kinds]
    return " ".join(text for text in said if text)


def listed() -> dict[str, str]:
    """Package -> its licence, from the tables of LICENCES.md."""
    found = {}
    for line in (ROOT / "LICENCES.md").read_text(encoding="utf-8").splitlines():
        if line.startswith("| ["):
            packages, licence = line.strip("| ").split(" | ")[:2]
            for name in re.findall(r"\[([\w-]+)\]\(", packages):
                found[canonicalize_name(name)] = licence
    return found


def test_the_lowest_versions_are_tried() -> None:
    lines = (ROOT / ".ci" / "lowest.txt").read_text(encoding="utf-8").splitlines()
    tried = dict(line.split("==") for line in lines if not line.startswith("#"))
    wanted = [*NEEDED, *(Requirement(text) for name in TRIED_EXTRAS for text in EXTRAS[name])]
    assert {name: Version(version) for name, version in tried.items()} == {
        each.name: lowest(each) for each in wanted
    }
    assert list(tried) == sorted(tried)
    script = (ROOT / ".ci" / "lowest").read_text(encoding="utf-8")
    assert f"-c .ci/lowest.txt '.[{','.join(TRIED_EXTRAS)}]'" in script
    assert ".ci/lowest " in (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    for test in re.findall(r"tests/\w+\.py", script):
        assert (ROOT / test).exists()


def test_every_bound_is_stated_and_few_are_upper_ones() -> None:
    for each in (*NEEDED, *OPTIONAL):
        if not each.name.startswith("types-"):
            assert lowest(each)
    upper = {r.name for r in (*NEEDED, *OPTIONAL) if any("<" in s.operator for s in r.specifier)}
    # An alpha, one whose insides are used, and one that is compared to the last bit.
    assert upper == {"ironcalc", "openpyxl", "formualizer"}


def test_each_dependency_is_listed_with_its_licence() -> None:
    named = {canonicalize_name(each.name) for each in (*NEEDED, *OPTIONAL)}
    assert installed_with([each.name for each in NEEDED]) | named <= set(listed())


@pytest.mark.parametrize("name", sorted(listed()))
def test_the_licence_is_what_the_package_states(name: str) -> None:
    try:
        text = stated(name)
    except metadata.PackageNotFoundError:
        pytest.skip(f"{name} is not installed here")
    for word in re.findall(r"MIT|Apache|BSD|MPL|PSF|Zlib|CC0", listed()[name]):
        names = {"PSF": "PSF|Python Software", "MPL": "MPL|Mozilla"}
        assert re.search(names.get(word, word), text), (name, text)
