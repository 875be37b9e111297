"""Random histories: whoever applies the files in the order of the change sequence has the source's tables."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

import pytest

from driftguard.sandbox.dms import Switches

if TYPE_CHECKING:
    from conftest import Source


def statement(chance: random.Random) -> str:
    """One random change of table t, whose key is id and whose other columns are texts that are never NULL."""
    number = chance.randint(1, 12)
    word = "".join(chance.choices("abc\\'\"\t é😀", k=chance.randint(0, 5))).replace("'", "''")
    return chance.choice(
        [
            f"INSERT INTO t (id, a) VALUES ({number}, '{word}') ON CONFLICT DO NOTHING",
            f"INSERT INTO t (id, a) SELECT n, '{word}' FROM generate_series({number}, {number + 3}) n "
            "ON CONFLICT DO NOTHING",
            f"UPDATE t SET a = '{word}' WHERE id = {number}",
            f"UPDATE t SET a = a || 'x' WHERE id % 3 = {number % 3}",
            f"UPDATE t SET id = id + 100 WHERE id = {number} AND NOT EXISTS (SELECT FROM t WHERE id = {number + 100})",
            f"UPDATE t SET id = id - 100 WHERE id = {number + 100} AND NOT EXISTS (SELECT FROM t WHERE id = {number})",
            f"DELETE FROM t WHERE id = {number}",
            f"DELETE FROM t WHERE id > {number + 95}",
        ]
    )


def replayed(source: Source) -> dict[int, str]:
    """The table as the files say: loaded rows first, then changes by their sequence."""
    table = {row["id"]: row["a"] for row in source.loaded()}
    for row in sorted(source.changes(), key=lambda row: row["seq"]):
        if row["Op"] == "D" or (row["Op"] == "U" and row["BI_id"] != row["id"]):
            table.pop(row["BI_id"] if row["Op"] == "U" else row["id"], None)
        if row["Op"] != "D":
            table[row["id"]] = row["a"]
    return table


@pytest.mark.parametrize("cut", [True, False], ids=["file cut at DDL", "file goes on"])
@pytest.mark.parametrize("seed", range(4))
def test_a_random_history_replays_to_the_source(source: Source, seed: int, cut: bool) -> None:
    chance = random.Random(seed)
    source.run("CREATE TABLE t (id int PRIMARY KEY, a varchar(200))", "INSERT INTO t VALUES (1, 'first'), (2, '')")
    rules: list[dict[str, Any]] = [
        source.rule("2", "column", "add-column", value="seq", expression="$AR_H_CHANGE_SEQ"),
        source.rule("3", "column", "add-before-image-columns"),
    ]
    dms = source.dms(source.task(*rules), Switches(cut_file_at_ddl=cut))
    dms.step = lambda point: source.run("UPDATE t SET a = 'while loading' WHERE id = 2")
    dms.start()
    dms.step = lambda point: None
    for n in range(60):
        kind = chance.random()
        if kind < 0.6:
            source.run(statement(chance))
        elif kind < 0.75:
            source.run(
                "BEGIN",
                statement(chance),
                "SAVEPOINT s",
                statement(chance),
                "ROLLBACK TO s",
                statement(chance),
                "COMMIT",
            )
        elif kind < 0.8:
            source.run("BEGIN", statement(chance), statement(chance), "ROLLBACK")
        elif kind < 0.9:
            source.run(f"ALTER TABLE t ADD COLUMN extra{n} int DEFAULT {n}")
        elif kind < 0.93:
            source.run("ALTER TABLE t ALTER a TYPE varchar(300)", "VACUUM FULL t")
        else:
            dms.sync()
    dms.sync()
    now = dict(source.connection.execute("SELECT id, a FROM t").fetchall())
    assert replayed(source) == now
    assert dms.sync().files == ()
