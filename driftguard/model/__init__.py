"""The nouns: frozen values that the other rooms take and return. No connection, clock or environment in here."""
