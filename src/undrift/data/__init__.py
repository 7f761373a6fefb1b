"""Datasets: immutable versions of files and tables, their schema, profile and checks."""
