"""Change detection in hand-written merges: chains of comparisons and hashes of columns. The new column belongs in them,
else an update of it alone would never arrive. A hash that is a key stays as it is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from driftguard.merge.byhand.entries import HASHES
from driftguard.merge.byhand.flow import Added, Flow, Ref, Source, refs
from driftguard.merge.byhand.layout import Insertion, between
from driftguard.merge.byhand.neighbours import has_cast, same_type
from driftguard.merge.byhand.nodes import Sheet, Span
from driftguard.merge.byhand.tokens import Kind, Unreadable, spelled

_NOT_EQUAL = ("<>", "!=")


@dataclass(frozen=True, slots=True)
class Sides:
    """What an expression can see: the relations that carry the column and the target of the write, if there is one.

    `name` is what the new column is called in the rows of a source.
    """

    sources: list[Source]
    target: tuple[str | None, ...]
    name: Callable[[Source], str | None]


@dataclass(frozen=True, slots=True)
class _Element:
    """One comparison of a chain or one argument of a hash, about one data column."""

    span: Span
    column: str
    own: tuple[tuple[Ref, Source | None], ...]


class Detection:
    """Finds the chains and hashes in expressions and makes them longer by the added column."""

    def __init__(self, flow: Flow, added: Added) -> None:
        self.flow, self.added = flow, added

    def condition(self, sheet: Sheet, span: Span, sides: Sides) -> list[Insertion]:
        """What a condition needs. Raises `Unreadable` where it looks at data columns of the target otherwise."""
        found: list[Insertion] = []
        seen: list[Span] = []
        for group in self._groups(sheet, span):
            grown = self._chain(sheet, group, sides)
            if grown is not None:
                insertion, spans = grown
                found += insertion
                seen += spans
        hashes = self.hashes(sheet, span, sides)
        seen += [area for area, _ in hashes]
        found += [insertion for _, insertions in hashes for insertion in insertions]
        for ref in refs(sheet.tokens, span):
            inside = any(a <= ref.span[0] < b for a, b in seen)
            if inside or not self._data(sheet.tokens[ref.name].value):
                continue
            found_in = self.flow.ref(sheet, ref, sides.sources)
            foreign = bool(ref.qualifier) and (found_in is None or not found_in[1])
            if (foreign or self._of_target(ref, sides)) and self._compared(sheet, span, ref, sides):
                raise self._wrong(
                    sheet, ref.span, "the condition looks at a data column of the target in a way not known"
                )
        return found

    def _compared(self, sheet: Sheet, span: Span, ref: Ref, sides: Sides) -> bool:
        """Is the target's column held against a data column of the source, other than by order (newer than)?"""
        tokens = sheet.tokens
        start, end = ref.span
        while start > span[0] and not tokens[start - 1].word("AND", "OR"):
            start -= 1
        while end < span[1] and not tokens[end].word("AND", "OR"):
            end += 1
        part = tokens[start:end]
        if any(t.op("<", "<=", ">", ">=") for t in part) and not any(t.op("=", *_NOT_EQUAL) for t in part):
            return False
        own = (self.flow.ref(sheet, r, sides.sources) for r in refs(tokens, (start, end)) if r != ref)
        return any(t.word("SELECT") for t in part) or any(found is not None and found[1] for found in own)

    def _data(self, name: str) -> bool:
        return (
            name in self.flow.tables.final_columns
            and name in self.flow.tables.staging_columns
            and not self.flow.header(name)
            and name not in self.flow.keys
        )

    def _of_target(self, ref: Ref, sides: Sides) -> bool:
        return bool(ref.qualifier) and bool(sides.target) and ref.qualifier[-1] == sides.target[-1]

    def _groups(self, sheet: Sheet, span: Span) -> list[list[Span]]:
        """The parts between OR, for the condition and for each pair of brackets in it; only pure OR chains."""
        groups = []
        tokens = sheet.tokens
        opened: list[tuple[int, list[int], bool]] = [(span[0], [], False)]
        for n in range(span[0], span[1] + 1):
            ends = n == span[1]
            if not ends and tokens[n].op("(", "["):
                opened.append((n + 1, [], False))
            elif ends or tokens[n].op(")", "]"):
                start, ors, mixed = opened.pop()
                cuts = [start, *[o + 1 for o in ors]]
                parts = list(zip(cuts, [*ors, n], strict=True))
                if not mixed and all(a < b for a, b in parts):
                    groups.append(parts)
                elif mixed and ors:
                    groups.append([(start, n)])
                if not opened:
                    opened.append((n, [], False))
            elif tokens[n].word("OR"):
                opened[-1][1].append(n)
            elif tokens[n].word("AND"):
                opened[-1] = (*opened[-1][:2], True)
        return groups

    def _chain(self, sheet: Sheet, group: list[Span], sides: Sides) -> tuple[list[Insertion], list[Span]] | None:
        elements = [e for e in (self._comparison(sheet, part, sides) for part in group) if e is not None]
        if not elements:
            return None
        spans = [e.span for e in elements]
        if any(e.column.upper() == self.added.final.upper() for e in elements):
            return [], spans
        if len(group) < 2:
            raise self._wrong(sheet, group[0], "one column alone is compared; a second one needs OR and brackets")
        at = group.index(elements[-1].span)
        separator = between(sheet, group[at - 1], group[at]) if at else between(sheet, group[0], group[1])
        return [self._grown(sheet, elements, separator, sides)], spans

    def _comparison(self, sheet: Sheet, span: Span, sides: Sides) -> _Element | None:
        """`a.x <> b.x` in one of its forms."""
        tokens = sheet.tokens[span[0] : span[1]]
        if any(t.word("SELECT", "AND", "OR") for t in tokens):
            return None
        unequal = any(t.op(*_NOT_EQUAL) for t in tokens) or (
            any(t.word("DISTINCT") for t in tokens) and not any(t.word("NOT") for t in tokens)
        )
        unequal = unequal or (tokens[0].word("NOT") and any(t.word("EQUAL_NULL") for t in tokens))
        if not unequal or any(t.kind is Kind.WORD and HASHES.fullmatch(t.value) for t in tokens):
            return None
        new, old = [], []
        for ref in refs(sheet.tokens, span):
            if self._of_target(ref, sides):
                old.append(ref)
            else:
                resolved = self.flow.ref(sheet, ref, sides.sources)
                if resolved is None or len(resolved[1]) != 1:
                    return None
                new.append((ref, resolved[0], next(iter(resolved[1]))))
        if len(new) != 1 or len(old) != 1:
            return None
        ref, source, label = new[0]
        if self.flow.header(label) or sheet.tokens[old[0].name].value not in self.flow.tables.final_columns | {
            self.added.final: ""
        }:
            return None
        return _Element(span, sheet.tokens[old[0].name].value, ((ref, source), (old[0], None)))

    def hashes(self, sheet: Sheet, span: Span, sides: Sides) -> list[tuple[Span, list[Insertion]]]:
        """Each hash of data columns in an expression: its place, and what it needs."""
        found = []
        n = span[0]
        while n < span[1] - 1:
            token = sheet.tokens[n]
            if token.word("OVER") and sheet.tokens[n + 1].op("("):
                n = _close(sheet, n + 1)
            if token.kind is Kind.WORD and HASHES.fullmatch(token.value) and sheet.tokens[n + 1].op("("):
                closing = _close(sheet, n + 1)
                found.append(((n, closing + 1), self._hash(sheet, (n + 2, closing), sides)))
                n = closing
            n += 1
        return found

    def _hash(self, sheet: Sheet, inside: Span, sides: Sides) -> list[Insertion]:
        elements = self._arguments(sheet, inside, sides)
        if not elements or any(e.column.upper() in self._new_names() for e in elements):
            return []
        if all(e.column.upper() in self.flow.keys for e in elements):
            return []
        separator = between(sheet, elements[-2].span, elements[-1].span) if len(elements) > 1 else None
        return [self._grown(sheet, elements, separator, sides)]

    def _new_names(self) -> set[str]:
        return {self.added.final.upper(), self.added.label.upper()}

    def _arguments(self, sheet: Sheet, inside: Span, sides: Sides) -> list[_Element]:
        """The arguments and the parts between `||`, at any depth, that are about one data column each."""
        if any(sheet.tokens[n].op("*") for n in range(*inside)):
            return []  # a star takes the new column by itself
        parts: list[Span] = []
        start, depth = inside[0], 0
        for n in range(inside[0], inside[1]):
            token = sheet.tokens[n]
            if depth == 0 and token.op(",", "||"):
                parts.append((start, n))
                start = n + 1
            depth += token.op("(", "[")
            depth -= token.op(")", "]")
        parts.append((start, inside[1]))
        elements: list[_Element] = []
        for part in parts:
            own = self._own(sheet, part, sides)
            if len({column for _, _, column in own}) == 1 and len({s is None for _, s, _ in own}) == 1:
                elements.append(_Element(part, own[0][2], tuple((ref, source) for ref, source, _ in own)))
            elif len(own) > 1:
                opening = next((n for n in range(*part) if sheet.tokens[n].op("(")), None)
                if opening is None or (len(parts) > 1 and elements):
                    raise self._wrong(sheet, part, "the columns of a hash are put together in a way not known")
                elements += self._arguments(sheet, (opening + 1, _close(sheet, opening)), sides)
        return elements

    def _own(self, sheet: Sheet, span: Span, sides: Sides) -> list[tuple[Ref, Source | None, str]]:
        found: list[tuple[Ref, Source | None, str]] = []
        for ref in refs(sheet.tokens, span):
            if self._of_target(ref, sides):
                found.append((ref, None, sheet.tokens[ref.name].value))
                continue
            resolved = self.flow.ref(sheet, ref, sides.sources)
            if resolved is not None and len(resolved[1]) == 1:
                found.append((ref, resolved[0], next(iter(resolved[1]))))
        return found

    def _grown(self, sheet: Sheet, elements: list[_Element], separator: str | None, sides: Sides) -> Insertion:
        if separator is None:
            raise self._wrong(sheet, elements[-1].span, "it does not show how a further column is written")
        like = self._like(sheet, elements)
        changes: dict[int, str] = {}
        for ref, source in like.own:
            name = self.added.final if source is None else sides.name(source)
            if name is None or ref.key is not None:
                raise self._wrong(sheet, like.span, "the new column cannot be named here")
            changes[ref.name] = spelled(name, sheet.tokens[ref.name], self.added.source)
        tokens = sheet.tokens
        out, at = [], tokens[like.span[0]].start
        for n, new in sorted(changes.items()):
            out += [sheet.fragment.text[at : tokens[n].start], new]
            at = tokens[n].end
        out.append(sheet.fragment.text[at : tokens[like.span[1] - 1].end])
        return Insertion(tokens[elements[-1].span[1] - 1].end, separator + "".join(out))

    def _like(self, sheet: Sheet, elements: list[_Element]) -> _Element:
        """The last neighbour of the same type; any neighbour where no literal and no cast has to fit."""
        for element in reversed(elements):
            type_ = self.flow.tables.final_columns.get(element.column) or self.flow.tables.staging_columns.get(
                element.column, ""
            )
            if same_type(type_, self.added.final_type):
                return element
        for element in reversed(elements):
            tokens = sheet.tokens[element.span[0] : element.span[1]]
            if all(_as_text(sheet, ref) for ref, _ in element.own):
                return element
            if not has_cast(tokens) and not any(t.kind in (Kind.STRING, Kind.NUMBER) for t in tokens):
                return element
        raise self._wrong(sheet, elements[-1].span, "no column of the same type shows how the new one is compared")

    def _wrong(self, sheet: Sheet, span: Span, why: str) -> Unreadable:
        return Unreadable(f"change detection: {why}", sheet.fragment.places[sheet.tokens[span[0]].start])


def _as_text(sheet: Sheet, ref: Ref) -> bool:
    """Is the column made a text at once: TO_VARCHAR(x), x::VARCHAR? Then its type does not matter."""
    start, end = ref.span
    before, behind = sheet.tokens[max(0, start - 2) : start], sheet.tokens[end : end + 2]
    called = len(before) == 2 and before[0].word("TO_VARCHAR", "TO_CHAR") and before[1].op("(") and behind[0].op(")")
    return called or (len(behind) == 2 and behind[0].op("::") and behind[1].word("VARCHAR", "STRING", "TEXT"))


def _close(sheet: Sheet, opening: int) -> int:
    depth = 0
    for n in range(opening, len(sheet.tokens)):
        depth += sheet.tokens[n].op("(", "[")
        depth -= sheet.tokens[n].op(")", "]")
        if depth == 0:
            return n
    return len(sheet.tokens)
