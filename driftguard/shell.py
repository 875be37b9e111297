"""How a command meets its terminal: configuration, width, colours, progress, outputs."""

from __future__ import annotations

import os
import shutil
import sys
import textwrap
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from driftguard.errors import NoConfigError, UsageError
from driftguard.model.collecting import without_gc

if TYPE_CHECKING:
    from driftguard.config import Config


@dataclass(frozen=True, slots=True)
class Shell:
    """The options that every command has. Results go to stdout, everything else to stderr."""

    config: Path | None = None
    directory: Path | None = None
    quiet: bool = False
    verbose: bool = False

    def load(self) -> Config:
        """The configuration. Raises `ConfigError`."""
        from driftguard.config import load

        return load(self.config, self.directory)

    def load_or_none(self) -> Config | None:
        """The configuration where there is one; None in a folder without. Raises `ConfigError` for a broken one."""
        try:
            return self.load()
        except NoConfigError:
            return None

    @property
    def width(self) -> int:
        """The terminal's width; 100 where there is none."""
        return shutil.get_terminal_size((100, 24)).columns if sys.stdout.isatty() or "COLUMNS" in os.environ else 100

    def wrapped(self, line: str) -> str:
        """`line` on as many lines as the terminal needs, each as far in as the first."""
        indent = " " * (len(line) - len(line.lstrip()) + 2)
        return textwrap.fill(line, self.width, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)

    @property
    def color(self) -> bool:
        """Colours only on a terminal, and never with NO_COLOR (https://no-color.org)."""
        return sys.stdout.isatty() and not os.environ.get("NO_COLOR")

    def say(self, text: str) -> None:
        """A remark that is no result."""
        if not self.quiet:
            click.echo(text, err=True)

    @contextmanager
    def working(self, what: str) -> Iterator[None]:
        """A line on a terminal while something takes its time, gone afterwards."""
        visible = sys.stderr.isatty() and not self.quiet
        if visible:
            click.echo(f"{what}…", err=True, nl=False)
        try:
            with without_gc():  # millions of frozen values, none of them in a circle
                yield
        finally:
            if visible:
                click.echo("\r\x1b[K", err=True, nl=False)


def emit_outputs(renderers: Mapping[str, Callable[[bool], str]], formats: Sequence[str], outs: Sequence[Path]) -> None:
    """Render each format; `outs` pair with `formats` by position, and at most one format is left for stdout.

    Raises `UsageError` before anything is written.
    """
    if len(outs) > len(formats):
        raise UsageError("more --out than --format", hint="give each --out its --format")
    if len(formats) - len(outs) > 1:
        raise UsageError("more than one --format without an --out", hint="only one result goes to stdout")
    for index, name in enumerate(formats):
        if index >= len(outs):
            click.echo(renderers[name](True), nl=False)
            continue
        path = outs[index]
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(renderers[name](False), encoding="utf-8")
        except OSError as error:
            raise UsageError(f"{path}: {error.strerror}", hint="name a file that can be written") from None


def relative(path: Path) -> Path:
    """As short as a person would write it here."""
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path
