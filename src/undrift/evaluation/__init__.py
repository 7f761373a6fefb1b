"""Honest judgement of models: splits, candidates, comparison, baselines and the gate."""
