"""Checks: suites of expectations, compiled into one scan of a table."""
