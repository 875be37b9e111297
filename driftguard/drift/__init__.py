"""Expected against actual: what is different, why it matters, what to do. Pure."""
