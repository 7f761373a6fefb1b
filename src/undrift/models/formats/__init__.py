"""Safe formats of models: bytes that are read, never run."""
