"""Writes the documents that are made from the code: docs/cli.md, docs/rules/README.md and docs/types.md.

`--check` writes nothing and fails where a document is not what the code says, or a rule has no page.
"""

from __future__ import annotations

import sys
from pathlib import Path

import click
from type_page import page

from driftguard.cli import main
from driftguard.drift.compare import all_rules

DOCS = Path(__file__).parent


def cli() -> str:
    """Every command with its help text, as a person sees it at 100 columns."""
    parts = ["# Commands\n", "Written by `make docs` from the commands themselves.\n"]
    for path, command in walk(main, "driftguard"):
        context = click.Context(command, info_name=path, terminal_width=100, max_content_width=100)
        parts.append(f"## {path}\n\n```\n{command.get_help(context).strip()}\n```\n")
    return "\n".join(parts)


def walk(command: click.Command, path: str) -> list[tuple[str, click.Command]]:
    found = [(path, command)]
    if isinstance(command, click.Group):
        for name in sorted(command.commands):
            found += walk(command.commands[name], f"{path} {name}")
    return found


def rules() -> str:
    """The table of codes."""
    lines = [
        "# Rules\n",
        "Every finding has a code; codes never change their meaning. Written by `make docs` from the rules.\n",
        "DG1xx source → STAGING · DG2xx STAGING → FINAL · DG3xx merge, pipe, task · DG4xx DMS settings and mappings ·",
        "DG5xx source health · DG6xx run-time evidence · DG7xx risk in a proposed change · DG8xx governance.\n",
        "| code | severity | what |",
        "|---|---|---|",
    ]
    lines += [f"| [{code}]({code}.md) | {rule.SEVERITY} | {rule.TITLE} |" for code, rule in all_rules().items()]
    return "\n".join(lines) + "\n"


def run(check: bool) -> int:
    wrong = []
    for name, text in (("cli.md", cli()), ("rules/README.md", rules()), ("types.md", page())):
        path = DOCS / name
        if check and (not path.is_file() or path.read_text(encoding="utf-8") != text):
            wrong.append(f"docs/{name} is not what the code says: run `make docs`")
        elif not check:
            path.write_text(text, encoding="utf-8")
    wrong += [
        f"docs/rules/{code}.md is missing" for code in all_rules() if not (DOCS / "rules" / f"{code}.md").is_file()
    ]
    for line in wrong:
        sys.stderr.write(f"{line}\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(run("--check" in sys.argv[1:]))
