"""Values that do not come as they are, through the real WAL: left out by an update, cut off, under another key."""

from __future__ import annotations

import pytest

from driftguard.sandbox.dms import Switches
from home import Home, land

ORDERS = "CREATE TABLE orders (id int PRIMARY KEY, total numeric(10,2), note text)"
LARGE = "repeat(md5(n::text), 3000)"
KEEP = '\n[[policy.columns]]\ntable = "public.pages"\ncolumn = "body"\non_null_update = "keep"\n'


def configure(home: Home, text: str) -> None:
    file = home.directory / "driftguard.toml"
    file.write_text(file.read_text(encoding="utf-8") + text, encoding="utf-8")


@pytest.mark.parametrize("toast", ["null", "looked_up"])
@pytest.mark.parametrize("policy", ["overwrite", "keep"])
def test_an_update_that_leaves_a_large_value_out(home: Home, toast: str, policy: str) -> None:
    """Without REPLICA IDENTITY FULL. Only `overwrite` where DMS writes NULL loses the values, as DG504 says."""
    switches = Switches(unchanged_toast=toast)  # type: ignore[arg-type]
    configure(home, KEEP if policy == "keep" else "")
    land(home, "CREATE TABLE pages (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, body text, hits int)")
    home.aurora(
        "ALTER TABLE pages ALTER COLUMN body SET STORAGE EXTERNAL",
        f"INSERT INTO pages (body, hits) SELECT {LARGE}, 0 FROM generate_series(1, 6) n",
    )
    home.sync(switches)
    home.aurora("UPDATE pages SET hits = 1", "UPDATE pages SET body = body || '!' WHERE id = 2")
    home.aurora(f"INSERT INTO pages (body, hits) SELECT {LARGE}, 0 FROM generate_series(7, 9) n")
    home.aurora("UPDATE pages SET hits = hits + 1 WHERE id >= 2", "DELETE FROM pages WHERE id = 9")
    home.sync(switches, seed=3)
    result = home.compare("pages")
    assert result.equal is not (policy == "overwrite" and toast == "null")
    home.sync(switches)
    assert home.compare("pages").equal is result.equal
    codes = {f["code"]: f["severity"] for f in home.json("check")["findings"]}
    assert codes["DG504"] == ("info" if policy == "keep" else "warning")


MOVES = (
    "UPDATE orders SET id = 101 WHERE id = 1",
    "UPDATE orders SET id = 102 WHERE id = 2; UPDATE orders SET id = 103 WHERE id = 102",
    # two rows trade keys
    "UPDATE orders SET id = -1 WHERE id = 3; UPDATE orders SET id = 3 WHERE id = 4; UPDATE orders SET id = 4 WHERE id = -1",
    "UPDATE orders SET id = 105 WHERE id = 5; INSERT INTO orders VALUES (5, 5, 'another')",
    "DELETE FROM orders WHERE id = 6; UPDATE orders SET id = 6 WHERE id = 7",
    "UPDATE orders SET note = 'stays' WHERE id = 8",
)


@pytest.mark.parametrize("seed", [None, 4])
def test_rows_whose_key_is_updated_move(home: Home, seed: int | None) -> None:
    land(home, ORDERS, "INSERT INTO orders SELECT n, n, 'row ' || n FROM generate_series(1, 10) n")
    for move in MOVES:
        home.aurora(move)
        home.dms().sync()  # a file each
    home.pump(seed)
    home.assert_equal("orders", rows=10)
    home.aurora("UPDATE orders SET id = id + 1000 WHERE id > 100", "UPDATE orders SET id = 1 WHERE id = 1101")
    home.sync()
    home.assert_equal("orders", rows=10)
    assert "DG505" not in {f["code"] for f in home.json("check")["findings"]}


def test_rows_that_trade_deferrable_keys_in_one_statement(home: Home) -> None:
    """Such a key is no replica identity: the whole old row must be."""
    land(
        home,
        "CREATE TABLE slots (slot int PRIMARY KEY DEFERRABLE INITIALLY DEFERRED, what text)",
        "ALTER TABLE slots REPLICA IDENTITY FULL",
        "INSERT INTO slots SELECT n, 'item ' || n FROM generate_series(1, 6) n",
    )
    home.aurora("UPDATE slots SET slot = slot % 6 + 1")
    home.sync()
    home.assert_equal("slots", rows=6)
    home.aurora("UPDATE slots SET slot = 7 - slot", "UPDATE slots SET slot = slot + 1")
    home.sync()
    home.assert_equal("slots", rows=6)


@pytest.mark.parametrize(
    ("how", "ids"), [("ignored", [1, 2]), ("update_with_new_key", [1, 2, 11]), ("update_with_before_image", [2, 11])]
)
def test_what_is_left_of_a_key_that_was_updated_depends_on_what_dms_writes(
    home: Home, how: str, ids: list[int]
) -> None:
    """AWS documents both that there is no row and that before-images hold the old key."""
    land(home, ORDERS, "INSERT INTO orders VALUES (1, 1, 'a'), (2, 2, 'b')")
    home.aurora("UPDATE orders SET id = 11 WHERE id = 1")
    home.sync(Switches(key_update=how))  # type: ignore[arg-type]
    found = home.execute("SELECT ID FROM ANALYTICS.FINAL.ORDERS ORDER BY ID")
    assert [int(row[0]) for row in found] == ids


def test_values_that_are_cut_off_or_do_not_fit_are_counted_and_shown(home: Home) -> None:
    home.write(
        "typemaps/overrides.toml",
        '[[override]]\ncolumn = "public.papers.code"\nfinal = "NUMBER(38,2)"\ncast = "number"\nreason = "digits"\n'
        '[[override]]\ncolumn = "public.papers.price"\nfinal = "NUMBER(38,2)"\ncast = "number"\nreason = "digits"\n',
    )
    land(home, "CREATE TABLE papers (code varchar(20) PRIMARY KEY, price varchar(20), doc jsonb)")
    assert "0 values of the last 7 days did not fit" in home.run("status")
    home.aurora(
        "INSERT INTO papers VALUES ('1', '1.50', '{\"a\": 1}'), ('2', '2', 'null'), ('three', '3', '{}'), ('4', '4', '4')",
    )
    home.sync()
    home.aurora(
        "UPDATE papers SET price = '1.505' WHERE code = '1'",
        # LobMaxSize cuts it, and what is left is no JSON
        "UPDATE papers SET doc = jsonb_build_object('x', repeat('y', 1200000)) WHERE code = '2'",
        "UPDATE papers SET price = NULL WHERE code = '4'",
    )
    home.sync()
    final = home.execute("SELECT CODE, PRICE, TO_JSON(DOC) FROM ANALYTICS.FINAL.PAPERS ORDER BY CODE")
    assert [(int(c), p if p is None else float(p), d) for c, p, d in final] == [
        (1, 1.5, '{"a": 1}'), (2, 2.0, "null"), (4, None, "4"),
    ]  # fmt: skip
    kept = home.execute(
        "SELECT COLUMN_NAME, LEFT(RAW, 8), ROW_KEY FROM ANALYTICS.DRIFTGUARD.CAST_FAILURE ORDER BY COLUMN_NAME"
    )
    assert kept == [
        ("CODE", "three", '{"CODE":"three"}'),
        ("DOC", '{"x": "y', '{"CODE":"2"}'),
        ("PRICE", "1.505", '{"CODE":"1"}'),
    ]
    for _ in range(2):
        assert "3 values of the last 7 days did not fit" in home.run("status")
        found = home.json("check", code=1)["findings"]
        failed = [f for f in found if f["code"] == "DG605"]
        assert sorted(f["column"] for f in failed) == ["code", "doc", "price"]
        home.aurora("UPDATE papers SET price = '5' WHERE code = '4'")
        home.sync()
