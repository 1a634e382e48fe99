"""What spreadsheet people expect: colours, formats, frozen panes, groups, pages."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from openpyxl import Workbook, load_workbook
from openpyxl.cell.cell import Cell
from openpyxl.formula import Tokenizer
from openpyxl.styles import Font
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.cell_range import MultiCellRange
from openpyxl.worksheet.worksheet import Worksheet
from support import make_spec

import sheetnet
from sheetnet.formula import fetches
from sheetnet.layout import EPOCHS_FIRST_ROW, TRAIN_FIRST_ROW, TRAIN_NAME_ROW
from sheetnet.spec import Spec, load_spec
from sheetnet.workbook import styles
from sheetnet.workbook.heat import BAR, HIGH, LOW

EXAMPLES = Path(__file__).parent.parent / "examples"
GREEN, BLACK, BLUE = "006100", "000000", "0000FF"
HIDDEN = [{"units": 3, "activation": "tanh"}, {"units": 1, "activation": "sigmoid"}]
STOPS = make_spec(data={"validation": 0.25}, epochs=4, patience=1, batch_size=2, clip=0.5)
CLASSES = make_spec(source="toy:blobs", data={"rows": 12, "validation": 0.25}, epochs=2,
                    layers=[{"units": 2, "activation": "relu", "dropout": 0.2},
                            {"activation": "softmax"}])  # fmt: skip


def exported(spec: Spec, folder: Path) -> Workbook:
    sheetnet.export(spec, folder / "b.xlsx")
    return load_workbook(folder / "b.xlsx")


def colour(cell: Cell) -> str:
    return str(cell.font.color.rgb)[2:] if cell.font.color and cell.font.color.rgb else BLACK


def only_from_elsewhere(text: str) -> bool:
    """The same by a parser that knows nothing of our formulas."""
    operands = [t.value for t in Tokenizer(text).items if t.subtype == "RANGE"]
    if re.fullmatch(r"=INDEX\([^()]*\)", text):
        operands.pop()  # which row to take
    own = [o for o in operands if "!" not in o]
    return bool(operands) and not own


@pytest.mark.parametrize("spec", [make_spec(), STOPS, CLASSES], ids=["plain", "stops", "classes"])
def test_links_to_other_sheets_are_green_and_nothing_else_is(spec: Spec, tmp_path: Path) -> None:
    """Inputs blue, formulas black or green, on every sheet."""
    book, seen = exported(spec, tmp_path), set()
    for title in book.sheetnames[1:]:
        for row in book[title].iter_rows():
            for cell in row:
                if cell.data_type == "f":
                    # openpyxl gives the first text of a shared formula, translated.
                    expected = GREEN if only_from_elsewhere(str(cell.value)) else BLACK
                    assert colour(cell) == expected, f"{title}!{cell.coordinate} {cell.value}"
                    seen.add((title, expected))
                elif cell.hyperlink is None:
                    assert colour(cell) != GREEN, f"{title}!{cell.coordinate}"
                    is_input = cell.fill.fgColor.rgb == "00FFFBD6" and cell.value is not None
                    assert (colour(cell) == BLUE) == is_input, f"{title}!{cell.coordinate}"
    assert {("Train", GREEN), ("Train", BLACK), ("Epochs", GREEN)} <= seen


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Init!B6", True),
        ("Data!B$5", True),
        ("INDEX(Data!J$10:J$29,$D{r})", True),
        ("INDEX(Data!J$10:J$29,{$}D{r})", True),
        ("Train!M{z}+Train!DJ{z}", True),
        ("Epochs!{$}L${q}", True),
        ("SQRT(SUMSQ(Train!CA{a}:DI{z})/ROWS(Train!CA{a}:DI{z}))", True),
        ("INDEX(A5:A9,$D{r})", False),
        ("INDEX(Data!J$10:J$29,$D{r})+A{r}", False),
        ("Epochs!$B{q}+Epochs!$C{q}*{$}D{r}", False),
        ("(B{r}+C{r})/ROWS(Train!L{a}:L{z})", False),
        ("SUMXMY2(A{r}:B{r},C{r}:D{r})", False),
        ("-learning_rate*A{r}", False),
        ("0", False),
    ],
)
def test_what_a_formula_fetches(text: str, expected: bool) -> None:
    assert fetches(text) == expected


# --- colours that a projector shows


def contrast(one: str, other: str) -> float:
    """The ratio of the Web Content Accessibility Guidelines 2.1."""

    def luminance(text: str) -> float:
        parts = [int(text[-6:][i : i + 2], 16) / 255 for i in (0, 2, 4)]
        linear = [p / 12.92 if p <= 0.03928 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def test_contrast_of_known_pairs() -> None:
    assert contrast("FFFFFF", "000000") == pytest.approx(21)
    assert contrast("FFFFFF", "767676") == pytest.approx(4.54, abs=0.01)


@pytest.mark.parametrize("spec", [STOPS, CLASSES], ids=["stops", "classes"])
def test_texts_stand_out_from_their_cells(spec: Spec, tmp_path: Path) -> None:
    """4.5 is what the guidelines ask of small texts; rows after the end are dim on purpose."""
    book = exported(spec, tmp_path)
    for title in book.sheetnames:
        for row in book[title].iter_rows():
            for cell in row:
                if cell.value is None or colour(cell) == "757575":
                    continue
                fill = str(cell.fill.fgColor.rgb) if cell.fill.fill_type else "FFFFFF"
                assert contrast(colour(cell), fill) >= 4.5, f"{title}!{cell.coordinate}"
    for scale in (LOW, HIGH, BAR):
        assert contrast(BLACK, scale) >= 7 and contrast(GREEN, scale) >= 4.4
    assert contrast("757575", "F2F2F2") >= 4


# --- numbers


def formats_in(sheet: Worksheet) -> dict[str, dict[str, str]]:
    """Range -> condition -> number format, of rules that have one."""
    return {
        str(where.sqref): {
            rule.formula[0]: rule.dxf.numFmt.formatCode
            for rule in where.rules
            if rule.type == "expression" and rule.dxf.numFmt is not None
        }
        for where in sheet.conditional_formatting
    }


def test_small_numbers_keep_their_digits(tmp_path: Path) -> None:
    """Gradients of a deep network of sigmoids must not read 0.000000; nor must 0 read 0.0E+00."""
    book = exported(make_spec(layers=HIDDEN), tmp_path)
    sheet = book["Train"]
    heads = {str(cell.value): cell.column for cell in sheet[TRAIN_NAME_ROW]}
    formats = formats_in(sheet)
    whole = f"A5:{get_column_letter(sheet.max_column)}{sheet.max_row}"
    assert formats.pop(whole) == {"ABS(A5)>=1E+6": "0.00E+00"}
    for name in ("dW1[1,1]", "delta2[1]", "ub1[3]", "loss"):
        cell = sheet.cell(TRAIN_FIRST_ROW + 1, heads[name])
        assert cell.number_format == "General"
        (where,) = (each for each in formats if cell.coordinate in MultiCellRange(each))
        first = where.partition(":")[0]
        assert formats[where] == {
            f"AND(ABS({first})>=0.0005,ABS({first})<1E+6)": "0.000000",
            f"AND(ABS({first})<0.0005,{first}<>0)": "0.0E+00",
            f"ABS({first})>=1E+6": "0.00E+00",
        }


_COUNTED = '[=1]0" number";0" numbers"'


@pytest.mark.parametrize("spec", [make_spec(), STOPS, CLASSES], ids=["plain", "stops", "classes"])
def test_every_format_shows_the_minus(spec: Spec, tmp_path: Path) -> None:
    """LibreOffice leaves it out in sections that have conditions of their own."""
    for sheet in exported(spec, tmp_path):
        codes = {cell.number_format for row in sheet.iter_rows() for cell in row}
        codes |= {code for rules in formats_in(sheet).values() for code in rules.values()}
        for code in codes - {";;;", ";;;@", _COUNTED}:
            positive, *others = code.split(";")
            assert "[" not in code, code
            assert not others or others[0] == f"-{positive}", code


def test_scales_come_before_formats_that_follow_numbers(tmp_path: Path) -> None:
    """LibreOffice shows no scale over a cell that an earlier rule covers …"""
    sheet = exported(STOPS, tmp_path)["Train"]
    order = sorted(
        (rule.priority, rule.type) for where in sheet.conditional_formatting for rule in where.rules
    )
    kinds = [kind for _, kind in order]
    assert kinds == sorted(kinds, key=lambda kind: kind == "expression")
    assert kinds.count("colorScale") == 4


def test_formats_that_follow_numbers_have_the_ranges_of_scales(tmp_path: Path) -> None:
    """… and no format where the scale has another range."""
    sheet = exported(STOPS, tmp_path)["Train"]
    scales = [
        where
        for where in sheet.conditional_formatting
        if where.rules[0].type in ("colorScale", "dataBar")
    ]
    assert len(scales) == 5
    for where in scales:
        first = str(where.sqref).partition(":")[0]
        looks = [rule for rule in where.rules[1:] if rule.dxf.font is not None]
        assert [rule.dxf.font.color.rgb[2:] for rule in looks] == ["757575"] * len(looks)
        formats = [rule.dxf.numFmt.formatCode for rule in where.rules[1:] if rule.dxf.numFmt]
        weights = "W" in str(sheet[first].offset(row=-1).value)[:1]
        assert formats == (["0.00E+00"] if weights else ["0.000000", "0.0E+00"] * 2 + ["0.00E+00"])
        assert len(looks) == (1 if weights else 3)


# --- panes, groups, pages


def outlined(sheet: Worksheet, name_row: int) -> set[str]:
    """The plain names of the columns that fold away."""
    found = set()
    for dimension in sheet.column_dimensions.values():
        if dimension.outlineLevel:
            for column in range(dimension.min, dimension.max + 1):
                found.add(str(sheet.cell(name_row, column).value))
    return found


def test_a_narrow_ledger_folds_its_details(tmp_path: Path) -> None:
    names = outlined(exported(make_spec(), tmp_path)["Train"], TRAIN_NAME_ROW)
    assert {re.sub(r"\d.*", "", name) for name in names} == {"dW", "db", "uW", "ub"}


def test_a_wide_ledger_folds_to_the_essentials(tmp_path: Path) -> None:
    """One click leaves where we are, x, y, what each layer hands on, loss and δ; none is hidden."""
    book = exported(CLASSES, tmp_path)
    sheet = book["Train"]
    assert sheet.max_column > 60
    names = outlined(sheet, TRAIN_NAME_ROW)
    left = {str(cell.value) for cell in sheet[TRAIN_NAME_ROW]} - names
    plain = {re.sub(r"\d*\[.*", "", name) for name in left}
    assert plain == {"visit", "epoch", "update", "sample", "x", "y", "a", "d", "loss", "delta"}
    assert sheet.sheet_properties.outlinePr.summaryRight
    for title in book.sheetnames:  # links from the guide lead into columns that are shown
        assert not any(d.hidden for d in book[title].column_dimensions.values())


def test_heads_and_places_stay_in_sight_and_on_paper(tmp_path: Path) -> None:
    book = exported(STOPS, tmp_path)
    assert book["Train"].freeze_panes == f"G{TRAIN_FIRST_ROW}"
    assert book["Validation"].freeze_panes == f"C{TRAIN_FIRST_ROW}"
    assert book["Epochs"].freeze_panes == "B1"
    assert book["Data"].freeze_panes and book["Init"].freeze_panes
    assert book["Train"].print_title_rows == "$1:$4" and book["Train"].print_title_cols == "$A:$F"
    rows = f"${EPOCHS_FIRST_ROW - 4}:${EPOCHS_FIRST_ROW - 1}"
    assert book["Epochs"].print_title_rows == rows
    for sheet in book.worksheets:
        assert (sheet.oddFooter.left.text, sheet.oddFooter.right.text) == ("&A", "&P / &N")
        assert sheet.page_setup.paperSize == 9
        assert not sheet.sheet_view.showGridLines


@pytest.mark.parametrize("name", ["diabetes", "vanishing_relu", "line"])
def test_pages_are_as_wide_as_a_narrow_sheet(name: str, tmp_path: Path) -> None:
    book = exported(load_spec(EXAMPLES / f"{name}.toml").override(epochs=1), tmp_path)
    for sheet in book.worksheets:
        fits = bool(
            sheet.sheet_properties.pageSetUpPr and sheet.sheet_properties.pageSetUpPr.fitToPage
        )
        if sheet.title in ("Train", "Epochs", "Data"):
            assert fits == (sheet.max_column <= styles.ONE_PAGE)
        assert fits or sheet.page_setup.scale in (60, 70)


def test_a_cell_that_changes_changes_no_other() -> None:
    """Nor the cells that are put after it; in another book, styles have other numbers."""
    for book in (Workbook(), Workbook()):
        sheet = book.worksheets[0]
        sheet["Z1"].font = Font(size=20 + len(book.worksheets))
        for row in (1, 2, 3):
            cell = styles.put(sheet, row, 1, "=1", styles.BOLD, align=styles.LEFT)
            assert (cell.font, cell.alignment, cell.quotePrefix) == (
                styles.BOLD, styles.LEFT, True
            )  # fmt: skip
            cell.alignment, cell.fill, cell.quotePrefix = styles.RIGHT, styles.FIXED_FILL, False
        again = styles.put(sheet, 1, 1, 2, styles.BODY)
        assert (again.font, again.alignment) == (styles.BODY, styles.RIGHT)
        assert not again.quotePrefix
