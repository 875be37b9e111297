"""What DMS will write, worked out from the catalog, the table mappings and the settings. Pure functions."""
