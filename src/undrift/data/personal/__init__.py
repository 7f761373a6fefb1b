"""Personal data in tables: found, masked, taken out."""
