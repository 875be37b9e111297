"""`driftguard merge`: what merges do, and hand-written ones with longer lists; and what it refuses."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from driftguard.cli import main

from .conftest import Project

TEXT = """MERGE INTO FINAL.ORDERS t
USING (
    SELECT OP, ID, NOTE FROM STAGING.ORDERS_CDC
    QUALIFY ROW_NUMBER() OVER (PARTITION BY ID ORDER BY TRY_TO_TIMESTAMP_NTZ(COMMIT_TS) DESC, SEQ DESC) = 1
) s
ON t.ID = s.ID
WHEN MATCHED AND s.OP = 'D' THEN DELETE
WHEN MATCHED THEN UPDATE SET t.NOTE = s.NOTE
WHEN NOT MATCHED AND s.OP <> 'D' THEN INSERT (ID, NOTE) VALUES (s.ID, s.NOTE)
"""


def run(project: Project, *arguments: str) -> Result:
    return CliRunner().invoke(main, ["merge", arguments[0], "--dir", str(project.folder), *arguments[1:]])


@pytest.fixture
def landed(shop: Project) -> Project:
    """shop.orders with a hand-written merge in a procedure that a task calls; then a column is added everywhere."""
    shop.snowflake(
        "CREATE TABLE DB.STAGING.ORDERS_CDC (OP VARCHAR, SEQ VARCHAR, COMMIT_TS VARCHAR, _DG_FILE VARCHAR,"
        " _DG_ROW NUMBER(38,0), _DG_LOADED_AT TIMESTAMP_LTZ(9), ID NUMBER(38,0), NOTE VARCHAR, GIFT VARCHAR)",
        "CREATE TABLE DB.FINAL.ORDERS (ID NUMBER(38,0), NOTE VARCHAR, GIFT VARCHAR, PRIMARY KEY (ID))",
        f"CREATE PROCEDURE DB.STAGING.SP_ORDERS() RETURNS VARCHAR LANGUAGE SQL AS $$\nBEGIN\n{TEXT};\nRETURN 'ok';\nEND\n$$",
        "CREATE TASK DB.STAGING.ORDERS_MERGE SCHEDULE = '5 MINUTE' AS CALL DB.STAGING.SP_ORDERS()",
    )
    shop.aurora("ALTER TABLE shop.orders ADD COLUMN gift varchar(10)")
    return shop


def test_show_says_what_the_merge_does_and_lacks(landed: Project) -> None:
    result = run(landed, "show", "shop.orders")
    assert result.exit_code == 0, result.output
    assert "shop.orders → DB.FINAL.ORDERS: written by hand" in result.stdout
    assert "text      DB.STAGING.SP_ORDERS (sql)" in result.stdout
    assert "newest    ROW_NUMBER" in result.stdout
    assert "lacks     GIFT" in result.stdout


def test_rewrite_prints_the_diff_of_the_procedures_body(landed: Project) -> None:
    result = run(landed, "rewrite")
    assert result.exit_code == 1, result.output
    assert "+WHEN MATCHED THEN UPDATE SET t.NOTE = s.NOTE, t.GIFT = s.GIFT\n" in result.stdout
    assert "+    SELECT OP, ID, NOTE, GIFT FROM STAGING.ORDERS_CDC\n" in result.stdout


def test_check_of_merges_tells_what_is_wrong_with_them_and_nothing_else(landed: Project) -> None:
    """FINAL lacks nothing here, but `check` also speaks of DMS's settings."""
    result = run(landed, "check", "shop.orders")
    assert result.exit_code == 1, result.output
    codes = set(re.findall(r"DG\d{3}", result.stdout))
    assert "DG311" in codes
    assert {code[:3] for code in codes} == {"DG3"}
    found = json.loads(run(landed, "check", "--format", "json").stdout)
    assert "DG311" in {one["code"] for one in found["findings"]}


def test_a_file_of_ones_own_is_checked_as_if_it_were_the_merge(landed: Project, tmp_path: Path) -> None:
    file = tmp_path / "orders.sql"
    file.write_text(TEXT)
    before = run(landed, "check", "orders", "--file", str(file))
    assert before.exit_code == 1, before.output
    assert "DB.STAGING.orders.sql lacks it" in " ".join(before.stdout.split())
    run(landed, "rewrite", "orders", "--file", str(file), "--write")
    after = run(landed, "check", "orders", "--file", str(file))
    assert "DG311" not in after.stdout
    file.write_text("MERGE INTO FINAL.ORDERS t USING (SELECT")
    broken = run(landed, "check", "orders", "--file", str(file))
    assert broken.exit_code == 1
    assert "DG306" in broken.stdout


def test_check_finds_the_column_that_the_merge_lacks(landed: Project) -> None:
    result = landed.run("check")
    assert "DG311" in result.stdout
    assert "t.GIFT = s.GIFT" in result.stdout.replace("\n", " ")


def test_a_file_of_ones_own_is_rewritten_on_request(landed: Project, tmp_path: Path) -> None:
    file = tmp_path / "orders.sql"
    file.write_bytes(TEXT.replace("\n", "\r\n").encode())
    first = run(landed, "rewrite", "orders", "--file", str(file), "--write")
    assert first.exit_code == 1, first.output
    assert file.read_bytes().decode().count("GIFT") == 5
    assert file.read_bytes().count(b"\r\n") == TEXT.count("\n")
    second = run(landed, "rewrite", "orders", "--file", str(file))
    assert second.exit_code == 0
    assert "lacks nothing" in second.stdout


def test_what_is_left_to_a_person_is_said_with_the_reason(landed: Project, tmp_path: Path) -> None:
    file = tmp_path / "orders.sql"
    file.write_text("-- GIFT is not for FINAL\n" + TEXT)
    result = run(landed, "rewrite", "orders", "--file", str(file), "--write")
    assert result.exit_code == 1
    assert "is left to a person: line 1: a comment leaves the column out on purpose" in result.stdout
    assert file.read_text().count("GIFT") == 1


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["show", "nothing"], "no landing of a table nothing"),
        (["check", "nothing"], "no landing of a table nothing"),
        (["check", "orders", "--file", "missing.sql"], "missing.sql"),
        (["rewrite", "--write"], "--write needs a --file"),
        (["rewrite", "orders", "--file", "missing.sql"], "missing.sql"),
        (["rewrite", "orders", "--file", "driftguard.txt"], "driftguard.txt"),
        (["rewrite", "orders", "--column", "NOPE"], "has no column NOPE"),
    ],
)
def test_bad_input_is_one_line(landed: Project, arguments: list[str], line: str) -> None:
    result = run(landed, *arguments)
    assert result.exit_code == 2, result.output
    assert result.stdout == ""
    (said,) = result.stderr.splitlines()
    assert said.startswith("driftguard: ") and line in said
