"""Where in a text the SQL stands: bodies of procedures, string literals of programs, blocks of configuration files.

A fragment knows, for each of its characters, where it came from, so that a change of the SQL is a change of the text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from driftguard.merge.byhand.tokens import Kind, Token, Unreadable, tokenize

CODE = ("javascript", "python", "scala", "java")


@dataclass(frozen=True, slots=True)
class Fragment:
    """A piece of SQL. `places[n]` is the offset in the whole text of character n, and one more for the end.

    `doubled`: so many string literals are around it, in each of which a quote is written twice. `forbidden`: what may
    not be inserted, as it would end the literal or mean something to the program around it.
    """

    text: str
    places: tuple[int, ...]
    doubled: int = 0
    forbidden: tuple[str, ...] = ()
    model: bool = False
    dynamic: list[tuple[int, str]] = field(default_factory=list)
    tokens: list[Token] = field(default_factory=list)


def fragments(text: str, language: str) -> list[Fragment]:
    """The SQL of a text in `language` (sql, jinja, javascript, python, scala, yaml, hcl), outermost first.

    `dynamic` of a fragment lists what is run there but cannot be read: (offset in the whole text, why).
    Raises `Unreadable` where the text cannot be taken apart at all.
    """
    whole = tuple(range(len(text) + 1))
    if language in CODE and not re.match(r"\s*(--[^\n]*\s*)*create\b", text, re.IGNORECASE):
        return list(_literals(text, whole, language))
    if language == "yaml":
        return [f for start, end in _blocks(text) for f in _sql(_piece(text, whole, start, end, "\t"))]
    if language == "hcl":
        return [f for start, end in _heredocs(text) for f in _sql(_piece(text, whole, start, end, "${", "%{"))]
    return list(_sql(Fragment(text, whole, model=language == "jinja", forbidden=("{", "}") * (language == "jinja"))))


def _piece(text: str, places: tuple[int, ...], start: int, end: int, *forbidden: str) -> Fragment:
    return Fragment(text[start:end], places[start : end + 1], forbidden=forbidden)


def _blocks(text: str) -> Iterator[tuple[int, int]]:
    """Block scalars of YAML: `key: |` and the lines indented below it."""
    for head in re.finditer(r"^( *)(?:- )?[\w.-]+:[ \t]*\|[-+]?[ \t]*\r?\n", text, re.MULTILINE):
        end = head.end()
        inner = None
        for line in re.finditer(r"[^\n]*\n|[^\n]+\Z", text[head.end() :]):
            blanks = len(line[0]) - len(line[0].lstrip(" "))
            if line[0].strip():
                inner = blanks if inner is None else inner
                if blanks < inner or blanks <= len(head[1]):
                    break
            end = head.end() + line.end()
        yield head.end(), end


def _heredocs(text: str) -> Iterator[tuple[int, int]]:
    for found in re.finditer(r"<<-?(\w+)[ \t]*\r?\n(.*?)^[ \t]*\1[ \t]*$", text, re.DOTALL | re.MULTILINE):
        yield found.start(2), found.end(2)


def _sql(fragment: Fragment) -> Iterator[Fragment]:
    """The fragment, and what is in its string literals: bodies and constant texts that are executed."""
    fragment.tokens.extend(tokenize(fragment.text))
    yield fragment
    tokens = [token for token in fragment.tokens if token.kind not in (Kind.COMMENT, Kind.TAG)]
    language = ""
    for n, token in enumerate(tokens):
        following = tokens[n + 1] if n + 1 < len(tokens) else None
        if token.word("CREATE"):
            language = _created_language(tokens[n : n + 120])
        if token.word("IMMEDIATE") and n and tokens[n - 1].word("EXECUTE"):
            after = tokens[n + 2] if n + 2 < len(tokens) else None
            if following is None or following.word("FROM"):
                continue
            if following.kind in (Kind.STRING, Kind.DOLLAR) and (after is None or after.op(";") or after.word("USING")):
                yield from _sql(_inside(fragment, following))
            else:
                why = "a statement is put together while it runs (EXECUTE IMMEDIATE of a variable or of pieces)"
                fragment.dynamic.append((fragment.places[token.start], why))
        elif token.word("AS") and language and following is not None and following.kind in (Kind.STRING, Kind.DOLLAR):
            body = _inside(fragment, following)
            if language in CODE:
                if following.kind is Kind.STRING:
                    raise Unreadable("a program in a quoted body is not read", fragment.places[following.start])
                yield from _literals(body.text, body.places, language)
            else:
                yield from _sql(body)
            language = ""


def _created_language(tokens: list[Token]) -> str:
    """The language of the body that a CREATE statement has; nothing where it creates neither procedure nor function."""
    if not any(token.word("PROCEDURE") for token in tokens[:5]):
        return ""
    for n, token in enumerate(tokens[:-1]):
        if token.op(";"):
            break
        if token.word("LANGUAGE"):
            return tokens[n + 1].value.lower()
    return "sql"


def _inside(fragment: Fragment, literal: Token) -> Fragment:
    """What stands between the quotes, with the quotes that are doubled in it made single."""
    if literal.kind is Kind.DOLLAR:
        start, end = literal.start + 2, literal.end - 2
        places = fragment.places[start : end + 1]
        return Fragment(fragment.text[start:end], places, fragment.doubled, (*fragment.forbidden, "$$"))
    if "\\" in literal.text:
        raise Unreadable("a quoted text with backslashes in it is not read", fragment.places[literal.start])
    kept = []
    at = literal.start + 1
    while at < literal.end - 1:
        kept.append(at)
        at += 2 if fragment.text.startswith("''", at) else 1
    text = "".join(fragment.text[n] for n in kept)
    kept.append(literal.end - 1)
    places = tuple(fragment.places[n] for n in kept)
    return Fragment(text, places, fragment.doubled + 1, (*fragment.forbidden, "\\"))


_LITERALS = {
    "javascript": r"//[^\n]*|/\*.*?\*/|(?P<open>`)(?P<t>(?:[^`\\]|\\.)*)`"
    r"|\"(?P<d>(?:[^\"\\\n]|\\.)*)\"|'(?P<s>(?:[^'\\\n]|\\.)*)'",
    "python": r"\#[^\n]*|(?P<prefix>(?<!\w)[A-Za-z]{0,2})(?:(?P<open>\"\"\"|''')(?P<t>(?:[^\\]|\\.)*?)(?P=open)"
    r"|\"(?P<d>(?:[^\"\\\n]|\\.)*)\"|'(?P<s>(?:[^'\\\n]|\\.)*)')",
    "scala": r"//[^\n]*|/\*.*?\*/|(?P<open>\"\"\")(?P<t>.*?)\"\"\"|\"(?P<d>(?:[^\"\\\n]|\\.)*)\"|'(?P<s>[^'\\\n]|\\.)'",
}
_CALL = re.compile(r"\s*CALL\s+(?P<name>[\w$]+(?:\.[\w$]+){0,2})\s*\(", re.IGNORECASE)


def called(text: str, language: str) -> list[tuple[str, ...]]:
    """The names of the procedures that string literals of a program call, in capitals."""
    pattern = re.compile(_LITERALS["scala" if language == "java" else language], re.DOTALL)
    found = (_CALL.match(literal[group] or "") for literal in pattern.finditer(text) for group in ("t", "d", "s"))
    return [tuple(match["name"].upper().split(".")) for match in found if match is not None]


_WRITE = re.compile(r"\b(merge\s+into|insert\s+(overwrite\s+)?(into|all)|copy\s+into|update\s+\S+\s+set)\b", re.I)
_PARTS = re.compile(r"\b(merge|insert|when\s+(not\s+)?matched|update\s+set|select|qualify)\b", re.I)


def _literals(text: str, places: tuple[int, ...], language: str) -> Iterator[Fragment]:
    """String literals of a program that are whole statements; pieces of statements are `dynamic`."""
    pattern = re.compile(_LITERALS["scala" if language == "java" else language], re.DOTALL)
    found = [m for m in pattern.finditer(text) if m["t"] is not None or m["d"] is not None or m["s"] is not None]
    notes: list[tuple[int, str]] = []
    pieces = []
    for n, literal in enumerate(found):
        group = next(name for name in ("t", "d", "s") if literal[name] is not None)
        content = literal[group]
        if not _PARTS.search(content):
            continue
        joined = _joined(text, literal, found[n - 1] if n else None, found[n + 1] if n + 1 < len(found) else None)
        if joined or (_PARTS.match(content.strip()) and not content.strip().lower().startswith(_HEADS)):
            notes.append((places[literal.start()], "a statement is glued together from several string literals"))
            continue
        if _changed_later(text, literal.start()):
            notes.append((places[literal.start()], "a statement is changed by the program before it runs"))
            continue
        if "\\" in content and _WRITE.search(content):
            raise Unreadable("a string literal with backslashes in it is not read", places[literal.start()])
        if not content.strip().lower().startswith(_HEADS):
            continue
        quote = {"t": literal["open"] or "", "d": '"', "s": "'"}[group]
        start, end = literal.span(group)
        pieces.append(_piece(text, places, start, end, quote, "\\", "{", "}", "${"))
    pieces.append(Fragment("", places[:1], dynamic=notes))
    for piece in pieces:
        if piece.text:
            yield from _sql(piece)
        else:
            yield piece


_HEADS = ("merge", "insert", "copy", "update", "delete", "begin", "select", "with", "create", "call")


def _changed_later(text: str, at: int) -> bool:
    """Is the variable that holds the literal added to, or changed by a method, anywhere in the program?"""
    named = re.search(r"(\w+)\s*(?::[^=\n]+)?=\s*\w{0,2}$", text[:at])
    if named is None:
        return False
    name = re.escape(named[1])
    changes = rf"(?<![\w.]){name}\s*(?:\+|%|\.(?:replace|concat|join|slice|substring|strip|split)\b)|\+\s*{name}(?!\w)"
    return re.search(changes, text) is not None


_METHOD = re.compile(r"\.(?!(format|strip|trim|stripMargin)\b)\w")


def _joined(text: str, literal: re.Match[str], before: re.Match[str] | None, after: re.Match[str] | None) -> bool:
    """Is the literal one piece of several: next to another one, or beside a plus sign?"""
    left = text[before.end() if before else 0 : literal.start()].rstrip()
    right = text[literal.end() : after.start() if after else len(text)].lstrip()
    beside = (before is not None and not left) or (after is not None and not right)
    return beside or left.endswith(("+", "+=")) or right.startswith(("+", "%")) or bool(_METHOD.match(right))
