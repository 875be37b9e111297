"""`driftguard diff A B`: what changed between two snapshots of one side."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from driftguard.errors import UsageError
from driftguard.model.catalog import Catalog
from driftguard.model.snapshot import kind_of, load_catalog, load_estate
from driftguard.model.snowflake import Estate


@dataclass(frozen=True, slots=True)
class ObjectDiff:
    """One object: `change` is added, removed or changed; `details` say what changed, a line each."""

    kind: str
    name: str
    change: str
    details: tuple[str, ...] = ()


def diff(left: Path, right: Path) -> tuple[ObjectDiff, ...]:
    """Objects are compared by name; only one that differs is looked into. Raises `DriftguardError` for bad files."""
    texts = [_read(path) for path in (left, right)]
    kinds = {kind_of(text, str(path)) for text, path in zip(texts, (left, right), strict=True)}
    if len(kinds) > 1:
        raise UsageError(f"{left} and {right} are snapshots of different systems", hint="compare like with like")
    sides: list[dict[tuple[str, str], Any]] = []
    for text, path in zip(texts, (left, right), strict=True):
        loaded = load_catalog(text, str(path)) if kinds == {"aurora"} else load_estate(text, str(path))
        sides.append(_objects(loaded))
    before, after = sides
    found = []
    for kind, name in sorted(before.keys() | after.keys()):
        old, new = before.get((kind, name)), after.get((kind, name))
        if old == new:
            continue
        change = "added" if old is None else "removed" if new is None else "changed"
        details = _explain(old, new) if change == "changed" else ()
        found.append(ObjectDiff(kind, name, change, details))
    return tuple(found)


def _objects(side: Catalog | Estate) -> dict[tuple[str, str], Any]:
    if isinstance(side, Catalog):
        return {("table", str(t.id)): t for t in side.tables}
    kinds = ("tables", "pipes", "tasks", "procedures", "file_formats", "stages")
    return {(kind.removesuffix("s").replace("_", " "), str(o.name)): o for kind in kinds for o in getattr(side, kind)}


def _explain(old: Any, new: Any) -> tuple[str, ...]:
    """DeepDiff on one object that is known to differ; on a whole catalog it would take minutes."""
    from deepdiff import DeepDiff

    difference = DeepDiff(_keyed(old), _keyed(new), ignore_order=False, verbose_level=2)
    return tuple(sorted(line.replace("root", "", 1) for line in difference.pretty().splitlines()))


def _keyed(value: Any) -> Any:
    """Columns by name, so that one that moved is not taken for all others changed."""
    plain = dataclasses.asdict(value)
    if "columns" in plain:
        plain["columns"] = {c["name"]: c for c in plain["columns"]}
    return plain


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}", hint="name two snapshot files") from None
    except UnicodeDecodeError:
        raise UsageError(f"{path}: not UTF-8 text", hint="name two snapshot files") from None
