"""Where the footer wins over the prediction, and where it must not."""

from __future__ import annotations

import pytest

from builders import context, numeric, plain, table, task, varchar
from driftguard.drift.expect import expect
from driftguard.emission.emit import emit
from driftguard.emission.observed import overlay
from driftguard.model.catalog import PgType
from driftguard.model.emission import Emission, EmittedColumn, Loss
from driftguard.model.observed import Footer, NotSeen, Observed, ObservedColumn, Sighting
from driftguard.typemap.load import shipped
from driftguard.typemap.resolve import Resolver

DMS = task()
NEWER, OLDER = "2026-11-22T10:00:00+00:00", "2026-11-01T10:00:00+00:00"
NONE = NotSeen("none", empty=True)


def emitted(type_: PgType) -> Emission:
    found = emit(table("orders", ("x", type_)), DMS, Resolver(shipped(), DMS.endpoint))
    assert found is not None
    return found


def file(modified: str = NEWER, **types: str) -> Footer:
    return Footer("dms/f.parquet", tuple(ObservedColumn(n, t, t) for n, t in types.items()), 1, "", modified)


def seen(type_: PgType, cdc: Footer | NotSeen, load: Footer | NotSeen = NONE) -> EmittedColumn:
    prediction = emitted(type_)
    changed = overlay(prediction, Sighting(Observed(prediction.path, load, cdc), (prediction,)))
    return next(c for c in changed.columns if c.name == "x")


@pytest.mark.parametrize(
    ("type_", "footer", "taken"),
    [
        (plain("timestamp"), "TIMESTAMP_UTC(6)", "TIMESTAMP_UTC(6)"),
        (plain("timestamptz"), "TIMESTAMP_UTC(3)", "TIMESTAMP_UTC(6)"),
        (plain("tstzrange"), "BINARY", "BINARY"),  # nobody documents it: the file knows
        (plain("bool"), "BOOLEAN", "BOOLEAN"),
        (plain("int4"), "INT64", "INT64"),
        (plain("int8"), "INT32", "INT64"),  # from before ALTER TYPE bigint, perhaps
        (plain("float4"), "DOUBLE", "DOUBLE"),
        (numeric(10, 2), "DECIMAL(8,4)", "DECIMAL(12,4)"),
        (numeric(20, 4), "DECIMAL(10,2)", "DECIMAL(20,4)"),
        (numeric(38, 0), "DECIMAL(38,10)", "DECIMAL(38,10)"),
        (numeric(10, 2), "STRING", "DECIMAL(10,2)"),  # documented: the file may be older than the type
        (varchar(10), "INT32", "STRING"),
        (plain("date"), "", "DATE32"),  # a footer that nobody can read settles nothing
    ],
)  # fmt: skip
def test_the_type_to_plan_for(type_: PgType, footer: str, taken: str) -> None:
    assert seen(type_, file(x=footer)).parquet_type == taken


def test_a_confirmed_type_is_exact_and_names_the_file() -> None:
    before = next(c for c in emitted(plain("timestamp")).columns if c.name == "x")
    assert before.hops[-1].loss is Loss.ASSUMED_EXACT
    hop = seen(plain("timestamp"), file(x="TIMESTAMP(6)")).hops[-1]
    assert (hop.loss, hop.proven_by) == (Loss.EXACT, "footer sample")
    assert hop.source == f"footer of dms/f.parquet, written {NEWER}"


def test_a_type_that_nobody_documents_stays_unknown_in_its_values() -> None:
    """The footer proves the type; what stands in the text it does not show."""
    hops = seen(plain("tstzrange"), file(x="STRING")).hops
    assert [h.loss for h in hops] == [Loss.UNKNOWN, Loss.EXACT]


def test_the_newest_file_that_has_the_column_decides() -> None:
    newer, older = file(x="TIMESTAMP_UTC(6)"), file(OLDER, x="TIMESTAMP(6)")
    assert seen(plain("timestamp"), older, newer).parquet_type == "TIMESTAMP_UTC(6)"
    assert seen(plain("timestamp"), newer, older).parquet_type == "TIMESTAMP_UTC(6)"
    assert seen(plain("timestamp"), file(y="INT32"), older).parquet_type == "TIMESTAMP(6)"


def test_what_a_proposal_changes_keeps_its_prediction() -> None:
    """The files hold timestamp; the pull request makes it a text of another name and type."""
    now, then = emitted(plain("timestamp")), emitted(plain("text"))
    sighting = Sighting(Observed(now.path, NONE, file(x="TIMESTAMP_UTC(6)", id="INT64")), (now,))
    changed = overlay(then, sighting)
    by_name = {c.name: c for c in changed.columns}
    assert by_name["x"].parquet_type == "STRING"
    assert by_name["id"].hops[-1].proven_by == "footer sample"


def test_landings_follow_the_footer() -> None:
    prediction = emitted(plain("timestamp"))
    marked = overlay(prediction, Sighting(Observed(prediction.path, NONE, file(x="TIMESTAMP_UTC(6)")), (prediction,)))
    policy = context().policy
    (landing,) = expect([marked], [DMS], shipped(), policy).landings
    assert str(next(c for c in landing.staging_columns if c.name == "X").type) == "TIMESTAMP_LTZ(9)"
