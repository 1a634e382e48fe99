"""The concepts of the lecture, each stated once.

Every record holds its NumPy form, its cell form and its mathematics side by
side. The two forms are written by hand, independently of each other: a pair of
which one is generated from the other shares its mistakes, and comparing them
would prove nothing. What they do share is the order of operations, so that
plain IEEE arithmetic gives the same bits in both.

Beside them stands ``code``, which generated scripts take over: NumPy source for one
visit, as a lecture would write it. It is written by hand too, because the NumPy form,
made for any number of rows at once, is not what a student should read. Names in it are
those of the quantities, of the hyperparameters, and of the few functions that a script
defines (``exp``, ``ln``, ``running_sum``, ``finite``). In a script an overflow is inf at
first, not nan: ``finite(x)`` stands where an inf could otherwise vanish again. ``torch``
is the same for PyTorch, which needs less.
"""
