"""What DMS will write: table mappings and settings in, emitted columns out. Pure."""
