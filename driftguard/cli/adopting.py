"""The command that takes over landings that people made: adopt."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from driftguard.cli.options import common, sides
from driftguard.cli.planned import plan_document, show_plan
from driftguard.cli.root import main
from driftguard.errors import ExitCode, UsageError
from driftguard.shell import Shell

if TYPE_CHECKING:
    from driftguard.commands.adopt import Adopted


@main.command()
@click.argument("table", required=False)
@common
@sides
@click.option("--message", "-m", default="", help="What the revision is for.")
@click.option("--write", "write_revision", is_flag=True, help="Write the plan as a revision; then exit 0.")
@click.option("--format", "format_", type=click.Choice(["text", "json", "markdown"]), default="text", show_default=True)
def adopt(
    shell: Shell,
    table: str | None,
    source: str | None,
    against: str | None,
    message: str,
    write_revision: bool,
    format_: str,
) -> None:
    """Take over a landing that people made: what differs from driftguard's, and the plan that gets there.

    Without a TABLE every landing and who made it. Exit 1 while TABLE's is not driftguard's.
    """
    from driftguard.commands import adopt as command

    if table is None:
        if write_revision:
            raise UsageError("--write needs a table: landings are taken over one by one", hint="driftguard adopt TABLE")
        with shell.working("reading the landings"):
            every = command.overview(shell.load(), source=source, against=against)
        _list(every, format_)
        return
    with shell.working("planning"):
        found = command.adopt(
            shell.load(), table, source=source, against=against, message=message, write_revision=write_revision
        )
    if format_ == "json":
        from driftguard.render import json

        plan = {"plan": plan_document(found.plan) if found.plan else None}
        click.echo(json.document(_document(found) | plan), nl=False)
    else:
        if format_ == "markdown":
            from driftguard.render.markdown import adoption

            click.echo(adoption(found.table, found.found))
        else:
            _tell(shell, found)
        if found.plan is not None:
            click.echo("")
            show_plan(shell, found.plan, format_)
    done = not (found.found.differences or found.found.obstacles)
    sys.exit(ExitCode.OK if done or (found.plan and write_revision) else ExitCode.FINDINGS)


def _list(every: tuple[Adopted, ...], format_: str) -> None:
    if format_ == "json":
        from driftguard.render import json

        click.echo(json.document({"landings": [_document(item) for item in every]}), nl=False)
        return
    for item in every:
        found = item.found
        click.echo(f"{'- ' if format_ == 'markdown' else ''}{item.table} → {found.final}: {found.state}")
        for line in found.obstacles:
            click.echo(f"  first: {line}")
    if not every:
        click.echo("no table of Aurora has a landing")


def _document(item: Adopted) -> dict[str, Any]:
    return {
        "table": item.table,
        "final": str(item.found.final),
        "state": item.found.state,
        "differences": [{"where": d.where, "what": d.what} for d in item.found.differences],
        "obstacles": list(item.found.obstacles),
    }


def _tell(shell: Shell, item: Adopted) -> None:
    found = item.found
    click.echo(f"{item.table} → {found.final}: {found.state}")
    for difference in found.differences:
        click.echo(shell.wrapped(f"  {difference.where:<8}{difference.what}"))
    if found.obstacles:
        click.echo("\nBefore driftguard can take it over:")
        for line in found.obstacles:
            click.echo(shell.wrapped(f"  {line}"))
