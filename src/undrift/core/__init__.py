"""Errors, identifiers, clocks, digests and files: what every room stands on."""
