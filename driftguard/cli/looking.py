"""Commands that look and tell: check, explain, snapshot, diff."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from driftguard.cli.findings import told
from driftguard.cli.options import common, origins, sources, verdict
from driftguard.cli.root import main
from driftguard.errors import ExitCode, UsageError
from driftguard.shell import Shell, relative

if TYPE_CHECKING:
    from driftguard.commands.check import Proposal
    from driftguard.model.explanation import Explanation


@main.command()
@common
@sources
@click.option("--allow-unknown", metavar="CODE", multiple=True, help="Findings of this code may stay unknown.")
@verdict
def check(
    shell: Shell,
    source: str | None,
    proposal: Proposal | None,
    against: str | None,
    observed: bool,
    fail_on: str,
    allow_unknown: tuple[str, ...],
    formats: tuple[str, ...],
    outs: tuple[Path, ...],
) -> None:
    """Is Snowflake ready for what Aurora has, or would have after these migrations?"""
    from driftguard.commands.check import check as run

    with shell.working("looking at both sides"):
        result = run(
            shell.load(),
            source=source,
            proposal=proposal,
            against=against,
            allow_unknown=allow_unknown,
            observed=observed,
        )
    told(shell, result, fail_on, formats, outs)


@main.command()
@click.argument("name", metavar="[TABLE[.COLUMN]]", required=False)
@common
@origins
@click.option("--type", "type_", metavar="TYPE", help="A bare type instead of a table, such as 'numeric(40,2)'.")
@click.option("--format", "format_", type=click.Choice(["text", "json", "markdown"]), default="text", show_default=True)
def explain(
    shell: Shell, name: str | None, source: str | None, proposal: Proposal | None, type_: str | None, format_: str
) -> None:
    """How values of a table, a column or a type get to FINAL: every hop, its source, and what is lost.

    TABLE is an Aurora name, read as an SQL identifier: shop.orders, or 'shop."Order Items".id'.
    """
    from driftguard.commands.explain import explain as run
    from driftguard.commands.explain import explain_type
    from driftguard.render import explain as render

    if (name is None) == (type_ is None):
        raise UsageError("name either a table (or a column of it) or a --type")
    if type_ is not None:
        found: Sequence[Explanation] = explain_type(shell.load_or_none(), type_)
    else:
        with shell.working("looking at Aurora"):
            found = run(shell.load(), str(name), source=source, proposal=proposal)
    if format_ == "json":
        click.echo(render.json(found), nl=False)
    elif format_ == "markdown":
        click.echo(render.markdown(found), nl=False)
    else:
        click.echo(render.text(found, width=shell.width, color=shell.color), nl=False)


@main.command()
@common
@click.option("--aurora", type=click.Path(path_type=Path), metavar="FILE", help="Write the Aurora side to FILE.")
@click.option("--snowflake", type=click.Path(path_type=Path), metavar="FILE", help="Write the Snowflake side to FILE.")
@click.option("--dms", type=click.Path(path_type=Path), metavar="FILE", help="Write the DMS tasks with an arn to FILE.")
def snapshot(shell: Shell, aurora: Path | None, snowflake: Path | None, dms: Path | None) -> None:
    """Write both sides, or those that are named, as JSON, so that CI can check without credentials."""
    from driftguard.commands.snapshot import snapshot as run

    with shell.working("reading"):
        result = run(shell.load(), aurora=aurora, snowflake=snowflake, dms=dms)
    for path, what in result.files:
        click.echo(f"wrote {relative(path)} ({what})")


@main.command()
@click.argument("left", metavar="A", type=click.Path(path_type=Path))
@click.argument("right", metavar="B", type=click.Path(path_type=Path))
def diff(left: Path, right: Path) -> None:
    """What changed from snapshot A to snapshot B. Exit 1 if anything did."""
    from driftguard.commands.diff import diff as run

    found = run(left, right)
    for item in found:
        click.echo(f"{item.change:<8} {item.kind} {item.name}")
        for line in item.details:
            click.echo(f"         {line}")
    if not found:
        click.echo("no difference")
    sys.exit(ExitCode.FINDINGS if found else ExitCode.OK)
