"""Reading workbooks back: package, cells, formulas in normal form, the problem."""
