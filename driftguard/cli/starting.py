"""Commands for the first day: init, demo, sandbox."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from driftguard.cli.root import main
from driftguard.errors import ExitCode
from driftguard.shell import Shell


@main.command()
@click.argument("directory", type=click.Path(path_type=Path), default=Path())
def init(directory: Path) -> None:
    """Write a first driftguard.toml and what belongs to it into DIRECTORY. Overwrites nothing."""
    from driftguard.commands.init import init as run

    result = run(directory)
    for path in result.written:
        click.echo(f"wrote {path}")
    for path in result.kept:
        click.echo(f"kept  {path}")


@main.command()
@click.option("--corrupt", is_flag=True, help="Change one cell of FINAL before comparing, to see it noticed.")
def demo(corrupt: bool) -> None:
    """An Aurora migration without driftguard and with it, on the embedded sandbox. Takes about a minute."""
    from driftguard.commands.demo import demo as run

    result = run(lambda line: click.echo(Shell().wrapped(line)), corrupt=corrupt)
    click.echo("")
    if result.kept:
        click.echo(f"The promise held ({result.seconds:.0f} s).")
        return
    click.echo(f"THE PROMISE DID NOT HOLD ({result.seconds:.0f} s).")
    sys.exit(ExitCode.FINDINGS)


_dir = click.option(
    "--dir", "directory", type=click.Path(path_type=Path), default=Path(), show_default="here", help="Its folder."
)


@main.group()
def sandbox() -> None:
    """The whole pipeline on this machine: embedded Postgres, stand-ins for DMS and Snowflake."""


@sandbox.command("up")
@_dir
@click.option(
    "--aurora-url", metavar="URL", help="Use this Postgres (wal_level = logical) instead of the embedded one."
)
@click.option("--detach", is_flag=True, help="Return once it is ready; stop it with `sandbox down`.")
def sandbox_up(directory: Path, aurora_url: str | None, detach: bool) -> None:
    """Start it, and write driftguard.toml and connections.toml, so that every other command works in its folder."""
    from driftguard.commands import sandbox as run

    def ready(state: Any) -> None:
        click.echo(f"Aurora     {state.aurora_url}")
        click.echo(f"Snowflake  http://{state.host}:{state.port} (a stand-in)")
        click.echo(f"lake       {state.lake}")
        for problem in run.lost(state):
            click.echo(f"not brought back: {problem}", err=True)
        click.echo(f"next       make tables in Aurora, then: cd {directory.resolve()} && driftguard sandbox sync")

    if detach:
        ready(run.up_detached(directory, aurora_url=aurora_url))
    else:
        run.up(directory, aurora_url=aurora_url, ready=ready)


@sandbox.command("sync")
@_dir
def sandbox_sync(directory: Path) -> None:
    """Move everything that is on its way: WAL to files, files to STAGING, STAGING to FINAL. Prints counts as JSON."""
    from driftguard.commands.sandbox import sync
    from driftguard.render import json

    click.echo(json.document(sync(directory)), nl=False)


@sandbox.command("status")
@_dir
@click.option("--format", "format_", type=click.Choice(["text", "json"]), default="text", show_default=True)
def sandbox_status(directory: Path, format_: str) -> None:
    """Where it runs."""
    from driftguard.commands.sandbox import status
    from driftguard.render import json

    found = status(directory)
    if format_ == "json":
        click.echo(json.document(found), nl=False)
        return
    for name, value in found.items():
        click.echo(f"{name:<11} {value}")


@sandbox.command("down")
@_dir
def sandbox_down(directory: Path) -> None:
    """Stop it. Postgres's data and the files stay; `up` goes on from there."""
    from driftguard.commands.sandbox import stop

    stop(directory)
    click.echo("stopped")
