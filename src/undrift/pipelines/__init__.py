"""Graphs of steps, the journal of what ran, and the runner that survives being killed."""
