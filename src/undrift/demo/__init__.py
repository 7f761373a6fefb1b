"""The story of the flights: one year of a model in production, on real data."""
