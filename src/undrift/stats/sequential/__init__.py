"""Tests that may be looked at after every request without losing their guarantee.

Each process below is a nonnegative supermartingale with expectation at most 1 while its null hypothesis is true, so
that ``P(it ever reaches 1/alpha) <= alpha`` (Ville 1939). The null hypotheses differ and each class states its own.
"""
