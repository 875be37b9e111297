"""`--help` is there at once, and the documentation knows every command."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import click
import pytest

import driftguard
from driftguard.cli import main

ROOT = Path(driftguard.__file__).parents[1]
HEAVY = [
    "pydantic",
    "sqlalchemy",
    "alembic",
    "snowflake",
    "psycopg",
    "deepdiff",
    "rich",
    "pyarrow",
    "duckdb",
    "sqlglot",
    "jinja2",
    "tenacity",
    "fakesnow",
    "mako",
]


def walk(command: click.Command, path: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    found = [path]
    if isinstance(command, click.Group):
        for name, sub in command.commands.items():
            found += walk(sub, (*path, name))
    return found


COMMANDS = walk(main)
PROBE = f"""
import sys
from driftguard.cli import main
try:
    main(sys.argv[1:], prog_name="driftguard")
except SystemExit as end:
    assert end.code == 0, end.code
print("LOADED", *sorted(name for name in {HEAVY!r} if name in sys.modules))
"""


@pytest.mark.parametrize("command", COMMANDS, ids=lambda c: " ".join(c) or "driftguard")
def test_help_loads_nothing_heavy(command: tuple[str, ...]) -> None:
    result = subprocess.run(
        [sys.executable, "-c", PROBE, *command, "--help"],
        capture_output=True,
        text=True,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    )
    assert result.returncode == 0, result.stderr
    assert result.stderr == ""
    assert "Usage: driftguard" in result.stdout
    assert result.stdout.splitlines()[-1].strip() == "LOADED"


@pytest.mark.parametrize("command", COMMANDS, ids=lambda c: " ".join(c) or "driftguard")
def test_every_command_is_documented(command: tuple[str, ...]) -> None:
    text = (Path(__file__).parents[2] / "docs/cli.md").read_text(encoding="utf-8")
    assert f"## {' '.join(('driftguard', *command))}\n" in text


def test_every_option_has_a_help_text_or_says_it_by_its_name() -> None:
    named = {"format", "fail_on", "format_", "formats", "config", "directory"}
    for path in COMMANDS:
        command: click.Command = main
        for name in path:
            assert isinstance(command, click.Group)
            command = command.commands[name]
        assert command.help, path
        for option in command.params:
            if isinstance(option, click.Option):
                assert option.help or option.name in named, f"{path} {option.name}"


def test_an_unknown_command_is_a_usage_error() -> None:
    result = subprocess.run(
        [sys.executable, "-m", "driftguard", "frobnicate"],
        capture_output=True,
        text=True,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    )
    assert result.returncode == 2
    assert "No such command 'frobnicate'" in result.stderr
    assert "Traceback" not in result.stderr
