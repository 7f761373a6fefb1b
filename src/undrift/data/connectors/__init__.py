"""Tables and files that lie elsewhere: databases, object storage, Delta tables."""
