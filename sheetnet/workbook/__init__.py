"""Writing the workbook: one module per sheet, the row stream and the package."""
