"""Engines: the ways in which a package computes its scores."""
