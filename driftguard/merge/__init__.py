"""The MERGE that carries staged changes to FINAL: its SQL from a spec. Pure."""
