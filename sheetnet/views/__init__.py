"""The sheets that look at a training without being part of it.

Each is a :class:`sheetnet.views.view.View`: its formulas and, written independently, its
values in NumPy. Nothing on the other sheets depends on them.
"""
