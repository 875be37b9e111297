"""typemaps/overrides.toml: what is wrong with it is said in one line, with the file."""

from __future__ import annotations

from pathlib import Path

import pytest

from builders import plain
from driftguard.errors import TypeMapError
from driftguard.model.settings import EndpointSettings
from driftguard.typemap.load import load, shipped
from driftguard.typemap.resolve import deliver


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("[[override", "Expected"),
        ("\xff", "codec"),
        ("[[overrides]]\ntype = 'x'", "unknown key 'overrides'"),
        ("[override]\ntype = 'x'\nreason = 'r'", "one table"),
        ("override = [1]", "dictionary"),
        ("[[override]]\ntype = 'numeric'\nfinal = 'FLOAT'", "reason"),
        ("[[override]]\ntype = 5\nfinal = 'FLOAT'\nreason = 'r'", "type"),
        ("[[override]]\nkind = 'x'\nreason = 'r'", "kind"),
        ("[[override]]\ntype = 'x'\ncast = 'magic'\nreason = 'r'", "cast"),
        ("[[override]]\ntype = 'x'\nfinal = 'NO TYPE!'\nreason = 'r'", "final = 'NO TYPE!'"),
        ("[[override]]\ntype = 'x'\nstaging = 'VARCHR(5)'\nreason = 'r'", "staging = 'VARCHR(5)'"),
        ("[[override]]\nfinal = 'FLOAT'\nreason = 'r'", "neither for which column"),
        ("[[override]]\ntable = 'shop.orders'\nfinal = 'FLOAT'\nreason = 'r'", "neither for which column"),
        ("[[override]]\ncolumn = 'total'\nfinal = 'FLOAT'\nreason = 'r'", "schema.table.column"),
        ("[[override]]\ntype = 'x'\nreason = 'r'", "changes nothing"),
        ("[[override]]\ntype = 'x'\nfinal = 'FLOAT'\nreason = ' '", "reason"),
        ("[[override]]\ncolumn = 'a.b.c'\ntype = 'x'\nfinal = 'FLOAT'\nreason = 'r'", "table and type say nothing"),
        ("[[override]]\ntype = 'x'\nfinal = 'FLOAT'\nreason = 'r'\n" * 2, "override 2 (type x): override 1 is about"),
        ("[[override]]\ntype = 'x'\nfinal = 'VARCHAR(134217729)'\nreason = 'r'", "no such length"),
        ("[[override]]\ntype = 'x'\nfinal = 'VARCHAR(0)'\nreason = 'r'", "no such length"),
        ("[[override]]\ntype = 'x'\nfinal = 'BINARY(67108865)'\nreason = 'r'", "no such length"),
        ("[[override]]\ntype = 'x'\nfinal = 'NUMBER(39,2)'\nreason = 'r'", "no such length"),
        ("[[override]]\ntype = 'x'\nfinal = 'NUMBER(38,38)'\nreason = 'r'", "no such length"),
        ("[[override]]\ntype = 'x'\nfinal = 'NUMBER(5,6)'\nreason = 'r'", "no such length"),
        ("[[override]]\ntype = 'x'\nfinal = 'TIME(10)'\nreason = 'r'", "no such length"),
        ("x = " + "9" * 5000, "digits"),
        ("[[override]]\ntype = 'x'\nfinal = 'VARCHAR(" + "9" * 5000 + ")'\nreason = 'r'", "is not a Snowflake type"),
        ("x = " + "[" * 5000 + "]" * 5000, "nested too deeply"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(tmp_path: Path, text: str, why: str) -> None:
    path = tmp_path / "overrides.toml"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(TypeMapError) as caught:
        load(path)
    assert str(caught.value).startswith(str(path))
    assert why in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_folder_in_place_of_the_file_is_not_passed_over(tmp_path: Path) -> None:
    with pytest.raises(TypeMapError, match="Is a directory"):
        load(tmp_path)


def test_an_editor_may_put_a_byte_order_mark_before_the_text(tmp_path: Path) -> None:
    path = tmp_path / "overrides.toml"
    path.write_text('[[override]]\ntype = "x"\nfinal = "FLOAT"\nreason = "r"\n', encoding="utf-8-sig")
    assert len(load(path).overrides) == 1


def test_a_project_without_overrides_has_the_shipped_maps(tmp_path: Path) -> None:
    assert load(None) is shipped()
    assert load(tmp_path / "overrides.toml") is shipped()


def test_overrides_are_read_in_their_order(tmp_path: Path) -> None:
    path = tmp_path / "overrides.toml"
    path.write_text(
        '[[override]]\ncolumn = "shop.orders.total"\nfinal = "NUMBER(38,4)"\ncast = "number"\nreason = "why"\n'
        '[[override]]\ntype = "citext"\nfinal = "VARCHAR(200)"\nreason = "short"\n'
    )
    assert [item.reason for item in load(path).overrides] == ["why", "short"]


MARKED = """
[[dms_to_parquet]]
match = { dms = ["DATETIME"] }
type = "TIMESTAMP_UTC({p})"
loss = "exact"
source = "footer of dms/shop/orders/LOAD00000001.parquet"
proven_by = "footer sample"
"""


OF_TYPE = """
[[postgres_to_dms]]
match = {{ type = ["tsrange"] }}
type = "{}"
loss = "as_text"
source = "footer of dms/shop/orders/LOAD00000001.parquet"
proven_by = "footer sample"
"""


@pytest.mark.parametrize("dms", ["STRING", "STRING(255)", "NCLOB", "NUMERIC(38,6)", "NUMERIC({p},{s})", "DATETIME(6)"])
def test_what_a_footer_shows_of_a_type_is_taken(tmp_path: Path, dms: str) -> None:
    path = tmp_path / "observed.toml"
    path.write_text(OF_TYPE.format(dms))
    assert deliver(load(None, path), plain("tsrange"), EndpointSettings()).hops[0].proven_by == "footer sample"


def test_what_a_footer_showed_wins_over_the_shipped_map(tmp_path: Path) -> None:
    path = tmp_path / "observed.toml"
    path.write_text(MARKED)
    delivery = deliver(load(None, path), plain("timestamp"), EndpointSettings())
    assert delivery.parquet == "TIMESTAMP_UTC(6)"
    assert delivery.hops[1].proven_by == "footer sample"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (MARKED.replace("[[dms_to_parquet]]", "[[parquet_to_staging]]"), "unknown key 'parquet_to_staging'"),
        (MARKED.replace("[[dms_to_parquet]]", "[dms_to_parquet]"), "one table"),
        (MARKED.replace('dms = ["DATETIME"]', ""), "does not say for which type"),
        (MARKED.replace("TIMESTAMP_UTC({p})", "DATETIME"), "'DATETIME' is not one of"),
        (MARKED.replace('"footer sample"', '"hearsay"'), "proven_by"),
        (MARKED.replace('loss = "exact"', 'loss = "none"'), "loss"),
        (MARKED.replace("TIMESTAMP_UTC({p})", "TIMESTAMP"), "has not the numbers"),
        (MARKED.replace("TIMESTAMP_UTC({p})", "DECIMAL"), "has not the numbers"),
        (MARKED.replace("TIMESTAMP_UTC({p})", "DECIMAL(39,2)"), "has not the numbers"),
        (MARKED.replace("TIMESTAMP_UTC({p})", "DECIMAL(10,-2)"), "has not the numbers"),
        (MARKED.replace("TIMESTAMP_UTC({p})", "STRING("), "has not the numbers"),
        (MARKED.replace("TIMESTAMP_UTC({p})", "-"), "go together"),
        (MARKED.replace('loss = "exact"', 'loss = "not_delivered"'), "go together"),
        (MARKED.replace("DATETIME", "datetime"), "match.dms = 'datetime' is not one of"),
        (MARKED + MARKED, "dms_to_parquet 2: another before it"),
        (MARKED.replace('"footer sample"', '"AWS text"'), "an observation is of a file's footer"),
        (MARKED.replace("footer of dms/shop/orders/LOAD00000001.parquet", " "), "an observation is of a file's footer"),
        (OF_TYPE.format("WHAT"), "'WHAT' is not one of"),
        (OF_TYPE.format("NUMERIC"), "has not the numbers"),
        (OF_TYPE.format("STRING("), "has not the numbers"),
    ],
)
def test_a_wrong_observation_is_refused_in_one_line(tmp_path: Path, text: str, why: str) -> None:
    path = tmp_path / "observed.toml"
    path.write_text(text)
    with pytest.raises(TypeMapError) as caught:
        load(None, path)
    assert str(caught.value).startswith(str(path))
    assert why in str(caught.value)
    assert "\n" not in str(caught.value)
