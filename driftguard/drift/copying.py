"""What a pipe's COPY loads, read from its text: does it feed the landing it stands beside?

Grammar: docs.snowflake.com "COPY INTO <table>" and "CREATE PIPE". A text that cannot be read is said to be so.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

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
_FORMAT = re.compile(rf"\bFORMAT_NAME\s*=\s*({_STRING}|{_NAME})", re.IGNORECASE)
_PAIR = re.compile(rf"({_IDENT})\s*=\s*(METADATA\$[A-Z_]+)", re.IGNORECASE)


class Unreadable(Exception):
    """The text is not a COPY that could be followed."""


@dataclass(frozen=True, slots=True)
class Copy:
    """A pipe's COPY, taken apart. `path` is below the stage, as it is written; `options` is what follows it."""

    target: ObjectName
    stage: ObjectName
    path: str
    options: str


def read(pipe: Pipe) -> Copy:
    """The COPY of a pipe. Raises `Unreadable`."""
    text = _COMMENT.sub(lambda m: m[1] or " ", pipe.definition)
    head = _HEAD.match(text)
    if head is None:
        raise Unreadable("it selects, lists columns, or is no COPY from a stage")
    stage, path = _place(head)
    return Copy(_resolve(head[1], pipe.name), _resolve(stage, pipe.name), path, text[head.end() :].strip().rstrip(";"))


def reads(pipe: Pipe, stage: ObjectName, path: str) -> bool:
    """Does it load the files of this folder? Not where its text cannot be followed."""
    try:
        copy = read(pipe)
    except Unreadable:
        return False
    return (copy.stage, copy.path.strip("/")) == (stage, path.strip("/"))


def feeds(pipe: Pipe, landing: Landing) -> bool:
    """Does it do all that the landing needs?"""
    try:
        return not faults(pipe, landing)
    except Unreadable:
        return False


def faults(pipe: Pipe, landing: Landing) -> list[str]:
    """What the pipe does otherwise than the landing needs. Raises `Unreadable`."""
    copy = read(pipe)
    found = []
    if copy.target != landing.staging:
        found.append(f"it loads into {copy.target}")
    if not reads(pipe, landing.stage, landing.path):
        found.append(f"it reads @{copy.stage}/{copy.path.strip('/')}, not @{landing.stage}/{landing.path}")
    return found + option_faults(copy.options)


def option_faults(options: str) -> list[str]:
    """What is wrong with what follows the folder, whatever the folder is."""
    bare = re.sub(_STRING, "''", options)
    found = []
    if not re.search(r"\bMATCH_BY_COLUMN_NAME\s*=\s*'?CASE_INSENSITIVE\b", options, re.IGNORECASE):
        found.append("MATCH_BY_COLUMN_NAME is not CASE_INSENSITIVE")
    if re.search(r"\bPATTERN\s*=", bare, re.IGNORECASE):
        found.append("its PATTERN leaves files out")
    pairs = {_part(name): source.upper() for name, source in _PAIR.findall(options)}
    missing = [column for column, source in METADATA.items() if pairs.get(column) != source]
    if missing:
        found.append(f"its INCLUDE_METADATA does not fill {', '.join(missing)}")
    return found


def portable(options: str) -> bool:
    """Do they mean the same in a session of another schema? A file format's name says where it is, or there is none."""
    named = _FORMAT.search(options)
    if named is None:
        return not re.search(r"\bFORMAT_NAME\b", options, re.IGNORECASE)
    name = named[1]
    if name.startswith("'"):
        name = re.sub(r"\\(.)", r"\1", name[1:-1].replace("''", "'"), flags=re.DOTALL)
    return len(re.findall(_IDENT, name)) == 3


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
