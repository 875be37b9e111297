"""From findings' causes to ordered operations. Pure."""
