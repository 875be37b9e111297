"""The command line: parses, calls a command, renders, exits. Everything heavy is imported where it is used."""

from __future__ import annotations

import errno
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from driftguard import __version__
from driftguard.errors import DriftguardError, ExitCode, UnreachableError, UsageError
from driftguard.shell import Shell, emit_outputs

if TYPE_CHECKING:
    from driftguard.commands.check import Proposal
    from driftguard.model.explanation import Explanation

F = TypeVar("F", bound=Callable[..., Any])
EPILOG = (
    "Exit codes: 0 in step, 1 findings or changes, 2 usage or configuration, 3 a system refuses, 4 stopped half-way."
)


class _Group(click.Group):
    """Expected errors become one line and their exit code; anything else is a defect and keeps its traceback."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except DriftguardError as error:
            click.echo(f"driftguard: {error}", err=True)
            ctx.exit(int(error.exit_code))
        except Exception as error:
            refusal = _refusal(error)
            if refusal is None:
                raise
            click.echo(f"driftguard: {refusal}", err=True)
            ctx.exit(int(refusal.exit_code))


def _refusal(error: Exception) -> DriftguardError | None:
    """What a driver raised where no command expected it, as the refusal of a system that it is."""
    module = type(error).__module__
    if module.startswith("snowflake.connector"):
        from driftguard.snowflake.errors import unreachable

        return unreachable(error, "this connection")
    if module.startswith("psycopg"):
        return UnreachableError(f"PostgreSQL: {' '.join(str(error).split())}", hint="see the server's log")
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EIO, errno.EDQUOT):
        return UsageError(f"the result cannot be written: {error.strerror}", hint="make room, and run it again")
    return None


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"]}, epilog=EPILOG)
@click.version_option(__version__, prog_name="driftguard")
def main() -> None:
    """Change Snowflake before AWS DMS emits what an Aurora migration adds, so that no data is lost on the way."""


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
    against = click.option("--against", metavar="live|FILE", help="The Snowflake side: live, or a snapshot.")
    return origins(against(observed(command)))


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


@main.command()
@common
@sources
@click.option("--fail-on", type=click.Choice(["error", "warning", "info"]), default="error", show_default=True)
@click.option("--allow-unknown", metavar="CODE", multiple=True, help="Findings of this code may stay unknown.")
@click.option("--format", "formats", multiple=True, type=click.Choice(["text", "json", "markdown"]))
@click.option("--out", "outs", multiple=True, type=click.Path(path_type=Path), help="Pairs with --format by position.")
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
    from driftguard.model.finding import Severity
    from driftguard.render import json, markdown, text
    from driftguard.render.report import Report

    with shell.working("looking at both sides"):
        result = run(
            shell.load(),
            source=source,
            proposal=proposal,
            against=against,
            allow_unknown=allow_unknown,
            observed=observed,
        )
    for note in result.source.notes:
        shell.say(f"note: {note}")
    failing = result.failing(Severity(fail_on))
    report = Report(
        result.findings,
        result.source.label,
        result.target.label,
        result.tables,
        len(result.waived),
        len(failing),
        result.losses,
        result.look,
    )
    renderers: dict[str, Callable[[bool], str]] = {
        "text": lambda tty: text.check(report, width=shell.width, color=tty and shell.color, quiet=shell.quiet),
        "json": lambda tty: json.check(report),  # noqa: ARG005
        "markdown": lambda tty: markdown.check(report),  # noqa: ARG005
    }
    emit_outputs(renderers, formats or ("text",), outs)
    sys.exit(ExitCode.FINDINGS if failing else ExitCode.OK)


@main.command()
@common
@sources
@click.option("--message", "-m", default="", help="What the revision is for.")
@click.option("--write", "write_revision", is_flag=True, help="Write the plan as a revision; then exit 0.")
@click.option("--format", "format_", type=click.Choice(["text", "json"]), default="text", show_default=True)
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
    from driftguard.render import json, text
    from driftguard.render.report import look_lines

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
    operations = result.plan.operations
    if format_ == "json":
        content = {
            "operations": [
                {"kind": op.kind, "summary": op.summary(), "arguments": op.arguments(), "sql": [s.sql for s in sql]}
                for op, sql in zip(operations, result.statements, strict=True)
            ],
            "notes": list(result.plan.notes),
            "revision": {"id": result.revision.id, "file": str(result.revision.path)} if result.revision else None,
            "observed": json.look(result.look) if result.look else None,
            "capabilities": result.capabilities.document() if result.capabilities else None,
        }
        click.echo(json.document(content), nl=False)
    else:
        click.echo(
            text.plan(
                [op.summary() for op in operations],
                result.statements,
                result.plan.notes,
                width=shell.width,
                color=shell.color,
                verbose=shell.verbose,
            ),
            nl=False,
        )
        for line in look_lines(result.look) if result.look else ():
            shell.say(line)
        if result.capabilities:
            shell.say(f"Snowflake was {result.capabilities.summary()}")
        if result.unapplied:
            shell.say(f"planned on top of {len(result.unapplied)} unapplied revision(s): `driftguard apply` runs them")
        if result.revision:
            click.echo(f"wrote {_relative(result.revision.path)}")
    sys.exit(ExitCode.FINDINGS if operations and not write_revision else ExitCode.OK)


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
@click.option("--dry-run", is_flag=True, help="Show the statements; change nothing.")
@click.option("--allow", "allowed", metavar="HAZARD", multiple=True, help="Accept a hazard; the refusal names it.")
@click.option("--revision", metavar="REV", help="Stop after this revision.")
@click.option(
    "--jobs",
    type=click.IntRange(1, 64),
    default=4,
    show_default=True,
    help="Connections that work side by side on independent tables.",
)
def apply(shell: Shell, dry_run: bool, allowed: tuple[str, ...], revision: str | None, jobs: int) -> None:
    """Run the revisions that Snowflake does not know yet. Can be interrupted and run again at any point."""
    from driftguard.commands.apply import apply as run

    outcome = run(
        shell.load(),
        dry_run=dry_run,
        revision=revision,
        allowed=allowed,
        jobs=jobs,
        watch=None if shell.quiet else lambda step: click.echo(f"  {step.statement.summary}"),
        say=shell.say,
    )
    if dry_run:
        for step in outcome.steps:
            click.echo(f"-- {step.statement.summary}\n{step.statement.sql};\n")
    for summary in outcome.skipped:
        shell.say(f"already done: {summary}")
    if not outcome.revisions:
        click.echo("nothing to apply: every revision is applied")
        return
    would = "would run" if dry_run else "ran"
    count = len(outcome.steps)
    names = ", ".join(outcome.revisions)
    click.echo(f"{would} {count} statement{'' if count == 1 else 's'} of {names}")
    for text in outcome.undo:
        click.echo(f"to undo: {text}")
    if outcome.waiting:
        for text in outcome.waiting:
            click.echo(f"\nto be done by somebody first: {text}")
        click.echo("\nthen run `driftguard apply` again: it goes on from there")
        sys.exit(ExitCode.FINDINGS)
    if dry_run and outcome.unproven:
        shell.say(f"on a model of the landing this is not done afterwards: {'; '.join(outcome.unproven)}")
    elif dry_run:
        click.echo("on a model of the landing nothing of these revisions is left to do afterwards")


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
        progress = f" ({item.done} of {item.statements} statements)" if item.state == "begun" else ""
        click.echo(f"{item.state:<8} {item.id}  {item.message}{progress}")
        for sent in item.half_done:
            click.echo(f"         half done: {sent.statement} (sent {sent.since} UTC by {sent.by})")
        if item.half_done and not result.lease_holder:
            click.echo("         the next apply looks for it by its tag first, and waits while it still runs")
        if item.stopped_at:
            click.echo(f"         the next apply goes on with: {item.stopped_at}")
    if not result.revisions:
        click.echo("no revisions: `driftguard plan --write` makes them")
    if result.lease_holder:
        click.echo(f"an apply is running: {result.lease_holder}")
    if result.cast_failures is not None:
        values = "1 value" if result.cast_failures == 1 else f"{result.cast_failures} values"
        click.echo(f"{values} of the last {result.cast_failure_days} days did not fit (DG605)")
    elif result.control:
        click.echo("whether values did not fit is not known: the table CAST_FAILURE could not be read")


@main.command()
@common
@click.option(
    "--aurora", metavar="[URL]", is_flag=False, flag_value="", help="Aurora, DMS and the lake; default: [aurora] url."
)
@click.option("--snowflake", is_flag=True, help="Snowflake, in a schema of its own; writes its capability file.")
@click.option("--timeout", type=float, default=1800, show_default=True, help="Seconds to wait for DMS's files.")
@click.option("--force", is_flag=True, help="Let what is seen replace rows of observed.toml that say otherwise.")
@click.option("--dry-run", is_flag=True, help="Print what would be written into typemaps/observed.toml.")
@click.option("--format", "format_", type=click.Choice(["text", "json"]), default="text", show_default=True)
def probe(
    shell: Shell, aurora: str | None, snowflake: bool, timeout: float, force: bool, dry_run: bool, format_: str
) -> None:
    """Ask the pipeline what no document says.

    --aurora: every type and boundary value through DMS, compared on the lake. Makes the schema driftguard_probe on
    Aurora, waits for the DMS task to carry it, drops it again, and writes typemaps/observed.toml.
    """
    from driftguard.commands.probe import probe_aurora, probe_snowflake
    from driftguard.probe import report
    from driftguard.render import json

    if (aurora is None) is not snowflake:
        raise UsageError("one thing is probed at a time", hint="give --aurora [URL] or --snowflake")
    if snowflake:
        known, path = probe_snowflake(shell.load(), dry_run=dry_run)
        if format_ == "json":
            click.echo(json.document({**known.document(), "file": str(path)}), nl=False)
            return
        for item in known.items:
            error = f" [{item.error:06d}]" if item.error > 0 else ""
            click.echo(f"{item.answer.value:<9}  {item.what}{error}")
        click.echo("nothing written" if dry_run else f"wrote {_relative(path)}")
        return
    result = probe_aurora(
        shell.load(), url=aurora or None, timeout=timeout, dry_run=dry_run, force=force, tell=shell.say
    )
    if format_ == "json":
        click.echo(json.document(report.document(result)), nl=False)
    else:
        for line in report.lines(result, verbose=shell.verbose):
            click.echo(line)
    sys.exit(ExitCode.FINDINGS if result.merged.conflicts or result.unfinished else ExitCode.OK)


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
        click.echo(f"wrote {_relative(path)} ({what})")


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


def _relative(path: Path) -> Path:
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path


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
