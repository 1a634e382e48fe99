"""The concepts of the lecture, each stated once.

Every record holds its NumPy form, its cell form and its mathematics side by
side. The two forms are written by hand, independently of each other: a pair of
which one is generated from the other shares its mistakes, and comparing them
would prove nothing. What they do share is the order of operations, so that
plain IEEE arithmetic gives the same bits in both.
"""
