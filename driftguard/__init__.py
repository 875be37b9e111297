"""driftguard: no data lost when an Aurora schema changes under a DMS → Snowflake pipeline."""

__version__ = "0.1.0.dev0"
