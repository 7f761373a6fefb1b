"""Suspicion: signs that a column knows what is to be predicted, found before a model is served."""

from undrift.evaluation.suspicion.found import Kind, Suspicion
from undrift.evaluation.suspicion.search import suspects

__all__ = ["Kind", "Suspicion", "suspects"]
