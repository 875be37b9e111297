"""Carries an added column through the statements that write FINAL or load STAGING: SET lists, INSERT lists, VALUES."""

from __future__ import annotations

from driftguard.merge.byhand.carry import Carried, Carrier, Outlet
from driftguard.merge.byhand.detection import Sides
from driftguard.merge.byhand.entries import Entry, disagreements, entries, neighbour
from driftguard.merge.byhand.flow import Source, star, star_words
from driftguard.merge.byhand.layout import aligned, insertions
from driftguard.merge.byhand.neighbours import converts, expression
from driftguard.merge.byhand.nodes import Assignment, Branch, Into, Item, Relation, Select, Sheet, Span, Statement
from driftguard.merge.byhand.tokens import spelled


class Writes:
    """The lists of writing statements. `updated` and `inserted` are the columns that they carried before."""

    def __init__(self, carrier: Carrier) -> None:
        self.carrier = carrier
        self.flow, self.added = carrier.flow, carrier.added
        self.updated: list[frozenset[str]] = []
        self.inserted: list[frozenset[str]] = []

    def merge(self, sheet: Sheet, statement: Statement) -> bool:
        """A MERGE into FINAL. False if it carries no column, as one that only deletes."""
        source = self.flow.source(sheet, statement.relations[0], {})
        target = (statement.alias,) if statement.alias else statement.parts
        concerned = [branch for branch in statement.branches if self._carries(sheet, branch, [source], target)]
        self._conditions(sheet, statement, source, target)
        if not concerned:
            for branch in statement.branches:
                self._strange(sheet, [sheet.tokens[s.target[1] - 1].value for s in branch.sets], branch.span)
                self._strange(sheet, self._columns(sheet, branch.columns, 0) if branch.columns else [], branch.span)
            return False
        name = self.carrier.source(source)
        if name is None:
            raise self.carrier.wrong(
                sheet, source.relation.span[0], "whether the source of the merge has the new column cannot be seen here"
            )
        if any(branch.kind == "by name" for branch in concerned) and name != self.added.final:
            raise self.carrier.wrong(sheet, statement.span[0], "columns are matched by name, but the names differ")
        for branch in concerned:
            if branch.kind == "update":
                self.sets(sheet, branch.sets, [source], target)
            elif branch.kind == "insert":
                self.values(sheet, Into(statement.parts, branch.columns, branch.values), [source], branch.span)
            else:
                self.carrier.there += 1
        self._update_branch(sheet, statement)
        return True

    def _conditions(self, sheet: Sheet, statement: Statement, source: Source, target: tuple[str | None, ...]) -> None:
        if not self.carrier.bears(source):
            return
        sides = Sides([source], target, self.carrier.source)
        for branch in statement.branches:
            if branch.kind == "update" and branch.condition is not None:
                self.carrier.grow(sheet, self.carrier.detection.condition(sheet, branch.condition, sides))

    def _strange(self, sheet: Sheet, names: list[str], span: Span) -> None:
        """Raises `Unreadable` where columns of the source table are filled from something that is not STAGING."""
        finals = [n for n in names if n in self.flow.tables.staging_columns and not self.flow.header(n)]
        if finals:
            raise self.carrier.wrong(
                sheet, span[0], f"{finals[0]} is filled here, but not from STAGING, as far as can be seen"
            )

    def _update_branch(self, sheet: Sheet, statement: Statement) -> None:
        if self.updated or any(branch.kind == "by name" for branch in statement.branches) or not self.inserted:
            return
        if all(column.upper() in self.flow.keys for columns in self.inserted for column in columns):
            raise self.carrier.wrong(
                sheet, statement.span[0], "there is no update branch, as all columns were key; the new one needs one"
            )

    def _carries(self, sheet: Sheet, branch: Branch, sources: list[Source], target: tuple[str | None, ...]) -> bool:
        if branch.kind == "by name":
            return True
        if branch.kind == "update":
            return any(e.main for e in self._set_entries(sheet, branch.sets, sources, target))
        if branch.kind == "insert":
            if sources[0].kind == "other":
                return True
            return any(e.main for e in self._value_entries(sheet, branch.columns, branch.values, sources))
        return False

    def _set_entries(
        self, sheet: Sheet, sets: list[Assignment], sources: list[Source], target: tuple[str | None, ...]
    ) -> list[Entry]:
        pairs = [(s.value, sheet.tokens[s.target[1] - 1].value) for s in sets]
        return entries(self.flow, sheet, pairs, sources, target)

    def sets(self, sheet: Sheet, sets: list[Assignment], sources: list[Source], target: tuple[str | None, ...]) -> None:
        """One SET list that copies data."""
        found = self._set_entries(sheet, sets, sources, target)
        disagreements(self.flow, sheet, found)
        there = self.carrier.present(sheet, found)
        data = [e for e in found if e.main is not None]
        self.updated.append(frozenset(str(e.main) for e in data if e is not there))
        if there is not None:
            self.carrier.there += 1
            return
        giver = data[-1].source
        name = self.carrier.source(giver) if giver is not None else None
        if name is None:
            raise self.carrier.wrong(
                sheet, sets[0].span[0], "whether the source has the new column cannot be seen here"
            )
        self.carrier.tags(sheet, (sets[0].span[0], sets[-1].span[1]))
        if not data[-1].own[0].qualifier and name == self.added.final:
            raise self.carrier.wrong(sheet, sets[0].span[0], f"{name} alone could be the target's column")
        like = sets[data[-1].index]
        tokens, text = sheet.tokens, sheet.fragment.text
        last = tokens[like.target[1] - 1]
        left = text[tokens[like.target[0]].start : last.start] + spelled(self.added.final, last, self.added.source)
        right = expression(
            sheet, [neighbour(self.flow, e, loads=False) for e in data], name, self.added.label, self.added, loads=False
        )
        self.carrier.converted = self.carrier.converted or converts(right)
        spans = [s.span for s in sets]
        blanks = aligned(sheet, spans, [s.equals for s in sets], left, data[-1].index)
        behind = text[tokens[like.equals].end : tokens[like.equals + 1].start]
        behind = behind if not behind.strip() and "\n" not in behind else " "
        self.carrier.grow(sheet, insertions(sheet, spans, data[-1].index, f"{left}{blanks}={behind}{right}"))

    def _value_entries(
        self, sheet: Sheet, columns: list[Item] | None, values: list[Item], sources: list[Source]
    ) -> list[Entry]:
        outs = self._columns(sheet, columns, len(values))
        return entries(self.flow, sheet, [(v.span, o) for v, o in zip(values, outs, strict=False)], sources)

    def _columns(self, sheet: Sheet, columns: list[Item] | None, count: int) -> list[str]:
        if columns is not None:
            return [sheet.tokens[item.value[0]].value for item in columns]
        names = list(self.flow.tables.final_columns)
        return [*names, self.added.final] if count == len(names) + 1 else names

    def values(self, sheet: Sheet, into: Into, sources: list[Source], span: Span) -> None:
        """One list of columns and the VALUES opposite."""
        outs = self._columns(sheet, into.columns, len(into.values))
        if len(outs) != len(into.values):
            raise self.carrier.wrong(
                sheet,
                into.values[0].span[0],
                f"the INSERT lists {len(outs)} columns and VALUES {len(into.values)}: the lists disagree",
            )
        found = self._value_entries(sheet, into.columns, into.values, sources)
        disagreements(self.flow, sheet, found)
        there = self.carrier.present(sheet, found)
        data = [e for e in found if e.main is not None]
        self.inserted.append(frozenset(str(e.main) for e in data if e is not there))
        if there is not None:
            self.carrier.there += 1
            return
        if self.added.final in outs:
            raise self.carrier.wrong(sheet, span[0], f"{self.added.final} is in the list already, with another value")
        giver = data[-1].source if data else None
        name = self.carrier.source(giver) if giver is not None else None
        if name is None:
            raise self.carrier.wrong(sheet, span[0], "the values do not come from STAGING, as far as can be seen here")
        like = [neighbour(self.flow, e, loads=False) for e in data]
        new = expression(sheet, like, name, self.added.label, self.added, loads=False)
        self.carrier.converted = self.carrier.converted or converts(new)
        after = data[-1].index if into.columns is not None else len(into.values) - 1
        self.carrier.tags(sheet, (into.values[0].span[0], into.values[-1].span[1]))
        self.carrier.grow(sheet, insertions(sheet, [v.span for v in into.values], after, new))
        if into.columns is not None:
            self.carrier.tags(sheet, (into.columns[0].span[0], into.columns[-1].span[1]))
            word = spelled(self.added.final, sheet.tokens[into.columns[after].value[0]], self.added.source)
            self.carrier.grow(sheet, insertions(sheet, [c.span for c in into.columns], after, word))

    def insert(self, sheet: Sheet, statement: Statement, into: Into) -> None:
        """INSERT … SELECT, with a list of columns or without, and INSERT … VALUES."""
        if into.values and statement.query is not None:
            branch = self._only(sheet, statement)
            found = Source("query", sheet, Relation(branch.span), (), statement.query)
            self.carrier.source(found)
            self.values(sheet, into, [found], statement.span)
            return
        if statement.query is None:
            raise self.carrier.wrong(
                sheet, statement.span[0], "the values do not come from STAGING: they are given one by one"
            )
        leaves = list(self.flow.leaves(statement.query, {}))
        if into.columns is None and any(star(sheet.tokens, i) is not None for s, _ in leaves for i in s.items):
            self._positional_star(sheet, statement, leaves[0][0])
            return
        names = self._columns(sheet, into.columns, len(leaves[0][0].items))
        outlet = Outlet(tuple(names), end=into.columns is None)
        for select, env in leaves:
            pairs = [(i.value, n) for i, n in zip(select.items, names, strict=False)]
            if all(star(sheet.tokens, i) is None for i in select.items):
                found_here = entries(self.flow, sheet, pairs, self.flow.sources(sheet, select, env))
                self.inserted.append(frozenset(str(e.main) for e in found_here if e.main and e.out != self.added.final))
        carried = self.carrier.query(sheet, statement.query, {}, outlet)
        if carried is None:
            raise self.carrier.wrong(
                sheet, statement.span[0], "the rows do not come from STAGING, as far as can be seen here"
            )
        if into.columns is not None:
            self.carrier.listed(sheet, into.columns, carried, self.added.final)

    def _only(self, sheet: Sheet, statement: Statement) -> Select:
        assert statement.query is not None
        leaves = list(self.flow.leaves(statement.query, {}))
        if len(leaves) != 1:
            raise self.carrier.wrong(sheet, statement.span[0], "a multi-table INSERT over a UNION is not rewritten")
        return leaves[0][0]

    def _positional_star(self, sheet: Sheet, statement: Statement, select: Select) -> None:
        """INSERT INTO t SELECT *: nothing to do as long as both tables have their columns in one order."""
        item = select.items[0]
        words = star_words(sheet.tokens, item) - {"EXCLUDE", "EXCEPT"}
        given = [c for c in self.flow.tables.staging_columns if c not in words]
        base = [self.flow.source(sheet, relation, {}) for relation in select.relations]
        straight = len(select.items) == 1 and len(base) == 1 and base[0].kind == "base"
        if not straight or given != list(self.flow.tables.final_columns) or self.added.staging in words:
            raise self.carrier.wrong(
                sheet,
                statement.span[0],
                "a star fills FINAL by position, and the order of the columns differs or cannot be seen",
            )
        self.carrier.there += 1

    def update(self, sheet: Sheet, statement: Statement) -> bool:
        """UPDATE … FROM. False if it copies no data column."""
        sources = [self.flow.source(sheet, relation, {}) for relation in statement.relations]
        target = (statement.alias,) if statement.alias else statement.parts
        if not any(e.main for e in self._set_entries(sheet, statement.sets, sources, target)):
            self._strange(sheet, [sheet.tokens[s.target[1] - 1].value for s in statement.sets], statement.span)
            return False
        self.sets(sheet, statement.sets, sources, target)
        if statement.where is not None:
            sides = Sides(sources, target, self.carrier.source)
            self.carrier.grow(sheet, self.carrier.detection.condition(sheet, statement.where, sides))
        return True

    def made(self, sheet: Sheet, statement: Statement) -> bool:
        """A view or temporary table over STAGING. False if it does not carry its columns."""
        if statement.query is None:
            return False
        names = tuple(sheet.tokens[item.value[0]].value for item in statement.columns or [])
        carried = self.carrier.query(sheet, statement.query, {}, Outlet(names))
        if carried is None:
            return False
        if statement.columns:
            name = self.carrier.name_in(statement.columns, sheet)
            self.carrier.listed(sheet, statement.columns, carried, name)
        return True

    def copy(self, sheet: Sheet, statement: Statement) -> None:
        """COPY INTO STAGING, from a pipe or a script."""
        added = self.added
        columns = [sheet.tokens[item.value[0]].value for item in statement.columns or []]
        if statement.query is None:
            by_name = statement.options.get("MATCH_BY_COLUMN_NAME", "NONE").strip("'").upper() != "NONE"
            whole = len(columns or self.flow.tables.staging_columns) == 1
            if not by_name and not whole:
                raise self.carrier.wrong(
                    sheet,
                    statement.span[0],
                    "files are loaded by position; where the new field stands in them is not said",
                )
            self.carrier.there += 1
            return
        if added.staging.split(":")[0] != added.staging:
            self.carrier.there += 1  # the record is loaded whole
            return
        leaves = list(self.flow.leaves(statement.query, {}))
        [select, *more] = [s for s, _ in leaves]
        if more or any(star(sheet.tokens, item) is not None for item in select.items):
            raise self.carrier.wrong(sheet, statement.span[0], "the projection of this COPY is not understood")
        names = columns or [*self.flow.tables.staging_columns]
        if not columns and len(select.items) == len(names) + 1:
            names.append(added.staging)
        if len(names) != len(select.items):
            raise self.carrier.wrong(sheet, statement.span[0], "the lists of this COPY disagree")
        carried = self.carrier.query(sheet, statement.query, {}, Outlet(tuple(names), end=not columns, loads=True))
        if carried is None:
            raise self.carrier.wrong(
                sheet,
                statement.span[0],
                "fields are read by position; where the new one stands in the files is not said",
            )
        if statement.columns:
            self.carrier.listed(sheet, statement.columns, carried, added.staging)

    def model(self, sheet: Sheet, statement: Statement) -> Carried | None:
        """The query of a dbt model."""
        assert statement.query is not None
        return self.carrier.query(sheet, statement.query, {}, Outlet(final=True))
