"""What change-data-type and data-masking rules make of a column, and what is lost by it."""

from __future__ import annotations

import re
from dataclasses import replace

from driftguard.model.emission import EmittedColumn, Hop, Loss
from driftguard.model.mappings import Action, TargetColumn
from driftguard.typemap.resolve import Resolver

_TYPE = re.compile(r"([A-Z0-9]+)(?:\((\d+)(?:,(-?\d+))?\))?")
_DIGITS = {"INT1": 3, "INT2": 5, "INT4": 10, "INT8": 19, "UINT1": 3, "UINT2": 5, "UINT4": 10, "UINT8": 20}
_FLOAT_DIGITS = {"REAL4": 6, "REAL8": 15}  # decimal digits that every such float carries
_TEXT = frozenset(("STRING", "WSTRING", "CLOB", "NCLOB"))
_TEXT_LENGTHS = {"DATE": 10, "TIME": 15, "DATETIME": 26, "BOOLEAN": 5, "REAL4": 24, "REAL8": 24}  # as text at most
_REMEDY = "take the rule out of the table mappings, or give it a wider type"
_HASH_LENGTH = 64  # SHA-256 in hexadecimal digits


def retyped(target: TargetColumn, plain: EmittedColumn, types: Resolver) -> EmittedColumn:
    """`plain` as its rules leave it. AWS documents neither hop, so at best it is assumed that nothing is lost."""
    found = plain
    before = plain.pg_type.text if plain.pg_type else plain.dms_type
    if target.data_type is not None:
        dms = override_text(target)
        lost = losing(plain.dms_type, dms)
        note = f"change-data-type by rule {target.rule_id}" + (f": {lost}" if lost else "")
        loss = Loss.LOSSY if lost else Loss.ASSUMED_EXACT
        parquet, second = types.parquet_type(dms)
        first = Hop("postgres_to_dms", before, dms, loss, note, "table mappings", "stand-in only", remedy=_REMEDY)
        found = replace(found, dms_type=dms, parquet_type=parquet, hops=(first, second))
    if target.masking:
        found = replace(found, masking=target.masking)
        if target.masking == Action.MASK_HASH:
            dms = f"STRING({_HASH_LENGTH})"
            parquet, second = types.parquet_type(dms)
            first = Hop("postgres_to_dms", before, dms, Loss.AS_TEXT, target.masking, "table mappings", "stand-in only")
            found = replace(found, dms_type=dms, parquet_type=parquet, hops=(first, second))
    return found


def override_text(target: TargetColumn) -> str:
    """The DMS type that a rule gives a column, with its arguments: `NUMERIC(10,2)`."""
    data_type = target.data_type
    assert data_type is not None
    word = data_type.type.upper()
    if word == "NUMERIC":
        return f"NUMERIC({data_type.precision or 38},{data_type.scale or 0})"
    if word == "DATETIME":
        return f"DATETIME({data_type.scale if data_type.scale is not None else 6})"
    return f"{word}({data_type.length})" if data_type.length is not None else word


def losing(before: str, after: str) -> str:
    """Why some value of the DMS type `before` does not survive in `after`, in words; empty where every one does."""
    one, other = _parse(before), _parse(after)
    if one is None or other is None or one == other:
        return ""
    (was, _, _), (now, size, scale) = one, other
    if now in _TEXT:
        length = _length(*one)
        return f"texts longer than {size} are cut" if size is not None and (length is None or length > size) else ""
    digits, decimals = _number(*one)
    if now in _DIGITS or now == "NUMERIC":
        room, places = (_DIGITS[now], 0) if now in _DIGITS else ((size or 38) - (scale or 0), scale or 0)
        if digits is None:
            return "what is no number is lost"
        unsigned = now.startswith("UINT") and not was.startswith("UINT")
        if unsigned or digits > room or decimals > places:
            return f"values of {before} that do not fit {after} are lost or rounded"
        return ""
    if now in _FLOAT_DIGITS:
        if was in _FLOAT_DIGITS:
            return "" if _FLOAT_DIGITS[was] <= _FLOAT_DIGITS[now] else "digits are lost"
        return "" if digits is not None and digits + decimals <= _FLOAT_DIGITS[now] else "digits are lost"
    if now == "DATETIME":
        if was == "DATETIME":
            return "fractions of a second are cut" if (size or 0) < (one[1] if one[1] is not None else 6) else ""
        return "" if was == "DATE" else "what is no time is lost"
    if now in ("DATE", "TIME"):
        return f"only the {now.lower()} is left" if was == "DATETIME" else f"what is no {now.lower()} is lost"
    if now == "BOOLEAN":
        return "" if before == "STRING(5)" else "what is neither true nor false is lost"
    return ""


def _parse(text: str) -> tuple[str, int | None, int | None] | None:
    match = _TYPE.fullmatch(text)
    if match is None:
        return None
    return match[1], int(match[2]) if match[2] else None, int(match[3]) if match[3] else None


def _number(word: str, size: int | None, scale: int | None) -> tuple[int | None, int]:
    """(digits before the point, digits behind it) of a number; (None, 0) of anything else."""
    if word in _DIGITS:
        return _DIGITS[word], 0
    if word == "NUMERIC":
        return (size or 38) - (scale or 0), scale or 0
    return None, 0


def _length(word: str, size: int | None, scale: int | None) -> int | None:
    """The longest text of a value; None without a limit."""
    if word in ("STRING", "WSTRING"):
        return size
    if word in _TEXT_LENGTHS:
        return _TEXT_LENGTHS[word]
    digits, decimals = _number(word, size, scale)
    return None if digits is None else digits + decimals + 2  # sign and point
