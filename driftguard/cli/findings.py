"""How a command tells what it found, and its exit code."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from driftguard.errors import ExitCode
from driftguard.shell import Shell, emit_outputs

if TYPE_CHECKING:
    from driftguard.commands.check import CheckResult


def told(
    shell: Shell,
    result: CheckResult,
    fail_on: str,
    formats: tuple[str, ...],
    outs: tuple[Path, ...],
    *,
    clean: str | None = None,
) -> NoReturn:
    """Print the findings in each of the `formats`, and exit: 1 where one of them is as bad as `fail_on`, or worse.

    `clean` is the verdict where there is none, if it is not that of `check`.
    """
    from driftguard.model.finding import Severity
    from driftguard.render import json, markdown, text
    from driftguard.render.report import Report

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
    if clean is not None:
        report = replace(report, clean=clean)
    renderers: dict[str, Callable[[bool], str]] = {
        "text": lambda tty: text.check(report, width=shell.width, color=tty and shell.color, quiet=shell.quiet),
        "json": lambda tty: json.check(report),  # noqa: ARG005
        "markdown": lambda tty: markdown.check(report),  # noqa: ARG005
    }
    emit_outputs(renderers, formats or ("text",), outs)
    sys.exit(ExitCode.FINDINGS if failing else ExitCode.OK)
