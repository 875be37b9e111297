"""A predicted emission and the footers of its files in; the emission that both support out."""

from __future__ import annotations

from dataclasses import replace

from driftguard.model.emission import Emission, EmittedColumn, Hop, Loss
from driftguard.model.observed import Footer, ObservedColumn, Sighting

_INTEGERS = ("INT8", "UINT1", "INT16", "UINT2", "INT32", "UINT4", "INT64", "UINT8")  # the narrowest first
_FLOATS = ("FLOAT", "DOUBLE")
_FAMILIES = {
    **dict.fromkeys(_INTEGERS, "integer"),
    **dict.fromkeys(_FLOATS, "float"),
    "TIMESTAMP": "timestamp",
    "TIMESTAMP_UTC": "timestamp",
    "BOOLEAN": "text",  # STAGING takes both as text
    "STRING": "text",
}


def overlay(emission: Emission, sighting: Sighting) -> Emission:
    """The emission with the types of the newest file that has each column.

    A column that the files cannot know yet, because a proposal changes it, keeps its prediction. So does one whose
    file may just be older than its type: see `settled`.
    """
    known = {(c.name, c.dms_type, c.pg_type) for item in sighting.predictions for c in item.columns}

    def seen(column: EmittedColumn) -> EmittedColumn:
        if (column.name, column.dms_type, column.pg_type) not in known:
            return column
        for footer in sighting.observed.footers:
            found = footer.column(column.name)
            if found is not None:
                return _with(column, found, footer)
        return column

    return replace(
        emission, full_load=tuple(seen(c) for c in emission.full_load), cdc=tuple(seen(c) for c in emission.cdc)
    )


def settled(column: EmittedColumn, found: ObservedColumn) -> str:
    """The Parquet type to plan for, from the prediction and a footer.

    The footer wins where the prediction rests on an assumption, and where both are of one family: then STAGING takes
    what is wider of the two. Where AWS documents the predicted type and the file has one of another family, the file
    was probably written before the type changed: planning for it would refuse the values that come. The prediction
    stays, and DG442 says so.
    """
    predicted, observed = column.parquet_type, found.parquet_type
    if not observed or observed == predicted:
        return predicted
    family = _family(predicted)
    if family != _family(observed):
        return observed if _assumed(column) else predicted
    if family == "text":
        return observed
    if family in ("integer", "float"):
        order = _INTEGERS if family == "integer" else _FLOATS
        return max(predicted, observed, key=order.index)
    if family == "timestamp":
        word = observed.partition("(")[0]
        return f"{word}({max(_arguments(predicted)[0], _arguments(observed)[0])})"
    if family == "DECIMAL":
        return _wider(predicted, observed)
    return predicted


def same_family(predicted: str, observed: str) -> bool:
    """Does a STAGING column that was made for one take the other as well?"""
    return _family(predicted) == _family(observed) and {predicted.partition("(")[0], observed.partition("(")[0]} != {
        "TIMESTAMP",
        "TIMESTAMP_UTC",
    }


def _family(text: str) -> str:
    word = text.partition("(")[0]
    return _FAMILIES.get(word, word)


def _assumed(column: EmittedColumn) -> bool:
    return any(hop.loss in (Loss.ASSUMED_EXACT, Loss.UNKNOWN) for hop in column.hops)


def _arguments(text: str) -> tuple[int, int]:
    first, _, second = text.partition("(")[2].rstrip(")").partition(",")
    return int(first or 0), int(second or 0)


def _wider(predicted: str, observed: str) -> str:
    """A DECIMAL that takes the digits of both; where 38 are not enough, what the file has."""
    (p1, s1), (p2, s2) = _arguments(predicted), _arguments(observed)
    scale = max(s1, s2)
    precision = max(p1 - s1, p2 - s2) + scale
    return f"DECIMAL({precision},{scale})" if precision <= 38 else observed


def _with(column: EmittedColumn, found: ObservedColumn, footer: Footer) -> EmittedColumn:
    taken = settled(column, found)
    if taken != found.parquet_type and taken == column.parquet_type:
        return column
    alike = _family(taken) == _family(column.parquet_type)

    def proven(hop: Hop) -> Hop:
        if hop.step != "dms_to_parquet":
            return hop
        return replace(
            hop,
            after=taken,
            loss=Loss.EXACT if alike else Loss.ASSUMED_EXACT,
            note=found.note,
            source=f"footer of {footer.path}, written {footer.modified}",
            proven_by="footer sample",
        )

    return replace(column, parquet_type=taken, hops=tuple(proven(h) for h in column.hops))
