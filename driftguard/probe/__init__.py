"""Asks the pipeline itself: what DMS makes of a value, what Snowflake says to a statement."""
