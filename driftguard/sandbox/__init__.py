"""The embedded pipeline: real PostgreSQL, real WAL, real Parquet, and stand-ins for DMS and Snowflake."""
