"""What migrations/env.py calls: an Alembic command, done by driftguard under its own lease, journal and hazards."""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from driftguard.cli.changing import show_outcome
from driftguard.cli.revisions import show_way_back
from driftguard.cli.root import refusal
from driftguard.errors import ConfigError, DriftguardError, UsageError
from driftguard.shell import Shell

if TYPE_CHECKING:
    from driftguard.config import Config
    from driftguard.migrate.revision import Revision

_OPTIONS = ("allow", "config", "jobs", "phase", "snapshot", "unverified")


def run() -> None:
    """Do what the Alembic command that loaded env.py means. Ends the process with driftguard's exit codes."""
    try:
        _run()
    except DriftguardError as error:
        _end(error)
    except Exception as error:
        refused = refusal(error)
        if refused is None:
            raise
        _end(refused)


def _end(error: DriftguardError) -> None:
    line = str(error).replace("--allow ", "-x allow=").replace("--unverified with a reason", "-x unverified=REASON")
    click.echo(f"driftguard: {line}", err=True)
    sys.exit(int(error.exit_code))


def _run() -> None:
    from alembic import context

    from driftguard.config import load
    from driftguard.migrate.history import read_all

    given = _given(list(context.get_x_argument()))
    ini = context.config.config_file_name
    file = given["config"][-1] if given["config"] else None
    config = load(Path(file) if file else None, Path(ini).resolve().parent if ini and not file else None)
    folder = config.path(config.settings.revisions.dir)
    if Path(context.script.dir).resolve() != folder.resolve():
        raise ConfigError(
            f"{ini}: script_location is {context.script.dir}, and [revisions] dir is {folder}",
            hint="make them the same folder",
        )
    revisions = read_all(folder)
    if context.is_offline_mode():
        _offline(config, revisions, given)
    else:
        _online(config, revisions, given)


def _given(arguments: Sequence[str]) -> defaultdict[str, list[str]]:
    """The -x options: `allow=A,B` and `allow=A` twice are the same."""
    given: defaultdict[str, list[str]] = defaultdict(list)
    for argument in arguments:
        name, _, value = argument.partition("=")
        if name not in _OPTIONS or not value:
            raise UsageError(f"-x {argument}: no such option", hint=f"known: {', '.join(f'{o}=…' for o in _OPTIONS)}")
        given[name] += value.split(",") if name == "allow" else [value]
    if given["jobs"] and not (given["jobs"][-1].isdigit() and 1 <= int(given["jobs"][-1]) <= 64):
        raise UsageError(f"-x jobs={given['jobs'][-1]}: a number from 1 to 64")
    if given["phase"] and given["phase"][-1] not in ("expand", "settle", "contract", "all"):
        raise UsageError(f"-x phase={given['phase'][-1]}: expand, settle, contract or all")
    return given


def _offline(config: Config, revisions: Sequence[Revision], given: defaultdict[str, list[str]]) -> None:
    from alembic import context
    from alembic.runtime.migration import RevisionStep

    from driftguard.commands.offline import downgrade_sql, upgrade_sql
    from driftguard.migrate.environment import steps
    from driftguard.migrate.history import up_to
    from driftguard.model.identifiers import ObjectName

    found = steps((), "")
    chosen = [step.revision.revision for step in found if isinstance(step, RevisionStep)]
    if len(chosen) < len(found):
        raise UsageError("a stamp has no SQL of its own", hint="leave --sql out")
    start = context.get_starting_revision_argument()
    before = up_to(revisions, str(start)) if start not in (None, "base") else ()
    snapshot = Path(given["snapshot"][-1]) if given["snapshot"] else None
    ids = [revision.id for revision in before]
    if found and found[0].is_downgrade:
        policy = config.policy()
        control = ObjectName(policy.database, policy.control_schema, "JOURNAL")
        lines = downgrade_sql(revisions, chosen, ids, snapshot, control)
    else:
        lines = upgrade_sql(revisions, chosen, ids, snapshot)
    for line in lines:
        click.echo(line)


def _online(config: Config, revisions: Sequence[Revision], given: defaultdict[str, list[str]]) -> None:
    from alembic.runtime.migration import RevisionStep

    from driftguard.commands.apply import apply_revisions, read_records
    from driftguard.commands.revisions import downgrade_revisions
    from driftguard.migrate.environment import steps
    from driftguard.migrate.history import current
    from driftguard.snowflake.session import Session

    shell = Shell()
    with Session.open(config) as session:
        records = read_records(config, session) or {}
        where = session.where
    applied = {name for name, record in records.items() if record.applied}
    for name in sorted(applied - {revision.id for revision in revisions}):
        shell.say(f"applied, but its file is missing: {name}")
    found = steps(current(revisions, applied), where)
    chosen = [step.revision.revision for step in found if isinstance(step, RevisionStep)]
    more: dict[str, Any] = {
        "allowed": given["allow"],
        "jobs": int(given["jobs"][-1]) if given["jobs"] else 4,
        "watch": lambda step: click.echo(f"  {step.statement.summary}"),
        "say": shell.say,
    }
    if len(chosen) < len(found):
        _stamp(config, revisions, found, given)
    elif found and found[0].is_downgrade:
        by_id = {revision.id: revision for revision in revisions}
        outcome = downgrade_revisions(config, revisions, [by_id[name] for name in chosen], **more)
        show_way_back(shell, outcome)
    elif found:
        phase = given["phase"][-1] if given["phase"] else "all"
        outcome = apply_revisions(config, [r for r in revisions if r.id in {*chosen, *applied}], phase=phase, **more)
        show_outcome(shell, outcome, phase)


def _stamp(
    config: Config, revisions: Sequence[Revision], found: Sequence[Any], given: defaultdict[str, list[str]]
) -> None:
    from driftguard.commands.revisions import stamp_revisions
    from driftguard.migrate.history import up_to

    if any(not step.is_upgrade for step in found):
        raise UsageError("a stamp does not take anything back", hint="`alembic downgrade` does")
    wanted = {revision.id for step in found for name in step.to_revisions for revision in up_to(revisions, name)}
    reason = given["unverified"][-1] if given["unverified"] else ""
    for name in stamp_revisions(config, [r for r in revisions if r.id in wanted], reason):
        click.echo(f"stamped {name}")
