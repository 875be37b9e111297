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
