"""The whole pipeline on one machine: an embedded Postgres, and stand-ins for DMS and Snowflake. docs/sandbox.md."""
