"""driftguard's own tables in Snowflake: revisions, lease, journal, watermarks."""
