"""Packages of trained models: what they are asked, how they answer, where they stand."""
