"""Statistics that decide: sketches, drift, metrics, intervals and tests that may be looked at at any time.

Import from the modules; this file stays light.
"""
