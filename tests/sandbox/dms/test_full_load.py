"""Full load: files, folders, names, partitions, inheritance, and the settings that shape a file."""

from __future__ import annotations

import datetime as dt
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
import pyarrow.parquet as pq
import pytest

from driftguard.aurora.embedded import EmbeddedPostgres
from driftguard.emission.mappings import parse_mappings
from driftguard.errors import ConfigError, UnreachableError, UsageError
from driftguard.model.settings import DmsTask, EndpointSettings, TaskSettings
from driftguard.sandbox.dms import DmsStandIn, Switches

if TYPE_CHECKING:
    from conftest import Source

SMALL = "CREATE TABLE t (id int PRIMARY KEY, v varchar(9))"


# --- files ----------------------------------------------------------------------------------------------------------


def test_every_row_of_every_selected_table_is_loaded_once(source: Source) -> None:
    source.run(SMALL, "INSERT INTO t SELECT n, 'x' FROM generate_series(1, 1000) n", "CREATE SCHEMA other")
    source.run("CREATE TABLE other.u (id int PRIMARY KEY)", "INSERT INTO other.u VALUES (1)")
    dms = source.dms()
    report = dms.start()
    assert report.rows == {"other.u": 1, "public.t": 1000}
    assert report.files == ("dms/other/u/LOAD00000001.parquet", "dms/public/t/LOAD00000001.parquet")
    assert sorted(row["id"] for row in source.loaded()) == list(range(1, 1001))
    again = dms.start()
    assert (again.rows, again.files) == ({}, ()), "a second start loads nothing again"
    assert dms.sync().files == (), "and what was loaded does not come as changes"


def test_large_tables_are_cut_into_numbered_files(source: Source, monkeypatch: pytest.MonkeyPatch) -> None:
    """In "Using Amazon S3 as a target": LOAD00000001 and on, a hexadecimal counter."""
    monkeypatch.setattr("driftguard.sandbox.dms.full_load.ROWS_IN_A_FILE", 10)
    source.run(SMALL, "INSERT INTO t SELECT n, 'x' FROM generate_series(1, 165) n")
    source.dms().start()
    names = [path.name for path in source.files()]
    assert (len(names), names[9], names[-1]) == (17, "LOAD0000000A.parquet", "LOAD00000011.parquet")
    assert len(source.loaded()) == 165


def test_an_empty_table_has_no_file(source: Source) -> None:
    """In "Using Amazon S3 as a target": a folder appears when there are records."""
    source.run(SMALL)
    assert source.dms().start().rows == {"public.t": 0}
    assert source.files() == []


def test_a_reload_writes_new_names(source: Source) -> None:
    source.run(SMALL, "INSERT INTO t VALUES (1, 'a')")
    dms = source.dms()
    dms.start()
    source.run("UPDATE t SET v = 'b'")
    report = dms.reload([("public", "t")])
    assert report.files == ("dms/public/t/LOAD00000002.parquet",)
    assert [row["v"] for row in source.loaded()] == ["a", "b"]
    assert dms.sync().updates == 1


@pytest.mark.parametrize("mode", ["DROP_AND_CREATE", "TRUNCATE_BEFORE_LOAD"])
def test_a_preparation_mode_deletes_the_files_of_the_table(source: Source, mode: Any) -> None:
    """In "Full-load task settings", TargetTablePrepMode."""
    source.run(SMALL, "INSERT INTO t VALUES (1, 'a')")
    dms = source.dms(source.task(settings=TaskSettings(target_table_prep_mode=mode)))
    dms.start()
    source.run("INSERT INTO t VALUES (2, 'b')")
    dms.sync()
    dms.reload([("public", "t")])
    assert [path.name for path in source.files()] == ["LOAD00000001.parquet"]
    assert len(source.loaded()) == 2


def test_a_reload_of_what_is_not_there_or_not_selected_is_refused(source: Source) -> None:
    source.run(SMALL)
    rule = {
        "rule-type": "selection",
        "rule-id": "3",
        "rule-action": "exclude",
        "object-locator": {"schema-name": "%", "table-name": "t"},
    }
    dms = source.dms(source.task(rule))
    dms.start()
    with pytest.raises(UsageError, match=r"no table public\.nope"):
        dms.reload([("public", "nope")])
    with pytest.raises(UsageError, match=r"public\.t cannot be reloaded: .* exclude rule 3"):
        dms.reload([("public", "t")])


def test_tables_load_in_the_order_of_the_mappings(source: Source) -> None:
    """In "Selection rules and actions", load-order: the higher first."""
    source.run("CREATE TABLE a (id int PRIMARY KEY)", "CREATE TABLE b (id int PRIMARY KEY)")
    first = {
        "rule-type": "selection",
        "rule-id": "3",
        "rule-action": "include",
        "object-locator": {"schema-name": "%", "table-name": "b"},
        "load-order": "9",
    }
    assert list(source.dms(source.task(first)).start().rows) == ["public.b", "public.a"]


def test_a_change_during_the_load_is_in_a_cdc_file_too(source: Source) -> None:
    source.run(
        "CREATE TABLE a (id int PRIMARY KEY)", "INSERT INTO a VALUES (1)", SMALL, "INSERT INTO t VALUES (1, 'a')"
    )
    dms = source.dms()
    dms.step = lambda point: source.run("INSERT INTO t VALUES (2, 'b') ON CONFLICT DO NOTHING")
    dms.start()
    dms.step = lambda point: None
    dms.sync()
    assert [row["id"] for row in source.loaded()] == [1, 2]
    assert [row["id"] for row in source.changes()] == [2]


# --- settings -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("endpoint", "load", "change"),
    [
        ({"include_op_for_full_load": True, "cdc_inserts_only": True}, "I", ["I"]),
        ({}, None, ["I", "U", "D"]),
        ({"cdc_inserts_only": True}, None, [None]),
        ({"include_op_for_full_load": True}, "I", ["I", "U", "D"]),
        ({"cdc_inserts_and_updates": True}, None, ["I", "U"]),
    ],
    ids=["op, inserts only", "default", "inserts only", "op", "inserts and updates"],
)
def test_where_the_operation_column_is(source: Source, endpoint: Any, load: Any, change: list[Any]) -> None:
    """In "Using Amazon S3 as a target", the table of "Indicating source DB operations in migrated S3 data"."""
    source.run(SMALL, "INSERT INTO t VALUES (0, 'a')")
    dms = source.dms(source.task(endpoint=EndpointSettings(**endpoint)))
    dms.start()
    source.run("INSERT INTO t VALUES (1, 'a')", "UPDATE t SET v = 'b' WHERE id = 1", "DELETE FROM t WHERE id = 1")
    dms.sync()
    assert ("Op" in source.loaded()[0]) is (load is not None)
    assert source.loaded()[0].get("Op") == load
    assert [row.get("Op") for row in source.changes()] == change
    assert all(("Op" in row) is (change != [None]) for row in source.changes())


@pytest.mark.parametrize("task_time", [False, True])
def test_the_time_of_full_load_rows(source: Source, task_time: bool) -> None:
    """API Reference, S3Settings, UseTaskStartTimeForFullLoadTimestamp: otherwise the time of transfer."""
    source.run(
        "CREATE TABLE a (id int PRIMARY KEY)", "INSERT INTO a VALUES (1)", SMALL, "INSERT INTO t VALUES (1, 'a')"
    )
    endpoint = EndpointSettings(timestamp_column_name="ts", use_task_start_time_for_full_load_timestamp=task_time)
    dms = source.dms(source.task(endpoint=endpoint))
    seen: list[dt.datetime] = []

    def between(point: str) -> None:
        if point == "loaded" and not seen:
            source.run("INSERT INTO t VALUES (2, 'b')")
            seen.append(dt.datetime.now(dt.UTC))
            time.sleep(0.05)  # more than two clocks can differ by

    dms.step = between
    dms.start()
    dms.sync()
    load, change = source.loaded()[0]["ts"], source.changes()[0]["ts"]
    assert (load < change) is task_time, "a row's transfer may be later than a change that it already holds"


def test_without_a_name_there_is_no_time_column(source: Source) -> None:
    source.run(SMALL, "INSERT INTO t VALUES (1, 'a')")
    source.dms(source.task(endpoint=EndpointSettings())).start()
    assert list(source.loaded()[0]) == ["id", "v"]


def test_the_target_schema_setting_names_the_folder(source: Source) -> None:
    """In "Target metadata task settings", TargetSchema."""
    source.run(SMALL, "INSERT INTO t VALUES (1, 'a')")
    source.dms(source.task(settings=TaskSettings(target_schema="SHOP"))).start()
    assert len(source.loaded("SHOP/t")) == 1


@pytest.mark.parametrize(
    ("sequence", "delimiter", "layout"),
    [
        ("YYYYMMDD", "SLASH", "%Y/%m/%d"),
        ("YYYYMMDDHH", "UNDERSCORE", "%Y_%m_%d_%H"),
        ("MMYYYYDD", "DASH", "%m-%Y-%d"),
        ("YYYYMM", "NONE", "%Y%m"),
    ],
)
def test_cdc_files_in_folders_by_commit_date(source: Source, sequence: Any, delimiter: Any, layout: str) -> None:
    """In "Using date-based folder partitioning": DatePartitionSequence, DatePartitionDelimiter."""
    source.run(SMALL, "INSERT INTO t VALUES (1, 'a')")
    endpoint = EndpointSettings(
        timestamp_column_name="ts",
        date_partition_enabled=True,
        date_partition_sequence=sequence,
        date_partition_delimiter=delimiter,
    )
    dms = source.dms(source.task(endpoint=endpoint))
    dms.start()
    source.run("INSERT INTO t VALUES (2, 'a')")
    dms.sync()
    load, change = source.files()
    stamp = dt.datetime.fromisoformat(source.changes()[0]["ts"])
    assert load.parent == source.lake / "dms/public/t"
    assert change.parent == load.parent / stamp.strftime(layout)


@pytest.mark.parametrize("version", ["parquet-1-0", "parquet-2-0"])
def test_both_versions_of_the_file_format(source: Source, version: Any) -> None:
    """API Reference, S3Settings, ParquetVersion: the columns and types stay the same."""
    source.run("CREATE TABLE t (id smallint PRIMARY KEY, s timestamp)", "INSERT INTO t VALUES (1, now())")
    source.dms(source.task(endpoint=EndpointSettings(parquet_version=version))).start()
    (path,) = source.files()
    assert source.schema(path) == {"id": "int16", "s": "timestamp[us]"}


@pytest.mark.parametrize(
    ("endpoint", "settings", "message"),
    [
        ({"data_format": "csv"}, {}, "the pipeline needs parquet"),
        ({"preserve_transactions": True}, {}, "write CSV"),
        ({"cdc_path": "cdc"}, {}, "write CSV"),
        ({}, {"full_lob_mode": True}, "no full LOB mode"),
    ],
)
def test_settings_that_this_target_does_not_have_are_refused(
    source: Source, endpoint: Any, settings: Any, message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        source.dms(source.task(endpoint=EndpointSettings(**endpoint), settings=TaskSettings(**settings)))


def test_exclusive_settings_are_refused() -> None:
    with pytest.raises(ConfigError, match="both true"):
        EndpointSettings(cdc_inserts_only=True, cdc_inserts_and_updates=True)


# --- mappings -------------------------------------------------------------------------------------------------------


def test_names_and_columns_follow_the_transformation_rules(source: Source) -> None:
    source.run(SMALL, "INSERT INTO t VALUES (1, 'a')")
    rules = [
        source.rule("2", "schema", "rename", value="SHOP"),
        source.rule("3", "table", "convert-uppercase"),
        source.rule("4", "column", "rename", locator={"column-name": "v"}, value="VALUE"),
        source.rule(
            "5", "column", "change-data-type", locator={"column-name": "id"}, **{"data-type": {"type": "string"}}
        ),
    ]
    dms = source.dms(source.task(*rules))
    dms.start()
    source.run("INSERT INTO t VALUES (2, 'b')")
    dms.sync()
    assert [(row["id"], row["VALUE"]) for row in source.loaded("SHOP/T") + source.changes("SHOP/T")] == [
        ("1", "a"),
        ("2", "b"),
    ]


@pytest.mark.parametrize(
    ("kind", "value", "target", "expected"),
    [
        ("varchar(9)", "'12'", {"type": "int4"}, 12),
        ("varchar(9)", "'x'", {"type": "int4"}, None),
        ("int", "300", {"type": "int1"}, None),
        ("int", "7", {"type": "numeric", "precision": 10, "scale": 2}, 7),
        ("boolean", "true", {"type": "boolean"}, True),
        ("boolean", "true", {"type": "string", "length": 2}, "tr"),
        ("date", "'2024-01-02'", {"type": "datetime"}, dt.datetime(2024, 1, 2)),
        ("timestamp", "'2024-01-02 03:04:05'", {"type": "string"}, "2024-01-02 03:04:05"),
        ("numeric(6,2)", "1.5", {"type": "real8"}, 1.5),
    ],
)
def test_a_change_of_data_type_converts_or_gives_null(
    source: Source, kind: str, value: str, target: Any, expected: Any
) -> None:
    """In "Transformation rules and actions", change-data-type. How DMS converts is open."""
    source.run(f"CREATE TABLE t (id int PRIMARY KEY, x {kind})", f"INSERT INTO t VALUES (1, {value})")
    rule = source.rule("5", "column", "change-data-type", locator={"column-name": "x"}, **{"data-type": target})
    source.dms(source.task(rule)).start()
    assert source.loaded()[0]["x"] == expected


def test_include_column_and_remove_column(source: Source) -> None:
    source.run("CREATE TABLE t (id int PRIMARY KEY, a int, b int)", "INSERT INTO t VALUES (1, 2, 3)")
    rule = source.rule("2", "column", "remove-column", locator={"column-name": "a"})
    source.dms(source.task(rule, endpoint=EndpointSettings())).start()
    assert source.loaded() == [{"id": 1, "b": 3}]


def test_filters_are_said_not_to_be_imitated(source: Source) -> None:
    source.run(SMALL, "INSERT INTO t VALUES (1, 'a')")
    rule = {
        "rule-type": "selection",
        "rule-id": "3",
        "rule-action": "include",
        "object-locator": {"schema-name": "public", "table-name": "t"},
        "filters": [{"column-name": "id", "filter-conditions": [{"filter-operator": "gte", "value": "5"}]}],
    }
    report = source.dms(source.task(rule)).start()
    assert any("source filters are not imitated" in notice for notice in report.notices)


# --- partitions and inheritance -------------------------------------------------------------------------------------

PARTITIONED = (
    "CREATE TABLE m (id int, day date, v int, PRIMARY KEY (id, day)) PARTITION BY RANGE (day)",
    "CREATE TABLE m_23 PARTITION OF m FOR VALUES FROM ('2023-01-01') TO ('2024-01-01')",
    "CREATE TABLE m_24 (v int, day date NOT NULL, id int NOT NULL, PRIMARY KEY (id, day))",
    "ALTER TABLE m ATTACH PARTITION m_24 FOR VALUES FROM ('2024-01-01') TO ('2025-01-01')",
    "INSERT INTO m VALUES (1, '2023-05-05', 1), (2, '2024-05-05', 2)",
)


def test_partitions_are_tables_of_their_own(source: Source) -> None:
    """In "Using a PostgreSQL database as a source", limitations: parents and children are both reported as tables."""
    source.run(*PARTITIONED)
    dms = source.dms()
    report = dms.start()
    source.run("INSERT INTO m VALUES (3, '2023-06-06', 3)", "UPDATE m SET day = '2024-07-07' WHERE id = 1")
    dms.sync()
    assert report.rows == {"public.m_23": 1, "public.m_24": 1}
    assert "partitioned" in report.skipped["public.m"]
    assert [(row["Op"], row["id"]) for row in source.changes("public/m_23")] == [("I", 3), ("D", 1)]
    assert [(row["Op"], row["id"]) for row in source.changes("public/m_24")] == [("I", 1)]
    assert source.files("public/m") == []


def test_the_parent_itself_can_be_loaded_too_and_doubles_the_rows(source: Source) -> None:
    source.run(*PARTITIONED)
    report = source.dms(switches=Switches(partitioned_parent="loaded")).start()
    assert report.rows == {"public.m": 2, "public.m_23": 1, "public.m_24": 1}


def test_partitions_renamed_to_their_parent_share_its_folder(source: Source) -> None:
    """Several sources in one folder: no file takes the name of another, and columns go by name."""
    source.run(*PARTITIONED)
    rule = source.rule("2", "table", "rename", value="m", locator={"table-name": "m[_]2_"})
    sequence = source.rule("3", "column", "add-column", value="seq", expression="$AR_H_CHANGE_SEQ")
    dms = source.dms(source.task(rule, sequence))
    dms.start()
    source.run("BEGIN; INSERT INTO m VALUES (3, '2023-06-06', 3), (4, '2024-06-06', 4); COMMIT")
    source.run("UPDATE m SET day = '2024-07-07' WHERE id = 1")
    dms.sync()
    assert sorted((row["id"], row["v"]) for row in source.loaded("public/m")) == [(1, 1), (2, 2)]
    names = [path.name for path in source.files("public/m")]
    assert len(names) == len(set(names)) == 4
    changes = sorted(source.changes("public/m"), key=lambda row: row["seq"])
    assert [(row["Op"], row["id"], row["v"]) for row in changes] == [
        ("I", 3, 3),
        ("I", 4, 4),
        ("D", 1, None),
        ("I", 1, 1),
    ]


def test_a_partition_made_after_the_start_is_replicated(source: Source) -> None:
    source.run(*PARTITIONED)
    dms = source.dms()
    dms.start()
    source.run("CREATE TABLE m_25 PARTITION OF m FOR VALUES FROM ('2025-01-01') TO ('2026-01-01')")
    source.run("INSERT INTO m VALUES (9, '2025-05-05', 9)", "UPDATE m SET v = 10 WHERE id = 9")
    dms.sync()
    assert [(row["Op"], row["v"]) for row in source.changes("public/m_25")] == [("I", 9), ("U", 10)]


def test_the_load_of_a_parent_holds_the_rows_of_its_heirs(source: Source) -> None:
    """In "Using a PostgreSQL database as a source", limitations: the parent is read without ONLY."""
    source.run(SMALL, "CREATE TABLE heir (extra int, PRIMARY KEY (id)) INHERITS (t)")
    source.run("INSERT INTO t VALUES (1, 'a')", "INSERT INTO heir VALUES (2, 'b', 3)")
    dms = source.dms()
    report = dms.start()
    source.run("INSERT INTO heir VALUES (3, 'c', 4)")
    dms.sync()
    assert report.rows == {"public.heir": 1, "public.t": 2}
    assert source.changes() == [], "but its changes are those of the heir alone"
    assert len(source.changes("public/heir")) == 1


def test_two_tasks_may_write_into_one_lake(source: Source) -> None:
    source.run(SMALL, "INSERT INTO t VALUES (1, 'a')")
    one, two = source.dms(name="one"), source.dms(name="two")
    one.start()
    two.start()
    source.run("INSERT INTO t VALUES (2, 'b')")
    one.sync()
    two.sync()
    assert [path.name[:12] for path in source.files()[:2]] == ["LOAD00000001", "LOAD00000002"]
    assert len(source.changes()) == 2


# --- names ----------------------------------------------------------------------------------------------------------

HOSTILE = [
    "with blank",
    'quo"te',
    "apo'strophe",
    "../../etc",
    "..",
    ".",
    ".hidden",
    "a/b",
    "a\\b",
    "per%cent",
    "100%2F",
    "{brace}",
    "%s %(x)s",
    "ünïcödé 表",
    "UPPER",
    "select",
    "semi;colon -- comment",
    "new\nline",
    "x" * 63,
    "$1",
]


def test_hostile_names_of_tables_stay_in_the_lake_and_apart(source: Source) -> None:
    """Folder names: `/` and a leading dot are percent-encoded, and what would read like that; the rest stays."""
    quoted = ['"' + name.replace('"', '""') + '"' for name in HOSTILE]
    for n, name in enumerate(quoted):
        source.run(f"CREATE TABLE {name} (id int PRIMARY KEY, n int)", f"INSERT INTO {name} VALUES ({n}, 0)")
    dms = source.dms()
    dms.start()
    for n, name in enumerate(quoted):
        source.run(f"UPDATE {name} SET n = {n}")
    dms.sync()
    base = source.lake / "dms" / "public"
    folders = sorted(path.name for path in base.iterdir())
    assert len(folders) == len(HOSTILE)
    assert {path.name for path in source.place.iterdir()} == {"lake", "state"}
    assert {path.name for path in source.lake.iterdir()} == {"dms"}
    assert {"with blank", "%2E.%2F..%2Fetc", "%2E.", "%2E", "a%2Fb", "a\\b", "per%cent", "100%252F", 'quo"te'} <= {
        *folders
    }
    found = {(row["id"], row["n"]) for folder in folders for row in source.changes(f"public/{folder}")}
    assert found == {(n, n) for n in range(len(HOSTILE))}


def test_hostile_names_of_schemas_and_columns(source: Source) -> None:
    columns = ", ".join('"' + name.replace('"', '""') + '" int' for name in HOSTILE)
    source.run('CREATE SCHEMA "../s"', f'CREATE TABLE "../s".t (id int PRIMARY KEY, {columns})')
    source.run(f'INSERT INTO "../s".t VALUES (1, {", ".join(map(str, range(len(HOSTILE))))})')
    dms = source.dms(source.task(endpoint=EndpointSettings()))
    dms.start()
    source.run('UPDATE "../s".t SET "select" = "select"')
    dms.sync()
    expected = {"id": 1} | {name: n for n, name in enumerate(HOSTILE)}
    assert source.loaded("%2E.%2Fs/t") == [expected]
    assert source.changes("%2E.%2Fs/t") == [{"Op": "U"} | expected]


def test_a_column_named_like_the_operation_column_is_said(source: Source) -> None:
    source.run('CREATE TABLE t (id int PRIMARY KEY, "Op" int)')
    report = source.dms().start()
    assert "public.t is written with two columns Op" in report.notices


def test_names_without_a_letter_left_are_refused(source: Source) -> None:
    source.run(SMALL)
    rule = source.rule("2", "table", "remove-prefix", value="t")
    with pytest.raises(UsageError, match="without a name"):
        source.dms(source.task(rule)).start()


@pytest.mark.parametrize("name", ["x" * 200, "ünï", 'a"b', "", "A b", "1"])
def test_any_task_name_works(source: Source, name: str) -> None:
    source.run(SMALL)
    dms = source.dms(name=f"{name}" or "-")
    dms.start()
    source.run("INSERT INTO t VALUES (1, 'a')")
    assert dms.sync().inserts == 1


# --- keys and LOBs --------------------------------------------------------------------------------------------------


def test_a_table_with_an_array_and_no_key_is_suspended(source: Source) -> None:
    """In "Using a PostgreSQL database as a source", limitations: a table with an array needs a primary key."""
    source.run("CREATE TABLE t (n int, tags text[])", "INSERT INTO t VALUES (1, '{a}')")
    dms = source.dms()
    report = dms.start()
    source.run("INSERT INTO t VALUES (2, '{b}')", "CREATE TABLE u (tags text[])", "INSERT INTO u VALUES ('{a}')")
    assert dms.sync().files == ()
    assert report.skipped["public.t"] == "it has the array column tags and no primary key"
    assert list(dms.sync().suspended) == ["public.t", "public.u"]


def test_a_key_of_text_is_said_to_be_unsupported(source: Source) -> None:
    """Premigration check postgres-check-pk-lob."""
    source.run("CREATE TABLE t (code text PRIMARY KEY)", "INSERT INTO t VALUES ('a')")
    assert any("key has the LOB column code" in notice for notice in source.dms().start().notices)


@pytest.mark.parametrize(("switch", "length"), [("null", None), ("load_time", 35)])
def test_the_change_sequence_of_a_full_load_row_is_a_switch(source: Source, switch: Any, length: int | None) -> None:
    source.run(SMALL, "INSERT INTO t VALUES (1, 'a')")
    rule = source.rule("3", "column", "add-column", value="seq", expression="$AR_H_CHANGE_SEQ")
    source.dms(source.task(rule), Switches(full_load_sequence=switch)).start()
    value = source.loaded()[0]["seq"]
    assert (value and len(value)) == length


# --- what can be in the way -----------------------------------------------------------------------------------------


def test_a_source_that_does_not_answer_is_one_line(source: Source) -> None:
    dms = source.dms()
    dms._url = "postgresql://nobody@127.0.0.1:1/x"
    with pytest.raises(UnreachableError, match="does not answer"):
        dms.start()


def test_a_role_that_may_not_is_told_what_it_needs(source: Source) -> None:
    source.run("CREATE ROLE weak_dms_role LOGIN PASSWORD 'x'", SMALL)
    try:
        dms = source.dms()
        dms._url = source.url.replace(source.url.split("//")[1].split("@")[0], "weak_dms_role:x")
        with pytest.raises(UnreachableError, match="may not set up change capture"):
            dms.start()
    finally:
        source.run("DROP ROLE weak_dms_role")


def test_a_damaged_memory_is_one_line(source: Source) -> None:
    dms = source.dms(name="broken")
    (source.place / "state" / "broken").mkdir(parents=True)
    (source.place / "state" / "broken" / "dms.json").write_text("{]")
    with pytest.raises(ConfigError, match="not the state of a DMS stand-in"):
        dms.sync()


def test_an_older_server_works_too() -> None:
    """PostgreSQL 16, the older of the two in the wheel: a stored generated column is not in its stream."""
    with tempfile.TemporaryDirectory() as place:
        Path(place).chmod(0o711)
        server = EmbeddedPostgres.start(Path(place) / "pg", logical_wal=True, major=16)
        try:
            with psycopg.connect(server.url(), autocommit=True) as connection:
                connection.execute("CREATE TABLE t (id int PRIMARY KEY, s int GENERATED ALWAYS AS (id * 2) STORED)")
                connection.execute("INSERT INTO t VALUES (1)")
                mappings = parse_mappings(
                    {
                        "rules": [
                            {
                                "rule-type": "selection",
                                "rule-id": "1",
                                "rule-action": "include",
                                "object-locator": {"schema-name": "%", "table-name": "%"},
                            }
                        ]
                    }
                )
                task = DmsTask("old", mappings)
                dms = DmsStandIn(
                    source_url=server.url(), task=task, lake=Path(place) / "lake", state_dir=Path(place) / "state"
                )
                assert dms.start().rows == {"public.t": 1}
                connection.execute("INSERT INTO t VALUES (2)")
                report = dms.sync()
                assert report.inserts == 1
                (path,) = (Path(place) / "lake" / name for name in report.files)
                assert pq.ParquetFile(path).read().to_pylist() == [{"Op": "I", "id": 2}]
        finally:
            server.remove()
