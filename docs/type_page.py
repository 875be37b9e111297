"""docs/types.md, from the type maps: what becomes of each type under each setting, and who says so."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from pathlib import Path

from driftguard.errors import UsageError
from driftguard.model.catalog import PgType
from driftguard.model.emission import Loss
from driftguard.model.settings import EndpointSettings
from driftguard.render.markdown import escape
from driftguard.typemap.load import SETTINGS, Row, When, shipped, sources, special_values
from driftguard.typemap.resolve import deliver, first_row, land
from driftguard.typemap.typetext import parse_type

HEAD = """# Types

Written by `make docs` from `typemaps/*.toml`; `driftguard explain` shows the same for your own tables and settings.

A value goes four hops: PostgreSQL → DMS → Parquet → STAGING → FINAL. The worst hop is the loss of the way:

| loss | meaning |
|---|---|
| exact | the value arrives as it is |
| assumed exact | likewise, but no document of AWS says so |
| as text | the value as a text; AWS names the type, not the spelling, which is taken to be PostgreSQL's own |
| lossy | values of ordinary use are changed |
| not delivered | DMS does not write the column |
| unknown | nobody says what DMS writes: finding DG107, and text columns on Snowflake |

*Said by* is what the weaker of the DMS hops rests on: a footer sample (`typemaps/observed.toml`), AWS's text, or only
driftguard's stand-in. The Snowflake hops rest on Snowflake's documents and the stand-in; none was ever tried on a real
account. "Not documented" marks what no document says and the stand-in does. The value proof (`tests/proof`) carries the
values at the edges of every type through the whole chain and compares what arrives with this page.
"""

KINDS = {"e": "an enum", "c": "a composite type", "r": "any other range", "m": "a multirange"}


def page() -> str:
    """The whole document."""
    parts = [HEAD, "## Every type", *_types(), _marked(), "## Special values", *_values(), _openflow(), _documents()]
    return "\n".join(parts) + "\n"


def _types() -> Iterator[str]:
    yield "\n| PostgreSQL | where | DMS | Parquet | STAGING | FINAL | loss | said by |"
    yield "|---|---|---|---|---|---|---|---|"
    for row in shipped().rows["postgres_to_dms"]:
        pg, settings = _subject(row)
        yield _line(_label(row), _where(row.when), pg, settings)
    for label, pg in (
        ("numeric(p,38)", parse_type("numeric(38,38)")),
        ("a domain", PgType("amount", "amount", kind="d", base_name="int4", base_text="integer")),
    ):
        yield _line(label, "", pg, EndpointSettings())
    yield ""


def _line(label: str, where: str, pg: PgType, settings: EndpointSettings) -> str:
    delivery = deliver(shipped(), pg, settings)
    found = land(shipped(), delivery.parquet, pg, settings)
    hops = delivery.hops + (found.hops if found else ())
    loss = max((h.loss for h in hops), key=lambda item: item.rank)
    notes = "; ".join(dict.fromkeys(h.note for h in hops if h.note))
    weakest = min(delivery.hops, key=lambda hop: _CERTAINTY.index(hop.proven_by))
    said = f"{weakest.proven_by}: {weakest.source}"
    remedy = "; ".join(dict.fromkeys(h.remedy for h in hops if h.remedy and h.loss in _BAD))
    told = loss.value.replace("_", " ") + (f": {notes}" if notes else "") + (f". Better: {remedy}" if remedy else "")
    cells = (label, where, delivery.dms, delivery.parquet, str(found.staging) if found else "-")
    return "| " + " | ".join(map(escape, (*cells, str(found.final) if found else "-", told, said))) + " |"


_CERTAINTY = ("stand-in only", "AWS text", "footer sample")
_BAD = (Loss.LOSSY, Loss.UNKNOWN, Loss.NOT_DELIVERED)


def _label(row: Row) -> str:
    if row.match.type:
        shape = ""
        when = row.when
        if when.unbounded:
            shape = " without (p,s)" if "numeric" in row.match.type else " without a length"
        elif when.unbounded is False:
            shape = "(n)"
        elif when.scale_below_zero:
            shape = " with a scale below 0"
        elif when.scale_above_precision:
            shape = " with a scale above its precision"
        elif when.max_precision:
            shape = f"(p,s), p ≤ {when.max_precision}"
        elif when.longer_than:
            shape = f"(n), n > {when.longer_than}"
        elif row.match.type in (("varchar",), ("bpchar",)):
            shape = "(n)"
        elif row.match.type == ("numeric",):
            shape = "(p,s), p ≥ 39"
        elif row.match.type == ("varbit",):
            shape = " without a length"
        return ", ".join({"bpchar": "char"}.get(name, name) for name in row.match.type) + shape
    if row.match.array:
        return "an array of any type"
    return KINDS.get(row.match.kind or "", "every other type")


def _where(when: When) -> str:
    said = []
    for name in SETTINGS:
        value = getattr(when, name)
        if value is not None:
            setting = "".join(part.capitalize() for part in name.split("_"))
            said.append(f"{setting} = {value if isinstance(value, str) else str(value).lower()}")
    return ", ".join(said)


def _subject(row: Row) -> tuple[PgType, EndpointSettings]:
    """A type and settings of which this row is the first to match."""
    settings = EndpointSettings(**{n: getattr(row.when, n) for n in SETTINGS if getattr(row.when, n) is not None})
    if row.match.array:
        return parse_type("integer[]"), settings
    if row.match.kind:
        return PgType("own", row.match.kind, kind=row.match.kind), settings
    if not row.match.type:
        return PgType("regclass", "regclass"), settings
    if row.when.trim_space_in_char is None and row.match.type == ("bpchar",):
        settings = EndpointSettings(trim_space_in_char=False)
    for text in _EXAMPLES.get(row.match.type[0], (row.match.type[0],)):
        pg = parse_type(text)
        if first_row(shipped(), pg, settings) is row:
            return pg, settings
    raise UsageError(f"no example of {row.match} {row.when}: add one to _EXAMPLES")


_EXAMPLES = {
    "numeric": ("numeric", "numeric(5,-2)", "numeric(3,5)", "numeric(10,2)", "numeric(40,2)"),
    "varchar": ("varchar", "varchar(20)", "varchar(20000)"),
    "bpchar": ("char(5)",),
    "bit": ("bit(8)",),
    "varbit": ("varbit",),
    "name": ("name",),
}


def _marked() -> str:
    lines = [
        "## Timestamps that are marked as adjusted to UTC\n",
        "Where `typemaps/observed.toml` says that the footer has the mark (finding DG308):\n",
        "| PostgreSQL | Parquet | STAGING | FINAL | how |\n|---|---|---|---|---|",
    ]
    for name in ("timestamp", "timestamptz"):
        found = land(shipped(), "TIMESTAMP_UTC(6)", parse_type(name), EndpointSettings())
        assert found is not None
        note = found.hops[1].note
        lines.append(
            f"| {name} | TIMESTAMP\\_UTC(6) | {escape(str(found.staging))} | {escape(str(found.final))} | {note} |"
        )
    return "\n".join(lines) + "\n"


def _values() -> Iterator[str]:
    yield "\nValues that fare otherwise than the rest of their type. A value that is not named here arrives as it is."
    yield "\n| values | of | become | documented |\n|---|---|---|---|"
    outcomes: dict[tuple[str, str, bool], dict[str, None]] = {}
    for hop, rows in shipped().rows.items():
        for row in rows:
            whose = _label(row) if row.match.type or hop == "postgres_to_dms" else ", ".join(row.match.parquet)
            for found, documented in ((row.loses, True), (row.open, False)):
                for key, becomes in found.items():
                    outcomes.setdefault((key, becomes, documented), {})[whose] = None
    order = list(special_values())
    for (key, becomes, documented), whose in sorted(
        outcomes.items(), key=lambda item: (order.index(item[0][0]), item[0])
    ):
        cells = (special_values()[key], ", ".join(whose), becomes, "yes" if documented else "no")
        yield "| " + " | ".join(map(escape, cells)) + " |"
    yield ""
    yield (
        "Worth knowing: thirty-eight nines in numeric(38,0), the text `\\N`, a blank, a JSON `null` arrive as they\n"
        'are, and so does an empty string with the stand-in: docs.snowflake.com "COPY INTO <table>" says that with\n'
        "MATCH_BY_COLUMN_NAME an empty column value of a Parquet file is an error, and not whether it means an empty\n"
        "string. A decimal whose scale grows after it landed is rounded by Snowflake on load, silently, users report:\n"
        "DG104 finds it, and only a new column helps.\n"
    )


def _openflow() -> str:
    lines = [
        "## Where FINAL differs from Snowflake's own connector\n",
        "Openflow's connector for PostgreSQL reads the database itself; here DMS and Parquet lie between.\n",
        "| PostgreSQL | Openflow | driftguard | why otherwise |\n|---|---|---|---|",
    ]
    path = Path(__file__).with_name("openflow.toml")
    for item in tomllib.loads(path.read_text(encoding="utf-8"))["type"]:
        own: dict[str, list[str]] = {}
        for text in item["types"]:
            pg = _NAMED.get(text) or parse_type(text)
            delivery = deliver(shipped(), pg, EndpointSettings())
            found = land(shipped(), delivery.parquet, pg, EndpointSettings())
            own.setdefault(str(found.final) if found else "not delivered", []).append(text)
        for final, types in own.items():
            reason = item.get("reason", "")
            if (final == item["openflow"]) == bool(reason):
                raise UsageError(f"{path.name}: {types}: {final} and {item['openflow']}, reason {reason!r}")
            lines.append("| " + " | ".join(map(escape, (", ".join(types), item["openflow"], final, reason))) + " |")
    return "\n".join(lines) + "\n"


_NAMED = {
    "enum": PgType("mood", "mood", kind="e"),
    "composite": PgType("pair", "pair", kind="c"),
    "domain": PgType("label", "label", kind="d", base_name="text", base_text="text"),
}


def _documents() -> str:
    lines = ["## Documents\n", *(f"- {item['title']}: <{item['url']}>" for item in sources().values())]
    return "\n".join(lines)
