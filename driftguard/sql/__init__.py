"""Names and values as SQL text, one module a dialect. No other place puts a name into SQL."""
