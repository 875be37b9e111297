"""Changes out of real WAL: operations, keys, large values, DDL, and the switches for what AWS leaves open."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import pytest

from driftguard.errors import UnreachableError, UsageError
from driftguard.model.settings import EndpointSettings, TaskSettings
from driftguard.sandbox.dms import Switches

if TYPE_CHECKING:
    from conftest import Source

SMALL = "CREATE TABLE t (id int PRIMARY KEY, v text)"
LARGE = "(SELECT string_agg(md5(n::text), '') FROM generate_series(1, 300) n)"
"""9,600 characters that do not compress: stored out of line."""


def plain(rows: list[dict[str, Any]], *names: str) -> list[tuple[Any, ...]]:
    return [tuple(row.get(name) for name in names) for row in rows]


# --- operations -----------------------------------------------------------------------------------------------------


def test_inserts_updates_and_deletes_in_commit_order(source: Source) -> None:
    source.run(SMALL)
    dms = source.dms()
    dms.start()
    source.run(
        "INSERT INTO t VALUES (1, 'a'), (2, 'b')",
        "UPDATE t SET v = 'c' WHERE id = 1",
        "DELETE FROM t WHERE id = 2",
        "BEGIN; INSERT INTO t VALUES (3, 'never'); ROLLBACK",
    )
    report = dms.sync()
    assert plain(source.changes(), "Op", "id", "v") == [("I", 1, "a"), ("I", 2, "b"), ("U", 1, "c"), ("D", 2, None)]
    assert (report.inserts, report.updates, report.deletes, len(report.files)) == (2, 1, 1, 1)
    again = dms.sync()
    assert (again.files, again.last_commit_lsn) == ((), None), "nothing new, no file"


def test_the_operation_and_the_commit_time_are_the_first_and_the_last_column(source: Source) -> None:
    """In "Using Amazon S3 as a target": the operation is the first field; TimestampColumnName is a string in UTC."""
    source.run(SMALL)
    dms = source.dms()
    dms.start()
    source.run("INSERT INTO t VALUES (1, 'a')")
    dms.sync()
    (row,) = source.changes()
    assert list(row) == ["Op", "id", "v", "commit_ts"]
    stamp = dt.datetime.strptime(row["commit_ts"], "%Y-%m-%d %H:%M:%S.%f").replace(tzinfo=dt.UTC)
    assert abs(dt.datetime.now(dt.UTC) - stamp) < dt.timedelta(minutes=1)
    (path,) = source.files()
    assert set(source.schema(path).values()) == {"string", "int32"}
    assert path.name == stamp.strftime("%Y%m%d-%H%M%S") + f"{stamp.microsecond // 1000:03d}.parquet"


def test_all_rows_of_a_transaction_share_its_commit_time_and_differ_in_their_sequence(source: Source) -> None:
    source.run(SMALL)
    dms = source.dms(source.task(source.rule("2", "column", "add-column", value="seq", expression="$AR_H_CHANGE_SEQ")))
    dms.start()
    source.run(
        "BEGIN; INSERT INTO t VALUES (1, 'a'); UPDATE t SET v = 'b'; DELETE FROM t; COMMIT",
        "INSERT INTO t VALUES (1, 'c')",
    )
    dms.sync()
    source.run("UPDATE t SET v = 'd'")
    dms.sync()
    rows = source.changes()
    assert [row["Op"] for row in rows] == ["I", "U", "D", "I", "U"]
    assert len({row["commit_ts"] for row in rows[:3]}) == 1
    sequence = [row["seq"] for row in rows]
    assert sequence == sorted(set(sequence))
    assert {len(number) for number in sequence} == {35}
    assert sequence[0][:14] == rows[0]["commit_ts"].translate(str.maketrans("", "", "-: ."))[:14]


def test_headers_and_literals_in_added_columns(source: Source) -> None:
    """In "Using transformation rule expressions to define column content"."""
    source.run(SMALL)
    wanted = {
        "op": "$AR_H_OPERATION",
        "at": "$AR_H_COMMIT_TIMESTAMP",
        "lsn": "$AR_H_STREAM_POSITION",
        "tab": "$AR_M_SOURCE_TABLE_NAME",
        "word": "'it''s'",
        "num": "7",
        "other": "hash_sha256($id)",
    }
    rules = [
        source.rule(str(n), "column", "add-column", value=k, expression=e) for n, (k, e) in enumerate(wanted.items(), 2)
    ]
    rules[1]["data-type"] = {"type": "datetime", "precision": 6}
    rules[5]["data-type"] = {"type": "int4"}
    dms = source.dms(source.task(*rules))
    report = dms.start()
    source.run("INSERT INTO t VALUES (1, 'a')")
    dms.sync()
    (row,) = source.changes()
    assert row["op"] == "INSERT"
    assert row["at"].isoformat(" ", "microseconds") == row["commit_ts"]
    assert "/" in row["lsn"]
    assert (row["tab"], row["word"], row["num"], row["other"]) == ("t", "it's", 7, None)
    assert any("hash_sha256($id)' is not worked out here" in notice for notice in report.notices)


def test_truncate_is_not_captured(source: Source) -> None:
    """In "Using a PostgreSQL database as a source", limitations."""
    source.run(SMALL, "INSERT INTO t VALUES (1, 'a')")
    dms = source.dms()
    dms.start()
    source.run("TRUNCATE t", "INSERT INTO t VALUES (2, 'b')")
    report = dms.sync()
    assert "public.t: DMS does not capture TRUNCATE; its rows stay" in report.notices
    assert plain(source.changes(), "Op", "id") == [("I", 2)]


def test_a_table_without_a_key_keeps_working_and_only_its_inserts_are_replicated(source: Source) -> None:
    """In "Using a PostgreSQL database as a source", limitations: no primary key, no UPDATE and DELETE."""
    source.run("CREATE TABLE t (n int, s varchar(9), v text)", "INSERT INTO t VALUES (1, 'x', 'y')")
    dms = source.dms()
    report = dms.start()
    source.run("INSERT INTO t VALUES (2, 'a', 'b')", "UPDATE t SET n = 3", "DELETE FROM t")
    dms.sync()
    assert plain(source.changes(), "Op", "n", "s") == [("I", 2, "a")]
    assert "v" not in source.changes()[0], "a LOB needs a primary key"
    assert any("public.t has no primary key" in notice for notice in report.notices)


def test_replica_identity_full_carries_updates_and_deletes_without_a_key(source: Source) -> None:
    """Premigration check postgres-check-pk: "unless the replica identity is set to full"."""
    source.run("CREATE TABLE t (n int, s varchar(9))", "ALTER TABLE t REPLICA IDENTITY FULL")
    dms = source.dms()
    dms.start()
    source.run("INSERT INTO t VALUES (2, 'a')", "UPDATE t SET n = 3", "DELETE FROM t")
    dms.sync()
    assert plain(source.changes(), "Op", "n", "s") == [("I", 2, "a"), ("U", 3, "a"), ("D", 3, "a")]


def test_unlogged_temporary_and_foreign_system_tables_are_not_there(source: Source) -> None:
    source.run("CREATE UNLOGGED TABLE u (id int PRIMARY KEY)", "CREATE TEMPORARY TABLE tmp (id int PRIMARY KEY)", SMALL)
    dms = source.dms()
    report = dms.start()
    source.run("INSERT INTO u VALUES (1)", "INSERT INTO tmp VALUES (1)")
    assert list(report.rows) == ["public.t"]
    assert dms.sync().files == ()


def test_tables_that_no_rule_selects_are_read_over(source: Source) -> None:
    source.run(SMALL, "CREATE TABLE other (id int PRIMARY KEY)")
    exclude = {
        "rule-type": "selection",
        "rule-id": "7",
        "rule-action": "exclude",
        "object-locator": {"schema-name": "public", "table-name": "other"},
    }
    dms = source.dms(source.task(exclude))
    report = dms.start()
    source.run("INSERT INTO other VALUES (1)", "INSERT INTO t VALUES (1)")
    assert list(dms.sync().tables) == ["public.t"]
    assert report.skipped == {"public.other": "table public.other is left out by exclude rule 7"}
    assert source.files("public/other") == []


# --- keys and images ------------------------------------------------------------------------------------------------

BEFORE = {"before-image-def": {"column-prefix": "BI_", "column-filter": "pk-only"}}


@pytest.mark.parametrize(
    ("switch", "expected"),
    [
        ("ignored", [("U", 2, 2)]),
        ("update_with_new_key", [("U", 9, 9), ("U", 2, 2)]),
        ("update_with_before_image", [("U", 9, 1), ("U", 2, 2)]),
    ],
)
@pytest.mark.parametrize("identity", ["DEFAULT", "FULL"])
def test_a_changed_key(source: Source, switch: Any, expected: list[Any], identity: str) -> None:
    """Limitations: ignored; "Transformation rules", before image: tells which rows have updated key values."""
    source.run(SMALL, f"ALTER TABLE t REPLICA IDENTITY {identity}", "INSERT INTO t VALUES (1, 'a'), (2, 'b')")
    dms = source.dms(
        source.task(source.rule("2", "column", "add-before-image-columns", **BEFORE)), Switches(key_update=switch)
    )
    dms.start()
    source.run("UPDATE t SET id = 9 WHERE id = 1", "UPDATE t SET v = 'x' WHERE id = 2")
    report = dms.sync()
    assert plain(source.changes(), "Op", "id", "BI_id") == expected
    assert report.tables["public.t"].ignored == (1 if switch == "ignored" else 0)


def test_before_images_of_inserts_are_null_and_of_deletes_the_key(source: Source) -> None:
    source.run(SMALL)
    dms = source.dms(source.task(source.rule("2", "column", "add-before-image-columns", **BEFORE)))
    dms.start()
    source.run("INSERT INTO t VALUES (1, 'a')", "DELETE FROM t")
    dms.sync()
    assert plain(source.changes(), "Op", "id", "BI_id") == [("I", 1, None), ("D", 1, 1)]


def test_before_images_of_other_columns_need_replica_identity_full(source: Source) -> None:
    """In "Using before images": PostgreSQL gives only the key otherwise; a LOB's before-image is void."""
    for table, identity in (("t", "DEFAULT"), ("f", "FULL")):
        source.run(
            f"CREATE TABLE {table} (id int PRIMARY KEY, n int, v text)",
            f"ALTER TABLE {table} REPLICA IDENTITY {identity}",
            f"INSERT INTO {table} VALUES (1, 1, 'a')",
        )
    dms = source.dms(
        source.task(
            source.rule("2", "column", "add-before-image-columns", **{"before-image-def": {"column-filter": "all"}})
        )
    )
    dms.start()
    source.run("UPDATE t SET n = 2", "UPDATE f SET n = 2")
    dms.sync()
    assert plain(source.changes("public/t"), "n", "BI_id", "BI_n", "BI_v") == [(2, 1, None, None)]
    assert plain(source.changes("public/f"), "n", "BI_id", "BI_n", "BI_v") == [(2, 1, 1, None)]


@pytest.mark.parametrize(("switch", "expected"), [("full_row", ("D", 1, 7)), ("key_only", ("D", 1, None))])
def test_a_deleted_row_under_replica_identity_full(source: Source, switch: Any, expected: tuple[Any, ...]) -> None:
    """In "Using Amazon S3 as a target": the rest of the line is the row before; the WAL may hold only its key."""
    source.run(
        "CREATE TABLE t (id int PRIMARY KEY, n int)",
        "ALTER TABLE t REPLICA IDENTITY FULL",
        "INSERT INTO t VALUES (1, 7)",
    )
    dms = source.dms(switches=Switches(delete_row=switch))
    dms.start()
    source.run("DELETE FROM t")
    dms.sync()
    assert plain(source.changes(), "Op", "id", "n") == [expected]


def test_a_replica_identity_index_that_is_not_the_key(source: Source) -> None:
    source.run(
        "CREATE TABLE t (id int PRIMARY KEY, code int NOT NULL UNIQUE)",
        "ALTER TABLE t REPLICA IDENTITY USING INDEX t_code_key",
        "INSERT INTO t VALUES (1, 10)",
    )
    dms = source.dms()
    dms.start()
    source.run("UPDATE t SET code = 11", "DELETE FROM t")
    dms.sync()
    assert plain(source.changes(), "Op", "id", "code") == [("U", 1, 11), ("D", None, 11)]


@pytest.mark.parametrize("switch", ["null", "looked_up"])
def test_a_large_value_that_an_update_left_alone(source: Source, switch: Any) -> None:
    """Open at AWS: PostgreSQL does not log it; users see NULL, the guide speaks of a lookup for LOBs."""
    source.run(
        "CREATE TABLE t (id int PRIMARY KEY, n int, v text)", f"INSERT INTO t VALUES (1, 1, {LARGE}), (2, 1, {LARGE})"
    )
    dms = source.dms(switches=Switches(unchanged_toast=switch))
    dms.start()
    source.run("UPDATE t SET n = 2", "DELETE FROM t WHERE id = 2", "UPDATE t SET v = 'short'")
    dms.sync()
    first, gone, _, last = source.changes()
    assert (first["n"], gone["n"]) == (2, 2)
    assert first["v"] == ("short" if switch == "looked_up" else None), "a lookup finds the value of now, not of then"
    assert gone["v"] is None, "and nothing if the row is gone"
    assert last["v"] == "short"


def test_a_large_value_is_there_under_replica_identity_full(source: Source) -> None:
    source.run("CREATE TABLE t (id int PRIMARY KEY, n int, v text)", "ALTER TABLE t REPLICA IDENTITY FULL")
    source.run(f"INSERT INTO t VALUES (1, 1, {LARGE})")
    dms = source.dms()
    dms.start()
    source.run("UPDATE t SET n = 2")
    dms.sync()
    assert len(source.changes()[0]["v"]) == 9600


@pytest.mark.parametrize(("switch", "expected"), [("true", ["true", "false"]), ("t", ["t", "f"])])
def test_boolean_text_of_cdc_is_a_switch(source: Source, switch: Any, expected: list[str]) -> None:
    """Open at AWS: one plug-in prints true, the other t."""
    source.run("CREATE TABLE t (id int PRIMARY KEY, b boolean)", "INSERT INTO t VALUES (0, true)")
    dms = source.dms(switches=Switches(cdc_boolean_text=switch))
    dms.start()
    source.run("INSERT INTO t VALUES (1, true), (2, false)")
    dms.sync()
    assert [row["b"] for row in source.changes()] == expected
    assert source.loaded()[0]["b"] == "true"


# --- DDL ------------------------------------------------------------------------------------------------------------


def test_a_new_column_is_in_the_files_after_its_ddl_only(source: Source) -> None:
    """In "Using Amazon S3 as a target", DDL: add column. Rows that exist already are not written again."""
    source.run(SMALL, "INSERT INTO t VALUES (1, 'a')")
    dms = source.dms()
    dms.start()
    source.run(
        "INSERT INTO t VALUES (2, 'b')", "ALTER TABLE t ADD COLUMN n int DEFAULT 7", "INSERT INTO t VALUES (3, 'c')"
    )
    report = dms.sync()
    load, before, after = source.files()
    assert "n" not in source.schema(load)
    assert "n" not in source.schema(before)
    assert source.schema(after)["n"] == "int32"
    assert plain(source.changes(), "id", "n") == [(2, None), (3, 7)]
    assert len(report.files) == 2


def test_a_file_may_go_on_over_a_ddl(source: Source) -> None:
    """Open at AWS: the same file then has the column for its earlier rows too."""
    source.run(SMALL)
    dms = source.dms(switches=Switches(cut_file_at_ddl=False))
    dms.start()
    source.run("INSERT INTO t VALUES (1, 'a')", "ALTER TABLE t ADD COLUMN n int", "INSERT INTO t VALUES (2, 'b', 7)")
    source.run("ALTER TABLE t DROP COLUMN v", "INSERT INTO t VALUES (3, 8)")
    report = dms.sync()
    assert len(report.files) == 1
    assert plain(source.changes(), "id", "v", "n") == [(1, "a", None), (2, "b", 7), (3, None, 8)]
    source.run("ALTER TABLE t ALTER n TYPE bigint", "INSERT INTO t VALUES (4, 9)", "ALTER TABLE t ALTER n TYPE int")
    source.run("INSERT INTO t VALUES (5, 9)")
    assert len(dms.sync().files) == 2, "one file cannot hold two types of a column"


def test_dropped_renamed_and_retyped_columns(source: Source) -> None:
    """In "Using Amazon S3 as a target", DDL: drop, rename, change of type; the rewritten rows do not come again."""
    source.run("CREATE TABLE t (id int PRIMARY KEY, a int, b int, c int)", "INSERT INTO t VALUES (1, 1, 1, 1)")
    dms = source.dms()
    dms.start()
    source.run(
        "ALTER TABLE t DROP COLUMN a", "ALTER TABLE t RENAME b TO bb", "ALTER TABLE t ALTER c TYPE numeric(40,2)"
    )
    source.run("INSERT INTO t VALUES (2, 2, 2)")
    dms.sync()
    (row,) = source.changes()
    assert list(row) == ["Op", "id", "bb", "c", "commit_ts"]
    assert row["c"] == "2.00"


def test_a_renamed_table_goes_to_a_new_folder(source: Source) -> None:
    source.run(SMALL)
    dms = source.dms()
    dms.start()
    source.run(
        "INSERT INTO t VALUES (1)", "ALTER TABLE t RENAME TO u", "INSERT INTO u VALUES (2)", "ALTER TABLE u RENAME TO t"
    )
    dms.sync()
    assert plain(source.changes("public/t"), "id") == [(1,)]
    assert plain(source.changes("public/u"), "id") == [(2,)]


def test_a_table_made_after_the_start_is_replicated_from_its_first_row(source: Source) -> None:
    """In "Using Amazon S3 as a target", DDL: create table. Updates right after it are not lost either."""
    dms = source.dms()
    dms.start()
    source.run(
        "BEGIN; CREATE TABLE t (id int PRIMARY KEY, v text); INSERT INTO t VALUES (1, 'a'); "
        "UPDATE t SET v = 'b'; COMMIT",
        "DELETE FROM t",
        "CREATE TABLE n AS SELECT 1 AS x",
        "ALTER TABLE n ADD PRIMARY KEY (x)",
        "UPDATE n SET x = 2",
    )
    report = dms.sync()
    assert plain(source.changes(), "Op", "v") == [("I", "a"), ("U", "b"), ("D", None)]
    assert plain(source.changes("public/n"), "Op", "x") == [("I", 1), ("U", 2)]
    assert any("public.t was created after the full load" in notice for notice in report.notices)


def test_a_table_that_loses_its_key_still_takes_updates(source: Source) -> None:
    source.run(SMALL, "INSERT INTO t VALUES (1, 'a')")
    dms = source.dms()
    dms.start()
    source.run("ALTER TABLE t DROP CONSTRAINT t_pkey", "UPDATE t SET v = 'b'", "INSERT INTO t VALUES (2)")
    report = dms.sync()
    assert report.suspended == {"public.t": "its primary key was redefined while the task ran"}


@pytest.mark.parametrize("switch", ["stops_the_table", "followed"])
def test_a_redefined_key_stops_the_table_until_it_is_reloaded(source: Source, switch: Any) -> None:
    """Limitations: "subsequent changes to affected tables are not replicated"."""
    source.run("CREATE TABLE t (id int PRIMARY KEY, n int NOT NULL)")
    dms = source.dms(switches=Switches(primary_key_change=switch))
    dms.start()
    source.run("INSERT INTO t VALUES (1, 1)", "ALTER TABLE t DROP CONSTRAINT t_pkey, ADD PRIMARY KEY (id, n)")
    source.run("INSERT INTO t VALUES (1, 2)")
    report = dms.sync()
    if switch == "followed":
        assert (len(source.changes()), report.suspended) == (2, {})
        return
    assert plain(source.changes(), "n") == [(1,)]
    assert report.tables["public.t"].ignored == 1
    source.run("INSERT INTO t VALUES (1, 3)")
    assert dms.sync().files == ()
    assert dms.reload([("public", "t")]).rows == {"public.t": 3}
    source.run("INSERT INTO t VALUES (1, 4)")
    assert dms.sync().inserts == 1


def test_a_renamed_key_column_is_not_a_new_key(source: Source) -> None:
    source.run(SMALL)
    dms = source.dms()
    dms.start()
    source.run("ALTER TABLE t RENAME id TO key", "INSERT INTO t VALUES (1)")
    assert dms.sync().suspended == {}
    assert plain(source.changes(), "key") == [(1,)]


@pytest.mark.parametrize(
    ("endpoint", "settings"),
    [({"capture_ddls": False}, {}), ({}, {"handle_source_table_altered": False})],
    ids=["CaptureDdls=false", "HandleSourceTableAltered=false"],
)
def test_a_task_that_does_not_follow_ddl_misses_new_columns(source: Source, endpoint: Any, settings: Any) -> None:
    """PostgreSQL source, CaptureDdls; "Task settings for change processing DDL handling", HandleSourceTableAltered."""
    source.run(SMALL)
    dms = source.dms(source.task(endpoint=EndpointSettings(**endpoint), settings=TaskSettings(**settings)))
    dms.start()
    source.run("ALTER TABLE t ADD COLUMN n int", "INSERT INTO t VALUES (1, 'a', 7)")
    report = dms.sync()
    assert list(source.changes()[0]) == ["Op", "id", "v"]
    assert any("public.t.n is not replicated: it was added while" in notice for notice in report.notices)


def test_the_ddl_artefacts_of_dms_are_there_and_not_replicated(source: Source) -> None:
    """In "Using a PostgreSQL database as a source": an event trigger, and an audit table that is empty."""
    source.run(SMALL)
    dms = source.dms(source.task(endpoint=EndpointSettings(ddl_artifacts_schema="ops")))
    dms.start()
    source.run(
        "ALTER TABLE t ADD COLUMN n int",
        "CREATE ROLE plain_user_for_ddl",
        "GRANT CREATE ON SCHEMA public TO plain_user_for_ddl",
    )
    try:
        source.run("SET ROLE plain_user_for_ddl", "CREATE TABLE made_by_others (id int PRIMARY KEY)", "RESET ROLE")
        names = source.connection.execute("SELECT evtname FROM pg_event_trigger").fetchall()
        assert ("awsdms_intercept_ddl",) in names
        assert source.connection.execute("SELECT count(*) FROM ops.awsdms_ddl_audit").fetchone() == (0,)
        assert dms.sync().files == ()
    finally:
        source.run("RESET ROLE", "DROP OWNED BY plain_user_for_ddl", "DROP ROLE plain_user_for_ddl")


def test_generated_columns(source: Source) -> None:
    """A stored one is in the WAL; a virtual one has no value there, and only the full load sees it."""
    source.run(
        "CREATE TABLE t (id int PRIMARY KEY, s int GENERATED ALWAYS AS (id * 2) STORED, "
        "v int GENERATED ALWAYS AS (id * 3) VIRTUAL)",
        "INSERT INTO t VALUES (1)",
    )
    dms = source.dms()
    dms.start()
    source.run("INSERT INTO t VALUES (2)")
    dms.sync()
    assert plain(source.loaded(), "id", "s", "v") == [(1, 2, 3)]
    assert plain(source.changes(), "id", "s", "v") == [(2, 4, None)]
    assert "v" not in source.changes()[0]


def test_a_type_that_is_gone_when_its_values_are_read(source: Source) -> None:
    source.run("CREATE TYPE mood AS ENUM ('well')", "CREATE TABLE t (id int PRIMARY KEY, m mood)")
    dms = source.dms()
    dms.start()
    source.run("INSERT INTO t VALUES (1, 'well')", "DROP TABLE t", "DROP TYPE mood")
    dms.sync()
    assert plain(source.changes(), "id", "m") == [(1, "well")]


# --- running --------------------------------------------------------------------------------------------------------


def test_sync_before_start_says_so(source: Source) -> None:
    with pytest.raises(UsageError, match="not been started"):
        source.dms().sync()


def test_a_lost_slot_is_said(source: Source) -> None:
    dms = source.dms()
    dms.start()
    source.run(
        "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE database = current_database()"
    )
    with pytest.raises(UnreachableError, match="slot cannot be read"):
        dms.sync()


def test_remove_leaves_no_trace_in_the_source(source: Source) -> None:
    before = trace(source)
    source.run(SMALL)
    dms = source.dms(source.task(endpoint=EndpointSettings(capture_ddls=False)))
    dms.start()
    dms.remove()
    assert trace(source) == before


def trace(source: Source) -> list[Any]:
    return [
        source.connection.execute(query).fetchall()
        for query in (
            "SELECT slot_name FROM pg_replication_slots WHERE database = current_database()",
            "SELECT pubname FROM pg_publication",
            "SELECT evtname FROM pg_event_trigger",
            "SELECT proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace",
        )
    ]


def test_a_source_without_the_schema_public_works(source: Source) -> None:
    source.run("DROP SCHEMA public", "CREATE SCHEMA shop", "CREATE TABLE shop.t (id int PRIMARY KEY)")
    dms = source.dms(source.task(endpoint=EndpointSettings(ddl_artifacts_schema="ops")))
    dms.start()
    source.run("INSERT INTO shop.t VALUES (1)")
    assert dms.sync().inserts == 1
    dms.remove()


def test_many_batches_lose_and_repeat_nothing(source: Source, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("driftguard.sandbox.dms.cdc.CHANGES_IN_A_BATCH", 50)
    source.run(SMALL)
    dms = source.dms()
    dms.start()
    for n in range(20):
        source.run(f"INSERT INTO t SELECT n, 'x' FROM generate_series({n * 10}, {n * 10 + 9}) n")
    report = dms.sync()
    assert len(report.files) > 2
    assert [row["id"] for row in source.changes()] == list(range(200))
    names = [path.name for path in source.files()]
    assert names == sorted(set(names))
