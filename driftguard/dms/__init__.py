"""DMS as it is configured."""
