"""Carries an added column through queries: which lists it needs to stand in so that it comes out at the end."""

from __future__ import annotations

from dataclasses import dataclass

from driftguard.merge.byhand.clues import positions
from driftguard.merge.byhand.detection import Detection, Sides
from driftguard.merge.byhand.entries import Entry, disagreements, entries, neighbour
from driftguard.merge.byhand.flow import RECORD, Added, Env, Flow, Source, output_name, star, star_words, starred
from driftguard.merge.byhand.layout import Insertion, aligned, insertions
from driftguard.merge.byhand.neighbours import converts, expression, kind, plain_reference
from driftguard.merge.byhand.nodes import Item, Query, Select, Sheet, Span
from driftguard.merge.byhand.tokens import Kind, Unreadable, spelled


@dataclass(frozen=True, slots=True)
class Carried:
    """The column comes out of a query under `name`. `after`: it was put behind that item; `at`: it was there before."""

    name: str
    after: int | None = None
    at: int | None = None


@dataclass(frozen=True, slots=True)
class Outlet:
    """What a query's columns are called: the names of a list in front of it, if there is one.

    `end`: the column goes last, as positions count. `final`: it must come out under its name in FINAL.
    """

    names: tuple[str, ...] = ()
    end: bool = False
    final: bool = False
    loads: bool = False


class Carrier:
    """Collects the insertions that carry one added column through the statements of a text."""

    def __init__(self, flow: Flow, added: Added) -> None:
        self.flow, self.added = flow, added
        self.detection = Detection(flow, added)
        self.growth: list[tuple[Sheet, Insertion]] = []
        self.there = 0
        self.converted = False
        self._done: dict[int, Carried | None] = {}
        self.mains: dict[int, frozenset[str]] = {}

    def wrong(self, sheet: Sheet, at: int, why: str) -> Unreadable:
        at = min(at, len(sheet.tokens) - 1)
        return Unreadable(why, sheet.fragment.places[sheet.tokens[at].start])

    def grow(self, sheet: Sheet, found: list[Insertion]) -> None:
        self.growth += [(sheet, insertion) for insertion in found]

    def query(self, sheet: Sheet, query: Query, env: Env, outlet: Outlet) -> Carried | None:
        """Carries the column through a query; None where its rows do not come from STAGING column by column."""
        if id(query) not in self._done:
            self._done[id(query)] = self._query(sheet, query, env, outlet)
        return self._done[id(query)]

    def _query(self, sheet: Sheet, query: Query, env: Env, outlet: Outlet) -> Carried | None:
        leaves = list(self.flow.leaves(query, env))
        found = []
        for select, seen in leaves:
            found.append(self._select(sheet, select, seen, outlet))
            if (
                not outlet.names
                and len(leaves) > 1
                and not any(star(sheet.tokens, i) is not None for i in select.items)
            ):
                names = tuple(output_name(sheet.tokens, item) for item in select.items)
                outlet = Outlet(names, outlet.end, outlet.final, outlet.loads)
        if all(carried is None for carried in found):
            return None
        if any(carried is None for carried in found):
            raise self.wrong(
                sheet,
                query.span[0],
                "the other half of a UNION does not read STAGING; nobody said that it has the column",
            )
        if len(set(found)) > 1:
            raise self.wrong(sheet, query.span[0], "the halves of a UNION do not have their columns in the same places")
        return found[0]

    def went_through(self, query: Query) -> bool:
        """Was the column carried through this query?"""
        return self._done.get(id(query)) is not None

    def source(self, source: Source) -> str | None:
        """Carries the column into a relation; its name there."""
        if source.kind == "base":
            return self.added.staging
        if source.kind != "query" or source.query is None:
            return None
        names = source.names
        carried = self.query(source.sheet, source.query, source.env, Outlet(names))
        if carried is None:
            return None
        listed: list[Item] = []
        if source.made is not None and source.made.columns:
            listed = source.made.columns
        elif names:
            cte = next((c for c, _ in source.env.values() if c.query is source.query), None)
            named = source.relation.parts[0] if source.relation.parts else None
            listed = cte.columns if cte else []
            if not listed:
                raise self.wrong(source.sheet, source.query.span[0], f"the column list of {named} is not found")
        if listed:
            self.listed(source.sheet, listed, carried, self.name_in(listed, source.sheet))
        return self.name_in(listed, source.sheet) if listed else carried.name

    def name_in(self, listed: list[Item], sheet: Sheet) -> str:
        """What the column is called in a list of names: as FINAL calls it where the list's names are FINAL's."""
        names = {sheet.tokens[item.value[0]].value for item in listed}
        strange = names - set(self.flow.tables.staging_columns)
        return self.added.final if strange & set(self.flow.tables.final_columns) else self.added.staging

    def listed(self, sheet: Sheet, listed: list[Item], carried: Carried, name: str) -> None:
        """The same place in a list of names in front of a query or of VALUES."""
        key = id(listed)
        if key in self.mains:
            return
        self.mains[key] = frozenset()
        names = [sheet.tokens[item.value[0]].value for item in listed]
        if name in names:
            if carried.at != names.index(name):
                raise self.wrong(
                    sheet, listed[0].span[0], f"{name} is in the list of columns, but its value is not opposite"
                )
            self.there += 1
            return
        if carried.after is None:
            raise self.wrong(
                sheet, listed[0].span[0], f"the value for {name} is there, but the list of columns lacks it"
            )
        like = sheet.tokens[listed[carried.after].value[0]]
        new = spelled(name, like, self.added.source)
        self.grow(sheet, insertions(sheet, [item.span for item in listed], carried.after, new))

    def _select(self, sheet: Sheet, select: Select, env: Env, outlet: Outlet) -> Carried | None:
        sources = self.flow.sources(sheet, select, env)
        stars = [item for item in select.items if star(sheet.tokens, item) is not None]
        if any(sheet.tokens[item.value[0]].kind is Kind.HOLE and len(range(*item.value)) == 1 for item in select.items):
            raise self.wrong(sheet, select.items[0].span[0], "an entry of the list is put in by a template or a macro")
        if outlet.names and not stars and len(outlet.names) != len(select.items):
            raise self.wrong(
                sheet,
                select.span[0],
                f"{len(outlet.names)} columns are listed, but the SELECT gives {len(select.items)}: the lists disagree",
            )
        plain = [(n, item) for n, item in enumerate(select.items) if star(sheet.tokens, item) is None]
        pairs = [(item.value, self._out(sheet, n, item, outlet)) for n, item in plain]
        found = entries(self.flow, sheet, pairs, sources)
        for entry, (n, _) in zip(found, plain, strict=True):
            entry.index = n
        disagreements(self.flow, sheet, found)
        there = self.present(sheet, found)
        for item in stars:
            for source in starred(sheet.tokens, item, sources):
                name = self.source(source) if self.bears(source) else None
                if name is not None and there is None:
                    return self._starred(sheet, select, item, name, sources, found, outlet)
        if there is not None:
            self.there += 1
            for entry in found:
                if entry.source is not None and entry.index == there.index:
                    self.source(entry.source)
            self._tags(sheet, select)
            self._hashes(sheet, sources, found)
            self._conditions(sheet, select, sources)
            return Carried(there.out, at=there.index)
        data = [entry for entry in found if entry.main is not None]
        if not data:
            record = any(entry.columns == {RECORD} for entry in found)
            return Carried(self.added.staging) if record else None
        if stars:
            raise self.wrong(
                sheet, select.span[0], "columns and a star that does not give the new one stand in one list"
            )
        return self._grown(sheet, select, sources, found, data, outlet)

    def _out(self, sheet: Sheet, n: int, item: Item, outlet: Outlet) -> str:
        return outlet.names[n] if n < len(outlet.names) else output_name(sheet.tokens, item)

    def bears(self, source: Source) -> bool:
        """Do the relation's rows come from STAGING column by column?"""
        if source.kind == "base":
            return True
        if source.kind != "query" or source.query is None:
            return False
        for select, env in self.flow.leaves(source.query, source.env):
            inner = self.flow.sources(source.sheet, select, env)
            for item in select.items:
                if star(source.sheet.tokens, item) is not None:
                    if any(self.bears(s) for s in starred(source.sheet.tokens, item, inner)):
                        return True
                elif self.flow.columns(source.sheet, item.value, inner):
                    return True
        return False

    def _starred(
        self,
        sheet: Sheet,
        select: Select,
        item: Item,
        name: str,
        sources: list[Source],
        found: list[Entry],
        outlet: Outlet,
    ) -> Carried:
        words = star_words(sheet.tokens, item)
        if words & {self.added.final, self.added.staging}:
            raise self.wrong(sheet, item.span[0], f"{name} is left out of the star on purpose, or changed there")
        if words & {"RENAME", "ILIKE", "REPLACE"}:
            raise self.wrong(sheet, item.span[0], "the star is changed by RENAME, REPLACE or ILIKE")
        if outlet.names or outlet.end:
            raise self.wrong(
                sheet, item.span[0], "a star gives the columns by position; where the new one comes is not clear"
            )
        self._hashes(sheet, sources, found)
        self._conditions(sheet, select, sources)
        self.there += 1
        return Carried(name)

    def present(self, sheet: Sheet, found: list[Entry]) -> Entry | None:
        """The entry that is the added column already. Raises `Unreadable` if its name stands for something else."""
        for entry in found:
            if entry.out not in (self.added.final, self.added.staging, self.added.label):
                continue
            labels = {c.upper() for c in entry.columns if not self.flow.header(c)} or {c.upper() for c in entry.columns}
            if labels & {self.added.label.upper(), self.added.source.upper()} and entry.main is not None:
                return entry
            raise self.wrong(
                sheet, entry.value[0], f"{entry.out} is in the list already, with a value that is not the new column"
            )
        return None

    def _grown(
        self, sheet: Sheet, select: Select, sources: list[Source], found: list[Entry], data: list[Entry], outlet: Outlet
    ) -> Carried:
        givers = {id(entry.source) for entry in data}
        giver = data[-1].source
        if len(givers) > 1 or giver is None:
            raise self.wrong(sheet, select.span[0], "data columns come from two relations of one FROM clause")
        if len(sources) > 1 and not data[-1].own[0].qualifier:
            raise self.wrong(
                sheet, select.span[0], "tables are joined, columns not qualified: the new one may be in both"
            )
        inner = self.source(giver)
        if inner is None:
            raise self.wrong(sheet, giver.relation.span[0], "whether the source has the new column cannot be seen here")
        spans = [item.span for item in select.items]
        self._tags(sheet, select)
        after = len(spans) - 1 if outlet.end else data[-1].index
        grouped = self._grouped(sheet, select, sources, data, after)
        like = [neighbour(self.flow, entry, loads=outlet.loads) for entry in data]
        kinds = [kind(sheet, n) for n in like]
        if "aggregate" in kinds:
            like = [n for n, k in zip(like, kinds, strict=True) if k == "aggregate"]
        elif grouped:
            self.grow(sheet, grouped)
        elif grouped is not None:
            raise self.wrong(sheet, select.span[0], "how the new column goes with GROUP BY is not shown by a neighbour")
        new = expression(sheet, like, inner, self._key(giver), self.added, loads=outlet.loads)
        self.converted = self.converted or converts(new)
        name = self._name(inner, data, outlet)
        items = [select.items[entry.index] for entry in data]
        plain = new == plain_reference(sheet, like, inner, self.added)
        new += self._alias(sheet, select, items, new, name, inner, outlet, plain=plain)
        self.grow(sheet, insertions(sheet, spans, after, new))
        self._hashes(sheet, sources, found)
        self._conditions(sheet, select, sources)
        return Carried(name, after=after)

    def _conditions(self, sheet: Sheet, select: Select, sources: list[Source]) -> None:
        """Comparisons with FINAL, where the query joins it or looks into it."""
        final = self.flow.tables.final
        joined = [s for s in sources if s.kind == "other" and self.flow.matches(sheet, s.relation.parts, final)]
        others = [s for s in sources if s not in joined]
        spans = [relation.on for relation in select.relations if relation.on is not None]
        spans += [select.clauses[c] for c in ("WHERE", "QUALIFY", "HAVING") if c in select.clauses]
        for span in spans:
            alias = joined[0].alias if joined else ()
            self.grow(sheet, self.detection.condition(sheet, span, Sides(others, alias, self.source)))

    def _key(self, giver: Source) -> str:
        if giver.kind == "base":
            return self.added.source if giver.relation.stage else self.added.label
        return self.added.label

    def _name(self, inner: str, data: list[Entry], outlet: Outlet) -> str:
        """What the column is called when it comes out."""
        if outlet.loads:
            return self.added.staging
        if ":" in inner or inner == self.added.final or outlet.final:
            return self.added.final
        finals = self.flow.tables.final_columns
        renamed = any(e.main != e.out and e.out in finals and e.main is not None for e in data)
        return self.added.final if renamed else inner

    def _alias(
        self,
        sheet: Sheet,
        select: Select,
        items: list[Item],
        new: str,
        name: str,
        inner: str,
        outlet: Outlet,
        *,
        plain: bool,
    ) -> str:
        """` AS name` in the neighbours' manner, where it is needed or usual."""
        tokens = sheet.tokens
        with_alias = [item for item in items if item.alias is not None]
        bare = plain and name == inner
        usual = items[-1].alias is not None
        plain_usual = any(
            item.alias is not None and output_name(tokens, Item(item.value, item.value)) == tokens[item.alias].value
            for item in items
        )
        if outlet.names:
            if not usual:
                return ""
        elif bare and not plain_usual:
            return ""
        if not with_alias:
            raise self.wrong(
                sheet, items[-1].span[0], f"how the value is to be called {name} here is not shown by a neighbour"
            )
        like = with_alias[-1]
        assert like.alias is not None
        word = spelled(name, tokens[like.alias], self.added.source)
        if not tokens[like.alias - 1].word("AS"):
            return " " + word
        keyed = [item for item in select.items if item.alias is not None and tokens[item.alias - 1].word("AS")]
        signs = [item.alias - 1 for item in keyed if item.alias is not None]
        blanks = aligned(sheet, [item.span for item in keyed], signs, new, keyed.index(like))
        return f"{blanks}{tokens[like.alias - 1].text} {word}"

    def _grouped(
        self, sheet: Sheet, select: Select, sources: list[Source], columns: list[Entry], after: int
    ) -> list[Insertion] | None:
        """What GROUP BY needs for a column that is not aggregated; None: nothing, empty: that is not known."""
        if any(number > after + 1 for number in positions(sheet, select)):
            raise self.wrong(sheet, select.span[0], "columns behind the new one are named by their position")
        if not select.group or any(sheet.tokens[item.span[0]].word("ALL") for item in select.group):
            return None
        pairs = [(item.span, output_name(sheet.tokens, item)) for item in select.group]
        grouped = entries(self.flow, sheet, pairs, sources)
        data = [entry for entry in grouped if entry.plain and entry.main is not None]
        named = {entry.main for entry in data}
        others = [entry for entry in columns if str(entry.main).upper() not in self.flow.keys]
        if not others or not all(entry.plain and entry.main in named for entry in columns):
            return []
        inner = self.source(data[-1].source) if data[-1].source else None
        if inner is None:
            return []
        like = sheet.tokens[data[-1].own[0].name]
        prefix = sheet.fragment.text[sheet.tokens[data[-1].own[0].span[0]].start : like.start]
        new = prefix + spelled(inner, like, self.added.source)
        return insertions(sheet, [item.span for item in select.group], data[-1].index, new)

    def _tags(self, sheet: Sheet, select: Select) -> None:
        """Raises `Unreadable` where a template's loop or condition stands inside the list."""
        first, last = select.items[0].span[0], select.items[-1].span[1] - 1
        self.tags(sheet, (first, last + 1))

    def tags(self, sheet: Sheet, span: Span) -> None:
        start, end = sheet.tokens[span[0] - 1].end if span[0] else 0, sheet.tokens[span[1] - 1].end
        if any(t.kind is Kind.TAG and start <= t.start < end for t in sheet.fragment.tokens):
            raise self.wrong(sheet, span[0], "a template's loop or condition makes the list")

    def _hashes(self, sheet: Sheet, sources: list[Source], found: list[Entry]) -> None:
        """The hashes of columns among the entries that are no keys."""
        sides = Sides(sources, (), self.source)
        for entry in found:
            if entry.main is not None or entry.out in self.flow.keys:
                continue
            grown = [insertion for _, many in self.detection.hashes(sheet, entry.value, sides) for insertion in many]
            if grown and entry.out not in self.flow.compared:
                raise self.wrong(
                    sheet, entry.value[0], f"what the hash {entry.out or 'of columns'} is for is not clear"
                )
            self.grow(sheet, grown)
            words = {t.value for t in sheet.tokens[entry.value[0] : entry.value[1]] if t.kind is Kind.WORD}
            if words & {"OBJECT_CONSTRUCT", "OBJECT_CONSTRUCT_KEEP_NULL", "ARRAY_CONSTRUCT"} and entry.columns - {
                RECORD
            }:
                raise self.wrong(
                    sheet, entry.value[0], f"{entry.out} is built from columns by name; add the new one by hand"
                )
