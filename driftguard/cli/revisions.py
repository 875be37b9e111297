"""Commands on revisions: stamp, downgrade, merge-heads."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from driftguard.cli.options import common
from driftguard.cli.root import main
from driftguard.shell import Shell, relative

if TYPE_CHECKING:
    from driftguard.migrate.rehearsal import Outcome


@main.command()
@click.argument("revision", metavar="REV|heads")
@common
@click.option("--unverified", is_flag=True, help="Do not look whether everything is there; needs a --reason.")
@click.option("--reason", default="", metavar="TEXT", help="Who knows that it is; goes into the journal.")
def stamp(shell: Shell, revision: str, unverified: bool, reason: str) -> None:
    """Note that a revision and those that it needs are applied, without running them.

    For a landing that was there before driftguard. Refused where Snowflake shows that an operation is not done.
    """
    from driftguard.commands.revisions import stamp as run

    stamped = run(shell.load(), revision, unverified=unverified, reason=reason, say=shell.say)
    for name in stamped:
        click.echo(f"stamped {name}")
    if not stamped:
        click.echo("nothing to stamp: all of it is applied")


@main.command(context_settings={"ignore_unknown_options": True})  # -1 is a revision
@click.argument("revision", metavar="REV|base")
@common
@click.option("--allow", "allowed", metavar="HAZARD", multiple=True, help="Accept a hazard; the refusal names it.")
def downgrade(shell: Shell, revision: str, allowed: tuple[str, ...]) -> None:
    """Go back to a revision: take back what was applied on top of it, newest first.

    Refused, before anything is changed, where an operation has no way back. Can be interrupted and run again.
    """
    from driftguard.commands.revisions import downgrade as run

    outcome = run(
        shell.load(),
        revision,
        allowed=allowed,
        watch=None if shell.quiet else lambda step: click.echo(f"  {step.statement.summary}"),
        say=shell.say,
    )
    show_way_back(shell, outcome)


def show_way_back(shell: Shell, outcome: Outcome) -> None:
    """What a downgrade did."""
    for note in outcome.skipped:
        shell.say(note)
    count = len(outcome.steps)
    if outcome.revisions:
        click.echo(f"took back {', '.join(outcome.revisions)}: {count} statement{'' if count == 1 else 's'}")
        for line in outcome.undo:
            click.echo(f"to undo: {line}")
    else:
        click.echo("nothing to take back")


@main.command("merge-heads")
@common
@click.option("--message", "-m", default="", help="What the revision is for.")
def merge_heads(shell: Shell, message: str) -> None:
    """Bring the revisions of several pull requests together, as `alembic merge` does: an empty revision a branch."""
    from driftguard.commands.revisions import merge_heads as run

    written = run(shell.load(), message)
    for item in written:
        click.echo(f"wrote {relative(item.path)}")
    if not written:
        click.echo("nothing to merge: each branch has one head")
