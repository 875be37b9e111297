"""How a plan is told, by every command that makes one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from driftguard.shell import Shell, relative

if TYPE_CHECKING:
    from driftguard.commands.plan import PlanResult
    from driftguard.model.plan import Phase


def show_plan(shell: Shell, result: PlanResult, format_: str) -> None:
    """Print a plan as text, JSON or Markdown."""
    from driftguard.plan.cost import BEHIND
    from driftguard.render import json, markdown, text
    from driftguard.render.report import look_lines

    operations = result.plan.operations
    summaries, costs = [f"{op.phase}: {op.summary()}" for op in operations], [price.lines for price in result.costs]
    if format_ == "json":
        click.echo(json.document(plan_document(result)), nl=False)
    elif format_ == "markdown":
        click.echo(
            markdown.plan(
                summaries,
                result.statements,
                result.plan.notes,
                result.markers,
                costs=costs,
                diffs=result.diffs,
            ),
            nl=False,
        )
    else:
        click.echo(
            text.plan(
                summaries,
                result.statements,
                result.plan.notes,
                result.markers,
                costs=[] if shell.quiet else costs,
                diffs=result.diffs,
                width=shell.width,
                color=shell.color,
                verbose=shell.verbose,
            ),
            nl=False,
        )
        if any(price.readers for price in result.costs):
            shell.say(BEHIND)
        for line in look_lines(result.look) if result.look else ():
            shell.say(line)
        if result.capabilities:
            shell.say(f"Snowflake was {result.capabilities.summary()}")
        if result.unapplied:
            shell.say(f"planned on top of {len(result.unapplied)} unapplied revision(s): `driftguard apply` runs them")
        for item in result.revisions:
            click.echo(f"wrote {relative(item.path)}: {_when(item.phases)}")


def plan_document(result: PlanResult) -> dict[str, Any]:
    """The plan as JSON has it."""
    from driftguard.render import json

    return {
        "operations": [
            {
                "kind": op.kind,
                "summary": op.summary(),
                "arguments": op.arguments(),
                "phase": op.phase,
                "sql": [s.sql for s in sql],
                "cost": price.document(),
                "diff": diff,
            }
            for op, sql, price, diff in zip(
                result.plan.operations, result.statements, result.costs, result.diffs, strict=True
            )
        ],
        "notes": list(result.plan.notes),
        "markers": list(result.markers),
        "revisions": [
            {"id": r.id, "file": str(r.path), "branch": r.branch, "phases": r.phases} for r in result.revisions
        ],
        "observed": json.look(result.look) if result.look else None,
        "capabilities": result.capabilities.document() if result.capabilities else None,
    }


def _when(phases: Sequence[Phase]) -> str:
    """When a person has to run what."""
    if "expand" in phases:
        return "before the Aurora deploy, `driftguard apply`"
    commands = " and ".join(f"`driftguard apply --phase {phase}`" for phase in phases)
    return f"after the Aurora deploy, {commands}"
