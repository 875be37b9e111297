"""`python -m driftguard`."""

from driftguard.cli import main

main(prog_name="driftguard")
