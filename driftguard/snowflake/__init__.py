"""The Snowflake side: a session, and what it can see."""
