"""``verify``: do the workbook and Python compute the same training?

1. formulas: does every computed cell hold the formula that was exported?
2. local: is each cell what NumPy makes of the sheet's own inputs in its row?
3. trajectory: does a training in Python from the workbook's inputs go the same way?
4. saved: do values that the file holds agree with those just calculated?
5. liveness, where it is asked for: with other inputs, do both still agree?
"""

from sheetnet.verification.report import Change, Check, Failure, Liveness, Report
from sheetnet.verification.run import verify

__all__ = ["Change", "Check", "Failure", "Liveness", "Report", "verify"]
