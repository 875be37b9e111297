"""A check as text, JSON and Markdown, whatever the names on the database are."""

from __future__ import annotations

import json as stdlib_json
import re
from pathlib import Path

import jsonschema
import pytest

from builders import context, landed, plain, table, varchar
from driftguard.drift.compare import compare
from driftguard.model.finding import Finding, Place, Severity
from driftguard.model.identifiers import TableName
from driftguard.model.observed import Footer, Look, NotSeen, Observed, ObservedColumn
from driftguard.model.plan import Statement
from driftguard.model.snowflake import Estate
from driftguard.render import json, markdown, text
from driftguard.render.report import Report, plural

SCHEMA = stdlib_json.loads((Path(__file__).parents[2] / "docs/schema/check.json").read_text(encoding="utf-8"))
HOSTILE = "a|b`c <script>*x*_y_[z](u)\n# no \\ heading"
ITEM = table("orders", ("weight", plain("numeric")), ("note", varchar(5)))
FOUND = compare(context(ITEM, estate=Estate())) + compare(context(table("log", key=()), estate=Estate()))
ODD = Finding(
    "DG102",
    Severity.ERROR,
    f"{HOSTILE} has no column {HOSTILE}",
    "why [not]",
    "do *it*",
    table=TableName("shop", HOSTILE),
    column=HOSTILE,
    place=Place("file", HOSTILE, "a.sql", 3, 4),
)


LOOK = Look(
    "s3://lake/",
    "2026-11-22T10:00:00+00:00",
    (
        Observed(
            "dms/shop/orders/",
            NotSeen("no full-load file below dms/shop/orders/", empty=True),
            Footer(
                "dms/shop/orders/1.parquet",
                (ObservedColumn("id", "INT64", "INT64"),),
                7,
                "w",
                "2026-11-21T10:00:00+00:00",
            ),
        ),
    ),
)


def report(*findings: Finding, failing: int | None = None, waived: int = 0, look: Look | None = None) -> Report:
    count = sum(f.severity in (Severity.ERROR, Severity.UNKNOWN) for f in findings) if failing is None else failing
    return Report(findings, "Aurora, live", "Snowflake, live", 3, waived, count, look=look)


@pytest.mark.parametrize("width", [40, 120])
def test_no_line_is_wider_than_the_terminal_unless_one_word_is(width: int) -> None:
    shown = text.check(report(*FOUND, ODD), width=width, color=False)
    for line in shown.splitlines():
        assert len(line) <= width or len(line.split()) == 1 or " " not in line.strip()[: width - 10], line
        assert line == line.rstrip()
    words = " ".join(shown.split())
    for finding in FOUND:
        assert " ".join(finding.message.split()) in words
        assert finding.remedy in words


def test_findings_stand_below_their_table_and_the_worst_table_first() -> None:
    shown = text.check(report(*FOUND), width=100, color=False)
    heads = [line for line in shown.splitlines() if line in ("shop.log", "shop.orders")]
    assert heads == ["shop.log", "shop.orders"]
    assert shown.splitlines()[0].startswith("NOT READY")
    assert re.search(r"\d error", shown.splitlines()[-1])


def test_colours_are_there_only_when_asked_for() -> None:
    assert "\x1b[" not in text.check(report(*FOUND), width=80, color=False)
    assert "\x1b[" in text.check(report(*FOUND), width=80, color=True)


def test_quiet_leaves_the_verdict_and_the_counts() -> None:
    shown = text.check(report(*FOUND), width=80, color=False, quiet=True)
    assert "DG501" not in shown
    assert shown.splitlines()[0].startswith("NOT READY")


def test_rich_markup_in_a_name_is_shown_and_not_obeyed() -> None:
    odd = Finding("DG102", Severity.ERROR, "[bold]x[/bold] :smile: [/]", "r", "m", table=TableName("s", "[red]t"))
    shown = text.check(report(odd), width=100, color=False)
    assert "[bold]x[/bold] :smile: [/]" in shown
    assert "s.[red]t" in shown


@pytest.mark.parametrize(
    ("failing", "findings", "verdict"),
    [
        (2, FOUND[:2], "NOT READY: 2 findings"),
        (1, FOUND[:1], "NOT READY: 1 finding would"),
        (0, tuple(f for f in FOUND if f.severity is Severity.WARNING), "READY, with 1 finding to read"),
        (0, (), "READY: Snowflake has everything"),
    ],
)
def test_the_verdict_is_one_sentence(failing: int, findings: tuple[Finding, ...], verdict: str) -> None:
    assert report(*findings, failing=failing).verdict.startswith(verdict)


def test_plural() -> None:
    assert (plural(0, "table"), plural(1, "table"), plural(2, "table")) == ("0 tables", "1 table", "2 tables")


def test_json_is_what_its_schema_says() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    for item in (report(look=LOOK), report(*FOUND, ODD, waived=2), report(ODD)):
        content = stdlib_json.loads(json.check(item))
        jsonschema.validate(content, SCHEMA)
        assert content["version"] == json.VERSION
        assert len(content["findings"]) == len(item.findings)


def test_the_schema_names_every_key() -> None:
    """A key that is written and not described would be a promise that nobody knows of."""
    content = stdlib_json.loads(json.check(report(ODD)))
    assert set(content) == set(SCHEMA["properties"])
    assert set(content["summary"]) == set(SCHEMA["properties"]["summary"]["properties"])
    described = SCHEMA["$defs"]["finding"]["properties"]
    assert set(content["findings"][0]) == set(described)
    assert set(content["findings"][0]["place"]) == set(described["place"]["properties"])


def test_json_keeps_names_as_they_are() -> None:
    (found,) = stdlib_json.loads(json.check(report(ODD)))["findings"]
    assert found["table"] == {"schema": "shop", "name": HOSTILE}
    assert found["column"] == HOSTILE
    assert found["place"]["line"] == 3


def cells(line: str) -> list[str]:
    return re.split(r"(?<!\\)\|", line)


def test_a_hostile_name_cannot_break_the_markdown() -> None:
    """Each finding is one row of five cells; no markup, no link, no heading and no tag comes out of a name."""
    shown = markdown.check(report(*FOUND, ODD))
    rows = [line for line in shown.splitlines() if re.match(r"\| .* \| DG\d{3} \|", line)]
    assert len(rows) == len(FOUND) + 1
    assert all(len(cells(row)) == 7 for row in rows)
    for mark in ("<script", "](u)", "*x*", "`c", "_y_"):
        assert not re.search(rf"(?<!\\){re.escape(mark)}", shown), mark
    assert sum(line.startswith("#") for line in shown.splitlines()) == 1 + len({f.table for f in (*FOUND, ODD)})


def test_a_clean_check_is_short() -> None:
    clean = table("orders", ("note", varchar(5)))
    found = [f for f in compare(context(clean, estate=landed(clean))) if f.severity is not Severity.INFO]
    assert found == []
    assert markdown.check(report()).splitlines()[0] == "## driftguard: READY: Snowflake has everything that DMS emits"


def test_what_was_looked_at_on_the_lake_is_said_in_every_format() -> None:
    """Files, rows, when; and what was not seen."""
    looked = report(look=LOOK)
    for shown in (text.check(looked, width=100, color=False), markdown.check(looked).replace("\\", "")):
        assert "1 footer of 1 folder of s3://lake/ at 2026-11-22T10:00:00+00:00" in shown
        assert "dms/shop/orders/1.parquet: 7 rows, 2026-11-21T10:00:00+00:00" in shown
        assert "not seen: no full-load file below dms/shop/orders/" in shown
    assert "1.parquet" not in text.check(looked, width=100, color=False, quiet=True)
    (folder,) = stdlib_json.loads(json.check(looked))["observed"]["folders"]
    assert folder["cdc"]["rows"] == 7
    assert folder["full_load"] == {"not_seen": "no full-load file below dms/shop/orders/"}


def test_a_plan_shows_its_sql_only_when_asked() -> None:
    statements = [(Statement('ALTER TABLE "T" ADD "C" DATE', "add C"),)]
    short = text.plan(["add C to T"], statements, ["rebuild D"], width=60, color=False, verbose=False)
    assert "  1  add C to T" in short
    assert "- rebuild D" in short
    assert "ALTER TABLE" not in short
    assert 'ALTER TABLE "T" ADD "C" DATE;' in text.plan(["x"], statements, [], width=60, color=False, verbose=True)
    assert text.plan([], [], [], width=60, color=False, verbose=False) == "nothing to do\n"
    priced = text.plan(
        ["x"], statements, [], costs=[("metadata only; undo: drop C",)], width=60, color=False, verbose=False
    )
    assert priced == "  1  x\n     metadata only; undo: drop C\n"


def test_a_plan_in_markdown_lists_costs_and_folds_the_sql() -> None:
    statements = [[Statement('ALTER TABLE "T" ADD "C" DATE', "add C")]]
    shown = markdown.plan(
        ["add *C* to T"], statements, ["rebuild D"], ["INSERT 1"], costs=[("metadata only; undo: drop C",)]
    )
    assert "End the migration with" in shown
    assert "1. add \\*C\\* to T  \n   metadata only; undo: drop C\n" in shown
    assert '```sql\nALTER TABLE "T" ADD "C" DATE;\n```' in shown
    assert "- rebuild D" in shown
    hostile = markdown.plan(["x"], [[Statement("SELECT '```'", "x")]], [], costs=[("y",)])
    assert "````sql\nSELECT '```';\n````" in hostile
    assert "nothing to do" in markdown.plan([], [], [], costs=[])
