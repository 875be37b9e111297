"""What the footers of the newest files say, and what is said where there is none to read."""

from __future__ import annotations

import io
import struct
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from botocore.exceptions import ClientError

from driftguard.dms.footers import CONVERTED, observe
from driftguard.dms.store import S3, Folder, Listing, Store
from driftguard.errors import UnreachableError
from driftguard.model.observed import Footer, NotSeen
from driftguard.model.settings import EndpointSettings
from lake import parquet

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
PLAIN = EndpointSettings()
ROW = parquet(id=[1])


def put(s3: Any, *keys: str, body: bytes = ROW) -> None:
    for key in keys:
        s3.put_object(Bucket="lake", Key=key, Body=body)


def seen(store: Store, path: str = "dms/shop/orders/", endpoint: EndpointSettings = PLAIN) -> tuple[Any, Any]:
    (found,) = observe(store, [(path, endpoint)], NOW)
    return found.full_load, found.cdc


def cdc(moment: datetime) -> str:
    return f"{moment:%Y%m%d-%H%M%S}000.parquet"


# -- which file --------------------------------------------------------------------------------------------------------


def test_on_s3_the_newest_of_each_kind_is_read(s3: Any) -> None:
    put(s3, "x/dms/shop/orders/LOAD00000001.parquet", body=parquet(id=[1, 2, 3]))
    put(s3, *(f"x/dms/shop/orders/{cdc(NOW - timedelta(days=d))}" for d in (30, 3, 9)))
    put(s3, "x/dms/shop/orders_archive/20261122-110000000.parquet", "x/dms/shop/orders/notes.txt")
    load, change = seen(S3("lake", "x", s3))
    assert (load.path, load.rows, [c.name for c in load.columns]) == ("dms/shop/orders/LOAD00000001.parquet", 3, ["id"])
    assert change.path == "dms/shop/orders/20261119-120000000.parquet"
    assert change.created_by.startswith("parquet-cpp")
    assert change.note == ""


def test_more_than_a_thousand_keys_do_not_hide_the_newest(s3: Any) -> None:
    """In one minute of eleven days ago: no window of time has it in one page of a listing."""
    start = NOW - timedelta(days=11)
    put(s3, *(f"dms/shop/orders/{start:%Y%m%d-%H%M}{n * 40:05d}.parquet" for n in range(1300)))
    put(s3, *(f"dms/shop/orders/LOAD{n:08X}.parquet" for n in range(1, 1102)))
    load, change = seen(S3("lake", "", s3))
    assert change.path == f"dms/shop/orders/{start:%Y%m%d-%H%M}51960.parquet"
    assert change.note == ""
    assert isinstance(load, Footer)


def test_a_search_that_was_cut_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "dms/shop/orders"
    folder.mkdir(parents=True)
    for n in range(3):
        (folder / f"20261101-10000000{n}.parquet").write_bytes(ROW)
        (folder / f"LOAD0000000{n}.parquet").write_bytes(ROW)
    monkeypatch.setattr("driftguard.dms.store.PAGE", 2)
    monkeypatch.setattr("driftguard.dms.newest._LOAD_PAGES", 1)
    load, change = seen(Folder(tmp_path))
    assert "there may be a newer full-load file" in load.note
    assert "there may be a newer CDC file" in change.note


@pytest.mark.parametrize("name", ["SEGMENT3_LOAD00000001.parquet", "part_2/LOAD00000001.parquet"])
def test_files_of_a_parallel_load_are_found(tmp_path: Path, name: str) -> None:
    file = tmp_path / "dms/shop/orders" / name
    file.parent.mkdir(parents=True)
    file.write_bytes(ROW)
    load, change = seen(Folder(tmp_path))
    assert load.path == f"dms/shop/orders/{name}"
    assert isinstance(change, NotSeen)


@pytest.mark.parametrize("where", ["s3", "folder"])
@pytest.mark.parametrize(
    ("sequence", "delimiter", "form"),
    [
        ("YYYYMMDD", "SLASH", "%Y/%m/%d"),
        ("YYYYMMDDHH", "SLASH", "%Y/%m/%d/%H"),
        ("DDMMYYYY", "SLASH", "%d/%m/%Y"),
        ("DDMMYYYY", "UNDERSCORE", "%d_%m_%Y"),
        ("MMYYYYDD", "NONE", "%m%Y%d"),
        ("YYYYMM", "DASH", "%Y-%m"),
    ],
)
def test_date_folders_are_looked_into_by_date(
    s3: Any, tmp_path: Path, where: str, sequence: Any, delimiter: Any, form: str
) -> None:
    moments = [NOW - timedelta(days=d) for d in (2, 21, 200)]
    for moment in moments:
        path = f"dms/shop/orders/{moment:{form}}/{cdc(moment)}"
        put(s3, path)
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_bytes(ROW)
    endpoint = EndpointSettings(
        date_partition_enabled=True, date_partition_sequence=sequence, date_partition_delimiter=delimiter
    )
    _, change = seen(S3("lake", "", s3) if where == "s3" else Folder(tmp_path), endpoint=endpoint)
    assert isinstance(change, Footer), change
    assert change.path.endswith(cdc(moments[0]))


def test_files_from_before_the_date_folders_count_where_there_is_no_other(s3: Any) -> None:
    put(s3, f"dms/shop/orders/{cdc(NOW)}")
    _, change = seen(S3("lake", "", s3), endpoint=EndpointSettings(date_partition_enabled=True))
    assert isinstance(change, Footer)


# -- nothing to read ---------------------------------------------------------------------------------------------------


def test_an_empty_prefix_is_not_seen_and_said_to_be_empty(s3: Any) -> None:
    load, change = seen(S3("lake", "", s3))
    assert load == NotSeen("no full-load file below dms/shop/orders/", empty=True)
    assert change == NotSeen("no CDC file below dms/shop/orders/", empty=True)


@pytest.mark.parametrize("body", [b"", b"PAR1", b"not parquet at all", ROW[:-20], ROW[:-8] + b"\xff\xff\xff\x7fPAR1"])
def test_a_file_that_is_not_parquet_is_not_seen(s3: Any, tmp_path: Path, body: bytes) -> None:
    put(s3, "dms/shop/orders/LOAD00000001.parquet", body=body)
    file = tmp_path / "dms/shop/orders/LOAD00000001.parquet"
    file.parent.mkdir(parents=True)
    file.write_bytes(body)
    for store in (S3("lake", "", s3), Folder(tmp_path)):
        load, _ = seen(store)
        assert isinstance(load, NotSeen)
        assert not load.empty
        assert "is not a Parquet file" in load.reason
        assert "\n" not in load.reason


class Saying:
    """A client that refuses an operation as S3 does."""

    def __init__(self, client: Any, operation: str, code: str) -> None:
        self._client, self._operation, self._code = client, operation, code

    def __getattr__(self, name: str) -> Any:
        if name != self._operation:
            return getattr(self._client, name)

        def refuse(**_: Any) -> Any:
            raise ClientError({"Error": {"Code": self._code, "Message": "no"}}, name)

        return refuse


@pytest.mark.parametrize(("operation", "grant"), [("list_objects_v2", "s3:ListBucket"), ("get_object", "s3:GetObject")])
def test_without_the_grant_nothing_is_seen_and_the_grant_is_named(s3: Any, operation: str, grant: str) -> None:
    put(s3, "dms/shop/orders/LOAD00000001.parquet")
    load, _ = seen(S3("lake", "", Saying(s3, operation, "AccessDenied")))
    assert isinstance(load, NotSeen)
    assert not load.empty
    assert grant in load.reason
    assert "s3://lake/dms/shop/orders/" in load.reason


def test_a_wrong_bucket_is_one_line(s3: Any) -> None:
    with pytest.raises(UnreachableError, match=r"s3://elsewhere/\): NoSuchBucket.*check \[lake\] url"):
        seen(S3("elsewhere", "", s3))


def test_a_schema_cannot_lead_out_of_the_folder(tmp_path: Path) -> None:
    (tmp_path / "lake").mkdir()
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret/LOAD00000001.parquet").write_bytes(ROW)
    load, _ = seen(Folder(tmp_path / "lake"), "../secret/")
    assert isinstance(load, NotSeen)


def test_of_a_large_file_on_s3_only_the_end_is_read(s3: Any) -> None:
    body = parquet(id=pa.array(range(500_000)), other=pa.array(range(500_000)))
    put(s3, "dms/shop/orders/LOAD00000001.parquet", body=body)
    ranges: list[str] = []

    class Watched(S3):
        def read(self, file: Any, start: int, end: int) -> bytes:
            ranges.append(f"{start}-{end}")
            return super().read(file, start, end)

    load, _ = seen(Watched("lake", "", s3))
    assert load.rows == 500_000
    read = sum(int(b) - int(a) for a, b in (r.split("-") for r in ranges))
    assert read <= 1 << 17 < len(body) // 4


# -- the words ---------------------------------------------------------------------------------------------------------

WORDS: dict[str, tuple[Any, str]] = {
    "INT8": (pa.array([1], pa.int8()), "INT32 Int(bitWidth=8, isSigned=true)"),
    "INT16": (pa.array([1], pa.int16()), "INT32 Int(bitWidth=16, isSigned=true)"),
    "INT32": (pa.array([1], pa.int32()), "INT32"),
    "INT64": (pa.array([1], pa.int64()), "INT64"),
    "UINT1": (pa.array([1], pa.uint8()), "INT32 Int(bitWidth=8, isSigned=false)"),
    "UINT8": (pa.array([1], pa.uint64()), "INT64 Int(bitWidth=64, isSigned=false)"),
    "FLOAT": (pa.array([1], pa.float32()), "FLOAT"),
    "DOUBLE": (pa.array([1], pa.float64()), "DOUBLE"),
    "DECIMAL(28,6)": (pa.array([Decimal(1)], pa.decimal128(28, 6)), "FIXED_LEN_BYTE_ARRAY(12) Decimal(precision=28, scale=6)"),
    "BOOLEAN": (pa.array([True]), "BOOLEAN"),
    "STRING": (pa.array(["a"]), "BYTE_ARRAY String"),
    "BINARY": (pa.array([b"a"]), "BYTE_ARRAY"),
    "DATE32": (pa.array([1], pa.date32()), "INT32 Date"),
    "TIME32": (pa.array([1], pa.time32("ms")), "INT32 Time(isAdjustedToUTC=false, timeUnit=milliseconds)"),
    "TIMESTAMP(6)": (pa.array([1], pa.timestamp("us")), "INT64 Timestamp(isAdjustedToUTC=false, timeUnit=microseconds)"),
    "TIMESTAMP(3)": (pa.array([1], pa.timestamp("ms")), "INT64 Timestamp(isAdjustedToUTC=false, timeUnit=milliseconds)"),
    "TIMESTAMP_UTC(6)": (pa.array([1], pa.timestamp("us", "UTC")), "INT64 Timestamp(isAdjustedToUTC=true, timeUnit=microseconds)"),
    "TIMESTAMP_UTC(3)": (pa.array([1], pa.timestamp("ms", "UTC")), "INT64 Timestamp(isAdjustedToUTC=true, timeUnit=milliseconds)"),
}  # fmt: skip
UNKNOWN: dict[str, Any] = {
    "INT64 Time(isAdjustedToUTC=false, timeUnit=microseconds)": pa.array([1], pa.time64("us")),
    "INT64 Timestamp(isAdjustedToUTC=false, timeUnit=nanoseconds)": pa.array([1000], pa.timestamp("ns")),
    "FIXED_LEN_BYTE_ARRAY(4)": pa.array([b"abcd"], pa.binary(4)),
    "nested": pa.array([[1]]),
}


def columns(tmp_path: Path, body: bytes) -> tuple[Any, ...]:
    file = tmp_path / "t" / "LOAD00000001.parquet"
    file.parent.mkdir()
    file.write_bytes(body)
    (found,) = observe(Folder(tmp_path), [("t/", PLAIN)], NOW)
    assert isinstance(found.full_load, Footer), found.full_load
    return found.full_load.columns


def test_types_get_the_words_of_the_type_maps(tmp_path: Path) -> None:
    found = columns(tmp_path, parquet(**{word: array for word, (array, _) in WORDS.items()}))
    assert {c.name: (c.parquet_type, c.raw) for c in found} == {word: (word, raw) for word, (_, raw) in WORDS.items()}
    assert all(c.nullable for c in found)


def test_types_that_are_not_known_are_named_and_not_guessed(tmp_path: Path) -> None:
    found = columns(tmp_path, parquet(**UNKNOWN))
    assert [(c.name, c.parquet_type, c.raw) for c in found] == [(raw, "", raw) for raw in UNKNOWN]


def test_a_name_with_a_dot_is_a_column_and_a_struct_is_nested(tmp_path: Path) -> None:
    found = columns(tmp_path, parquet(**{"a.b": pa.array([1], pa.int64()), "s": pa.array([{"x": 1}])}))
    assert [(c.name, c.parquet_type, c.raw) for c in found] == [("a.b", "INT64", "INT64"), ("s", "", "nested")]


def test_a_required_column_is_not_nullable(tmp_path: Path) -> None:
    out = io.BytesIO()
    schema = pa.schema([pa.field("id", pa.int64(), nullable=False)])
    pa.parquet.write_table(pa.table({"id": [1]}, schema=schema), out)
    (column,) = columns(tmp_path, out.getvalue())
    assert not column.nullable


def test_the_older_annotation_alone_counts_as_marked_and_is_noted(tmp_path: Path) -> None:
    """Apache Parquet format, "Parquet Logical Type Definitions": TIMESTAMP_MICROS is UTC-normalized."""
    (column,) = columns(tmp_path, _converted_only("at", 2, 10))
    assert column.parquet_type == "TIMESTAMP_UTC(6)"
    assert column.note == CONVERTED


def _converted_only(name: str, physical: int, converted: int) -> bytes:
    """A file without rows whose one column has a ConvertedType and no LogicalType, as writers of before 2018 made
    them: Thrift's compact protocol by hand."""

    def zigzag(number: int) -> bytes:
        return bytes([number << 1])

    def text(value: str) -> bytes:
        return bytes([len(value)]) + value.encode()

    root = b"\x48" + text("schema") + b"\x15" + zigzag(1) + b"\x00"  # 4: name, 5: num_children
    leaf = (
        b"\x15" + zigzag(physical) + b"\x25" + zigzag(1) + b"\x18" + text(name) + b"\x25" + zigzag(converted) + b"\x00"
    )
    meta = b"\x15" + zigzag(1) + b"\x19" + b"\x2c" + root + leaf + b"\x16" + zigzag(0) + b"\x19" + b"\x0c" + b"\x00"
    return b"PAR1" + meta + struct.pack("<I", len(meta)) + b"PAR1"


def test_the_folder_store_lists_as_s3_does(s3: Any, tmp_path: Path) -> None:
    for path in ("t/20261101-100000000.parquet", "t/LOAD00000001.parquet", "t/2026/11/a.parquet", "t/b c.parquet"):
        put(s3, path)
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_bytes(ROW)

    def shape(page: Listing) -> Any:
        return [f.path for f in page.files], list(page.folders), page.cut

    for arguments in ({}, {"begins": "2"}, {"begins": "2", "after": "20261101"}, {"after": "LOAD"}):
        assert shape(S3("lake", "", s3).listing("t/", **arguments)) == shape(
            Folder(tmp_path).listing("t/", **arguments)
        )
