"""What a pipe's COPY loads, read from its text: does it feed the landing it stands beside?

Grammar: docs.snowflake.com "COPY INTO <table>" and "CREATE PIPE". A text that cannot be read is said to be so.
"""

from __future__ import annotations

import re

from driftguard.model.identifiers import ObjectName
from driftguard.model.landing import DG_FILE, DG_LOADED_AT, DG_ROW, Landing
from driftguard.model.snowflake import Pipe

METADATA = {
    DG_FILE: "METADATA$FILENAME",
    DG_ROW: "METADATA$FILE_ROW_NUMBER",
    DG_LOADED_AT: "METADATA$START_SCAN_TIME",
}
_IDENT = r'(?:"(?:[^"]|"")+"|[A-Za-z_][A-Za-z0-9_$]*)'
_NAME = rf"{_IDENT}(?:\s*\.\s*{_IDENT}){{0,2}}"
_STRING = r"'(?:[^'\\]|''|\\.)*'"
_HEAD = re.compile(
    rf"\s*COPY\s+INTO\s+({_NAME})\s+FROM\s+(?:({_STRING})|@({_NAME})((?:/[^\s;()]*)?))(?=\s|;|$)",
    re.IGNORECASE | re.DOTALL,
)
_LOCATION = re.compile(rf"@({_NAME})((?:/.*)?)", re.DOTALL)
_COMMENT = re.compile(rf'({_STRING}|"(?:[^"]|"")*")|--[^\n]*|/\*.*?\*/', re.DOTALL)
_PAIR = re.compile(rf"({_IDENT})\s*=\s*(METADATA\$[A-Z_]+)", re.IGNORECASE)


class Unreadable(Exception):
    """The text is not a COPY that could be followed."""


def faults(pipe: Pipe, landing: Landing) -> list[str]:
    """What the pipe does otherwise than the landing needs. Raises `Unreadable`."""
    text = _COMMENT.sub(lambda m: m[1] or " ", pipe.definition)
    head = _HEAD.match(text)
    if head is None:
        raise Unreadable("it selects, lists columns, or is no COPY from a stage")
    options = text[head.end() :]
    stage, path = _place(head)
    found = []
    if (target := _resolve(head[1], pipe.name)) != landing.staging:
        found.append(f"it loads into {target}")
    if (_resolve(stage, pipe.name), path.strip("/")) != (landing.stage, landing.path.strip("/")):
        found.append(f"it reads @{_resolve(stage, pipe.name)}/{path.strip('/')}, not @{landing.stage}/{landing.path}")
    bare = re.sub(_STRING, "''", options)
    if not re.search(r"\bMATCH_BY_COLUMN_NAME\s*=\s*'?CASE_INSENSITIVE\b", options, re.IGNORECASE):
        found.append("MATCH_BY_COLUMN_NAME is not CASE_INSENSITIVE")
    if re.search(r"\bPATTERN\s*=", bare, re.IGNORECASE):
        found.append("its PATTERN leaves files out")
    pairs = {_part(name): source.upper() for name, source in _PAIR.findall(options)}
    missing = [column for column, source in METADATA.items() if pairs.get(column) != source]
    if missing:
        found.append(f"its INCLUDE_METADATA does not fill {', '.join(missing)}")
    return found


def _place(head: re.Match[str]) -> tuple[str, str]:
    if head[3] is not None:
        return head[3], head[4]
    inner = re.sub(r"\\(.)", r"\1", head[2][1:-1].replace("''", "'"), flags=re.DOTALL)
    location = _LOCATION.fullmatch(inner)
    if location is None:
        raise Unreadable("it does not read a named stage")
    return location[1], location[2]


def _resolve(name: str, beside: ObjectName) -> ObjectName:
    """A name of one to three parts; what it leaves out is the pipe's own."""
    parts = [_part(p) for p in re.findall(_IDENT, name)]
    full = [beside.database, beside.schema, ""][: 3 - len(parts)] + parts
    return ObjectName(full[0], full[1], full[2])


def _part(text: str) -> str:
    return text[1:-1].replace('""', '"') if text.startswith('"') else text.upper()
