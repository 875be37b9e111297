"""Type maps as reviewed data: PostgreSQL → DMS → Parquet → STAGING → FINAL, each hop with its loss and its source."""
