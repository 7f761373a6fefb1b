"""Training: from a version of a dataset to a registered model version, step by step and resumable."""
