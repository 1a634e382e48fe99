"""What the spreadsheet format can hold (Excel's specifications and limits)."""

from __future__ import annotations

import re

MAX_ROWS = 1_048_576
MAX_COLUMNS = 16_384
MAX_FORMULA = 8_192
"""Characters of a formula."""

MAX_ARGUMENTS = 255
"""Of a function in a formula."""

MAX_TEXT = 32_767
"""Characters of a cell."""

NOT_IN_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
"""Characters that no workbook can hold."""
