"""``Predict``: what the network makes of inputs that are typed, after any update.

``plan`` says where everything stands, ``task`` what the network is asked; ``tables`` and
``cells`` hold formulas with their NumPy forms beside them.
"""
