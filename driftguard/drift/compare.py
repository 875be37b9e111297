"""Runs every rule over the context."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator
from functools import cache
from typing import Protocol

from driftguard.drift import rules
from driftguard.drift.context import Context
from driftguard.model.finding import Finding, Severity


class Rule(Protocol):
    """A module of `drift/rules`: one code, its title, its usual severity, and `find`."""

    CODE: str
    TITLE: str
    SEVERITY: Severity

    def find(self, context: Context) -> Iterator[Finding]: ...


@cache
def all_rules() -> dict[str, Rule]:
    """The rules by code. Adding one is adding a file."""
    found: dict[str, Rule] = {}
    for info in sorted(pkgutil.iter_modules(rules.__path__), key=lambda i: i.name):
        if info.name.startswith("dg"):
            module: Rule = importlib.import_module(f"{rules.__name__}.{info.name}")
            found[module.CODE] = module
    return found


def compare(context: Context) -> tuple[Finding, ...]:
    """All findings, worst first, in an order that does not change from run to run."""
    found = [finding for rule in all_rules().values() for finding in rule.find(context)]
    return tuple(sorted(found, key=lambda f: f.sort_key))
