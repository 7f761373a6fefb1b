"""How a model behaves on rows it has not seen: curves, errors, what it leans on, where it is weak."""
