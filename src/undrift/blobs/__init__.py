"""Content-addressed bytes: every object is named by its digest and checked on every read."""
