"""`driftguard explain`: how values get from Aurora to FINAL, hop by hop: for a table, a column, or a bare type."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from driftguard.commands.check import Proposal, proposed_catalog
from driftguard.commands.world import build_context, catalog_of
from driftguard.config import Config
from driftguard.dms.files import dms_tasks
from driftguard.drift.context import Context
from driftguard.errors import UsageError
from driftguard.model.catalog import Catalog, PgType, Table
from driftguard.model.emission import Emission, Role
from driftguard.model.explanation import Explanation, Way
from driftguard.model.identifiers import TableName
from driftguard.model.landing import Cast, Landing
from driftguard.model.settings import EndpointSettings
from driftguard.model.snowflake import Estate
from driftguard.sql.postgres import readings
from driftguard.typemap.load import TypeMaps, shipped
from driftguard.typemap.load import load as load_typemaps
from driftguard.typemap.resolve import Resolver
from driftguard.typemap.typetext import parse_type


def explain_type(config: Config | None, text: str) -> tuple[Explanation, ...]:
    """A bare type under DMS's defaults, or with `config` once for all its DMS tasks that carry it in the same way.

    Raises `UsageError` for what is no type.
    """
    pg = parse_type(text)
    if config is None:
        return (
            Explanation(text.strip(), "a bare type", "DMS's defaults", (_bare(pg, shipped(), EndpointSettings()),)),
        )
    files = config.settings.typemaps
    maps = load_typemaps(config.path(files.overrides), config.path(files.observed))
    ways: dict[Way, list[str]] = defaultdict(list)
    for task in dms_tasks(config):
        ways[_bare(pg, maps, task.endpoint)].append(task.name)
    return tuple(
        Explanation(text.strip(), "a bare type", f"DMS task {', '.join(names)}", (way,)) for way, names in ways.items()
    )


def _bare(pg: PgType, maps: TypeMaps, settings: EndpointSettings) -> Way:
    types = Resolver(maps, settings)
    delivery = types.deliver(pg)
    destination = types.land(delivery.parquet, pg, (TableName("", ""), ""))
    return Way(
        name=pg.text,
        type=pg.text,
        emitted_as="",
        role=Role.DATA.value,
        files=(),
        staging=str(destination.staging) if destination else "",
        final=str(destination.final) if destination else "",
        cast=destination.cast.value if destination else Cast.NONE.value,
        key=False,
        hops=delivery.hops + (destination.hops if destination else ()),
    )


def explain(
    config: Config, name: str, *, source: str | None = None, proposal: Proposal | None = None
) -> tuple[Explanation, ...]:
    """A table or one of its columns, once for each DMS task that carries it.

    `name` is TABLE or TABLE.COLUMN, read as an SQL identifier. Raises `UsageError` where there is no such table, where
    several have the name, or where no task carries it.
    """
    catalog, seen = proposed_catalog(config, proposal)[1:] if proposal else catalog_of(config, source)
    table, column = _find(catalog, name)
    alone = Catalog((table,), database=catalog.database)
    context = build_context(config, alone, Estate())
    label = f"{table.id}.{column}" if column else str(table.id)
    landings = {e.source.task: (landing, e) for landing in context.expectation.landings for e in landing.emissions}
    found = [_landed(label, seen.label, landing, e, column) for landing, e in landings.values()]
    found += [
        Explanation(label, seen.label, "", (), refused=f"{refusal.code}: {refusal.message}")
        for refusal in context.expectation.refusals
    ]
    if not found:
        raise UsageError(f"{table.id}: {_why_not(context, table)}", hint=_REMEDIES.get(table.persistence, _UNLOGGED))
    return tuple(found)


_UNLOGGED = "if its rows are to leave Aurora, make it a logged table"
_REMEDIES = {"p": "see the selection rules of the table mappings"}


def _why_not(context: Context, table: Table) -> str:
    if table.persistence != "p":
        return "it is unlogged or temporary, so it is not in the log that DMS reads"
    names = ", ".join(task.name for task in context.tasks)
    return f"no DMS task selects it ({names})"


def _landed(label: str, source: str, landing: Landing, emission: Emission, column: str | None) -> Explanation:
    finals = {c.staging: c for c in landing.final_columns if c.staging is not None}
    stagings = {c.emitted_as: c for c in landing.staging_columns if c.emitted_as is not None}
    in_load, in_cdc = {c.name for c in emission.full_load}, {c.name for c in emission.cdc}
    ways = []
    for item in emission.columns:
        staging = stagings.get(item.name)
        final = finals.get(staging.name) if staging else None
        if column is not None and item.source != column and item.name != column:
            continue
        ways.append(
            Way(
                name=item.source or item.name,
                type=item.pg_type.text if item.pg_type else "",
                emitted_as=item.name,
                role=item.role.value,
                files=tuple(w for w, names in (("full load", in_load), ("CDC", in_cdc)) if item.name in names),
                staging=f"{staging.name} {staging.type}" if staging else "",
                final=f"{final.name} {final.type}" if final else "",
                cast=final.cast.value if final else Cast.NONE.value,
                key=final.key if final else False,
                hops=final.hops if final else item.hops,
            )
        )
    missing = tuple((name, reason) for name, reason in emission.dropped if column in (None, name))
    return Explanation(
        label,
        source,
        f"DMS task {emission.source.task}",
        tuple(ways),
        (str(landing.staging), str(landing.final)),
        missing,
        emission.warnings if column is None else (),
    )


def _find(catalog: Catalog, text: str) -> tuple[Table, str | None]:
    """The table, and the column if one is named."""
    for schema, name, column in readings(text):
        tables = [t for t in catalog.tables if t.name == name and schema in (None, t.schema)]
        if column is not None:
            tables = [t for t in tables if t.column(column) is not None]
        if len(tables) > 1:
            raise UsageError(f"{text!r} can be {_list(t.id for t in tables)}", hint="write schema.table")
        if tables:
            return tables[0], column
    likely = [t.id for t in catalog.tables if any(t.name == name for _, name, _ in readings(text))]
    hint = f"there is {_list(likely)}" if likely else 'names are read as SQL identifiers: "Quoted" if they need it'
    raise UsageError(f"there is no table or column {text!r} in {catalog.database or 'this catalog'}", hint=hint)


def _list(names: Iterable[TableName]) -> str:
    return ", ".join(sorted(map(str, names)))
