"""The embedded pipeline. Imported by the sandbox and demo commands and by tests alone."""
