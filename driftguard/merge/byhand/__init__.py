"""Merges, procedures and pipes that people wrote: read them, and make their column lists longer. Pure."""
