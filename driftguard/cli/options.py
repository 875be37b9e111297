"""Options that several commands share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from driftguard.errors import UsageError
from driftguard.shell import Shell

if TYPE_CHECKING:
    from driftguard.commands.check import Proposal

F = TypeVar("F", bound=Callable[..., Any])
_AGAINST = click.option("--against", metavar="live|FILE", help="The Snowflake side: live, or a snapshot.")


def common(command: F) -> F:
    """Options that every command has; the command gets them as one `Shell`."""

    def bundle(
        *args: Any, config: Path | None, directory: Path | None, quiet: bool, verbose: bool, **kwargs: Any
    ) -> Any:
        return command(Shell(config, directory, quiet, verbose), *args, **kwargs)

    bundle.__name__, bundle.__doc__ = command.__name__, command.__doc__
    bundle.__click_params__ = getattr(command, "__click_params__", [])  # type: ignore[attr-defined]
    for option in (
        click.option("--verbose", "-v", is_flag=True, help="Say more: SQL, timings."),
        click.option("--quiet", "-q", is_flag=True, help="Say less: verdicts only."),
        click.option("--dir", "directory", type=click.Path(path_type=Path), help="Folder of driftguard.toml."),
        click.option("--config", type=click.Path(path_type=Path), help="The configuration file itself."),
    ):
        bundle = option(bundle)
    return bundle  # type: ignore[return-value]


def sources(command: F) -> F:
    """Options that name both sides; the command gets `source`, `proposal`, `against` and `observed`."""
    observed = click.option(
        "--observed", is_flag=True, help="Read the footers of DMS's newest files, and let them win."
    )
    return origins(_AGAINST(observed(command)))


def sides(command: F) -> F:
    """Options that name both sides as they are; the command gets `source` and `against`."""
    source = click.option("--source", metavar="URL|FILE", help="The Aurora side: a URL or a snapshot.")
    return source(_AGAINST(command))


def origins(command: F) -> F:
    """Options that name the source side; the command gets `source` and `proposal`."""

    def bundle(
        *args: Any,
        source: str | None,
        migrations: Path | None,
        base: str | None,
        shadow_url: str | None,
        **kwargs: Any,
    ) -> Any:
        proposal = _proposal(source, migrations, base, shadow_url)
        return command(*args, source=source, proposal=proposal, **kwargs)

    bundle.__name__, bundle.__doc__ = command.__name__, command.__doc__
    bundle.__click_params__ = getattr(command, "__click_params__", [])  # type: ignore[attr-defined]
    for option in (
        click.option("--shadow-url", metavar="URL", help="A Postgres to replay on instead of the embedded one."),
        click.option("--base", metavar="URL|SNAPSHOT|DUMP.sql", help="What the migrations are replayed on."),
        click.option(
            "--migrations", type=click.Path(path_type=Path), metavar="DIR", help="Migrations not on Aurora yet."
        ),
        click.option("--source", metavar="URL|SNAPSHOT", help="The Aurora side; default: [aurora] url."),
    ):
        bundle = option(bundle)
    return bundle  # type: ignore[return-value]


def verdict(command: F) -> F:
    """Options of what tells findings; the command gets `fail_on`, `formats` and `outs`."""
    for option in (
        click.option(
            "--out", "outs", multiple=True, type=click.Path(path_type=Path), help="Pairs with --format by position."
        ),
        click.option("--format", "formats", multiple=True, type=click.Choice(["text", "json", "markdown"])),
        click.option("--fail-on", type=click.Choice(["error", "warning", "info"]), default="error", show_default=True),
    ):
        command = option(command)
    return command


def _proposal(source: str | None, migrations: Path | None, base: str | None, shadow_url: str | None) -> Proposal | None:
    from driftguard.commands.check import Proposal

    if migrations is None:
        if base is not None or shadow_url is not None:
            raise UsageError("--base and --shadow-url go with --migrations")
        return None
    if source is not None:
        raise UsageError("--source and --migrations name the Aurora side twice", hint="give one of them")
    if not migrations.is_dir():
        raise UsageError(f"{migrations}: no such folder", hint="--migrations names a folder of .sql files")
    return Proposal(migrations, base, shadow_url)
