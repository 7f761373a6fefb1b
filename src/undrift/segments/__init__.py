"""Append-only segment files: predictions, feedback and metric points; and the endpoint's state file."""
