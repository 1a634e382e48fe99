"""``lint``: which cells of any workbook break the pattern of those around them?

Written for training sheets that people make by hand, as well as for our own.
"""

from sheetnet.linting.report import Finding, Report
from sheetnet.linting.run import lint

__all__ = ["Finding", "Report", "lint"]
