"""Where a new entry of a list is put, and with which commas, blanks and line ends: as its neighbours are."""

from __future__ import annotations

from dataclasses import dataclass

from driftguard.merge.byhand.nodes import Sheet, Span
from driftguard.merge.byhand.tokens import Kind, Token


@dataclass(frozen=True, slots=True)
class Insertion:
    """`text` goes before the character at `at` of the fragment's text."""

    at: int
    text: str


@dataclass(frozen=True, slots=True)
class _List:
    sheet: Sheet
    spans: list[Span]

    @property
    def text(self) -> str:
        return self.sheet.fragment.text

    def start(self, n: int) -> int:
        return self.sheet.tokens[self.spans[n][0]].start

    def end(self, n: int) -> int:
        return self.sheet.tokens[self.spans[n][1] - 1].end

    def comma(self, n: int) -> Token:
        """The comma in front of entry n."""
        return self.sheet.tokens[self.spans[n][0] - 1]

    def line(self, at: int) -> int:
        """Where the line of an offset begins."""
        return self.text.rfind("\n", 0, at) + 1

    def leads(self, at: int) -> bool:
        """Is there nothing but blanks before it on its line?"""
        return not self.text[self.line(at) : at].strip(" \t\ufeff")


def insertions(sheet: Sheet, spans: list[Span], after: int, new: str) -> list[Insertion]:
    """What puts `new` behind the entry number `after` of a list that commas separate."""
    entries = _List(sheet, spans)
    leading = next((n for n in (after, 1) if 0 < n < len(spans) and entries.leads(entries.comma(n).start)), None)
    if leading is not None:
        return [_leading(entries, after, leading, new)]
    indent = _own_line(entries, after)
    if indent is not None:
        return _trailing(entries, after, indent, new)
    return _same_line(entries, after, new)


def _line_end(entries: _List, at: int) -> int:
    """The end of the comments that stand behind `at` on its line; `at` where one of them goes on below."""
    end = at
    for token in entries.sheet.fragment.tokens:
        if token.start < at:
            continue
        if "\n" in entries.text[end : token.start] or token.kind is not Kind.COMMENT:
            break
        if "\n" in token.text:
            return at
        end = token.end - (token.text.endswith("\r"))
    return end


def _eol(entries: _List) -> str:
    return "\r\n" if "\r\n" in entries.text else "\n"


def _leading(entries: _List, after: int, like: int, new: str) -> Insertion:
    prefix = entries.text[entries.line(entries.comma(like).start) : entries.start(like)]
    if "\n" in prefix:
        prefix = entries.text[entries.line(entries.comma(like).start) : entries.comma(like).end] + " "
    return Insertion(_line_end(entries, entries.end(after)), _eol(entries) + prefix + new)


def _alone(entries: _List, n: int) -> bool:
    first, last = entries.line(entries.start(n)), entries.line(entries.end(n))
    others = [m for m in range(len(entries.spans)) if m != n]
    return not any(entries.line(entries.end(m)) == first or entries.line(entries.start(m)) == last for m in others)


def _own_line(entries: _List, after: int) -> str | None:
    """The blanks before the entries of a list with one a line; None where several share a line."""
    count = range(len(entries.spans))
    singles = [n for n in count if _alone(entries, n) and entries.leads(entries.start(n))]
    shared = {entries.line(entries.start(n)) for n in count if not _alone(entries, n)}
    if not _alone(entries, after) or len(singles) <= len(shared):
        return None
    like = after if after in singles else (after + 1 if after == 0 and 1 in singles else None)
    if like is None:
        return None
    return entries.text[entries.line(entries.start(like)) : entries.start(like)]


def _gap(entries: _List) -> str:
    """The blanks between an entry and its comma."""
    for n in range(len(entries.spans) - 1, 0, -1):
        blanks = entries.text[entries.end(n - 1) : entries.comma(n).start]
        if not blanks.strip() and "\n" not in blanks:
            return blanks
    return ""


def _trailing(entries: _List, after: int, indent: str, new: str) -> list[Insertion]:
    gap = _gap(entries)
    begin = _eol(entries) + indent + new
    if after + 1 < len(entries.spans):
        return [Insertion(_line_end(entries, entries.comma(after + 1).end), f"{begin}{gap},")]
    end = entries.end(after)
    line_end = _line_end(entries, end)
    if gap and entries.text.startswith(gap, end):
        end += len(gap)
        gap = ""
    if line_end <= end:
        return [Insertion(end, f"{gap},{begin}")]
    return [Insertion(end, f"{gap},"), Insertion(line_end, begin)]


def _same_line(entries: _List, after: int, new: str) -> list[Insertion]:
    between = " "
    for n in (after, *range(len(entries.spans) - 1, 0, -1)):
        if n > 0:
            blanks = entries.text[entries.comma(n).end : entries.start(n)]
            if "\n" not in blanks and not blanks.strip():
                between = blanks
                break
    return [Insertion(entries.end(after), f"{_gap(entries)},{between}{new}")]


def between(sheet: Sheet, first: Span, second: Span) -> str | None:
    """What separates two neighbours of a chain; None where a comment stands there."""
    start, end = sheet.tokens[first[1] - 1].end, sheet.tokens[second[0]].start
    if any(t.kind in (Kind.COMMENT, Kind.TAG) and start <= t.start < end for t in sheet.fragment.tokens):
        return None
    return sheet.fragment.text[start:end]


def aligned(sheet: Sheet, spans: list[Span], signs: list[int], new: str, after: int) -> str:
    """The blanks between `new` and the sign that follows it: `=` or AS, aligned if the neighbours are.

    `signs` are the indexes of the signs of those entries that have one, `spans` their entries.
    """
    text, tokens = sheet.fragment.text, sheet.tokens
    gaps = [text[tokens[sign - 1].end : tokens[sign].start] for sign in signs]
    offsets = [tokens[sign].start - tokens[span[0]].start for sign, span in zip(signs, spans, strict=True)]
    if any("\n" in gap for gap in gaps):
        return " "
    usual = max(offsets, key=offsets.count)
    if offsets.count(usual) > max(1, len(signs) // 2) and any(len(gap) > 1 for gap in gaps):
        return " " * max(1, usual - len(new))
    gap = gaps[min(after, len(gaps) - 1)]
    return gap if len(gap) < 2 else " "
