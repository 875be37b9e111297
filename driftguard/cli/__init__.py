"""The command line: parses, calls a command, renders, exits. Everything heavy is imported where it is used."""

from driftguard.cli import changing, looking, probing, starting
from driftguard.cli.root import main

_COMMANDS = (changing, looking, probing, starting)  # importing them adds their commands

__all__ = ["main"]
