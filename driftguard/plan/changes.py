"""What a changed column needs while the change passes through: entries of the merge, and columns beside the old ones.

Which column is which is told by `attnum`, from one lineage of the catalog: `Context.before` and `Context.catalog`.
"""

from __future__ import annotations

import dataclasses
import re
from dataclasses import dataclass, field

from driftguard.drift.context import Context, Misfit, Pair
from driftguard.drift.fit import Fit, fit
from driftguard.drift.lineage import lineage
from driftguard.drift.merging import before_images, merge_spec
from driftguard.model.catalog import Column
from driftguard.model.landing import Cast, FinalColumn, Landing, StagingColumn
from driftguard.model.merge import NEW, OLD, Default, Earlier, MergeColumn, beside, precision_for, scale_for
from driftguard.model.snowflake import SfTable, SfType
from driftguard.operations.columns import ColumnDef
from driftguard.operations.rename import Rename, in_order
from driftguard.operations.replace_merge import Anew
from driftguard.plan.governed import governed_twins
from driftguard.plan.markers import marker_landing, marker_name
from driftguard.typemap.casting import cast_between, common, converted

_CONSTANT = re.compile(
    r"'(?:[^']|'')*'(?:::[\w\s.\"]+(?:\([\d,]+\))?(?:\[\])?)?|-?\d+(?:\.\d+)?|true|false", re.IGNORECASE
)
# A default of these types reads the same in STAGING as PostgreSQL prints it.
_PLAIN = frozenset(
    [
        "int2",
        "int4",
        "int8",
        "numeric",
        "text",
        "varchar",
        "bpchar",
        "bool",
        "uuid",
        "date",
        "timestamp",
        "json",
        "jsonb",
        "float4",
        "float8",
        "citext",
    ]
)


@dataclass
class Change:
    """Of one landing. `columns` are the merge's new entries; `handled` are columns that need nothing else."""

    columns: list[MergeColumn] = field(default_factory=list)
    final_adds: list[ColumnDef] = field(default_factory=list)
    anew: list[Anew] = field(default_factory=list)
    handled: set[str] = field(default_factory=set)
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Was:
    """A column of the landing as it was: on Aurora, and where it landed. None: no lineage, or a new column."""

    column: Column
    final: FinalColumn | None


def changes(pair: Pair, context: Context) -> Change:
    """What `pair` needs beyond additions and widenings; nothing where no table of markers is landed.

    What is under way already is left out.
    """
    found = Change()
    if pair.final is None or pair.staging is None:
        return found
    work = _Work(pair, context, pair.final, pair.staging, found)
    for column in pair.landing.final_columns:
        if column.staging is None or pair.goes_to(column.name) or _is_under_way(pair, column.name):
            continue
        work.look_at(column)
    taken = [*(c.name for c in pair.final.columns), *(c.name for c in found.final_adds)]
    try:
        in_order([Rename(c.final, c.becomes) for c in found.columns if c.becomes], taken)
    except ValueError as error:
        return Change(notes=[f"{pair.landing.final}: {error}; reload the table"])
    if not found.columns:
        return found
    if marker_landing(context) is None:
        names = ", ".join(sorted({c.becomes or c.final for c in found.columns}))
        note = f"{pair.landing.final}: {names}: needs [marker] table, whose rows show when a change has passed"
        return Change(notes=[note])
    twins = governed_twins(pair, context, found.final_adds, found.columns)
    if isinstance(twins, str):
        return Change(notes=[f"{pair.landing.final}: {twins}; or reload the table"])
    found.final_adds = twins
    name = marker_name(pair.landing.final, repr(found.columns), context)
    found.columns = [dataclasses.replace(c, marker=name) for c in found.columns]
    return found


def _is_under_way(pair: Pair, name: str) -> bool:
    return any(c.final == name for c in pair.under_way)


class _Work:
    """Goes through the columns of one landing."""

    def __init__(self, pair: Pair, context: Context, final: SfTable, staging: SfTable, found: Change) -> None:
        self._pair = pair
        self._zone = context.policy.migration_timezone
        self._final = final
        self._staging = staging
        self._found = found
        self._after, self._before, self._was = lineage(pair, context)
        self._images = before_images(pair.landing)
        self._names = {c.name for c in final.columns}
        self._staged_names = {c.name for c in staging.columns}
        self._plain = {c.final: c for c in merge_spec(dataclasses.replace(pair, under_way=()), context.policy).columns}
        self._staged_anew: dict[
            str, tuple[SfType, str]
        ] = {}  # STAGING column: its type until now, its name from now on

    def look_at(self, column: FinalColumn) -> None:
        was = self._column_before(column)
        have = self._final.column(column.name)
        if self._before is not None and was is None and have is not None and self._other_before(column):
            self._added_again(column)
        elif was is not None and was.final is not None and was.final.name != column.name:
            if self._final.column(was.final.name) is not None and (have is None or self._moves_away(column.name)):
                self._renamed(column, was.final)
        elif have is not None and (
            fit(have.type, column.least or column.type) is Fit.REBUILD or self._unstageable(column)
        ):
            self._retyped(column, have.type)
        elif self._before is not None and was is None and have is None:
            self._defaulted(column)

    # -- the four shapes ------------------------------------------------------------------------------------------

    def _renamed(self, column: FinalColumn, was: FinalColumn) -> None:
        """FINAL's column goes on under its old name, fed from both; at the end it gets the new one."""
        have = self._final.column(was.name)
        assert have is not None
        assert column.staging is not None
        assert was.staging is not None
        if fit(have.type, column.least or column.type) is Fit.REBUILD:
            self._renamed_and_retyped(column, was)
            return
        reused = any(c.name == was.staging for c in self._pair.landing.staging_columns)
        earlier = self._earlier(was.staging, have.type)
        if earlier is None:
            self._refuse(column, f"the merge cannot read {was.staging} as {have.type}")
            return
        taken = column.staging in self._staged_names
        old_image = self._image_before(was) if column.key else None
        dropped = self._final.column(column.name)
        if dropped is not None and not self._moves_away(column.name, renamed_only=True):
            if not self._stage(column):
                return
            self._retire(column, dropped.type, until=True)
        self._found.columns.append(
            dataclasses.replace(
                self._entry(column),
                final=was.name,
                since=reused or taken,
                earlier=dataclasses.replace(earlier, before=old_image, alone=taken),
                becomes=column.name,
            )
        )
        self._found.handled.add(column.name)

    def _renamed_and_retyped(self, column: FinalColumn, was: FinalColumn) -> None:
        """The new name is a column of its own; old rows are filled from the old one."""
        assert was.staging is not None
        earlier = self._earlier(was.staging, column.type)
        reused = any(c.name == was.staging for c in self._pair.landing.staging_columns)
        if column.key or column.name in self._names or reused or earlier is None:
            self._refuse(column, f"renamed from {was.name} with another type")
            return
        self._found.final_adds.append(ColumnDef(column.name, column.type))
        self._found.columns.append(dataclasses.replace(self._entry(column), earlier=earlier))
        self._found.handled.add(column.name)

    def _added_again(self, column: FinalColumn) -> None:
        """Another column took the name: a twin takes its values, from its first commit on."""
        if column.key:
            self._refuse(column, "a key column was dropped and added again")
            return
        assert column.staging is not None
        if not self._stage(column):
            return
        have = self._final.column(column.name)
        if have is not None and not self._moves_away(column.name, renamed_only=True):
            self._retire(column, have.type, until=True)
        entry = dataclasses.replace(
            self._entry(column), since=True, default=self._default(column)[0], becomes=column.name
        )
        self._twin(column, entry)

    def _retyped(self, column: FinalColumn, have: SfType) -> None:
        """A twin of the new type is written beside the old column, which goes on as far as its type goes."""
        if column.key:
            self._refuse(column, f"a key column of type {have} cannot become {column.type}")
            return
        if not self._stage(column):
            return
        entry = self._entry(column)
        anew = self._staged_anew.get(column.staging or "")
        earlier: Earlier | None = None
        since = False
        if anew is not None:
            earlier = self._earlier_of(anew[0], anew[1], column.type)
        elif {have.base, column.type.base} == {"TIMESTAMP_NTZ", "TIMESTAMP_TZ"}:
            since = True
            staged = self._staging.column(column.staging or "")
            way = converted(staged.type if staged else have, column.type, self._zone)
            if self._zone and way is not None:
                earlier = Earlier(column.staging or "", way, zone=self._zone, alone=True)
        if fit(have, column.least or column.type) is Fit.REBUILD:
            self._retire(column, have)
            self._twin(column, dataclasses.replace(entry, earlier=earlier, since=since, becomes=column.name))
        else:
            self._found.columns.append(dataclasses.replace(entry, earlier=earlier))

    def _defaulted(self, column: FinalColumn) -> None:
        """Old rows show the default on Aurora and send nothing: the merge and the back-fill know it."""
        default, nullable = self._default(column)
        if default is not None:
            self._found.columns.append(dataclasses.replace(self._entry(column), since=nullable, default=default))

    # -- what they are made of ------------------------------------------------------------------------------------

    def _entry(self, column: FinalColumn) -> MergeColumn:
        """The column's entry once the change is over, with STAGING as it will be."""
        staged = self._staged_type(column)
        expected = next(c.type for c in self._pair.landing.staging_columns if c.name == column.staging)
        cast = column.cast
        if staged.base != expected.base:
            cast = cast_between(staged, column.type) or converted(staged, column.type) or cast
        return MergeColumn(
            column.name,
            column.staging or "",
            cast,
            key=column.key,
            scale=scale_for(cast, column.type),
            precision=precision_for(column.type),
            keep_on_null_update=column.keep_on_null_update,
            before=self._images.get(column.name),
        )

    def _twin(self, column: FinalColumn, entry: MergeColumn) -> None:
        name = beside(column.name, NEW, self._names)
        self._names.add(name)
        self._found.final_adds.append(ColumnDef(name, column.type))
        self._found.columns.append(dataclasses.replace(entry, final=name))
        self._found.handled.add(column.name)

    def _retire(self, column: FinalColumn, have: SfType, *, until: bool = False) -> None:
        """The old column goes on being written as it is, and makes room for its successor at the end."""
        staged = self._staged_type(column)
        cast = cast_between(staged, have) or converted(staged, have)
        anew = self._staged_anew.get(column.staging or "")
        earlier = self._earlier_of(anew[0], anew[1], have) if anew else None
        staging = column.staging or ""
        if cast is None and anew is not None:  # what comes from now on does not fit it
            cast, staging, earlier = cast_between(anew[0], have) or Cast.NONE, anew[1], None
        old = beside(column.name, OLD, self._names)
        self._names.add(old)
        self._found.columns.append(
            MergeColumn(
                column.name,
                staging,
                cast or Cast.NONE,
                scale=scale_for(cast or Cast.NONE, have),
                precision=precision_for(have),
                until=until,
                earlier=earlier,
                becomes=old,
            )
        )

    def _stage(self, column: FinalColumn) -> bool:
        """See to it that STAGING takes the new files. False, with a note, where no type takes both kinds."""
        if not self._unstageable(column):
            return True
        have = self._staging.column(column.staging or "")
        expected = next(c for c in self._pair.landing.staging_columns if c.name == column.staging)
        assert have is not None
        both = common(have.type, self._parquet(expected), expected.type)
        if both is None or self._pair.landing.record:  # of records, a type that takes both kinds is found already
            self._refuse(column, f"no STAGING type takes files of {have.type} and of {expected.type}")
            return False
        old = beside(have.name, OLD, self._staged_names)
        self._staged_names.add(old)
        self._staged_anew[have.name] = (have.type, old)
        self._found.anew.append(Anew(ColumnDef(have.name, both), old))
        return True

    def _unstageable(self, column: FinalColumn) -> bool:
        return any(_of(m, column) for m in self._pair.misfits)

    def _parquet(self, expected: StagingColumn) -> str:
        sent = (
            c.parquet_type for e in self._pair.landing.emissions for c in e.columns if c.name == expected.emitted_as
        )
        return next(sent, "")

    def _staged_type(self, column: FinalColumn) -> SfType:
        made = next((a.column.type for a in self._found.anew if a.column.name == column.staging), None)
        if made is not None:
            return made
        there = self._staging.column(column.staging or "")
        expected = next(c.type for c in self._pair.landing.staging_columns if c.name == column.staging)
        return there.type if there is not None else expected

    def _earlier(self, staging: str, final: SfType) -> Earlier | None:
        there = self._staging.column(staging)
        return self._earlier_of(there.type, staging, final) if there is not None else None

    def _earlier_of(self, have: SfType, staging: str, final: SfType) -> Earlier | None:
        same = have.base == final.base
        cast = (None if same else cast_between(have, final)) or converted(have, final, self._zone)
        if cast is None:
            return None
        zone = self._zone if cast in (Cast.ZONED, Cast.LOCAL) else ""
        return Earlier(staging, cast, scale_for(cast, final), precision_for(final), zone)

    def _default(self, column: FinalColumn) -> tuple[Default | None, bool]:
        """The constant that old rows show, and whether a NULL of a new row means NULL."""
        source = self._after.column(column.source or "") if self._after else None
        if source is None or source.missing_value is None or not _CONSTANT.fullmatch(source.default or ""):
            return None, False
        if source.type.resolved not in _PLAIN and source.type.kind != "e":
            return None, False
        expected = next(c.type for c in self._pair.landing.staging_columns if c.name == column.staging)
        return Default(source.missing_value, expected), source.nullable

    def _refuse(self, column: FinalColumn, why: str) -> None:
        """A column that FINAL does not have is added all the same: rows from now on have a value."""
        if self._final.column(column.name) is not None:
            self._found.handled.add(column.name)
        self._found.notes.append(f"{self._pair.landing.final}.{column.name}: {why}; reload the table")

    # -- lineage ----------------------------------------------------------------------------------------------------

    def _column_before(self, column: FinalColumn) -> _Was | None:
        """The same column before the change; None for a new one, and where nobody knows."""
        if self._after is None or self._before is None or column.source is None:
            return None
        now = self._after.column(column.source)
        was = next((c for c in self._before.columns if now is not None and c.attnum == now.attnum), None)
        if was is None:
            return None
        return _Was(was, _landed(self._was, was.name))

    def _other_before(self, column: FinalColumn) -> bool:
        """Was there another column of Aurora under this name of FINAL?"""
        return self._was is not None and any(c.name == column.name and c.source for c in self._was.final_columns)

    def _moves_away(self, name: str, *, renamed_only: bool = False) -> bool:
        """Does the column that has this name in FINAL give it up: renamed, or dropped, on Aurora?"""
        holder = next((c for c in self._was.final_columns if c.name == name), None) if self._was else None
        if holder is None or holder.source is None or self._before is None or self._after is None:
            return False
        was = self._before.column(holder.source)
        now = next((c for c in self._after.columns if was is not None and c.attnum == was.attnum), None)
        if now is None:
            return not renamed_only
        return now.name != holder.source

    def _image_before(self, was: FinalColumn) -> str | None:
        return before_images(self._was).get(was.name) if self._was else None


def _of(item: Misfit, column: FinalColumn) -> bool:
    return isinstance(item.expected, StagingColumn) and item.fit is Fit.REBUILD and item.expected.name == column.staging


def _landed(landing: Landing | None, source: str) -> FinalColumn | None:
    return next((c for c in landing.final_columns if c.source == source), None) if landing else None
