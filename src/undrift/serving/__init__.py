"""The scoring worker: one process that answers an endpoint's requests and logs each prediction."""
