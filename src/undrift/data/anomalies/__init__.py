"""Whether a new version of a dataset is like those before it: measured once, judged against its own history."""
