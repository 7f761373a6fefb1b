"""What is known of a model version, as one page that needs nothing else."""
