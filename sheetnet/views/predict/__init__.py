"""``Predict``: what the network makes of inputs that are typed, after any update.

``task`` says what the network is asked, ``plan`` where everything stands; ``tables`` and
``points`` are the tables, ``panel``, ``quality`` and ``picture`` the single cells, each
formula with its NumPy form beside it.
"""
