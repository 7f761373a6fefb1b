"""Runs: what was trained, with which parameters, data, code and environment, and what came out."""
