"""undrift keeps machine-learning models true in production."""
