"""Tables of data as users have them: CSV in all its forms, and which columns are used."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support import make_spec

from sheetnet.data import Table, load_table
from sheetnet.errors import DataError, SheetnetError

PLAIN = "a,b,y\n1,2,0\n3,4.5,1\n"


@pytest.fixture
def csv(tmp_path: Path) -> Path:
    return tmp_path / "d.csv"


def load(path: Path, *, labelled: bool = False, **data: Any) -> Table:
    data.setdefault("target", "y")
    spec = make_spec(source=path.name, data=data, folder=path.parent)
    return load_table(spec.data, spec.folder, 0, labelled=labelled)


def complaint(path: Path, content: str | bytes, **data: Any) -> str:
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(DataError) as caught:
        load(path, **data)
    message = str(caught.value)
    assert message == " ".join(message.split())  # one line
    assert path.name in message
    return message


@pytest.mark.parametrize(
    "content",
    [PLAIN, PLAIN.replace(",", ";"), PLAIN.replace(",", "\t"), "\ufeff" + PLAIN,
     PLAIN.replace("\n", "\r\n"), PLAIN.replace("\n", "\r"), PLAIN.strip(),
     '"a","b","y"\n"1","2","0"\n"3","4.5","1"\n', "\n".join(PLAIN.splitlines()) + "\n\n\n",
     PLAIN.replace("\n", "\n\n"), PLAIN.replace("\n", ",\n"), PLAIN.replace("\n", ",,,\n"),
     PLAIN.replace("0\n", "0\n,,\n"), " a , b ,y\n 1 ,2, 0\n3 ,4.5,1\n",
     PLAIN.replace("4.5", "45e-1"), PLAIN.replace("4.5", "+4.50"),
     PLAIN.replace("4.5", ".45E1"), PLAIN.replace("0\n", "-0\n")],
    ids=["comma", "semicolon", "tab", "bom", "crlf", "cr", "no last line end", "quoted",
         "blank lines at the end", "blank lines", "trailing comma", "trailing commas",
         "row of commas", "spaces", "exponent", "plus", "no leading zero", "minus zero"],
)  # fmt: skip
def test_csv_forms(csv: Path, content: str) -> None:
    csv.write_bytes(content.encode())
    table = load(csv)
    assert table.input_names == ("a", "b")
    assert table.inputs.tolist() == [[1.0, 2.0], [3.0, 4.5]]
    assert table.targets is not None
    assert (table.target_names, table.targets.tolist()) == (("y",), [[0.0], [1.0]])
    assert table.labels is None


def test_quoted_names_may_hold_separators_and_line_ends(csv: Path) -> None:
    csv.write_bytes(b'"a,b";"say ""hi""";"two\nlines";y\n1;2;3;4\n')
    assert load(csv).input_names == ("a,b", 'say "hi"', "two\nlines")


def test_the_semicolon_wins_where_the_header_has_more_of_it(csv: Path) -> None:
    csv.write_text("length, cm;width, cm;height;y\n1;2;3;4\n")
    assert load(csv).input_names == ("length, cm", "width, cm", "height")


@pytest.mark.parametrize("name", ["length, width, height", "two\nlines", "a; b; c; d"])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_what_stands_in_quotes_separates_nothing(csv: Path, name: str, separator: str) -> None:
    csv.write_text(f'"{name}"{separator}y\n1{separator}2\n')
    assert load(csv).input_names == (name,)


def test_numbers_keep_all_their_digits(csv: Path) -> None:
    values = ["0.1", "1e-300", "5e-324", "1.7976931348623157e308", "9007199254740993",
              "0.30000000000000004", "123456789.123456789"]  # fmt: skip
    csv.write_text("x,y\n" + "".join(f"{value},1\n" for value in values))
    assert load(csv).inputs[:, 0].tolist() == [float(value) for value in values]


@pytest.mark.parametrize("separator", [";", "\t"])
def test_decimal_commas_where_commas_separate_nothing(csv: Path, separator: str) -> None:
    content = "a;b;name;y\n1,5;-2;x;0,25\n1.234,5;3;1,5;1e3\n+0,5e-1;;z;2\n"
    csv.write_text(content.replace(";", separator))
    table = load(csv, inputs=["a"])
    assert table.inputs.tolist() == [[1.5], [1234.5], [0.05]]
    assert table.targets is not None
    assert table.targets.tolist() == [[0.25], [1000.0], [2.0]]
    assert load(csv, inputs=["a"], target="name").labels == ("x", "1,5", "z")


@pytest.mark.parametrize(
    "content",
    ["a;b;y\n1,5;2.5;0\n2,5;3;1\n", "a;b;y\n1,234;2;0\n12,345;3;1\n", "a;y\n1,5;0\ntwo;1\n",
     'a,b,y\n"1,5",2,0\n"2,5",3,1\n', "a;y\n1,5;0\n1.5;1\n"],
    ids=["points as well", "thousands, perhaps", "a text as well", "commas separate", "both"],
)  # fmt: skip
def test_decimal_commas_that_may_be_something_else_are_named(csv: Path, content: str) -> None:
    """By default as if named: a column of them is never left out in silence."""
    for data in ({}, {"inputs": ["a"]}, {"target": "a", "inputs": ["y"]}):
        if "two" in content and data.get("target"):
            continue  # classes, then
        message = complaint(csv, content, **data)
        assert "column 'a' holds the text '1" in message
        assert "decimal comma" in message


@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_excel_s_line_that_names_the_separator(csv: Path, separator: str, line_end: str) -> None:
    text = f"\ufeffsep={separator}\n{PLAIN.replace(',', separator)}".replace("\n", line_end)
    csv.write_bytes(text.encode())
    assert load(csv).inputs.tolist() == [[1.0, 2.0], [3.0, 4.5]]


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_names_of_two_lines_have_one_kind_of_line_end(csv: Path, line_end: str) -> None:
    csv.write_bytes(f'"a{line_end}b",y\n1,2\n3,4\n'.encode())
    assert load(csv, target="y").input_names == ("a\nb",)


def test_first_rows(csv: Path) -> None:
    csv.write_text("x,y\n" + "".join(f"{i},{i}\n\n" for i in range(10)) + "bad,bad\n")
    assert load(csv, rows=4).inputs[:, 0].tolist() == [0, 1, 2, 3]  # blank lines do not count
    csv.write_text(PLAIN)
    assert load(csv, rows=1000).rows == 2


# --- which columns


def test_default_inputs_are_the_numeric_columns_that_are_no_targets(csv: Path) -> None:
    csv.write_text("name,a,when,b,y,z\nx,1,2020-01-01,2,0,5\nx,3,2020-01-02,4,1,6\n")
    assert load(csv).input_names == ("a", "b", "z")
    assert load(csv, target=["z", "y"]).input_names == ("a", "b")


def test_named_inputs_keep_the_spec_s_order(csv: Path) -> None:
    csv.write_text(PLAIN)
    table = load(csv, inputs=["b", "a"])
    assert table.input_names == ("b", "a")
    assert table.inputs.tolist() == [[2.0, 1.0], [4.5, 3.0]]
    assert load(csv, inputs="b").inputs.tolist() == [[2.0], [4.5]]


def test_several_targets_keep_their_order(csv: Path) -> None:
    csv.write_text(PLAIN)
    table = load(csv, target=["y", "a"])
    assert table.target_names == ("y", "a")
    assert table.targets is not None
    assert table.targets.tolist() == [[0.0, 1.0], [1.0, 3.0]]


def test_a_column_left_out_may_hold_anything(csv: Path) -> None:
    csv.write_text("a,b,y\n1,nan,0\n2,,1\n3,text,1\n")
    assert load(csv, inputs=["a"]).input_names == ("a",)


@pytest.mark.parametrize("target", ["species", "number"])
def test_labels(csv: Path, target: str) -> None:
    csv.write_text("a,species,number\n1, cat ,3\n2,dog,1.5\n")
    table = load(csv, inputs=["a"], target=target, labelled=True)
    assert table.labels == (("cat", "dog") if target == "species" else (3.0, 1.5))
    assert table.targets is None


def test_a_number_among_texts_is_a_class_of_its_own(csv: Path) -> None:
    csv.write_text("a,y\n1,1234567\n2,1234568\n3,b\n4,0.1\n")
    labels = load(csv).labels
    assert labels is not None
    assert len(set(labels)) == 4
    assert all(isinstance(label, str) for label in labels)
    assert labels[2:] == ("b", "0.1")


def test_missing_columns_name_the_nearest(csv: Path) -> None:
    header = "petal_length,petal_width,species\n1,2,x\n3,4,z\n"
    message = complaint(csv, header, target="speces")
    assert "'speces'" in message
    assert "did you mean 'species'" in message
    message = complaint(csv, header, inputs=["petal_lenght"], target="species")
    assert "did you mean 'petal_length'" in message
    message = complaint(csv, header, inputs=["qqq"], target="species")
    assert "petal_length, petal_width, species" in message  # what there is


def test_target_missing_or_among_the_inputs(csv: Path) -> None:
    message = complaint(csv, PLAIN, target=None)
    assert "data.target is missing" in message
    assert "a, b, y" in message
    csv.write_text(PLAIN)
    with pytest.raises(DataError, match="'a' is both an input and a target"):
        load(csv, inputs=["a", "b"], target="a")


def test_nothing_but_the_target(csv: Path) -> None:
    assert "no column of numbers" in complaint(csv, "y\n1\n2\n")
    assert "no column of numbers" in complaint(csv, "name,y\nx,1\ny,2\n")


# --- bad cells: file, row and column are named


@pytest.mark.parametrize(
    ("cell", "words"),
    [("", "empty"), ("n/a", "'n/a'"), ("nan", "nan"), ("NaN", "nan"), ("-inf", "inf"),
     ("Infinity", "inf"), ("1e999", "inf"), ('"1,5"', "decimal comma"), ("1_000", "'1_000'"),
     ("0x10", "'0x10'"), ("1 000", "'1 000'"), ("5%", "'5%'"), ("--1", "'--1'"),
     ("+-inf", "'+-inf'"), ("--nan", "'--nan'"), ("#REF!", "'#REF!'"), ("1.2.3", "'1.2.3'"),
     ("x" * 500, "xxx...")],
)  # fmt: skip
@pytest.mark.parametrize("column", ["a", "y1", "y2"])
def test_a_bad_cell_names_file_row_and_column(
    csv: Path, cell: str, words: str, column: str
) -> None:
    row = ",".join(cell if name == column else "1" for name in ("a", "y1", "y2"))
    message = complaint(csv, f"a,y1,y2\n1,2,3\n{row}\n4,5,6\n", target=["y1", "y2"])
    assert "row 2" in message
    assert f"column '{column}'" in message
    assert words in message
    assert len(message) < 300


def test_bad_labels(csv: Path) -> None:
    assert "data row 2, column 'y' is empty" in complaint(csv, "a,y\n1,cat\n2, \n3,dog\n")
    assert "nan" in complaint(csv, "a,y\n1,cat\n2,nan\n3,dog\n")
    assert "32767" in complaint(csv, f"a,y\n1,cat\n2,{'x' * 32768}\n")
    assert "control character" in complaint(csv, "a,y\n1,cat\n2,do\x07g\n")


def test_text_among_several_targets(csv: Path) -> None:
    message = complaint(csv, "a,y,z\n1,cat,2\n2,dog,3\n", target=["y", "z"])
    assert "column 'y' holds the text 'cat'" in message


@pytest.mark.parametrize(
    ("content", "words"),
    [("", "empty"), ("\n\n", "first row is empty"), (",,\n1,2,3\n", "first row is empty"),
     ("a,b,y\n", "no rows"), ("a,b,y\n\n,,\n", "no rows"), ("a,y,a\n1,2,3\n", "named 'a'"),
     (" a,a,y\n1,2,3\n", "named 'a'"), ("a,,y\n1,2,3\n", "column 2 has no name"),
     ("1,2,3\n4,5,6\n", "holds numbers"), ("5.1,-3e2\n4,5\n", "holds numbers"),
     ("a,y\n1,2,3\n", "row 2 has 3 cells"), ("a\x01,y\n1,2\n", "control character"),
     ("a\x00,y\n1,2\n", "control character"), ("x" * 32768 + ",y\n1,2\n", "32767"),
     ('a,y\n"1,2\n', "CSV"), ('a,y\n"1"x,2\n', "CSV"), ("a,y\n" + "1" * 200_000 + ",2\n", "CSV"),
     ("größe,y\n1,2\n".encode("latin-1"), "UTF-8"), ("a,y\n1,2\n".encode("utf-16"), "UTF-8"),
     (b"PK\x03\x04\xff\xfe", "UTF-8")],
)  # fmt: skip
def test_bad_files(csv: Path, content: str | bytes, words: str) -> None:
    assert words in complaint(csv, content)


def test_latin1_far_below_the_header(csv: Path) -> None:
    # Past the first buffer: the text is decoded piece by piece while rows are read.
    content = "a,name,y\n" + "1,abc,2\n" * 5000 + "1,größe,2\n"
    message = complaint(csv, content.encode("latin-1"))
    assert "UTF-8" in message and "line 5002: Latin-1" in message


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-be"])
def test_utf16_is_named(csv: Path, encoding: str) -> None:
    message = complaint(csv, ("\ufeff" * (encoding != "utf-16") + PLAIN).encode(encoding))
    assert "is UTF-16 text, not UTF-8: save it as UTF-8" in message


def test_missing_file_folder_and_other_kinds(tmp_path: Path) -> None:
    (tmp_path / "folder.csv").mkdir()
    (tmp_path / "folder.xlsx").mkdir()
    (tmp_path / "table.txt").write_text(PLAIN)
    for name, words in [("no.csv", "not there"), ("no.xlsx", "no.xlsx"), ("folder.csv", "folder"),
                        ("folder.xlsx", "folder"), ("table.txt", ".csv or .xlsx"), ("d", ".csv"),
                        (".", ".csv"), ("x" * 300 + ".csv", "cannot be read")]:  # fmt: skip
        spec = make_spec(source=name, data={"target": "y"}, folder=tmp_path)
        with pytest.raises(SheetnetError, match=words):
            load_table(spec.data, spec.folder, 0, labelled=False)


def test_a_sheet_goes_with_xlsx_only(csv: Path) -> None:
    assert "data.sheet" in complaint(csv, PLAIN, sheet="one")


def test_shapes_and_type(csv: Path) -> None:
    csv.write_text(PLAIN)
    table = load(csv, target=["y", "b"])
    assert table.targets is not None
    assert (table.inputs.shape, table.targets.shape) == ((2, 1), (2, 2))
    assert table.inputs.dtype == table.targets.dtype == np.float64
