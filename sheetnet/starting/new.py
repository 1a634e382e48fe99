"""``sheetnet new``: choose the draft, and write it."""

from __future__ import annotations

from pathlib import Path

from sheetnet.errors import DataError
from sheetnet.limits import NOT_IN_XML
from sheetnet.output import check_target, write_text
from sheetnet.spec import DataSpec, Spec, TrainingSpec, load_spec
from sheetnet.spec_writer import source_from
from sheetnet.starting.draft import Draft, Place
from sheetnet.starting.fitted import Source, data_draft, toy_draft
from sheetnet.starting.imported import model_draft
from sheetnet.starting.model import Model
from sheetnet.starting.template import text_of


def write_new(
    path: Path, source: Source | None = None, model: Model | None = None, *, overwrite: bool
) -> Spec:
    """Write a spec to start from, all of it or nothing, and return it as it reads.

    Without a source it is a toy problem; with a model it starts from its weights.
    """
    check_target(path, overwrite=overwrite, read=() if source is None else (source.file,))
    if model is not None and source is None:
        raise DataError("a trained model needs the data that it is shown on: --data, --target")
    place = Place(NOT_IN_XML.sub("?", path.stem), path.parent)
    write_text(path, text_of(_draft(place, source, model)), overwrite=overwrite)
    return load_spec(path)


def _draft(place: Place, source: Source | None, model: Model | None) -> Draft:
    if source is None:
        return toy_draft(place.name)
    written = _written(source.file, place.folder)
    if model is None:
        return data_draft(place, source, written)
    return model_draft(place, source, written, model)


def _written(file: Path, folder: Path) -> str:
    """The file as a spec in ``folder`` names it."""
    if file.suffix.lower() not in (".csv", ".xlsx"):
        raise DataError(f"--data is {str(file)!r}: a .csv or .xlsx file is needed")
    if not file.exists():
        raise DataError(f"--data: {file} is not there")
    data = DataSpec(source=f"./{file.name}")
    return source_from(Spec("", file.parent, data, (), TrainingSpec()), folder)
