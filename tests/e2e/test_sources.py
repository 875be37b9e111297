"""Two schemas that meet in one landing: the column that tells them apart is part of the key."""

from __future__ import annotations

import json

from home import Home

ADD = {"rule-type": "transformation", "rule-target": "column", "rule-action": "add-column"}
EVERY_TABLE = {"schema-name": "%", "table-name": "%"}


def mappings(*, told_apart: bool) -> str:
    """eu and us both become `shop`."""
    rules: list[dict[str, object]] = []
    for schema in ("eu", "us"):
        place = {"schema-name": schema, "table-name": "%"}
        rules.append({"rule-type": "selection", "rule-action": "include", "object-locator": place})
        rename = {"rule-type": "transformation", "rule-target": "schema", "rule-action": "rename", "value": "shop"}
        rules.append(rename | {"object-locator": {"schema-name": schema}})
    text = {"type": "string", "length": 63}
    rules.append(
        ADD | {"value": "seq", "expression": "$AR_H_CHANGE_SEQ", "object-locator": EVERY_TABLE, "data-type": text}
    )
    if told_apart:
        column = {"value": "region", "expression": "$AR_M_SOURCE_SCHEMA"}
        rules.append(ADD | column | {"object-locator": EVERY_TABLE, "data-type": text})
    numbered = [rule | {"rule-id": str(n), "rule-name": str(n)} for n, rule in enumerate(rules, start=1)]
    return json.dumps({"rules": numbered})


def test_equal_keys_of_two_schemas_stay_two_rows(home: Home) -> None:
    """Inserts, updates and deletes of the one never touch the other."""
    home.write("dms/table-mappings.json", mappings(told_apart=True))
    for schema in ("eu", "us"):
        home.aurora(f"CREATE SCHEMA {schema}", f"CREATE TABLE {schema}.orders (id int PRIMARY KEY, note text)")
    home.run("plan", "--write")
    home.run("apply", "--quiet")
    home.sync()
    home.aurora(
        "INSERT INTO eu.orders VALUES (1, 'eu'), (2, 'eu'), (3, 'eu')",
        "INSERT INTO us.orders VALUES (1, 'us'), (2, 'us'), (4, 'us')",
        "UPDATE eu.orders SET note = 'changed' WHERE id = 1",
        "DELETE FROM us.orders WHERE id = 2",
    )
    home.sync()
    rows = home.execute("SELECT id, region, note FROM ANALYTICS.FINAL.ORDERS ORDER BY 1, 2")
    assert [tuple(row) for row in rows] == [
        (1, "eu", "changed"),
        (1, "us", "us"),
        (2, "eu", "eu"),
        (3, "eu", "eu"),
        (4, "us", "us"),
    ]
    assert "DG427" not in {f["code"] for f in home.json("check")["findings"]}


def test_without_such_a_column_the_check_says_that_rows_can_clash(home: Home) -> None:
    home.write("dms/table-mappings.json", mappings(told_apart=False))
    for schema in ("eu", "us"):
        home.aurora(f"CREATE SCHEMA {schema}", f"CREATE TABLE {schema}.orders (id int PRIMARY KEY, note text)")
    home.run("plan", "--write")
    home.run("apply", "--quiet")
    (finding,) = [f for f in home.json("check", code=1)["findings"] if f["code"] == "DG427"]
    assert finding["severity"] == "error"
    assert "eu.orders, us.orders meet in" in finding["message"]
