"""What a pipe's COPY loads, read from its text: does it feed the landing it stands beside?

Grammar: docs.snowflake.com "COPY INTO <table>" and "CREATE PIPE". A text that cannot be read is said to be so.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from driftguard.model.identifiers import ObjectName
from driftguard.model.landing import DG_FILE, DG_LOADED_AT, DG_RECORD, DG_ROW, Landing
from driftguard.model.snowflake import Pipe

METADATA = {
    DG_FILE: "METADATA$FILENAME",
    DG_ROW: "METADATA$FILE_ROW_NUMBER",
    DG_LOADED_AT: "METADATA$START_SCAN_TIME",
}
RECORD = {DG_RECORD: "$1", **METADATA}  # STAGING in record style, and what of a file each column takes
_IDENT = r'(?:"(?:[^"]|"")+"|[A-Za-z_][A-Za-z0-9_$]*)'
_NAME = rf"{_IDENT}(?:\s*\.\s*{_IDENT}){{0,2}}"
_STRING = r"'(?:[^'\\]|''|\\.)*'"
_HEAD = re.compile(
    rf"\s*COPY\s+INTO\s+({_NAME})\s+FROM\s+(?:({_STRING})|@({_NAME})((?:/[^\s;()]*)?))(?=\s|;|$)",
    re.IGNORECASE | re.DOTALL,
)
_PLACE = rf"(?:({_STRING})|@({_NAME})((?:/[^\s;()]*)?))"
_SELECT = re.compile(
    rf"\s*COPY\s+INTO\s+({_NAME})\s*\(([^()]*)\)\s*FROM\s*\(\s*SELECT\s+([^()]*?)\s+FROM\s+{_PLACE}\s*\)",
    re.IGNORECASE | re.DOTALL,
)
_LOCATION = re.compile(rf"@({_NAME})((?:/.*)?)", re.DOTALL)
_COMMENT = re.compile(rf'({_STRING}|"(?:[^"]|"")*")|--[^\n]*|/\*.*?\*/', re.DOTALL)
_FORMAT = re.compile(rf"\bFORMAT_NAME\s*=\s*({_STRING}|{_NAME})", re.IGNORECASE)
_PAIR = re.compile(rf"({_IDENT})\s*=\s*(METADATA\$[A-Z_]+)", re.IGNORECASE)
_FROM = re.compile(rf"\bFROM\s+{_PLACE}", re.IGNORECASE)
_INTO = re.compile(rf"\s*COPY\s+INTO\s+({_NAME})", re.IGNORECASE)
_PATTERN = re.compile(rf"\bPATTERN\s*=>?\s*({_STRING})", re.IGNORECASE)


class Unreadable(Exception):
    """The text is not a COPY that could be followed."""


@dataclass(frozen=True, slots=True)
class Copy:
    """A pipe's COPY, taken apart. `path` is below the stage, as it is written; `options` is what follows it.

    `record`: of a COPY that selects, what each column takes.
    """

    target: ObjectName
    stage: ObjectName
    path: str
    options: str
    record: Mapping[str, str] | None = None


def read(pipe: Pipe) -> Copy:
    """The COPY of a pipe. Raises `Unreadable`."""
    text = _COMMENT.sub(lambda m: m[1] or " ", pipe.definition)
    head = _HEAD.match(text)
    selects = _SELECT.match(text) if head is None else None
    if selects is not None:
        columns = [_part(name.strip()) for name in selects[2].split(",")]
        items = [item.strip().upper() for item in selects[3].split(",")]
        if len(columns) == len(items) and set(items) <= set(RECORD.values()):
            stage, path = _place(selects[4], selects[5], selects[6])
            options = text[selects.end() :].strip().rstrip(";")
            record = dict(zip(columns, items, strict=True))
            return Copy(_resolve(selects[1], pipe.name), _resolve(stage, pipe.name), path, options, record)
    if head is None:
        raise Unreadable("it selects, lists columns, or is no COPY from a stage")
    stage, path = _place(head[2], head[3], head[4])
    return Copy(_resolve(head[1], pipe.name), _resolve(stage, pipe.name), path, text[head.end() :].strip().rstrip(";"))


@dataclass(frozen=True, slots=True)
class Place:
    """Where a COPY of any form takes its files from: all below `path` of the stage whose names match `pattern`."""

    target: ObjectName
    stage: ObjectName
    path: str
    pattern: str | None


def where(pipe: Pipe) -> Place:
    """Also of a pipe that lists columns and selects. Raises `Unreadable`, as for what is no named stage."""
    text = _COMMENT.sub(lambda m: m[1] or " ", pipe.definition)
    into, source, pattern = _INTO.match(text), _FROM.search(text), _PATTERN.search(text)
    if into is None or source is None:
        raise Unreadable("it is no COPY from a named stage")
    stage, path = _place(source[1], source[2], source[3])
    return Place(
        _resolve(into[1], pipe.name), _resolve(stage, pipe.name), path, _string(pattern[1]) if pattern else None
    )


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
    if landing.record and copy.record != RECORD:
        return [*found, f"it does not load whole records into {DG_RECORD}, with their file, row and load time"]
    if copy.record is not None and not landing.record:
        return [*found, f"it loads whole records, and {landing.staging} has columns"]
    return found + option_faults(copy.options, record=landing.record)


def option_faults(options: str, *, record: bool = False) -> list[str]:
    """What is wrong with what follows the folder, whatever the folder is."""
    bare = re.sub(_STRING, "''", options)
    found = []
    if record:
        return ["its PATTERN leaves files out"] if re.search(r"\bPATTERN\s*=", bare, re.IGNORECASE) else []
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
        name = _string(name)
    return len(re.findall(_IDENT, name)) == 3


def _place(text: str | None, stage: str | None, path: str | None) -> tuple[str, str]:
    """`text` is a location as a string; `stage` and `path` one that is not."""
    if stage is not None:
        return stage, path or ""
    location = _LOCATION.fullmatch(_string(text or ""))
    if location is None:
        raise Unreadable("it does not read a named stage")
    return location[1], location[2]


def _resolve(name: str, beside: ObjectName) -> ObjectName:
    """A name of one to three parts; what it leaves out is the pipe's own."""
    parts = [_part(p) for p in re.findall(_IDENT, name)]
    full = [beside.database, beside.schema, ""][: 3 - len(parts)] + parts
    return ObjectName(full[0], full[1], full[2])


def _string(text: str) -> str:
    """What a string literal says."""
    return re.sub(r"\\(.)", r"\1", text[1:-1].replace("''", "'"), flags=re.DOTALL)


def _part(text: str) -> str:
    return text[1:-1].replace('""', '"') if text.startswith('"') else text.upper()
