"""What a downgrade drops is kept first, and can be had again."""

from __future__ import annotations

import re

from home import Home, land


def test_dropped_values_are_in_the_clone_that_the_output_names(home: Home) -> None:
    land(home, "CREATE TABLE orders (id bigint PRIMARY KEY)")
    home.aurora("ALTER TABLE orders ADD COLUMN note text")
    home.run("plan", "--write", "-m", "note")
    home.run("apply")
    home.aurora("INSERT INTO orders VALUES (1, 'kept')")
    home.sync()
    assert "--allow LOSES_DATA" in home.refused("downgrade", "-1", code=1)
    told = home.run("downgrade", "-1", "--allow", "LOSES_DATA")
    clones = [re.findall(r'"UNDO_[A-Z_0-9]+"', line)[0] for line in told.splitlines() if line.startswith("to undo")]
    assert [name.split("_")[1] for name in clones] == ["STAGING", "FINAL"]
    (final,) = [name for name in clones if "FINAL" in name]
    assert home.execute(f"SELECT NOTE FROM ANALYTICS.DRIFTGUARD.{final}") == [("kept",)]
    assert ("NOTE",) not in home.execute(
        "SELECT COLUMN_NAME FROM ANALYTICS.INFORMATION_SCHEMA.COLUMNS WHERE TABLE_NAME = 'ORDERS'"
    )
