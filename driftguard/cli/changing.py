"""Commands that change Snowflake, or say how: plan, apply, status."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from driftguard.cli.options import common, sources
from driftguard.cli.planned import show_plan
from driftguard.cli.root import main
from driftguard.errors import ExitCode
from driftguard.shell import Shell

if TYPE_CHECKING:
    from driftguard.commands.check import Proposal
    from driftguard.migrate.rehearsal import Outcome


@main.command()
@common
@sources
@click.option("--message", "-m", default="", help="What the revision is for.")
@click.option("--write", "write_revision", is_flag=True, help="Write the plan as a revision; then exit 0.")
@click.option("--format", "format_", type=click.Choice(["text", "json", "markdown"]), default="text", show_default=True)
def plan(
    shell: Shell,
    source: str | None,
    proposal: Proposal | None,
    against: str | None,
    observed: bool,
    message: str,
    write_revision: bool,
    format_: str,
) -> None:
    """What to change on Snowflake, in which order. Exit 1 if there is something to do."""
    from driftguard.commands.plan import plan as run

    with shell.working("planning"):
        result = run(
            shell.load(),
            source=source,
            proposal=proposal,
            against=against,
            message=message,
            write_revision=write_revision,
            observed=observed,
        )
    show_plan(shell, result, format_)
    sys.exit(ExitCode.FINDINGS if result.plan.operations and not write_revision else ExitCode.OK)


@main.command()
@common
@click.option("--dry-run", is_flag=True, help="Show the statements; change nothing.")
@click.option(
    "--phase",
    type=click.Choice(["expand", "settle", "contract", "all"]),
    default="expand",
    show_default=True,
    help="expand: before the Aurora deploy; settle: after it; contract: when nothing old is on its way.",
)
@click.option("--allow", "allowed", metavar="HAZARD", multiple=True, help="Accept a hazard; the refusal names it.")
@click.option("--revision", metavar="REV", help="This revision and those that it needs, and no others.")
@click.option(
    "--jobs",
    type=click.IntRange(1, 64),
    default=4,
    show_default=True,
    help="Connections that work side by side on independent tables.",
)
def apply(shell: Shell, dry_run: bool, phase: str, allowed: tuple[str, ...], revision: str | None, jobs: int) -> None:
    """Run the revisions that Snowflake does not know yet. Can be interrupted and run again at any point.

    Exit 1 where something waits for what has not happened yet.
    """
    from driftguard.commands.apply import apply as run

    outcome = run(
        shell.load(),
        dry_run=dry_run,
        phase=phase,
        revision=revision,
        allowed=allowed,
        jobs=jobs,
        watch=None if shell.quiet else lambda step: click.echo(f"  {step.statement.summary}"),
        say=shell.say,
    )
    show_outcome(shell, outcome, phase)


def show_outcome(shell: Shell, outcome: Outcome, phase: str) -> None:
    """What an apply did, and what is left. Ends the process with 1 where something waits."""
    if outcome.dry_run:
        for step in outcome.steps:
            click.echo(f"-- {step.statement.summary}\n{step.statement.sql};\n")
    for summary in outcome.skipped:
        shell.say(f"already done: {summary}")
    if outcome.revisions:
        would = "would run" if outcome.dry_run else "ran"
        count = len(outcome.steps)
        names = ", ".join(outcome.revisions)
        click.echo(f"{would} {count} statement{'' if count == 1 else 's'} of {names}")
    elif not outcome.waiting:
        click.echo(
            f"nothing to apply: {'nothing is left of this phase' if outcome.due else 'every revision is applied'}"
        )
    for line in outcome.undo:
        click.echo(f"to undo: {line}")
    for line in outcome.waiting:
        click.echo(f"waits: {line}")
    if due := [item for item in outcome.due if phase not in (item.phase, "all")]:
        count = sum(item.operations for item in due)
        names = ", ".join(dict.fromkeys(item.revision for item in due))
        commands = ", then ".join(f"`driftguard apply --phase {p}`" for p in dict.fromkeys(item.phase for item in due))
        when = "after the Aurora deploy" if phase == "expand" else "afterwards"
        click.echo(f"{when}: {commands} ({count} operation{'' if count == 1 else 's'} of {names})")
    if outcome.dry_run and outcome.unproven:
        shell.say(f"on a model of the landing this is not done afterwards: {'; '.join(outcome.unproven)}")
    elif outcome.dry_run and outcome.revisions:
        click.echo("on a model of the landing nothing of these revisions is left to do afterwards")
    if outcome.waiting:
        sys.exit(ExitCode.FINDINGS)


@main.command()
@common
@click.option("--format", "format_", type=click.Choice(["text", "json"]), default="text", show_default=True)
def status(shell: Shell, format_: str) -> None:
    """Which revisions are applied, begun or waiting, whether an apply is running, and how many values did not fit."""
    import dataclasses

    from driftguard.commands.status import status as run
    from driftguard.render import json

    result = run(shell.load())
    if format_ == "json":
        click.echo(json.document(dataclasses.asdict(result)), nl=False)
        return
    if not result.control:
        click.echo("no control schema yet: the first `driftguard apply` makes it")
    for item in result.revisions:
        progress = f" ({item.done} of {item.statements} statements)" if item.state in ("begun", "undoing") else ""
        later = (
            [f"{p} {done} of {count}" for p, (done, count) in item.phases.items()] if item.branch == "contract" else []
        )
        phases = f" [{', '.join(later)}]" if later and item.state != "applied" else ""
        click.echo(f"{item.state:<8} {item.id}  {item.message}{progress}{phases}")
        next_run = "the same downgrade" if item.state == "undoing" else "the next apply"
        for sent in item.half_done:
            click.echo(f"         half done: {sent.statement} (sent {sent.since} UTC by {sent.by})")
        if item.half_done and not result.lease_holder:
            click.echo(f"         {next_run} looks for it by its tag first, and waits while it still runs")
        if item.stopped_at:
            click.echo(f"         {next_run} goes on with: {item.stopped_at}")
    if not result.revisions:
        click.echo("no revisions: `driftguard plan --write` makes them")
    for run_ in result.next:
        command = "driftguard apply" if run_.phase == "expand" else f"driftguard apply --phase {run_.phase}"
        count = f"{run_.statements} statement{'' if run_.statements == 1 else 's'}"
        names = f" of {', '.join(run_.revisions)}" if run_.revisions else ""
        click.echo(f"next     `{command}`: " + (f"refused: {run_.refused}" if run_.refused else f"{count}{names}"))
        for line in run_.waiting:
            click.echo(f"         waits: {line}")
    if result.lease_holder:
        click.echo(f"an apply is running: {result.lease_holder}")
    if result.cast_failures is not None:
        values = "1 value" if result.cast_failures == 1 else f"{result.cast_failures} values"
        click.echo(f"{values} of the last {result.cast_failure_days} days did not fit (DG605)")
    elif result.control:
        click.echo("whether values did not fit is not known: the table CAST_FAILURE could not be read")
