"""The inference sheet: what `up` makes of a table before it does anything, and why."""
