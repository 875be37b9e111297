"""FINAL equals Aurora whatever happens on the way: through the real sandbox, with the generated merges."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from driftguard.sandbox.dms import Switches
from home import Home, land

ORDERS = "CREATE TABLE orders (id int PRIMARY KEY, total numeric(10,2), note text)"


def test_several_changes_of_one_row_in_one_transaction_leave_the_last(home: Home) -> None:
    land(home, ORDERS)
    changes = "; ".join(f"UPDATE orders SET total = {n}, note = 'change {n}' WHERE id = 1" for n in range(1, 120))
    home.aurora(
        f"INSERT INTO orders VALUES (1, 0, 'first'); {changes}; UPDATE orders SET note = NULL WHERE id = 1",
        "INSERT INTO orders VALUES (2, 1, 'a'); DELETE FROM orders WHERE id = 2; INSERT INTO orders VALUES (2, 2, 'b');"
        "DELETE FROM orders WHERE id = 2; INSERT INTO orders VALUES (2, 3, 'c')",
    )
    home.sync()
    home.assert_equal("orders", rows=2)


def test_a_row_that_is_deleted_and_inserted_again_is_the_new_one(home: Home) -> None:
    land(home, ORDERS)
    home.aurora("INSERT INTO orders SELECT n, n, 'old' FROM generate_series(1, 9) n")
    home.sync()
    # in one transaction, in two of one batch, and in two batches
    home.aurora("DELETE FROM orders WHERE id = 1; INSERT INTO orders VALUES (1, 11, 'new')")
    home.aurora(
        "DELETE FROM orders WHERE id = 2", "INSERT INTO orders VALUES (2, 22, 'new')", "DELETE FROM orders WHERE id = 3"
    )
    home.sync()
    home.assert_equal("orders", rows=8)
    home.aurora("INSERT INTO orders VALUES (3, NULL, NULL)")
    home.sync()
    home.assert_equal("orders", rows=9)


def test_a_row_that_comes_and_goes_within_one_batch_never_appears(home: Home) -> None:
    land(home, ORDERS)
    home.aurora("INSERT INTO orders VALUES (1, 1, 'stays')", "INSERT INTO orders VALUES (2, 2, 'goes')")
    home.aurora(
        "DELETE FROM orders WHERE id = 2", "INSERT INTO orders VALUES (3, 3, 'x'); DELETE FROM orders WHERE id = 3"
    )
    home.sync()
    home.assert_equal("orders", rows=1)


def test_a_full_load_and_the_changes_during_it_overlap_without_harm(home: Home) -> None:
    home.aurora(ORDERS, "INSERT INTO orders SELECT n, n, 'before' FROM generate_series(1, 50) n")
    home.run("plan", "--write")
    home.run("apply", "--quiet")
    stand_in = home.dms()

    def meanwhile(point: str) -> None:
        """The slot is there, and no row has been read: every one of these is in the load and in the changes."""
        if point == "prepared":
            home.aurora(
                "UPDATE orders SET note = 'changed' WHERE id <= 20; DELETE FROM orders WHERE id BETWEEN 11 AND 15",
                "INSERT INTO orders VALUES (100, 1, 'new'), (101, 1, 'new')",
                "DELETE FROM orders WHERE id = 101; UPDATE orders SET note = 'again' WHERE id = 1",
            )
        if point == "loaded":  # only in the changes
            home.aurora("DELETE FROM orders WHERE id IN (30, 100); UPDATE orders SET note = 'late' WHERE id = 31")

    stand_in.step = meanwhile
    stand_in.start()
    home.pump()  # the load alone arrives first
    stand_in.step = lambda _: None
    stand_in.sync()
    home.pump()
    home.assert_equal("orders", rows=44)
    home.aurora("UPDATE orders SET note = 'later'")
    home.sync()
    home.assert_equal("orders", rows=44)


def test_a_full_load_that_arrives_after_the_changes_overwrites_none_of_them(home: Home) -> None:
    home.aurora(ORDERS, "INSERT INTO orders SELECT n, n, 'before' FROM generate_series(1, 50) n")
    home.run("plan", "--write")
    home.run("apply", "--quiet")
    home.dms().start()
    (load,) = (home.directory / ".driftguard" / "lake").rglob("LOAD*.parquet")
    aside = home.directory / load.name
    shutil.move(load, aside)
    home.aurora("UPDATE orders SET note = 'changed' WHERE id <= 20; DELETE FROM orders WHERE id > 40")
    home.dms().sync()
    home.pump()
    shutil.move(aside, load)
    home.pump()
    home.assert_equal("orders", rows=40)


def test_a_file_that_is_loaded_twice_changes_nothing(home: Home) -> None:
    land(home, ORDERS)
    home.aurora("INSERT INTO orders SELECT n, n, 'x' FROM generate_series(1, 10) n")
    home.sync()
    home.aurora("UPDATE orders SET total = 0 WHERE id < 5", "DELETE FROM orders WHERE id = 9")
    home.sync()
    again = pipe(home, "ORDERS_PIPE") + " FORCE = TRUE"
    staged = home.execute(again, "SELECT COUNT(*) FROM ANALYTICS.STAGING.ORDERS_CDC")[0][0]
    assert staged == 2 * 15
    home.pump()
    home.assert_equal("orders", rows=9)


def pipe(home: Home, name: str) -> str:
    with home.snowflake() as connection, connection.cursor() as cursor:
        cursor.execute("SHOW PIPES IN SCHEMA ANALYTICS.STAGING")
        names = [d[0] for d in cursor.description]
        (found,) = [row for row in cursor.fetchall() if row[names.index("name")] == name]
        return str(found[names.index("definition")])


@pytest.mark.parametrize("seed", [1, 2, 3, 4])
def test_files_in_any_order_give_the_same_rows(home: Home, seed: int) -> None:
    land(home, ORDERS, "INSERT INTO orders SELECT n, n, 'loaded' FROM generate_series(1, 20) n")
    for batch in range(1, 9):  # a file each
        home.aurora(
            f"INSERT INTO orders SELECT n, {batch}, 'batch {batch}' FROM generate_series({batch * 100}, {batch * 100 + 9}) n",
            f"UPDATE orders SET note = 'by {batch}', total = total + 1 WHERE id % {batch + 1} = 0",
            f"DELETE FROM orders WHERE id % 7 = {batch % 7}",
        )
        home.dms().sync()
    moved = home.pump(seed)
    assert moved["files_loaded"] == 8
    assert not moved["tasks_failed"]
    assert home.assert_equal("orders").rows > 20


def test_files_that_arrive_in_several_runs_of_the_merge_the_newest_first(home: Home) -> None:
    land(home, ORDERS, "INSERT INTO orders SELECT n, n, 'loaded' FROM generate_series(1, 20) n")
    aside = home.directory / "late"
    aside.mkdir()
    waiting: list[tuple[Path, Path]] = []
    for batch in range(1, 5):
        home.aurora(
            f"UPDATE orders SET note = 'by {batch}' WHERE id % 2 = {batch % 2}",
            f"INSERT INTO orders VALUES ({batch * 100}, {batch}, 'batch {batch}')",
            f"DELETE FROM orders WHERE id = {batch}",
            f"UPDATE orders SET total = {batch} WHERE id = {(batch - 1) * 100}",
        )
        seen = set((home.directory / ".driftguard" / "lake").rglob("*.parquet"))
        home.dms().sync()
        for new in set((home.directory / ".driftguard" / "lake").rglob("*.parquet")) - seen:
            waiting.append((new, aside / new.name))
            shutil.move(new, aside / new.name)
    for place, parked in reversed(waiting):
        shutil.move(parked, place)
        assert not home.pump()["tasks_failed"]
    home.assert_equal("orders", rows=20)


def test_a_table_whose_columns_are_all_key(home: Home) -> None:
    land(home, "CREATE TABLE favourites (who int, what text, PRIMARY KEY (what, who))")
    home.aurora("INSERT INTO favourites SELECT n, 'thing ' || n % 3 FROM generate_series(1, 12) n")
    home.sync()
    home.aurora("DELETE FROM favourites WHERE who < 4", "INSERT INTO favourites VALUES (1, 'thing 1'), (2, '')")
    home.aurora("DELETE FROM favourites WHERE who = 1; INSERT INTO favourites VALUES (1, 'thing 1')")
    home.sync()
    home.assert_equal("favourites", rows=11)


def test_keys_of_several_columns_with_names_that_need_quotes(home: Home) -> None:
    name = '"Order ""Lines"""'
    land(
        home,
        f"""CREATE TABLE {name} ("Order Id" uuid, "No." smallint, at timestamptz, "select" varchar(10), v numeric(30,8),
        PRIMARY KEY ("No.", "Order Id", at, "select"))""",
    )
    home.aurora(
        f"""INSERT INTO {name} SELECT md5((n % 4)::text)::uuid, n % 3, '2024-10-27 00:30:00+00'::timestamptz + n * interval '1 hour',
        CASE n % 2 WHEN 0 THEN 'Ä' ELSE 'ä' END, n / 3.0 FROM generate_series(1, 40) n"""
    )
    home.sync()
    home.aurora(
        f'UPDATE {name} SET v = -v WHERE "No." = 1',
        f'DELETE FROM {name} WHERE "select" = \'Ä\' AND "No." = 2',
        f"UPDATE {name} SET v = v + 1 WHERE \"Order Id\" = md5('1')::uuid",
    )
    home.sync()
    assert home.assert_equal('Order "Lines"').rows > 30


@pytest.mark.parametrize("toast", ["null", "looked_up"])
def test_an_update_that_leaves_a_large_value_alone(home: Home, toast: str) -> None:
    """The WAL does not carry the value. Where DMS writes NULL for it, Aurora must be told to send everything."""
    land(
        home, "CREATE TABLE pages (id int PRIMARY KEY, body text, hits int)", "ALTER TABLE pages REPLICA IDENTITY FULL"
    )
    home.aurora(
        "ALTER TABLE pages ALTER COLUMN body SET STORAGE EXTERNAL",
        "INSERT INTO pages SELECT n, repeat('lorem ipsum ', 3000), 0 FROM generate_series(1, 5) n",
    )
    home.sync(Switches(unchanged_toast=toast))
    home.aurora("UPDATE pages SET hits = hits + 1")
    home.sync(Switches(unchanged_toast=toast))
    home.assert_equal("pages", rows=5)


def test_a_merge_that_fails_half_way_leaves_the_watermark_and_the_next_run_catches_up(home: Home) -> None:
    land(home, ORDERS, "INSERT INTO orders SELECT n, n, 'x' FROM generate_series(1, 10) n")
    marks = "SELECT MAX(UPTO), COUNT(*) FROM ANALYTICS.DRIFTGUARD.WATERMARK"
    before = home.execute(marks)
    # FINAL takes no NULL for a while, so that the MERGE itself fails
    home.execute("ALTER TABLE ANALYTICS.FINAL.ORDERS ALTER COLUMN NOTE SET NOT NULL")
    home.aurora(
        "UPDATE orders SET total = 0", "INSERT INTO orders VALUES (11, 11, NULL)", "DELETE FROM orders WHERE id = 1"
    )
    home.dms().sync()
    failed = home.pump()
    assert [one["task"].split(".")[-1] for one in failed["tasks_failed"]] == ["ORDERS_MERGE"]
    assert home.execute(marks) == before
    final = home.execute("SELECT COUNT(*), MIN(TOTAL), MAX(ID) FROM ANALYTICS.FINAL.ORDERS")
    assert [int(value) for value in final[0]] == [10, 1, 10]  # nothing of the batch is there

    home.execute("ALTER TABLE ANALYTICS.FINAL.ORDERS ALTER COLUMN NOTE DROP NOT NULL")
    home.pump()
    home.assert_equal("orders", rows=10)
    assert home.execute(marks)[0][1] == before[0][1] + 1


def test_a_watermark_that_cannot_be_written_takes_the_merge_back(home: Home) -> None:
    land(home, ORDERS)
    home.execute("ALTER TABLE ANALYTICS.DRIFTGUARD.WATERMARK RENAME COLUMN RAN_AT TO ELSEWHERE")
    home.aurora("INSERT INTO orders VALUES (1, 1, 'x')")
    home.dms().sync()
    assert home.pump()["tasks_failed"]
    assert home.execute("SELECT COUNT(*) FROM ANALYTICS.FINAL.ORDERS")[0][0] == 0
    home.execute("ALTER TABLE ANALYTICS.DRIFTGUARD.WATERMARK RENAME COLUMN ELSEWHERE TO RAN_AT")
    home.pump()
    home.assert_equal("orders", rows=1)


@pytest.mark.parametrize("zone", ["America/Los_Angeles", "Pacific/Auckland"])
def test_the_time_zone_of_the_account_and_of_the_task_changes_no_value(home: Home, zone: str) -> None:
    land(
        home,
        """CREATE TABLE moments (id int PRIMARY KEY, tz timestamptz, tz0 timestamptz(0), plain timestamp, day date, doc jsonb)""",
        """INSERT INTO moments SELECT n, '2024-03-10 09:30:00.123456+00'::timestamptz + n * interval '20 minutes',
        '2024-11-03 08:30:00+00'::timestamptz + n * interval '20 minutes',
        '2024-03-10 02:30:00.000001'::timestamp + n * interval '20 minutes', '1969-12-30'::date + n,
        jsonb_build_object('at', '2024-03-10T02:30:00') FROM generate_series(1, 20) n""",
    )
    assert home.execute("SHOW PARAMETERS LIKE 'TIMEZONE' IN SESSION")[0][1] == "America/Los_Angeles"
    task = "ALTER TASK ANALYTICS.STAGING.MOMENTS_MERGE"
    home.execute(f"{task} SUSPEND", f"{task} SET TIMEZONE = '{zone}'", f"{task} RESUME")
    home.assert_equal("moments", rows=20)
    home.aurora(
        "UPDATE moments SET tz = tz + interval '1 year', plain = plain - interval '80 years' WHERE id % 2 = 0",
        "DELETE FROM moments WHERE id = 3",
        "INSERT INTO moments VALUES (99, '2038-01-19 03:14:08+00', '0001-01-01 00:00:00+00', '9999-12-31 23:59:59.999999', '0001-01-01')",
        "UPDATE moments SET doc = NULL WHERE id = 5",
    )
    home.sync()
    home.assert_equal("moments", rows=20)
    # changes that are newer by their commit win, also across the hour that clocks turn back
    for n in range(3):
        home.aurora(f"UPDATE moments SET plain = plain + interval '1 hour', doc = '{{\"turn\": {n}}}' WHERE id < 99")
        home.dms().sync()
    home.pump(seed=5)
    home.assert_equal("moments", rows=20)


def test_a_reload_of_the_table_changes_nothing(home: Home) -> None:
    land(home, ORDERS, "INSERT INTO orders SELECT n, n, 'x' FROM generate_series(1, 30) n")
    home.aurora("UPDATE orders SET note = 'y' WHERE id < 10", "DELETE FROM orders WHERE id = 30")
    home.sync()
    home.dms().reload([("public", "orders")])
    home.aurora("UPDATE orders SET note = 'z' WHERE id < 5")
    home.sync()
    home.assert_equal("orders", rows=29)
