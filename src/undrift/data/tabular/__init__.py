"""Tables in files and in memory: how they are written, read and typed."""
