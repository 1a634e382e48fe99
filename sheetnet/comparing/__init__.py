"""``diff``: what tells two workbooks' trainings apart, and how far do they part?

Inputs are read from the files as they stand now; both trainings are Python's. Whether a
sheet agrees with its training is what ``verify`` answers.
"""

from sheetnet.comparing.report import Comparison
from sheetnet.comparing.run import diff

__all__ = ["Comparison", "diff"]
