"""The corpus of hand-written merges is consistent in itself: see handwritten/README.md."""

from __future__ import annotations

import logging
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import sqlglot
from sqlglot import exp

CORPUS = Path(__file__).parent / "handwritten"
CASES = sorted(path.parent for path in CORPUS.glob("*/case.toml"))
TEXT_KEYS = ("what", "object", "language", "dialect")


def case_of(folder: Path) -> dict[str, Any]:
    return tomllib.loads((folder / "case.toml").read_text(encoding="utf-8"))


def text_file(folder: Path, stem: str) -> Path | None:
    found = sorted(folder.glob(f"{stem}.*"))
    assert len(found) <= 1, f"{folder.name}: more than one {stem} text"
    return found[0] if found else None


def statements(text: str) -> list[exp.Expression]:
    """Parse with sqlglot; texts that it only recognises come back as Command."""
    logging.getLogger("sqlglot").setLevel(logging.ERROR)
    return [statement for statement in sqlglot.parse(text, dialect="snowflake") if statement is not None]


def expectations() -> list[str]:
    return [case_of(folder)["expect"] for folder in CASES]


def test_every_folder_is_a_case() -> None:
    assert sorted(path for path in CORPUS.iterdir() if path.is_dir()) == CASES


def test_there_are_enough_cases_and_enough_refusals() -> None:
    assert len(CASES) >= 60
    assert expectations().count("refuse") >= 15
    assert expectations().count("unchanged") >= 5


def test_no_two_cases_have_the_same_text() -> None:
    texts = [before.read_bytes() for folder in CASES if (before := text_file(folder, "before"))]
    assert len(set(texts)) == len(CASES)


@pytest.mark.parametrize("folder", CASES, ids=lambda folder: folder.name)
def test_the_case_says_what_it_needs(folder: Path) -> None:
    case = case_of(folder)
    for key in TEXT_KEYS:
        assert case[key].strip()
    assert case["line_ends"] in {"lf", "crlf"}
    assert isinstance(case["valid"], bool)
    assert case["sqlglot"] in {"statements", "command", "no"}
    assert case["expect"] in {"rewrite", "refuse", "unchanged"}
    assert ("reason" in case) == (case["expect"] != "rewrite")
    assert case.get("reason", "a reason").strip()
    assert case["table"]["staging"] and case["table"]["final"]
    for side in ("staging", "final"):
        names = [column["name"] for column in case[side]]
        assert names and len(set(names)) == len(names)
        assert all(column["type"] for column in case[side])
        assert not {added[side] for added in case["added"]} & set(names), "the column is said to be new"
    assert set(case["table"]["key"]) <= {column["name"] for column in case["final"]}
    assert all(added[key] for added in case["added"] for key in ("source", "staging_type", "final_type"))


@pytest.mark.parametrize("folder", CASES, ids=lambda folder: folder.name)
def test_there_is_an_after_text_exactly_where_something_is_to_be_rewritten(folder: Path) -> None:
    case = case_of(folder)
    before, after = text_file(folder, "before"), text_file(folder, "after")
    assert before is not None
    assert (after is not None) == (case["expect"] == "rewrite")
    if after is not None:
        assert after.suffix == before.suffix
        assert after.read_bytes() != before.read_bytes()


@pytest.mark.parametrize("folder", CASES, ids=lambda folder: folder.name)
def test_a_rewrite_only_inserts_and_names_the_new_column_more_often(folder: Path) -> None:
    after = text_file(folder, "after")
    if after is None:
        return
    old, new = (folder / f"before{after.suffix}").read_text("utf-8"), after.read_text("utf-8")
    rest = iter(new)
    assert all(letter in rest for letter in old), "something was taken away or moved"
    for added in case_of(folder)["added"]:
        # staging may be a path into a VARIANT column; the key in the path is what the text names
        for name in (added["staging"].split(":")[-1].lower(), added["final"].lower()):
            assert new.lower().count(name) > old.lower().count(name)


@pytest.mark.parametrize("folder", CASES, ids=lambda folder: folder.name)
def test_the_line_ends_are_as_said(folder: Path) -> None:
    crlf = case_of(folder)["line_ends"] == "crlf"
    for stem in ("before", "after"):
        if file := text_file(folder, stem):
            data = file.read_bytes()
            assert data.count(b"\r\n") == (data.count(b"\n") if crlf else 0)
            assert data.count(b"\r") == data.count(b"\r\n")


@pytest.mark.parametrize("folder", CASES, ids=lambda folder: folder.name)
def test_what_is_said_to_be_readable_parses(folder: Path) -> None:
    case = case_of(folder)
    if case["sqlglot"] == "no":
        return
    for stem in ("before", "after"):
        if file := text_file(folder, stem):
            parsed = statements(file.read_text("utf-8"))
            assert parsed
            if case["sqlglot"] == "statements":
                assert not any(isinstance(statement, exp.Command) for statement in parsed)


def without_templates(text: str) -> str:
    """Names for placeholders, ends of statements for template tags, one single quote for doubled ones."""
    text = re.sub(r"\$\{[^}]*\}|\{\{.*?\}\}|\{db\}", "PLACEHOLDER", text, flags=re.DOTALL)
    text = re.sub(r"\{%.*?%\}|^\s*SQL$|^\s*- id:", ";", text, flags=re.DOTALL | re.MULTILINE)
    return re.sub(r"'{2,}", "'", text)


def without_comments(text: str) -> str:
    """Comments may hold semicolons, at which a statement would seem to end; literals and quoted names stay."""
    tokens = r"('(?:[^']|'')*'|\"[^\"]*\")|--[^\n]*|//[^\n]*|/\*.*?\*/"
    return re.sub(tokens, lambda found: found[1] or " ", text, flags=re.DOTALL)


def writes_in(text: str) -> list[exp.Expression]:
    """Every MERGE, INSERT and COPY that can be taken out of a text by trying its possible ends, the plain ones first."""
    found: list[exp.Expression] = []
    text = without_comments(text)
    starts = r"\b(merge\s+into|copy\s+into|insert\s+(overwrite\s+)?into|insert\s+all)\b"
    for start in re.finditer(starts, text, flags=re.IGNORECASE):
        rest = text[start.start() :]
        ends = [*re.finditer(r";|\$\$|`|\"\"\"|'''|\Z", rest), *re.finditer("'", rest)]
        for end in ends:
            try:
                parsed = sqlglot.parse_one(rest[: end.start()], dialect="snowflake")
            except sqlglot.errors.SqlglotError:
                continue
            if isinstance(parsed, exp.Merge | exp.Copy | exp.Insert | exp.MultitableInserts):
                found.append(parsed)
                break
    return found


def values_of(write: exp.Expression) -> list[exp.Expression]:
    given = write.args["files"][0].unnest() if isinstance(write, exp.Copy) else write.expression
    if isinstance(given, exp.Values):
        given = given.expressions[0]
    return given.selects if isinstance(given, exp.Query) else given.expressions if given else []


def lists_agree(statement: exp.Expression) -> bool:
    """Each INSERT and COPY with a column list has as many values as columns (a star cannot be counted)."""
    for write in statement.find_all(exp.Insert, exp.Copy):
        columns, values = write.this, values_of(write)
        listed = isinstance(columns, exp.Schema | exp.Tuple)
        if listed and values and not any(value.is_star for value in values) and len(columns.expressions) != len(values):
            return False
    return True


@pytest.mark.parametrize("folder", CASES, ids=lambda folder: folder.name)
def test_after_a_rewrite_the_lists_agree(folder: Path) -> None:
    after = text_file(folder, "after")
    if after is None:
        return
    text = after.read_text("utf-8")
    writes = writes_in(text) or writes_in(without_templates(text))
    assert writes or not re.search(r"when\s+not\s+matched\s+(and|then)|copy\s+into", text, flags=re.IGNORECASE)
    assert all(lists_agree(write) for write in writes)


@pytest.mark.parametrize("folder", CASES, ids=lambda folder: folder.name)
def test_after_a_rewrite_the_new_column_stands_opposite_its_own_value(folder: Path) -> None:
    """In each INSERT or COPY list that has the column, and in each SET that has it."""
    after = text_file(folder, "after")
    if after is None:
        return
    text = after.read_text("utf-8")
    for added in case_of(folder)["added"]:
        names = {added["staging"].split(":")[-1].upper(), added["final"].upper()}
        for write in writes_in(text) or writes_in(without_templates(text)):
            pairs = [(side.this.name, side.expression) for side in write.find_all(exp.EQ) if side.parent_select is None]
            for listed in write.find_all(exp.Insert, exp.Copy):
                if isinstance(listed.this, exp.Schema | exp.Tuple):
                    pairs += zip((column.name for column in listed.this.expressions), values_of(listed), strict=False)
            for name, value in pairs:
                if name.upper() in names:
                    assert any(wanted in value.sql(dialect="snowflake").upper() for wanted in names)


def test_the_check_of_the_lists_sees_a_missing_value() -> None:
    [merge] = writes_in((CORPUS / "lists_disagree_count" / "before.sql").read_text("utf-8"))
    assert not lists_agree(merge)
