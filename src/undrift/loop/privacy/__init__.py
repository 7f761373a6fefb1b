"""Keeping no more of people than is needed: erasing a subject, and what has become too old."""
