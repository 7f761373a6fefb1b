"""Branches of datasets: beside the line that others read, and back into it."""
