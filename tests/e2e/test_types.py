"""Changes of a type after the table landed, and decisions about types, through the whole chain."""

from __future__ import annotations

from decimal import Decimal

from home import Home


def codes(home: Home) -> dict[str, str]:
    """Findings at the column: code → severity."""
    found = home.try_("check", "--format", "json").stdout
    import json

    return {f["code"]: f["severity"] for f in json.loads(found)["findings"] if f["column"] == "total"}


def test_a_decimal_whose_scale_grows_is_rounded_silently_and_check_says_so_before(home: Home) -> None:
    """Snowflake rounds a Parquet decimal to the scale of the column without an error, and cannot alter the scale."""
    home.aurora("CREATE TABLE orders (id int PRIMARY KEY, total numeric(10,2))", "INSERT INTO orders VALUES (1, 1.25)")
    home.run("plan", "--write")
    home.run("apply", "--quiet")
    home.sync()
    home.aurora("ALTER TABLE orders ALTER COLUMN total TYPE numeric(12,4)")
    assert codes(home) == {"DG104": "error", "DG204": "error"}
    home.aurora("INSERT INTO orders VALUES (2, 1.2345)")
    home.sync()
    assert home.execute("SELECT TOTAL FROM ANALYTICS.FINAL.ORDERS WHERE ID = 2") == [(Decimal("1.23"),)]


def test_an_override_lands_text_as_numbers_and_quarantines_what_is_none(home: Home) -> None:
    home.aurora("CREATE TABLE orders (id int PRIMARY KEY, total text)", "INSERT INTO orders VALUES (1, '12.50')")
    home.write(
        "typemaps/overrides.toml",
        '[[override]]\ncolumn = "public.orders.total"\nfinal = "NUMBER(38,2)"\nreason = "the shop writes amounts"\n',
    )
    home.run("plan", "--write")
    home.run("apply", "--quiet")
    home.sync()
    home.aurora("UPDATE orders SET total = 'twelve' WHERE id = 1", "INSERT INTO orders VALUES (2, '3.40')")
    home.sync()
    rows = home.execute("SELECT ID, TOTAL FROM ANALYTICS.FINAL.ORDERS ORDER BY ID")
    assert rows == [(1, Decimal("12.50")), (2, Decimal("3.40"))]
    (kept,) = home.execute('SELECT "COLUMN_NAME", "RAW" FROM ANALYTICS.DRIFTGUARD.CAST_FAILURE')
    assert kept == ("TOTAL", "twelve")
