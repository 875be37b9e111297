"""The command line: parses, calls a command, renders, exits. Everything heavy is imported where it is used."""

from driftguard.cli import adopting, changing, looking, merging, probing, revisions, starting
from driftguard.cli.root import main

_COMMANDS = (adopting, changing, looking, merging, probing, revisions, starting)  # importing them adds their commands

__all__ = ["main"]
