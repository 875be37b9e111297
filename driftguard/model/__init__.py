"""The nouns: frozen dataclasses without behaviour that needs a connection, a clock or an environment."""
