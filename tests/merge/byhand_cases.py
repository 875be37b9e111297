"""The corpus of hand-written merges as values: see handwritten/README.md."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from driftguard.merge.byhand.flow import Added, Tables

CORPUS = Path(__file__).parent / "handwritten"


@dataclass(frozen=True, slots=True)
class Case:
    name: str
    expect: str
    object: str
    language: str
    before: str
    after: str | None
    tables: Tables
    added: tuple[Added, ...]
    raw: dict[str, Any]


def parts(name: str) -> tuple[str, ...]:
    """`DB."Schema".T` → its parts as stored."""
    found = re.finditer(r'"((?:[^"]|"")*)"|([^.]+)', name)
    return tuple(m[1].replace('""', '"') if m[1] is not None else m[2].upper() for m in found)


def _text(folder: Path, stem: str) -> str | None:
    for file in folder.glob(f"{stem}.*"):
        return file.read_bytes().decode("utf-8")
    return None


def _case(folder: Path) -> Case:
    raw = tomllib.loads((folder / "case.toml").read_text("utf-8"))
    before = _text(folder, "before")
    assert before is not None
    table = raw["table"]
    tables = Tables(
        parts(table["staging"]),
        parts(table["final"]),
        {column["name"]: column["type"] for column in raw["staging"]},
        {column["name"]: column["type"] for column in raw["final"]},
        tuple(parts(stream) for stream in table.get("streams", [])),
    )
    added = tuple(
        Added(a["source"], a["staging"], a["final"], a["staging_type"], a["final_type"]) for a in raw["added"]
    )
    return Case(
        folder.name, raw["expect"], raw["object"], raw["language"], before, _text(folder, "after"), tables, added, raw
    )


CASES = [_case(path.parent) for path in sorted(CORPUS.glob("*/case.toml"))]
