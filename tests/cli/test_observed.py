"""`check --observed` and `plan --observed` at the command line: what is seen is said, what cannot be is one line."""

from __future__ import annotations

import http.server
import json
import re
import sys
import threading
from collections.abc import Iterator

import boto3
import psycopg
import pyarrow as pa
import pytest
from moto import mock_aws

from lake import parquet

from .conftest import Project

BUCKET = '[lake]\nurl = "s3://lake/files/"\nregion = "eu-central-1"\n'
FILE = parquet(Op=["I"], id=pa.array([1], pa.int64()), note=["x"], seq=["1"], commit_ts=["2026-11-22 10:00:00.000000"])


@pytest.fixture(autouse=True)
def no_aws(monkeypatch: pytest.MonkeyPatch) -> None:
    """No credentials but those that a test gives, and nobody to ask for them."""
    for name in ("AWS_PROFILE", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")


@pytest.fixture
def keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "a-secret-key")


def test_a_file_on_s3_is_read_and_reported(shop: Project, keys: None) -> None:
    shop.write(BUCKET)
    with mock_aws():
        s3 = boto3.client("s3", region_name="eu-central-1")
        s3.create_bucket(Bucket="lake", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
        s3.put_object(Bucket="lake", Key="files/dms/shop/orders/20261122-100000000.parquet", Body=FILE)
        result = shop.run("check", "--observed", "--format", "json")
    assert result.exit_code == 1, result.output
    (folder,) = json.loads(result.stdout)["observed"]["folders"]
    assert folder["cdc"]["file"] == "dms/shop/orders/20261122-100000000.parquet"
    assert folder["cdc"]["rows"] == 1
    assert not [f for f in json.loads(result.stdout)["findings"] if f["code"].startswith("DG44")]


def test_without_the_option_nothing_is_looked_at(shop: Project) -> None:
    shop.write('[lake]\nurl = "s3://lake/"\n')
    assert json.loads(shop.run("check", "--format", "json").stdout)["observed"] is None


@pytest.mark.parametrize("command", ["check", "plan"])
@pytest.mark.parametrize(
    ("lake", "why"),
    [
        ("", "no [lake] url"),
        ('[lake]\nurl = "nowhere"\n', "lake.url: no such folder"),
        ('[lake]\nurl = "s3:///dms"\n', "names no bucket"),
        ('[lake]\nurl = "gs://lake"\n', "write s3://bucket/prefix/, or a folder"),
        ('[lake]\nurl = "s3://lake"\nprofile = "nobody"\n', "profile (nobody) could not be found"),
        ('[lake]\nurl = "s3://lake"\nbucket = "x"\n', "lake.bucket"),
    ],
)
def test_a_lake_that_is_configured_wrongly(shop: Project, command: str, lake: str, why: str) -> None:
    shop.write(lake)
    assert why in shop.refused(2, command, "--observed")


def test_no_credentials(shop: Project) -> None:
    shop.write(BUCKET)
    line = shop.refused(3, "check", "--observed")
    assert "Unable to locate credentials" in line
    assert "AWS_PROFILE" in line


def test_a_bucket_that_is_not_there(shop: Project, keys: None) -> None:
    shop.write(BUCKET)
    with mock_aws():
        line = shop.refused(3, "plan", "--observed")
    assert "NoSuchBucket" in line
    assert "check [lake] url" in line


def test_nobody_answers(shop: Project, keys: None) -> None:
    shop.write(f'{BUCKET}endpoint_url = "http://127.0.0.1:1"\n')
    line = shop.refused(3, "check", "--observed")
    assert "Could not connect to the endpoint URL" in line
    assert "a-secret-key" not in line


@pytest.mark.parametrize("package", ["boto3", "pyarrow"])
def test_the_extra_is_not_installed(shop: Project, keys: None, monkeypatch: pytest.MonkeyPatch, package: str) -> None:
    shop.write(BUCKET)
    monkeypatch.setitem(sys.modules, package, None)
    if package == "pyarrow":
        monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    line = shop.refused(2, "check", "--observed")
    assert package in line
    assert "pip install 'driftguard[aws]'" in line


@pytest.fixture
def refusing() -> Iterator[str]:
    """An S3 that answers everything with AccessDenied."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = b'<?xml version="1.0"?><Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>'
            self.send_response(403)
            self.send_header("Content-Type", "application/xml")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def test_without_the_grant_the_tables_are_unknown_and_never_absent(shop: Project, keys: None, refusing: str) -> None:
    shop.write(f'{BUCKET}endpoint_url = "{refusing}"\n')
    result = shop.run("check", "--observed", "--format", "json")
    assert result.exit_code == 1
    found = {f["code"]: f for f in json.loads(result.stdout)["findings"]}
    assert found["DG444"]["severity"] == "unknown"
    assert "s3:ListBucket" in found["DG444"]["message"]
    assert not {"DG440", "DG441"} & set(found)


# -- probe --aurora: refused before anything is made on Aurora ---------------------------------------------------------

EVERYTHING = {
    "rule-type": "selection",
    "rule-id": "9",
    "rule-name": "all",
    "rule-action": "include",
    "object-locator": {"schema-name": "%", "table-name": "%"},
}


def made(project: Project) -> bool:
    with psycopg.connect(project.aurora_url) as connection:
        return bool(connection.execute("SELECT 1 FROM pg_namespace WHERE nspname = 'driftguard_probe'").fetchone())


def test_a_probe_without_a_lake_or_a_rule_for_its_schema(shop: Project) -> None:
    assert "no [lake] url" in shop.refused(2, "probe", "--aurora")
    shop.write('[lake]\nurl = "."\n')
    line = shop.refused(2, "probe", "--aurora")
    assert '"object-locator": {"schema-name": "driftguard_probe", "table-name": "%"}' in line
    assert not made(shop)


def test_a_probe_whose_bucket_is_not_there(shop: Project, keys: None) -> None:
    shop.write(BUCKET)
    shop.mappings({"rules": [EVERYTHING]})
    with mock_aws():
        assert "NoSuchBucket" in shop.refused(3, "probe", "--aurora")
    assert not made(shop)


def test_a_probe_that_may_not_list(shop: Project, keys: None, refusing: str) -> None:
    shop.write(f'{BUCKET}endpoint_url = "{refusing}"\n')
    shop.mappings({"rules": [EVERYTHING]})
    assert "s3:ListBucket" in shop.refused(3, "probe", "--aurora")
    assert not made(shop)


def test_a_probe_that_may_not_make_a_schema(shop: Project) -> None:
    shop.write('[lake]\nurl = "."\n', url=shop.aurora_url)
    shop.mappings({"rules": [EVERYTHING]})
    shop.aurora("DO $$ BEGIN CREATE ROLE reader LOGIN PASSWORD 'p'; EXCEPTION WHEN duplicate_object THEN NULL; END $$")
    url = re.sub(r"//[^@]*@", "//reader:p@", shop.aurora_url)
    assert "the probe needs CREATE on the database" in shop.refused(3, "probe", "--aurora", url)
